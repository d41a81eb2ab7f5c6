// Hold: amounts of spent resources that were taken from a budget and are not settled yet. The object is charged to whoever
// placed it; the amounts are the payer's. Settled once; a hold that goes without being settled is uncertain in full,
// because whatever it was held for may have happened.
//
// One word, `state_`, decides who settles the account: made -> open -> ended, or made -> ended.
//   (1) budget_hold makes the object and its handle first, derived from the budget's, with nothing held: from here on
//       nothing but (3) can fail. A program that guesses the handle finds it `made`: bad_state.
//   (2) It takes the amounts out of the payer's counters, all or none. Refused: the handle is closed again.
//   (3) It writes down what is held and of whom, then changes made to open. If that fails, the hold was dropped in between
//       (its handle closed, its budget revoked): it puts the amounts back, as nobody can have used them.
//   (4) hold_settle looks whether the hold is open and has as much, and changes open to ended. If that fails somebody was
//       faster, another settle or a drop: bad_state, and nothing has happened.
//   (5) drop(), when the last handle is gone, changes whatever there is to ended. If it was open, all is uncertain; if it
//       was made, (3) will see it.
// So exactly one of (3), (4) and (5) gives the amounts an end, and it alone reads what (3) wrote: its change from `open`
// (acquire) pairs with the change to it (release). It then lets go of the payer's quota: a hold that has ended keeps nothing
// of the payer, however long its handle is kept. What ends it by way of the capabilities: closing of the last handle, the
// end of its holder, a revocation of the hold or of the budget capability that it was placed through, and the end of the
// payer, whose table revokes the budget. When such a revocation returns, (5) has happened or another thread is past its
// change of the word and will do its steps.
//
// A capability that is being put into a message is no handle for a moment: an agent that meanwhile closes the handle which
// it sends drops the hold. What arrives then is a hold that has ended.
#pragma once

#include <atomic>

#include "kernel/quota/budget.hpp"

namespace aios {

class Hold final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::hold;
    // Step (1), without the handle. Charged to `holder`. quota_exceeded, out_of_memory, killed.
    static Result<Ref<Hold>> create(Payer& holder);
    // Steps (2) and (3), once. quota_exceeded, bad_state (the payer is ending), revoked (dropped meanwhile).
    Result<> open(const Budget& budget, const SpentAmounts& amounts);
    // Step (4). bad_argument: together more than is held, and the hold stays open; bad_state: it is not open. Thread context,
    // no locks held.
    Result<> settle(const SpentAmounts& settled, const SpentAmounts& uncertain);

    void handle_added(Rights) override { handles_.fetch_add(1, std::memory_order_relaxed); }
    // Thread context, no locks held.
    void handle_removed(Rights) override {
        if (handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) drop();
    }

    Hold(mm::OnHeap, Reservation charge) : Object(kType, std::move(charge)) {}
    ~Hold() override { drop(); }

private:
    enum class State : std::uint8_t { made, open, ended };
    void drop(); // step (5)
    // By whoever has changed `open` to `ended`.
    void finish(const SpentAmounts& settled, const SpentAmounts& uncertain);

    std::atomic<State> state_{State::made};
    std::atomic<std::uint32_t> handles_{0};
    // Written in step (3), read by whoever ends the hold; the amounts also by (4), while it is open.
    SpentAmounts amounts_{};
    Ref<Quota> quota_;
    Ref<SpendingWitness> witness_;
};

} // namespace aios
