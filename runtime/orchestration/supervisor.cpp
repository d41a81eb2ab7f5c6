// The supervisor's loop: events in, decisions of UnitStates out.
#include "runtime/orchestration/supervisor.hpp"
#include "base/cbor.hpp"

namespace aios::orchestration {

void Supervisor::fail_with(std::string_view what, std::string_view unit, Error error) {
    finish(false, "{} ({}): {}", what, unit, error_info(error).sentence);
}

void Supervisor::start_what_can() {
    for (std::size_t unit = states_.next_to_start(); unit != kMaxUnits && !finished_; unit = states_.next_to_start()) {
        states_.started(unit);
        if (const auto started = start_unit(unit); !started) try_again(unit, started.error());
    }
}

// What a unit's predecessor paid comes back a moment after its end, and identityd may be starting anew: such failures
// pass.
void Supervisor::try_again(std::size_t unit, Error error) {
    constexpr std::uint32_t kMaxFailedStarts = 40;
    constexpr std::uint64_t kPause = 100'000'000; // ns
    const bool may_pass = error == Error::quota_exceeded || error == Error::out_of_memory ||
                          error == Error::peer_closed || error == Error::timed_out || error == Error::would_block;
    const std::uint32_t failed_starts = units_[unit].failed_starts + 1;
    if (finished_ || !may_pass || failed_starts > kMaxFailedStarts) {
        fail_with("cannot start a unit", name_of(unit), error);
        return;
    }
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::spawned, unit));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::message, unit));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::ended, unit));
    if (units_[unit].agent) (void)sys::agent_kill(units_[unit].agent.get(), 0);
    units_[unit] = {};
    units_[unit].failed_starts = failed_starts;
    states_.not_started(unit);
    // Sleeps on a queue to which nothing is registered.
    const auto idle = owned(sys::queue_create(self()));
    const auto now = sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic));
    EventPacket packet;
    if (idle && now) (void)sys::event_wait(idle->get(), &packet, 1, *now + kPause);
}

// A unit says {0: "ready" | "done" | "failed" | "progress", 1: text, 2: ok}.
void Supervisor::read_message(std::size_t unit, Bytes bytes) {
    auto decode = [&]() -> Result<> {
        cbor::Decoder in(bytes);
        if (TRY(in.map_begin()) != 3) return fail(Error::bad_format);
        TRY(in.expect_key(0));
        const std::string_view kind = TRY(in.text());
        TRY(in.expect_key(1));
        const std::string_view text = TRY(in.text());
        TRY(in.expect_key(2));
        const bool is_ok = TRY(in.boolean());
        TRY(in.end());
        TRY(in.finish());
        if (kind == "ready") {
            states_.ready(unit);
        } else if (kind == "done" || kind == "failed") {
            if (is_ok && kind == "done") {
                finish(true, "{}", text);
            } else {
                finish(false, "{} failed: {}", name_of(unit), text);
            }
        }
        return {};
    };
    if (const auto decoded = decode(); !decoded) {
        console_print("{}: a message of {} cannot be read and was dropped\n", name_, name_of(unit));
    }
}

void Supervisor::read_messages(std::size_t unit) {
    for (;;) {
        Message message{};
        message.bytes = reinterpret_cast<std::uint64_t>(message_); // SAFETY: for the kernel
        message.size = sizeof(message_);
        HandleGrant dropped[kMaxMessageHandles];
        message.handles = reinterpret_cast<std::uint64_t>(dropped); // SAFETY: for the kernel
        message.handle_count = kMaxMessageHandles;
        if (!units_[unit].parent || !sys::ipc_recv(units_[unit].parent.get(), &message)) return; // empty, or closed
        for (std::uint64_t i = 0; i < message.handle_count; ++i) {
            (void)sys::handle_close(dropped[i].handle); // nobody sends us handles
        }
        read_message(unit, Bytes(message_, message.size));
    }
}

void Supervisor::ended(std::size_t unit) {
    if (!units_[unit].agent) return;
    if (!units_[unit].stop_wanted) read_messages(unit); // its last words
    AgentInfo info{};
    const bool is_known = sys::agent_info(units_[unit].agent.get(), &info).has_value();
    if (is_known && info.state != static_cast<std::uint32_t>(AgentState::dead))
        return; // a fault report comes before the end
    const bool stop_wanted = units_[unit].stop_wanted;
    const bool failed =
        !is_known || info.end_reason != static_cast<std::uint32_t>(EndReason::exited) || info.end_status != 0;
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::ended, unit));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::message, unit));
    units_[unit] = {};
    if (finished_) {
        states_.stopped(unit);
        return;
    }
    if (stop_wanted) { // for a restart that was decided already
        states_.gone(unit);
        return;
    }
    std::uint64_t now = 0;
    if (const auto clock = sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)); clock) now = *clock;
    if (failed) {
        console_print("{}: {} ended (reason {}, status {})\n", name_, name_of(unit), info.end_reason, info.end_status);
    }
    const UnitStates::Decision decision = states_.ended(unit, failed, now);
    if (decision.give_up) {
        finish(false, "{} failed for good (reason {}, status {})", name_of(unit), info.end_reason, info.end_status);
        return;
    }
    for (std::size_t other = 0; other < kMaxUnits; ++other) {
        if (other != unit && (decision.restart >> other & 1) != 0 && units_[other].agent) {
            units_[other].stop_wanted = true;
            (void)sys::agent_kill(units_[other].agent.get(), 0);
        }
    }
}

void Supervisor::handle(const EventPacket& packet) {
    const auto unit = static_cast<std::size_t>(packet.key & 0xffffffff);
    switch (static_cast<EventKind>(packet.key >> 32)) {
    case EventKind::spawned:
        if (const auto done = spawned(unit); !done) try_again(unit, done.error());
        return;
    case EventKind::message:
        if (!units_[unit].stop_wanted) read_messages(unit);
        return;
    case EventKind::ended:
        ended(unit);
        return;
    }
}

// Reverse order of needs; each has kStopPatience to go.
void Supervisor::stop_all() {
    for (std::size_t unit = states_.next_to_stop(); unit != kMaxUnits; unit = states_.next_to_stop()) {
        if (units_[unit].agent) {
            (void)sys::agent_kill(units_[unit].agent.get(), 0);
            const auto now = sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic));
            const std::uint64_t deadline = now ? *now + kStopPatience : 0;
            while (units_[unit].agent) {
                EventPacket packets[8];
                const auto count = sys::event_wait(queue_.get(), packets, 8, deadline);
                if (!count) break;
                for (std::uint64_t i = 0; i < *count; ++i) {
                    handle(packets[i]);
                }
            }
        }
        states_.stopped(unit);
    }
}

Supervisor::End Supervisor::run() {
    if (const auto prepared = prepare(); !prepared) fail_with("cannot prepare", path_, prepared.error());
    while (!finished_) {
        start_what_can();
        if (finished_) break;
        EventPacket packets[8];
        const auto count = sys::event_wait(queue_.get(), packets, 8, kNoDeadline);
        if (!count) {
            fail_with("cannot wait for events", name_, count.error());
            break;
        }
        for (std::uint64_t i = 0; i < *count; ++i) {
            handle(packets[i]);
        }
    }
    stop_all();
    return {is_ok_, sentence_};
}

} // namespace aios::orchestration
