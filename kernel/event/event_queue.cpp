// Registrations and packets of a queue. A registration's reference belongs to the two lists together: whoever unlinks
// it, under both locks, drops it afterwards under none (that ends a derivation and gives a charge back). Numbers in
// brackets are the steps of event.hpp.
#include "kernel/event/event.hpp"
#include "kernel/event/source_lock.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::event {

Registration::Registration(mm::OnHeap, Reservation charge, EventQueue& queue, std::uint64_t key, Interest interest,
                           Ref<cap::DerivationNode> node, EventQueue* inner, Registrant* registrant)
    : Listener(interest.levels(), interest.signals), charge_(std::move(charge)), queue_(queue), key_(key),
      node_(std::move(node)), inner_(inner), registrant_(registrant), mode_(interest.mode), signals_(interest.signals) {
}

void Registration::release() {
    if (references_.release()) mm::destroy(this);
}

// One piece of code, as each message goes through it.
[[gnu::flatten]] QueueName Registration::notify(std::uint64_t signals, std::uint64_t count) {
    const Source* const source = source_.load(std::memory_order_relaxed); // it is linked, and we are under its lock
    lock_of(source).assert_held();
    return queue_.deliver_locked(*this, *source, signals, count);
}

bool Registration::note_locked(std::uint64_t signals, std::uint64_t count) {
    lock_of(queue_).assert_held();
    if (!is_armed_) return false; // (7)
    pending_ |= signals;
    count_ += count;
    return true;
}

// (6): it has left the ready list. The source cannot go while the queue's lock is held: unlink_locked() needs that.
EventPacket Registration::tell_locked() {
    lock_of(queue_).assert_held();
    const std::uint64_t levels = source_.load(std::memory_order_relaxed)->levels() & signals_;
    EventPacket packet{key_, pending_ & ~kStates, count_};
    std::uint64_t repeated = 0;
    switch (mode_) {
    case Mode::plain:
        repeated = levels & kSignalReadable;
        packet.signals = (pending_ & ~kSignalReadable) | repeated;
        break;
    case Mode::level:
        repeated = levels;
        packet.signals |= levels;
        break;
    case Mode::edge:
        packet.signals |= pending_ & levels;
        break;
    case Mode::once:
    case Mode::changed:
        packet.signals |= levels;
        break;
    }
    if (!is_held()) packet.signals = repeated = 0; // the walk that ends it is on its way
    if (mode_ == Mode::once && packet.signals != 0) is_armed_ = false;
    pending_ = repeated;
    count_ = repeated != 0 ? 1 : 0;
    return packet;
}

// Keeps to tell_locked(), case by case.
bool Registration::would_tell_locked() const {
    lock_of(queue_).assert_held();
    if (!is_held()) return false;
    const std::uint64_t levels = source_.load(std::memory_order_relaxed)->levels() & signals_;
    const std::uint64_t pulses = pending_ & ~kStates;
    switch (mode_) {
    case Mode::plain:
        return ((pending_ & ~kSignalReadable) | (levels & kSignalReadable)) != 0;
    case Mode::edge:
        return (pulses | (pending_ & levels)) != 0;
    case Mode::level:
    case Mode::once:
    case Mode::changed:
        return (pulses | levels) != 0;
    }
    return false;
}

void Registration::forget_locked() {
    lock_of(queue_).assert_held();
    pending_ = count_ = 0;
}

void Registration::arm_locked(Interest interest) {
    lock_of(queue_).assert_held();
    mode_ = interest.mode;
    signals_ = interest.signals;
    want(interest.levels(), interest.signals);
    pending_ &= signals_;
    is_armed_ = true;
}

Result<Ref<EventQueue>> EventQueue::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<EventQueue>));
    auto queue = Ref<EventQueue>::adopt(TRY(mm::make<EventQueue>(std::move(charge))));
    SourcePlace& place = queue->place();
    SourceLock::Guard guard(place.lock);
    place.queues.insert(*queue);
    return queue;
}

SourcePlace& EventQueue::place() const { return source_place(place_number(&source_)); }

Result<> EventQueue::add(Payer& payer, Object& object, std::uint64_t signals, std::uint64_t key,
                         Ref<cap::DerivationNode> node, Registrant* registrant) {
    Source* const source = object.event_source();
    if (source == nullptr || &object == this) return fail(Error::wrong_type);
    const Interest interest = TRY(Interest::from(signals));
    if (interest.mode == Mode::once && TRY(arm_again(source, interest, key, node.get()))) return {};
    // SAFETY of the downcast: the type says so.
    EventQueue* const inner = object.type() == kType ? static_cast<EventQueue*>(&object) : nullptr;
    return insert(payer, *source, inner, interest, key, std::move(node), registrant);
}

Result<> EventQueue::listen(Payer& payer, Source& source, EventQueue* inner, Interest interest, std::uint64_t key) {
    return insert(payer, source, inner, interest, key, {}, nullptr);
}

Result<> EventQueue::insert(Payer& payer, Source& source, EventQueue* inner, Interest interest, std::uint64_t key,
                            Ref<cap::DerivationNode> node, Registrant* registrant) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Registration>));
    auto registration = Ref<Registration>::adopt(
        TRY(mm::make<Registration>(std::move(charge), *this, key, interest, std::move(node), inner, registrant)));
    QueueNames next;
    next.add(TRY(link(*registration, &source)));
    static_cast<void>(registration.leak()); // the lists' reference; perhaps it is gone already
    next.tell_all();
    return {};
}

// Into both lists, or into none. Lists and trees that name a registration's queue are ours, so its lock is ours: where
// clang cannot see that it is told (assert_held).
Result<QueueName> EventQueue::link(Registration& registration, Source* source) {
    SourceLock::Guard source_guard(lock_of(source));
    {
        Lock::Guard guard(lock_);
        if (by_key_.find(registration.key_) != nullptr) return fail(Error::already_exists);
        TRY(source->link_locked(registration)); // (1) and (8): counts it
        Result<> admitted;
        if (!registration.is_held())
            admitted = fail(registration.node_->is_live() ? Error::bad_handle : Error::revoked);
        else if (registration.inner_ != nullptr)
            admitted = registration.inner_->nesting_.enter(nesting_); // (11)
        if (!admitted) {
            source->unlink_locked(registration);
            return fail(admitted.error());
        }
        registration.source_.store(source, std::memory_order_relaxed); // release of the two locks publishes it
        by_key_.insert(registration);
        if (registration.registrant_ != nullptr) registration.registrant_->add(registration);
    }
    // seq_cst: the second half of (1).
    const std::uint64_t now = source->levels_.load(std::memory_order_seq_cst) & registration.wanted_levels_;
    return now != 0 ? deliver_locked(registration, *source, now, 1) : QueueName();
}

// False: there is no registration under that key.
Result<bool> EventQueue::arm_again(Source* source, Interest interest, std::uint64_t key,
                                   const cap::DerivationNode* node) {
    QueueNames next;
    {
        SourceLock::Guard source_guard(lock_of(source));
        Registration* found;
        {
            Lock::Guard guard(lock_);
            found = by_key_.find(key);
            if (found == nullptr) return false;
            lock_of(found->queue_).assert_held(); // that is it
            const bool is_same = found->mode_ == interest.mode && found->node_.get() == node &&
                                 found->source_.load(std::memory_order_relaxed) == source;
            if (!is_same) return fail(Error::already_exists);
            found->arm_locked(interest);
        }
        // It was counted when it was made, so this is (1) once more. It stays: that needs the source's lock.
        const std::uint64_t now = source->levels_.load(std::memory_order_seq_cst) & found->wanted_levels_;
        if (now != 0) next.add(deliver_locked(*found, *source, now, 1));
    }
    next.tell_all();
    return true;
}

Result<> EventQueue::change(std::uint64_t key, Interest interest) {
    const Ref<Registration> found = find(key);
    if (!found) return fail(Error::not_found);
    for (;;) {
        Source* const source = found->source_.load(std::memory_order_acquire);
        if (source == nullptr) return fail(Error::not_found);
        QueueNames next;
        {
            SourceLock::Guard source_guard(lock_of(source)); // as in end()
            if (found->source_.load(std::memory_order_relaxed) != source) continue;
            {
                Lock::Guard guard(lock_);
                lock_of(found->queue_).assert_held(); // that is it
                found->arm_locked(interest);
            }
            // As in arm_again().
            const std::uint64_t now = source->levels_.load(std::memory_order_seq_cst) & found->wanted_levels_;
            if (now != 0) next.add(deliver_locked(*found, *source, now, 1));
        }
        next.tell_all();
        return {};
    }
}

// (3)
QueueName EventQueue::deliver_locked(Registration& registration, const Source& source, std::uint64_t signals,
                                     std::uint64_t count) {
    lock_of(&source).assert_held();
    bool became_readable;
    {
        Lock::Guard guard(lock_);
        lock_of(registration.queue_).assert_held();
        if (!registration.note_locked(signals, count)) return QueueName();
        became_readable = ready_.is_empty();
        if (!registration.ready_node_.is_linked()) push_ready_locked(registration);
        if (became_readable) static_cast<void>(source_.raise(kSignalReadable)); // told when the locks are dropped (9)
    }
    waiters_.wake_one();
    // (10): the level was raised before the count is read.
    return became_readable && source_.has_listeners() ? QueueName(id(), place_number(&source_)) : QueueName();
}

void EventQueue::push_ready_locked(Registration& registration) {
    lock_.assert_held();
    lock_of(registration.queue_).assert_held();
    registration.ready_number_ = ++last_ready_number_;
    ready_.push_back(registration);
}

// (10): whoever took something off the ready list, before the lock is dropped.
void EventQueue::lower_level_locked() {
    lock_.assert_held();
    if (ready_.is_empty()) source_.clear(kSignalReadable);
}

// Takes the registration off everything. The caller drops the reference later.
void EventQueue::unlink_locked(Registration& registration, Source& source) {
    lock_of(&source).assert_held();
    Lock::Guard guard(lock_);
    source.unlink_locked(registration);
    by_key_.erase(registration);
    if (registration.ready_node_.is_linked()) ready_.remove(registration);
    lower_level_locked();
    if (registration.inner_ != nullptr) registration.inner_->nesting_.leave();
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
            registration.queue_.unlink_locked(registration, *source);
        }
        registration.release();
        return true;
    }
}

Ref<Registration> EventQueue::find(std::uint64_t key) {
    Lock::Guard guard(lock_);
    Registration* const registration = by_key_.find(key);
    return registration != nullptr ? Ref<Registration>::share(*registration) : Ref<Registration>();
}

Result<> EventQueue::cancel(std::uint64_t key) {
    const Ref<Registration> found = find(key);
    if (!found || !end(*found)) return fail(Error::not_found);
    return {};
}

// Takes what is ready, each registration at most once in a wait: numbers ascend along the ready list, so `last` stands
// for the end of the list at the start of the walk. What is posted or put back later has a higher number, and the walk
// ends when it meets that. The lock is dropped after kLookedAt registrations: many may be ready whose level is gone by
// now. Whoever is taken off meanwhile is not met; other waiters take from the same front, so nothing is delivered twice.
// Each registration that is looked at leaves the list or brings a packet, so the walk costs what was posted.
std::size_t EventQueue::take(std::span<EventPacket> packets) {
    std::size_t taken = 0;
    std::uint64_t last = 0;
    for (bool is_first = true, more = true; more; is_first = false) {
        Lock::Guard guard(lock_);
        if (is_first) last = last_ready_number_;
        for (unsigned i = 0;; ++i) {
            Registration* registration = ready_.front();
            more = registration != nullptr && taken < packets.size();
            if (!more) break;
            lock_of(registration->queue_).assert_held();
            more = registration->ready_number_ <= last;
            if (!more || i == kLookedAt) break;
            ready_.remove(*registration); // before the levels are read (6)
            const EventPacket packet = registration->tell_locked();
            if (packet.signals != 0) packets[taken++] = packet;
            if (registration->has_more_locked()) push_ready_locked(*registration); // (7)
        }
        lower_level_locked();
    }
    return taken;
}

// Those that would not be told leave the front, as take() would drop them, until one would. As many at a time as there.
bool EventQueue::settle() {
    for (;;) {
        Lock::Guard guard(lock_);
        for (unsigned i = 0; i < kLookedAt; ++i) {
            Registration* const registration = ready_.front();
            if (registration == nullptr) return false;
            lock_of(registration->queue_).assert_held(); // that is it
            if (registration->would_tell_locked()) return true;
            ready_.remove(*registration); // and then the levels once more (6)
            if (registration->would_tell_locked()) {
                push_ready_locked(*registration);
                return true;
            }
            registration->forget_locked();
            lower_level_locked();
        }
    }
}

Result<std::size_t> EventQueue::wait(std::span<EventPacket> packets, sched::Deadline deadline, sched::Through through) {
    if (packets.empty()) return fail(Error::bad_argument);
    std::size_t taken = 0;
    bool is_revoked = false;
    const sched::Outcome outcome = waiters_.wait( // (4)
        deadline,
        [&] {
            is_revoked = through.node != nullptr && !through.node->is_live();
            if (!is_revoked) taken = take(packets);
            return is_revoked || taken != 0;
        },
        sched::Interruptible::yes, nullptr, through);
    // (5): this thread may have taken less than was posted, or leaves without anything (killed, out of time, revoked)
    // although the wake-up was spent on it: what is left is for the next one.
    waiters_.wake_one_if([&] {
        Lock::Guard guard(lock_);
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
            Lock::Guard guard(lock_);
            Registration* registration = by_key_.first();
            if (registration != nullptr) found = Ref<Registration>::share(*registration);
        }
        if (!found) break;
        end(*found);
    }
    // A source that posts has its lock: all who saw us there are done once each registration is unlinked under it.
    // They may have our name; from here on it finds nothing (9).
    {
        SourcePlace& mine = place();
        SourceLock::Guard guard(mine.lock);
        mine.queues.erase(*this);
    }
    source_.end_all(); // before the rest of us goes, which unlink_locked() needs
    mm::destroy(this);
}

Registrant::~Registrant() { AIOS_ASSERT(first_ == nullptr); } // end_all() came first

void Registrant::add(Registration& registration) {
    sync::SpinLock<sync::Rank::registrant>::Guard guard(lock_);
    registration.registrant_->lock_.assert_held(); // it is ours, as are those in the list
    registration.registrant_next_ = first_;
    if (first_ != nullptr) {
        first_->registrant_->lock_.assert_held();
        first_->registrant_previous_ = &registration;
    }
    first_ = &registration;
}

void Registrant::remove(Registration& registration) {
    sync::SpinLock<sync::Rank::registrant>::Guard guard(lock_);
    registration.registrant_->lock_.assert_held(); // it is ours, as are its neighbours
    Registration* const next = registration.registrant_next_;
    Registration* const previous = registration.registrant_previous_;
    if (previous != nullptr) {
        previous->registrant_->lock_.assert_held();
        previous->registrant_next_ = next;
    } else {
        first_ = next;
    }
    if (next != nullptr) {
        next->registrant_->lock_.assert_held();
        next->registrant_previous_ = previous;
    }
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
