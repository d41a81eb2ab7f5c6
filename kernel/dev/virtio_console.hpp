// A virtio console (virtio 1.1 section 5.3), both ways. Where the device has several ports, it is serial port
// 1: QEMU holds back a serial port whose host end is busy, but throws away what a console port (port 0) cannot pass on
// at once. With a single port it is port 0. No lock: host_port.cpp has it.
#pragma once

#include <span>

#include "kernel/dev/transmit_ring.hpp"
#include "kernel/dev/virtio.hpp"

namespace aios::dev {

class VirtioConsole {
public:
    // Finds and starts the device. not_found: there is none; device, bad_format: it does not follow the standard.
    Result<> init();
    [[nodiscard]] bool is_ready() const { return ready_; }

    [[nodiscard]] bool fits(std::size_t bytes) const { return ring_.fits(bytes); }
    void send(std::span<const Bytes> parts); // fits() was true
    void collect();                          // takes back what the device has written
    [[nodiscard]] bool is_idle() const { return ring_.is_empty(); }

    // What the host has sent, as far as it goes into `to`: 0 if there is nothing. What is not taken stays, and when all
    // buffers are full the host waits.
    std::size_t receive(MutableBytes to);

private:
    enum class Ports : bool { one, several };
    Result<> start_port(Ports ports);
    Result<> announce();
    Result<> start_receiving(std::uint16_t queue);
    void offer_buffer(std::uint16_t id);

    static constexpr std::uint16_t kBuffers = 16; // of a page each
    VirtioDevice device_;
    VirtQueue transmit_, control_, receive_;
    std::uint64_t buffers_physical_ = 0;
    struct { // the buffer that is being taken from
        std::uint16_t id = 0;
        std::size_t at = 0, end = 0;
    } taken_;
    std::uint64_t store_physical_ = 0;
    TransmitRing<VirtQueue::kSize> ring_;
    bool ready_ = false;
};

} // namespace aios::dev
