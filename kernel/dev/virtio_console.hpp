// A virtio console on PCI, modern interface (virtio 1.1 sections 4.1 and 5.3), port 0, output only. Polled: completions
// are collected when there is something to send, so there are no interrupts. No lock: host_port.cpp has it.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "kernel/dev/transmit_ring.hpp"

namespace aios::dev {

class VirtioConsole {
public:
    // Finds and starts the device. not_found: there is none; device, bad_format: it does not follow the standard.
    Result<> init();
    [[nodiscard]] bool is_ready() const { return ready_; }

    [[nodiscard]] std::size_t capacity() const { return ring_.capacity(); }
    [[nodiscard]] bool fits(std::size_t bytes) const { return ring_.fits(bytes); }
    void send(std::span<const Bytes> parts); // fits() was true
    void collect();                          // takes back what the device has written
    [[nodiscard]] bool is_idle() const { return ring_.is_empty(); }

private:
    static constexpr unsigned kQueueSize = 64;
    static constexpr std::uint16_t kTransmitQueue = 1;
    struct Capabilities;
    struct Queue;
    Result<> negotiate();
    Result<> start_queue(std::uint64_t notify_base, std::uint32_t notify_multiplier);

    volatile std::uint8_t* common_ = nullptr;
    volatile std::uint16_t* notify_ = nullptr;
    Queue* queue_ = nullptr;
    std::uint64_t queue_physical_ = 0, store_physical_ = 0;
    std::uint16_t available_index_ = 0, used_index_ = 0;
    TransmitRing<kQueueSize> ring_;
    bool ready_ = false;
};

} // namespace aios::dev
