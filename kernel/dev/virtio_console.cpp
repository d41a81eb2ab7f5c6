// See virtio_console.hpp. Section numbers are those of virtio 1.1.
#include "kernel/dev/virtio_console.hpp"

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
    if (several) TRY(device_.start_queue(control_, kControlTransmit));
    device_.ready();
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
        if (control_.take_used() != VirtQueue::kNone)
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

void VirtioConsole::collect() {
    for (;;) {
        const std::uint32_t id = transmit_.take_used();
        if (id == VirtQueue::kNone) return;
        if (ring_.complete(id)) continue;
        log(LogLevel::error, "the host port's device gave back what it never had: output ends here");
        ready_ = false;
        return;
    }
}

} // namespace aios::dev
