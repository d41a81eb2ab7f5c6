// Ends of units: what becomes of the unit and of the whole, and what is said about it.
#include "runtime/orchestration/supervisor.hpp"

namespace aios::orchestration {

void Supervisor::fail_with(std::string_view what, std::string_view unit, Error error) {
    finish(false, "{} ({}): {}", what, unit, error_info(error).sentence);
}

// The unit's place is free again.
void Supervisor::let_go(std::size_t unit) {
    close_answer(unit);
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::spawned, unit));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::message, unit));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::ended, unit));
    units_[unit] = {};
}

void Supervisor::over(std::size_t unit, Ending ending, std::string_view why) {
    const Verdict verdict = states_.over(unit, ending, now_ns());
    if (verdict == Verdict::give_up) {
        finish(false, "{} failed for good: {}", name_of(unit), why);
        return;
    }
    for (std::size_t other = 0; other < units_.size(); ++other) {
        if (states_.state(other) == UnitState::stopping && !units_[other].stop_wanted) stop(other);
    }
    if (ending == Ending::well) return;
    if (states_.state(unit) == UnitState::failed) {
        console_print("{}: {} failed for good and the others go on: {}\n", name_, name_of(unit), why);
    } else if (ending != Ending::lacking) {
        console_print("{}: {} is started again: {}\n", name_, name_of(unit), why);
    }
}

// Nobody runs, nobody will, and nobody has said how it went.
void Supervisor::finish_without_word() {
    if (states_.any_done()) {
        finish(true, "every unit of {} has ended", path_);
    } else {
        finish(false, "no unit of {} is left", path_);
    }
}

// Units that can never start, because one that they need has failed for good.
void Supervisor::fail_doomed() {
    while (const auto doomed = states_.fail_next_doomed()) {
        const bool never_ready = states_.last_ending(doomed->need) == Ending::unready;
        const std::string_view what = never_ready ? "never became ready" : "failed for good";
        if (description_.units[doomed->unit].essential) {
            finish(false, "{} cannot start: it needs {}, which {}", name_of(doomed->unit), name_of(doomed->need), what);
            return;
        }
        console_print("{}: {} is not started: it needs {}, which {}\n", name_, name_of(doomed->unit),
                      name_of(doomed->need), what);
    }
}

// What a unit may spend holds for all its starts together: the next one gets what this one has left over.
void Supervisor::keep_unspent(QuotaGrant& quota, const AgentInfo& info) {
    for (const Resource resource : kSpentResources) {
        const std::uint64_t limit = info.quota.value(resource), used = info.used.value(resource);
        quota.set(resource, limit > used ? limit - used : 0);
    }
}

std::string_view Supervisor::why_unready(Words& words, std::size_t unit) const {
    return aios::format_to(words, "it never became ready: it did not say so within its ready_timeout of {} seconds",
                           description_.units[unit].ready_timeout_ns / 1'000'000'000);
}

std::string_view Supervisor::why_ended(Words& words, std::size_t unit, const AgentInfo& info) const {
    switch (static_cast<EndReason>(info.end_reason)) {
    case EndReason::exited:
        return aios::format_to(words, "it ended with status {}", info.end_status);
    case EndReason::killed:
        return aios::format_to(words, "it was ended by signal or kill {}", info.end_status);
    case EndReason::fault:
        return aios::format_to(words, "it faulted, vector {} at {:x}", info.end_status, info.fault_address);
    case EndReason::quota:
        return aios::format_to(words, "it ran out of its memory = {}K, of which it had used {}K",
                               description_.units[unit].quota.memory_bytes >> 10, info.memory_peak_bytes >> 10);
    case EndReason::integrity:
        return aios::format_to(words, "a page of its program does not match its hash");
    case EndReason::parent_ended:
    case EndReason::none:
        break;
    }
    return aios::format_to(words, "it is gone (reason {}, status {})", info.end_reason, info.end_status);
}

} // namespace aios::orchestration
