// Grants into the places where they lie, and out of them. The steps are numbered in grant.hpp.
#include "kernel/mm/grant.hpp"

namespace aios::mm {

Result<Ref<GrantRoll>> GrantRoll::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, cost_of<GrantRoll>));
    return Ref<GrantRoll>::adopt(TRY(make<GrantRoll>(std::move(charge))));
}

GrantRoll::~GrantRoll() { AIOS_ASSERT(first_ == nullptr); } // a grant refers to its roll

Result<Owned<Grant>> Grant::create(Payer& payer, std::uint32_t pages) {
    AIOS_ASSERT(pages != 0 && pages <= kMostPages);
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, cost_of<Grant> + pages * kPageSize));
    return own<Grant>(std::move(charge), pages);
}

Grant::~Grant() {
    for (std::uint32_t i = 0; i < pages_; ++i)
        if (frames[i] != kUntouched) release_frames(frames[i], 0);
}

void Grant::unlink_locked() {
    roll_->lock_.assert_held();
    if (previous_ != nullptr) {
        previous_->roll_->lock_.assert_held(); // it is ours, as is the next one's
        previous_->next_ = next_;
    } else {
        roll_->first_ = next_;
    }
    if (next_ != nullptr) {
        next_->roll_->lock_.assert_held();
        next_->previous_ = previous_;
    }
    next_ = previous_ = nullptr;
}

Owned<Grant> GrantPlace::put(Owned<Grant> grant) {
    AIOS_ASSERT(grant && is_empty());
    GrantRoll& roll = *grant->roll_;
    pages_ = grant->pages_;
    GrantRoll::Lock::Guard guard(roll.lock_); // (1)
    if (roll.is_closed_) return grant;
    grant->roll_->lock_.assert_held(); // the same
    grant->place_ = this;
    grant->next_ = roll.first_;
    if (roll.first_ != nullptr) {
        roll.first_->roll_->lock_.assert_held(); // as are those in the list
        roll.first_->previous_ = grant.get();
    }
    roll.first_ = grant.get();
    grant_.store(grant.release(), std::memory_order_release);
    return {};
}

Owned<Grant> GrantPlace::take() {
    if (is_empty()) return {};
    Owned<Grant> taken(grant_.exchange(nullptr, std::memory_order_acq_rel)); // (3)
    if (!taken) return taken;
    GrantRoll::Lock::Guard guard(taken->roll_->lock_);
    if (taken->place_ != nullptr) { // else close() has unlinked it, and left it to us
        taken->unlink_locked();
        taken->place_ = nullptr;
    }
    return taken;
}

bool GrantRoll::take_one(Owned<Grant>& ended) {
    Lock::Guard guard(lock_);
    is_closed_ = true;
    Grant* const grant = first_;
    if (grant == nullptr) return false;
    grant->roll_->lock_.assert_held(); // ours
    GrantPlace* const place = std::exchange(grant->place_, nullptr);
    grant->unlink_locked();
    ended = Owned<Grant>(place->grant_.exchange(nullptr, std::memory_order_acq_rel)); // (2) perhaps nothing
    return true;
}

void GrantRoll::close() {
    for (bool more = true; more;) {
        Owned<Grant> ended; // under no lock
        more = take_one(ended);
    }
}

} // namespace aios::mm
