// See host_port.hpp. Lock: Rank::host_port around the ring and the device, for the copy of one frame. Senders that find
// no room wait in the order in which they came (tickets), looking again once a millisecond.
#include "kernel/dev/host_port.hpp"

#include <array>
#include <atomic>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "base/crc32.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/virtio_console.hpp"
#include "kernel/host/output.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "kernel/sync/lock.hpp"
#include "kernel/time/clock.hpp"
#include "messages/view.hpp"

namespace aios::dev {
namespace {

constexpr std::uint64_t kPollNs = 1'000'000;
constexpr std::uint64_t kDrainMilliseconds = 5'000;

constinit VirtioConsole device;
constinit std::atomic<bool> is_plugged_in{false}; // the kernel's own frames go to it

struct Port {
    VirtioConsole* console = nullptr; // once it runs
    std::uint64_t next_ticket = 0, serving = 0;
    HostPortCounts counts{};
};
constinit sync::Protected<Port, sync::Rank::host_port> port;

// In a panic whoever held the lock is stopped, so it is gone round.
template <typename F>
decltype(auto) with_port(F&& function) {
    if (arch::is_panicking()) return function(port.in_panic());
    return port.with(std::forward<F>(function));
}

struct Head {
    std::array<std::byte, 128> bytes;
    std::size_t size = 0;
};

// The payload up to the body: the map and its first three pairs, the fourth key, and a byte string's head for raw
// bodies.
Head payload_head(std::uint32_t kind, std::uint64_t agent, std::string_view name, std::size_t body_bytes) {
    Head head;
    constexpr std::byte kNull[] = {std::byte{0xf6}};
    messages::view::Frame frame{.kind = kind, .agent = agent, .name = name, .body = {}};
    frame.body.item = kNull;
    const auto encoded = messages::encode(head.bytes, frame);
    if (!encoded) return head;
    head.size = encoded->size() - 1; // the body stands in the place of null
    if (kind != static_cast<std::uint32_t>(FrameKind::console) &&
        kind != static_cast<std::uint32_t>(FrameKind::job_output))
        return head;
    // The same head as of an unsigned number, as major type 2 (RFC 8949 section 3).
    std::array<std::byte, cbor::kMaxHead> number;
    const auto length = cbor::Encoder(number).uint(body_bytes).finish();
    if (!length) return {};
    for (const std::byte byte : *length)
        head.bytes[head.size++] = byte;
    head.bytes[head.size - length->size()] |= std::byte{0x40};
    return head;
}

std::string_view text_of(const char* name) {
    std::string_view text(name == nullptr ? "" : name);
    return text.substr(0, 64);
}

// True when the frame is in the ring. `ticket`: the caller's place in the queue.
bool try_send(Port& p, std::uint64_t ticket, std::span<const Bytes> parts, std::size_t total) {
    const bool ready = p.console != nullptr && p.console->is_ready();
    if (ready) p.console->collect();
    if (!arch::is_panicking() && ticket != p.serving) return false;
    if (ready) {
        if (!p.console->fits(total)) return false;
        p.console->send(parts);
        ++p.counts.frames;
        p.counts.bytes += total;
    } else {
        ++p.counts.dropped;
    }
    p.serving = ticket + 1;
    return true;
}

void wait_a_little() {
    if (arch::is_panicking()) return arch::relax();
    static constinit sched::WaitQueue nobody_wakes;
    (void)nobody_wakes.wait(time::deadline_after(kPollNs), [] { return false; }, sched::Interruptible::no);
}

} // namespace

void init_host_port() {
    if (const auto started = device.init(); !started) {
        log(LogLevel::warning, "no virtio console for the host port ({}): frames are dropped", started.error());
        return;
    }
    port.with([](Port& p) { p.console = &device; });
    is_plugged_in.store(true, std::memory_order_release);
}

void host_port_send(std::uint32_t kind, std::uint64_t agent, const char* name, Bytes body) {
    const Head head = payload_head(kind, agent, text_of(name), body.size());
    const std::size_t payload = head.size + body.size();
    if (head.size == 0 || payload > kMaxFramePayload) {
        with_port([](Port& p) { ++p.counts.dropped; });
        return;
    }
    const Bytes inner(head.bytes.data(), head.size);
    std::array<std::byte, kFrameHead> frame;
    frame = {std::byte{'A'}, std::byte{'I'}, std::byte{'O'}, std::byte{'F'}};
    store_le(frame.data() + 4, static_cast<std::uint32_t>(payload));
    store_le(frame.data() + 8, crc32c(body, crc32c(inner)));
    const Bytes parts[] = {frame, inner, body};

    const std::uint64_t ticket = with_port([](Port& p) { return p.next_ticket++; });
    const std::uint64_t give_up = arch::ticks() + arch::tick_khz() * kDrainMilliseconds; // counts in a panic alone
    while (!with_port([&](Port& p) { return try_send(p, ticket, parts, kFrameHead + payload); })) {
        if (arch::is_panicking() && arch::ticks() > give_up) return;
        wait_a_little();
    }
}

std::size_t host_port_receive(MutableBytes to) {
    return with_port(
        [&](Port& p) { return p.console != nullptr && p.console->is_ready() ? p.console->receive(to) : 0; });
}

void drain_host_port() {
    const std::uint64_t give_up = arch::ticks() + arch::tick_khz() * kDrainMilliseconds;
    const auto idle = [](Port& p) {
        if (p.console == nullptr || !p.console->is_ready()) return true;
        p.console->collect();
        return p.console->is_idle();
    };
    while (!with_port(idle)) {
        if (arch::ticks() > give_up) {
            log(LogLevel::error, "the host does not take what is left of the output");
            return;
        }
        arch::relax();
    }
    if (const auto counts = host_port_counts(); counts.dropped != 0) log_info("{} frames were dropped", counts.dropped);
}

HostPortCounts host_port_counts() {
    return with_port([](Port& p) { return p.counts; });
}

} // namespace aios::dev

namespace aios::upcall {

void send_frame(FrameKind kind, std::uint64_t agent, const char* name, Bytes body) {
    if (!dev::is_plugged_in.load(std::memory_order_acquire))
        return; // acquire: pairs with the release in init_host_port
    dev::host_port_send(static_cast<std::uint32_t>(kind), agent, name, body);
}

std::size_t receive_from_host(MutableBytes to) { return dev::host_port_receive(to); }

} // namespace aios::upcall
