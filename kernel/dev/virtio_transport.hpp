// How a driver reaches a virtio device: by PCI (virtio 1.1 section 4.1) or by registers in memory (section 4.2). The
// same steps for both; only where registers lie differs. One device each; it is never taken away again.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace aios::dev {

struct QueueMemory { // physical addresses of a queue's three parts
    std::uint64_t descriptors, available, used;
};

class VirtioTransport {
public:
    virtual std::uint8_t status() = 0;
    virtual void set_status(std::uint8_t status) = 0;              // 0 resets
    virtual std::uint32_t device_features(std::uint32_t word) = 0; // word 0: bits 0 to 31; word 1: the next
    virtual void set_driver_features(std::uint32_t word, std::uint32_t value) = 0;
    virtual std::uint32_t configuration32(unsigned offset) = 0;         // 0 beyond its end
    virtual std::uint32_t queue_limit(std::uint16_t queue) = 0;         // descriptors it may have; 0: no such queue
    virtual Result<volatile void*> queue_bell(std::uint16_t queue) = 0; // where to write that there is something
    virtual void start_queue(std::uint16_t queue, std::uint16_t size, const QueueMemory& memory) = 0;
    virtual void ring(volatile void* bell, std::uint16_t queue) = 0;

protected:
    ~VirtioTransport() = default;
};

// Find the device of a kind (5: 3 is a console). not_found: there is none; device, bad_format: it does not follow the
// standard; unsupported: a legacy device. The device of the answer is static storage: one device a transport.
Result<VirtioTransport*> find_virtio_pci(std::uint16_t kind);
Result<VirtioTransport*> find_virtio_mmio(std::uint16_t kind);

} // namespace aios::dev
