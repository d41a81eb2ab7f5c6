// The supervisor's loop: events in, decisions of UnitStates out.
#include "runtime/orchestration/supervisor.hpp"

#include "messages/view.hpp"
#include "runtime/kernel/parent.hpp"

namespace aios::orchestration {

std::uint64_t Supervisor::now_ns() { return sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)).value_or(0); }

void Supervisor::read_message(std::size_t unit, Bytes bytes) {
    const auto said = messages::decode<messages::view::UnitMessage>(bytes);
    if (!said) {
        console_print("{}: a message of {} cannot be read and was dropped\n", name_, name_of(unit));
    } else if (said->type == kUnitReady) {
        states_.ready(unit);
        units_[unit].ready_due_ns = kNoDeadline;
    } else if (said->type == kUnitDone && said->ok) {
        finish(true, "{}", said->text);
    } else if (said->type == kUnitDone || said->type == kUnitFailed) {
        finish(false, "{} failed: {}", name_of(unit), said->text);
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
        const bool is_heard = !units_[unit].stop_wanted && !units_[unit].start_error && !units_[unit].is_late;
        for (std::uint64_t i = 0; i < message.handle_count; ++i) {
            (void)sys::handle_close(dropped[i].handle); // nobody sends us handles
        }
        if (is_heard) read_message(unit, Bytes(message_, message.size));
    }
}

void Supervisor::ended(std::size_t unit) {
    if (!units_[unit].agent) return; // an old packet
    const bool stop_wanted = units_[unit].stop_wanted;
    const std::optional<Error> start_error = units_[unit].start_error;
    const bool is_late = units_[unit].is_late;
    read_messages(unit); // its last words
    AgentInfo info{};
    const bool is_known = sys::agent_info(units_[unit].agent.get(), &info).has_value();
    if (is_known && info.state != static_cast<std::uint32_t>(AgentState::dead))
        return; // a fault report comes before the end
    if (is_known) keep_unspent(description_.units[unit].quota, info);
    let_go(unit);
    if (finished_) {
        states_.stopped(unit);
    } else if (stop_wanted) { // for a restart that was decided already
        states_.gone(unit, now_ns());
    } else if (start_error) {
        never_started(unit, *start_error);
    } else if (is_late) {
        Words words;
        over(unit, Ending::unready, why_unready(words, unit));
    } else {
        const bool is_well = is_known && info.end_reason == static_cast<std::uint32_t>(EndReason::exited) &&
                             info.end_status == 0 && !serves_identity(description_.units[unit]);
        Words words;
        over(unit, is_well ? Ending::well : Ending::failed, why_ended(words, unit, info));
    }
}

void Supervisor::stop(std::size_t unit) {
    units_[unit].stop_wanted = true; // (2) of its way looks at this, if the spawn is under way
    if (units_[unit].agent) (void)sys::agent_kill(units_[unit].agent.get(), 0);
}

void Supervisor::handle(const EventPacket& packet) {
    const auto unit = static_cast<std::size_t>(packet.key & 0xffffffff);
    switch (static_cast<EventKind>(packet.key >> 32)) {
    case EventKind::spawned:
        if (const auto done = spawned(unit); !done) not_started(unit, done.error());
        return;
    case EventKind::message:
        read_messages(unit);
        return;
    case EventKind::identified:
        if (const auto done = identified(unit); !done) not_started(unit, done.error());
        return;
    case EventKind::ended:
        ended(unit);
        return;
    }
}

// The only place where a supervisor waits.
void Supervisor::wait_and_handle(std::uint64_t deadline) {
    EventPacket packets[8];
    const auto count = sys::event_wait(queue_.get(), packets, std::size(packets), deadline);
    if (!count && count.error() != Error::timed_out && count.error() != Error::interrupted)
        fail_with("cannot wait for events", name_, count.error());
    for (std::uint64_t i = 0; count && i < *count; ++i) {
        handle(packets[i]);
    }
}

// Reverse order of needs; each has kStopPatience to go.
void Supervisor::stop_all() {
    while (const auto unit = states_.next_to_stop()) {
        stop(*unit);
        const std::uint64_t deadline = now_ns() + kStopPatience;
        while ((units_[*unit].agent || units_[*unit].operation) && now_ns() < deadline) {
            wait_and_handle(deadline);
        }
        states_.stopped(*unit);
    }
}

Supervisor::End Supervisor::run() {
    if (const auto prepared = prepare(); !prepared) fail_with("cannot prepare", path_, prepared.error());
    while (!finished_) {
        start_what_can();
        fail_doomed();
        if (!finished_ && states_.is_over()) finish_without_word();
        if (finished_) break;
        const std::uint64_t due = next_due(), next_try = states_.next_try_ns();
        wait_and_handle(due < next_try ? due : next_try);
        give_up_late_answers();
        end_late_units();
    }
    stop_all();
    return {is_ok_, sentence_};
}

} // namespace aios::orchestration
