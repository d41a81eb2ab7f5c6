// Registrations and packets of a queue. A registration's reference belongs to the two lists together: whoever unlinks
// it, under both locks, drops it afterwards under none (that ends a derivation and gives a charge back).
#include "kernel/event/event.hpp"
#include "kernel/event/source_lock.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::event {

namespace {
using QueueGuard = sync::SpinLock<sync::Rank::event_queue>::Guard;
}

Registration::Registration(Reservation charge, EventQueue& queue, std::uint64_t key, std::uint64_t signals,
                           Ref<cap::DerivationNode> node, Registrant* registrant)
    : charge_(std::move(charge)), queue_(queue), key_(key), signals_(signals), node_(std::move(node)),
      registrant_(registrant) {}

void Registration::release() {
    if (references_.release()) mm::destroy(this);
}

Result<Ref<EventQueue>> EventQueue::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<EventQueue>));
    return Ref<EventQueue>::adopt(TRY(mm::make<EventQueue>(std::move(charge))));
}

Result<> EventQueue::add(Payer& payer, Object& object, std::uint64_t signals, std::uint64_t key,
                         Ref<cap::DerivationNode> node, Registrant* registrant) {
    Source* source = object.event_source();
    if (source == nullptr || &object == this) return fail(Error::wrong_type);
    if (signals == 0 || (signals & ~kAllSignals) != 0) return fail(Error::bad_argument);
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Registration>));
    auto* registration =
        TRY(mm::make<Registration>(std::move(charge), *this, key, signals, std::move(node), registrant));
    auto half_made = Ref<Registration>::adopt(registration);
    SourceLock::Guard source_guard(lock_of(source));
    {
        QueueGuard guard(lock_);
        if (by_key_.find(key) != nullptr) return fail(Error::already_exists);
        if (source->count_.load(std::memory_order_relaxed) >= kMaxRegistrations) return fail(Error::no_space);
        // A close or a revocation of the handle meets us here:
        //   1. We count the registration, then look whether the handle is held.
        //   2. It ends the handle, then looks at the count (Source::drop_ended). If that is not 0 it walks the source's
        //      registrations under the lock that we hold, and finds this one.
        // Each writes before it reads, so not both can miss.
        source->count_.fetch_add(1, std::memory_order_seq_cst);
        if (registration->node_ && !registration->node_->is_held()) {
            source->count_.fetch_sub(1, std::memory_order_relaxed);
            return fail(registration->node_->is_live() ? Error::bad_handle : Error::revoked);
        }
        registration->source_.store(source, std::memory_order_relaxed);
        source->listeners_.push_back(*registration);
        by_key_.insert(*registration);
        if (registrant != nullptr) registrant->add(*registration);
        static_cast<void>(half_made.leak()); // the lists' reference
    }
    // What is so already. What comes from now on is posted: whoever sets a level sees the count, or we see the level.
    if (const std::uint64_t now = source->levels() & signals; now != 0) deliver(*registration, now, 1);
    return {};
}

// Under the source's lock.
void EventQueue::deliver(Registration& registration, std::uint64_t signals, std::uint64_t count) {
    {
        QueueGuard guard(lock_);
        registration.pending_ |= signals & registration.signals_;
        registration.count_ += count;
        if (!registration.ready_node_.is_linked()) push_ready_locked(registration);
    }
    waiters_.wake_one();
}

void EventQueue::push_ready_locked(Registration& registration) {
    registration.ready_number_ = ++last_ready_number_;
    ready_.push_back(registration);
}

// Under the source's lock: takes the registration off everything. The caller drops the reference later.
void EventQueue::unlink(Registration& registration, Source& source) {
    QueueGuard guard(lock_);
    source.listeners_.remove(registration);
    source.count_.fetch_sub(1, std::memory_order_relaxed);
    by_key_.erase(registration);
    if (registration.ready_node_.is_linked()) ready_.remove(registration);
    if (registration.registrant_ != nullptr) registration.registrant_->remove(registration);
    registration.source_.store(nullptr, std::memory_order_relaxed);
}

// Ends a registration that was found in the queue, of which the caller holds a reference. False: somebody else did.
bool EventQueue::end(Registration& registration) {
    for (;;) {
        Source* source = registration.source_.load(std::memory_order_acquire);
        if (source == nullptr) return false;
        {
            // The source may end before we have its lock; the lock stays. While we hold it a source that is there stays
            // too.
            SourceLock::Guard source_guard(lock_of(source));
            if (registration.source_.load(std::memory_order_relaxed) != source) continue;
            registration.queue_.unlink(registration, *source);
        }
        registration.release();
        return true;
    }
}

Result<> EventQueue::cancel(std::uint64_t key) {
    Ref<Registration> found;
    {
        QueueGuard guard(lock_);
        Registration* registration = by_key_.find(key);
        if (registration == nullptr) return fail(Error::not_found);
        found = Ref<Registration>::share(*registration);
    }
    if (!end(*found)) return fail(Error::not_found);
    return {};
}

// Takes what is ready, each registration at most once in a wait:
//  (1) Numbers ascend along the ready list, so `last` stands for the end of the list at the start of the walk. What is
//      posted or put back later has a higher number, and the walk ends when it meets that.
//  (2) The lock is dropped after kLookedAt registrations: many may be ready whose level is gone by now. Whoever is taken
//      off meanwhile is not met; other waiters take from the same front, so nothing is delivered twice.
//  (3) Each registration that is looked at leaves the list or brings a packet, so the walk costs what was posted.
std::size_t EventQueue::take(std::span<EventPacket> packets) {
    std::size_t taken = 0;
    std::uint64_t last = 0;
    for (bool is_first = true, more = true; more; is_first = false) {
        QueueGuard guard(lock_);
        if (is_first) last = last_ready_number_;
        for (unsigned i = 0;; ++i) {
            Registration* registration = ready_.front();
            more = registration != nullptr && registration->ready_number_ <= last && taken < packets.size();
            if (!more || i == kLookedAt) break;
            ready_.remove(*registration);
            // The source cannot go while we hold the queue's lock: unlink() needs it.
            const std::uint64_t levels = registration->source_.load(std::memory_order_relaxed)->levels() &
                                         registration->signals_ & kRepeatedSignals;
            const std::uint64_t signals = (registration->pending_ & ~kRepeatedSignals) | levels;
            const bool is_held = !registration->node_ || registration->node_->is_held();
            if (signals != 0 && is_held) packets[taken++] = {registration->key_, signals, registration->count_};
            registration->pending_ = levels;
            registration->count_ = levels != 0 ? 1 : 0;
            if (levels != 0 && is_held) push_ready_locked(*registration);
        }
    }
    return taken;
}

Result<std::size_t> EventQueue::wait(std::span<EventPacket> packets, sched::Deadline deadline, sched::Through through) {
    if (packets.empty()) return fail(Error::bad_argument);
    packets = packets.first(packets.size() < kMaxPacketsPerWait ? packets.size() : kMaxPacketsPerWait);
    std::size_t taken = 0;
    bool is_revoked = false;
    const sched::Outcome outcome = waiters_.wait(
        deadline,
        [&] {
            is_revoked = through.node != nullptr && !through.node->is_live();
            if (!is_revoked) taken = take(packets);
            return is_revoked || taken != 0;
        },
        sched::Interruptible::yes, nullptr, through);
    // Each post wakes one thread. That thread may have taken less than was posted, or leaves without anything (killed,
    // out of time, revoked) although the wake-up was spent on it: what is left is for the next one.
    waiters_.wake_one_if([&] {
        QueueGuard guard(lock_);
        return !ready_.is_empty();
    });
    if (outcome == sched::Outcome::timed_out) return fail(Error::timed_out);
    if (outcome == sched::Outcome::interrupted) return fail(Error::interrupted);
    if (is_revoked) return fail(Error::revoked);
    return taken;
}

void EventQueue::last_reference_gone() {
    for (;;) {
        Ref<Registration> found;
        {
            QueueGuard guard(lock_);
            Registration* registration = by_key_.first();
            if (registration != nullptr) found = Ref<Registration>::share(*registration);
        }
        if (!found) break;
        end(*found);
    }
    // A source that posts has its lock: all who saw us there are done once each registration is unlinked under it.
    mm::destroy(this);
}

Registrant::~Registrant() { AIOS_ASSERT(first_ == nullptr); } // end_all() came first

void Registrant::add(Registration& registration) {
    sync::SpinLock<sync::Rank::registrant>::Guard guard(lock_);
    registration.registrant_next_ = first_;
    if (first_ != nullptr) first_->registrant_previous_ = &registration;
    first_ = &registration;
}

void Registrant::remove(Registration& registration) {
    sync::SpinLock<sync::Rank::registrant>::Guard guard(lock_);
    Registration* const next = registration.registrant_next_;
    Registration* const previous = registration.registrant_previous_;
    (previous != nullptr ? previous->registrant_next_ : first_) = next;
    if (next != nullptr) next->registrant_previous_ = previous;
}

// Others may end the same registrations at the same time: whoever unlinks one under its source's and its queue's lock
// takes it off our list there, which is the last that they touch of us. So the list is empty when nobody can come back.
// Registrations that stand here are linked, and the reference of their lists is alive: sharing it is safe.
void Registrant::end_all() {
    for (;;) {
        Ref<Registration> found;
        {
            sync::SpinLock<sync::Rank::registrant>::Guard guard(lock_);
            if (first_ == nullptr) return;
            found = Ref<Registration>::share(*first_);
        }
        EventQueue::end(*found);
    }
}

} // namespace aios::event
