// Budgets for programs: a hold that is settled once. Who meters something for others (a model service) is lent their budget
// with the right to charge, and before it spends anything:
//
//     BudgetHold hold = TRY(BudgetHold::place(budget, {.tokens = most, .model_calls = 1}));
//     ... spend ...
//     TRY(hold.settle({.tokens = used, .model_calls = 1}));
//
// A hold that goes unsettled is uncertain in full, which stays against the payer's limit: so a program that does not know
// what was spent lets it go. No C library is needed.
#pragma once

#include "runtime/kernel/handle.hpp"

namespace aios {

// A budget of one's own quota, with all rights on it. quota_exceeded, missing_right (the self handle lacks `charge`).
[[nodiscard]] inline Result<OwnedHandle> own_budget(Handle self) { return owned(sys::agent_budget(self)); }

class [[nodiscard]] BudgetHold {
public:
    BudgetHold() = default;
    // Takes `amounts` of spent resources out of `budget` (needs rights::charge), all or nothing. quota_exceeded: not as much
    // is left, or spending has passed a limit; bad_argument: nothing, or of a held resource; revoked: its agent has ended, or
    // the budget was taken back; bad_state: its agent is ending.
    static Result<BudgetHold> place(Handle budget, const ResourceAmounts& amounts) {
        return BudgetHold(TRY(owned(sys::budget_hold(budget, &amounts))));
    }
    // What was spent, and what may have been; the rest goes back. The handle goes. bad_argument: together more than is held,
    // and the hold stays; bad_state: it has ended; revoked: it was taken back, and all of it is uncertain.
    Result<> settle(const ResourceAmounts& settled, const ResourceAmounts& uncertain = {}) {
        TRY(sys::hold_settle(handle_.get(), &settled, &uncertain));
        handle_.reset();
        return {};
    }
    [[nodiscard]] Handle get() const { return handle_.get(); }

private:
    explicit BudgetHold(OwnedHandle handle) : handle_(std::move(handle)) {}
    OwnedHandle handle_;
};

// What of a budget can still be held (needs rights::inspect).
[[nodiscard]] inline Result<std::uint64_t> budget_left(Handle budget, Resource resource) {
    BudgetInfo info{};
    TRY(sys::budget_info(budget, &info));
    const BudgetLine& line = info.lines[static_cast<unsigned>(resource)];
    return line.overrun != 0 ? 0 : line.limit - line.held - line.spent - line.uncertain;
}

} // namespace aios
