// Registrations and packets of a queue. A registration's reference belongs to the two lists together: whoever unlinks
// it, under both locks, drops it afterwards under none (that ends a derivation and gives a charge back).
#include "kernel/event/event.hpp"
#include "kernel/event/source_lock.hpp"

namespace aios::event {

namespace {
using QueueGuard = sync::SpinLock<sync::Rank::event_queue>::Guard;
}

Registration::Registration(Reservation charge, EventQueue& queue, std::uint64_t key, std::uint64_t signals,
                           Ref<cap::DerivationNode> node)
    : charge_(std::move(charge)), queue_(queue), key_(key), signals_(signals), node_(std::move(node)) {}

void Registration::release() {
    if (references_.release()) mm::destroy(this);
}

Result<Ref<EventQueue>> EventQueue::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, sizeof(EventQueue)));
    return Ref<EventQueue>::adopt(TRY(mm::make<EventQueue>(std::move(charge))));
}

Result<> EventQueue::add(Payer& payer, Object& object, std::uint64_t signals, std::uint64_t key,
                         Ref<cap::DerivationNode> node) {
    Source* source = object.event_source();
    if (source == nullptr || &object == this) return fail(Error::wrong_type);
    if (signals == 0 || (signals & ~kAllSignals) != 0) return fail(Error::bad_argument);
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, sizeof(Registration)));
    auto* registration = TRY(mm::make<Registration>(std::move(charge), *this, key, signals, std::move(node)));
    auto half_made = Ref<Registration>::adopt(registration);
    SourceLock::Guard source_guard(lock_of(source));
    {
        QueueGuard guard(lock_);
        if (by_key_.find(key) != nullptr) return fail(Error::already_exists);
        if (source->count_.load(std::memory_order_relaxed) >= kMaxRegistrations) return fail(Error::no_space);
        // After this the walk of a revocation finds it (drop_revoked); before, the word says so.
        if (registration->node_ && !registration->node_->is_live()) return fail(Error::revoked);
        registration->source_.store(source, std::memory_order_relaxed);
        source->listeners_.push_back(*registration);
        source->count_.fetch_add(1, std::memory_order_seq_cst);
        by_key_.insert(*registration);
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
        if (!registration.ready_node_.is_linked()) ready_.push_back(registration);
    }
    waiters_.wake_one();
}

// Under the source's lock: takes the registration off everything. The caller drops the reference later.
void EventQueue::unlink(Registration& registration, Source& source) {
    QueueGuard guard(lock_);
    source.listeners_.remove(registration);
    source.count_.fetch_sub(1, std::memory_order_relaxed);
    by_key_.erase(registration);
    if (registration.ready_node_.is_linked()) ready_.remove(registration);
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

std::size_t EventQueue::take(std::span<EventPacket> packets) {
    QueueGuard guard(lock_);
    std::size_t taken = 0;
    Registration* const last = ready_.back(); // each registration at most once in a wait
    while (taken < packets.size()) {
        Registration* registration = ready_.pop_front();
        if (registration == nullptr) break;
        const bool was_last = registration == last;
        // The source cannot go while we hold the queue's lock: unlink() needs it.
        const std::uint64_t levels =
            registration->source_.load(std::memory_order_relaxed)->levels() & registration->signals_ & kRepeatedSignals;
        const std::uint64_t signals = (registration->pending_ & ~kRepeatedSignals) | levels;
        const bool is_live = !registration->node_ || registration->node_->is_live();
        if (signals != 0 && is_live) packets[taken++] = {registration->key_, signals, registration->count_};
        registration->pending_ = levels;
        registration->count_ = levels != 0 ? 1 : 0;
        if (levels != 0 && is_live) ready_.push_back(*registration);
        if (was_last) break;
    }
    return taken;
}

Result<std::size_t> EventQueue::wait(std::span<EventPacket> packets, sched::Deadline deadline,
                                     const cap::DerivationNode* node) {
    if (packets.empty()) return fail(Error::bad_argument);
    packets = packets.first(packets.size() < kMaxPacketsPerWait ? packets.size() : kMaxPacketsPerWait);
    std::size_t taken = 0;
    bool is_revoked = false;
    const sched::Outcome outcome = waiters_.wait(deadline, [&] {
        is_revoked = node != nullptr && !node->is_live();
        if (!is_revoked) taken = take(packets);
        return is_revoked || taken != 0;
    });
    if (outcome == sched::Outcome::timed_out) return fail(Error::timed_out);
    if (outcome == sched::Outcome::interrupted) return fail(Error::interrupted);
    if (is_revoked) return fail(Error::revoked);
    // More threads may wait than posts came: what is left is theirs.
    waiters_.wake_one_if([&] {
        QueueGuard guard(lock_);
        return !ready_.is_empty();
    });
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

} // namespace aios::event
