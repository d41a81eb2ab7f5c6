// Steps (2) to (5) of a hold. See hold.hpp. budget.hpp's account for a program stands here as well.
#include "kernel/quota/hold.hpp"

namespace aios {

BudgetInfo Budget::info() const {
    BudgetInfo info{};
    info.version = QuotaGrant::kVersion;
    info.count = kResourceCount;
    info.payer = payer_;
    for (const ResourceRow& row : kResources) {
        if (row.kind != ResourceKind::held) continue;
        BudgetLine& line = info.lines[static_cast<unsigned>(row.resource)];
        line.limit = quota_->limit(row.resource);
        line.held = quota_->used(row.resource);
    }
    const Spending spending = quota_->spending();
    for (unsigned i = 0; i < kSpentCount; ++i) {
        const Spending::Line& line = spending.line(i);
        info.lines[static_cast<unsigned>(kSpentResources[i])] = {line.limit, line.held, line.spent, line.uncertain,
                                                                 line.overrun()};
    }
    return info;
}

Result<Ref<Hold>> Hold::create(Payer& holder) {
    Reservation charge = TRY(Reservation::make(holder, Resource::memory, mm::cost_of<Hold>));
    return Ref<Hold>::adopt(TRY(mm::make<Hold>(std::move(charge))));
}

Result<> Hold::open(const Budget& budget, const SpentAmounts& amounts) {
    TRY(budget.quota().hold(amounts)); // step (2)
    amounts_ = amounts;
    quota_ = Ref<Quota>::share(budget.quota());
    witness_ = Ref<SpendingWitness>::share(budget.witness());
    State made = State::made;
    // Step (3). release: whoever ends the hold sees what was written above.
    if (state_.compare_exchange_strong(made, State::open, std::memory_order_release, std::memory_order_relaxed))
        return {};
    quota_.reset(); // it was dropped as `made`, so nobody else looks at these
    witness_.reset();
    budget.quota().settle(amounts, {}, {});
    return fail(Error::revoked);
}

Result<> Hold::settle(const SpentAmounts& settled, const SpentAmounts& uncertain) {
    // acquire: pairs with step (3), so that the amounts are there; they do not change while the hold is open or later.
    if (state_.load(std::memory_order_acquire) != State::open) return fail(Error::bad_state);
    for (unsigned i = 0; i < kSpentCount; ++i) {
        const std::uint64_t held = amounts_.of[i];
        if (settled.of[i] > held || uncertain.of[i] > held - settled.of[i]) return fail(Error::bad_argument);
    }
    State open = State::open;
    if (!state_.compare_exchange_strong(open, State::ended, std::memory_order_acquire, std::memory_order_relaxed))
        return fail(Error::bad_state); // somebody was faster
    finish(settled, uncertain);
    return {};
}

void Hold::drop() {
    // acquire: pairs with step (3).
    if (state_.exchange(State::ended, std::memory_order_acquire) == State::open) finish({}, amounts_);
}

void Hold::finish(const SpentAmounts& settled, const SpentAmounts& uncertain) {
    const Ref<Quota> quota = std::move(quota_); // what the hold keeps of the payer goes with this call
    const Ref<SpendingWitness> witness = std::move(witness_);
    quota->settle(amounts_, settled, uncertain);
    if (!uncertain.is_nothing()) witness->ended_uncertain(uncertain);
}

} // namespace aios
