// Budget: the kernel object behind a `budget` handle, a view of one agent's quota. Only that agent can make one
// (agent_budget), so its derivation starts in the agent's own table and ends with it: a budget, and every hold that was
// placed through it, is revoked everywhere before the agent lets go of its quota. So no foreign handle keeps a dead
// agent's quota, and none has to be asked whether its agent still lives. Constant; the quota has its own lock.
#pragma once

#include "kernel/mm/size_classes.hpp"
#include "kernel/object/object.hpp"
#include "kernel/quota/quota.hpp"
#include "kernel/quota/witness.hpp"

namespace aios {

class Budget final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::budget;
    // Of the agent with the id `payer`, charged to its quota. quota_exceeded, out_of_memory, killed.
    static Result<Ref<Budget>> create(Quota& quota, SpendingWitness& witness, std::uint64_t payer) {
        Reservation charge = TRY(Reservation::make(quota, Resource::memory, mm::cost_of<Budget>));
        return Ref<Budget>::adopt(TRY(mm::make<Budget>(std::move(charge), quota, witness, payer)));
    }
    [[nodiscard]] Quota& quota() const { return *quota_; }
    [[nodiscard]] SpendingWitness& witness() const { return *witness_; }
    // Books what was spent without a hold, or beyond one. It is spent already, so this cannot be refused; what passes the
    // limit is told to the witness. Thread context, no locks held.
    void charge(const SpentAmounts& amounts) const {
        const SpentAmounts passed = quota_->charge(amounts);
        if (!passed.is_nothing()) witness_->passed_limit(passed);
    }
    // All lines of the spent resources are of one moment.
    [[nodiscard]] BudgetInfo info() const;

    Budget(mm::OnHeap, Reservation charge, Quota& quota, SpendingWitness& witness, std::uint64_t payer)
        : Object(kType, std::move(charge)), quota_(Ref<Quota>::share(quota)),
          witness_(Ref<SpendingWitness>::share(witness)), payer_(payer) {}
    ~Budget() override = default;

private:
    const Ref<Quota> quota_;
    const Ref<SpendingWitness> witness_;
    const std::uint64_t payer_;
};

} // namespace aios
