// See virtio_console.hpp. Section numbers are those of virtio 1.1.
#include "kernel/dev/virtio_console.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::dev {
namespace {

constexpr std::uint16_t kConsole = 3; // the kind of device (5)
constexpr std::uint32_t kMultiport = 1 << 1;
constexpr unsigned kMaxPorts = 4; // offset in the device's configuration (5.3.4)
constexpr std::uint16_t kControlTransmit = 3, kTransmit0 = 1, kTransmit1 = 5; // 5.3.2
constexpr std::uint16_t kReceive0 = 0, kReceive1 = 4;
constexpr std::uint32_t kPort = 1;
constexpr unsigned kStoreOrder = 6; // 256 KiB

struct Control { // 5.3.6.2
    std::uint32_t port;
    std::uint16_t event, value;
};
constexpr std::uint16_t kDeviceReady = 0, kPortReady = 3, kPortOpen = 6;

} // namespace

Result<> VirtioConsole::init() {
    TRY(device_.init(kConsole, kMultiport));
    const bool several = device_.has(kMultiport) && device_.configuration32(kMaxPorts) > kPort;
    const auto started = start_port(several ? Ports::several : Ports::one);
    if (!started) {
        device_.failed();
        return started;
    }
    ready_ = true;
    return {};
}

Result<> VirtioConsole::start_port(Ports ports) {
    const bool several = ports == Ports::several;
    // Kept for good, like the queues.
    store_physical_ = TRY(mm::allocate_frames(kStoreOrder)).value;
    ring_.init({static_cast<std::byte*>(arch::physmap({store_physical_})), mm::kPageSize << kStoreOrder});
    TRY(device_.start_queue(transmit_, several ? kTransmit1 : kTransmit0));
    if (transmit_.size() != VirtQueue::kSize) return fail(Error::device); // pieces have so many numbers
    TRY(start_receiving(several ? kReceive1 : kReceive0));
    if (several) TRY(device_.start_queue(control_, kControlTransmit));
    device_.ready();
    receive_.notify();
    return several ? announce() : Result<>{};
}

// Tells the device that there is a driver, and that its end of the port is open. What it answers is not asked for:
// there is one port that we use, and if it is not there, what is sent to it is gone.
Result<> VirtioConsole::announce() {
    const Control messages[] = {{0, kDeviceReady, 1}, {kPort, kPortReady, 1}, {kPort, kPortOpen, 1}};
    std::memcpy(arch::physmap({store_physical_}), messages, sizeof(messages)); // the ring is not in use yet
    for (std::uint16_t i = 0; i < std::size(messages); ++i)
        control_.offer(i, store_physical_ + i * sizeof(Control), sizeof(Control));
    control_.notify();
    const std::uint64_t give_up = arch::ticks() + arch::tick_khz() * 2000;
    for (std::size_t done = 0; done < std::size(messages);) {
        if (control_.take_used().id != VirtQueue::kNone)
            ++done;
        else if (arch::ticks() > give_up)
            return fail(Error::device);
        else
            arch::relax();
    }
    return {};
}

void VirtioConsole::send(std::span<const Bytes> parts) {
    for (const auto& piece : ring_.push(parts))
        transmit_.offer(piece.id, store_physical_ + piece.offset, static_cast<std::uint32_t>(piece.bytes));
    transmit_.notify();
}

// Buffers are kept for good, as the queue is.
Result<> VirtioConsole::start_receiving(std::uint16_t queue) {
    TRY(device_.start_queue(receive_, queue));
    if (receive_.size() < kBuffers) return fail(Error::device);
    buffers_physical_ = TRY(mm::allocate_frames(std::countr_zero(kBuffers))).value;
    for (std::uint16_t id = 0; id < kBuffers; ++id)
        offer_buffer(id);
    return {};
}

void VirtioConsole::offer_buffer(std::uint16_t id) {
    receive_.offer(id, buffers_physical_ + id * mm::kPageSize, mm::kPageSize, VirtQueue::Access::device_writes);
}

std::size_t VirtioConsole::receive(MutableBytes to) {
    if (taken_.at == taken_.end) {
        const VirtQueue::Used used = receive_.take_used();
        if (used.id == VirtQueue::kNone) return 0;
        if (used.id >= kBuffers || used.bytes > mm::kPageSize) {
            log(LogLevel::error, "the host port's device gave more than it had room for: input ends here");
            ready_ = false;
            return 0;
        }
        taken_ = {static_cast<std::uint16_t>(used.id), 0, used.bytes};
    }
    const std::size_t bytes = std::min(to.size(), taken_.end - taken_.at);
    const auto* page = static_cast<const std::byte*>(arch::physmap({buffers_physical_ + taken_.id * mm::kPageSize}));
    std::copy_n(page + taken_.at, bytes, to.data());
    taken_.at += bytes;
    if (taken_.at == taken_.end) {
        offer_buffer(taken_.id);
        receive_.notify();
    }
    return bytes;
}

void VirtioConsole::collect() {
    for (;;) {
        const std::uint32_t id = transmit_.take_used().id;
        if (id == VirtQueue::kNone) return;
        if (ring_.complete(id)) continue;
        log(LogLevel::error, "the host port's device gave back what it never had: output ends here");
        ready_ = false;
        return;
    }
}

} // namespace aios::dev
