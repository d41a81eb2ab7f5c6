// Virtio devices, modern interface (virtio 1.1), on PCI or else on registers in memory (virtio_transport.hpp), and
// their split virtqueues (section 2.6). Polled: no interrupts. No locks; whoever owns the device has one.
#pragma once

#include <atomic>

#include "base/result.hpp"
#include "base/types.hpp"
#include "kernel/dev/virtio_transport.hpp"

namespace aios::dev {

// One queue of descriptors that stand alone (no chains). Its memory is one frame, kept for good: the device writes
// there as long as the machine runs.
class VirtQueue {
public:
    static constexpr unsigned kSize = 64;

    [[nodiscard]] unsigned size() const { return size_; } // at most kSize: what the device offers
    // A buffer at a physical address, for the device to read or to write, under a number below size() that is not out.
    enum class Access : bool { device_reads, device_writes };
    void offer(std::uint16_t id, std::uint64_t physical, std::uint32_t bytes, Access access = Access::device_reads);
    void notify(); // the device looks at what was offered
    // A buffer that the device is done with, one a call, and how much it has written there; kNone if there is none. It is
    // the device's word: check it.
    static constexpr std::uint32_t kNone = ~0u;
    struct Used {
        std::uint32_t id, bytes;
    };
    Used take_used();

private:
    friend class VirtioDevice;
    struct Memory;
    Memory* memory_ = nullptr;
    VirtioTransport* transport_ = nullptr;
    volatile void* bell_ = nullptr;
    std::uint16_t number_ = 0, size_ = 0, offered_ = 0, taken_ = 0;
};

class VirtioDevice {
public:
    // Finds the device of this kind (section 5), resets it and negotiates VERSION_1 and those of the low 32 feature
    // bits in `wanted` that it offers. not_found: there is none; device, bad_format: it does not follow the standard;
    // unsupported: it has the legacy interface alone.
    Result<> init(std::uint16_t kind, std::uint32_t wanted);
    [[nodiscard]] bool has(std::uint32_t feature) const { return (features_ & feature) != 0; }
    [[nodiscard]] std::uint32_t configuration32(unsigned offset) const; // of the device's own; 0 beyond its end
    Result<> start_queue(VirtQueue& queue, std::uint16_t number);
    void ready();  // all queues are set up
    void failed(); // gives the device up

private:
    Result<> negotiate(std::uint32_t wanted);
    VirtioTransport* transport_ = nullptr;
    std::uint32_t features_ = 0;
};

} // namespace aios::dev
