// The slow side of WaitQueue; the numbers are those of the steps in wait_queue.hpp. Entries live on the stacks of the
// waiting threads. A waker touches an entry and its thread only under the queue's lock, and a waiter takes that lock
// before it leaves, so neither goes away too early (4).
#include "kernel/sched/wait_queue.hpp"

#include "kernel/cap/derivation.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::sched {

using Guard = sync::SpinLock<sync::Rank::wait_queue>::Guard;

void WaitQueue::enqueue(Entry& entry) {
    entry.thread = &Thread::current();
    Guard guard(lock_);
    if (entry.queued) return;
    entry.queued = true;
    entry.place.number = ++last_number_;
    entries_.push_back(entry);
    if (entry.node != nullptr) by_holder_.insert(entry);
}

// The waiter may leave, and its entry with it, as soon as the lock is dropped.
Thread* WaitQueue::take_off_locked(Entry& entry) {
    lock_.assert_held();
    entry.queued = false;
    entries_.remove(entry);
    if (entry.node != nullptr) by_holder_.erase(entry);
    return entry.thread;
}

Thread* WaitQueue::take_first_locked() {
    lock_.assert_held();
    Entry* entry = entries_.front();
    return entry == nullptr ? nullptr : take_off_locked(*entry);
}

WaitQueue::Entry* WaitQueue::take_entry() {
    Guard guard(lock_);
    Entry* entry = entries_.front();
    if (entry != nullptr) (void)take_off_locked(*entry);
    return entry;
}

bool WaitQueue::dequeue(Entry& entry) {
    Guard guard(lock_);
    if (!entry.queued) return false;
    (void)take_off_locked(entry);
    return true;
}

Outcome WaitQueue::sleep(Entry& entry, Deadline deadline, Interruptible interruptible, Ref<Thread>* next) {
    for (;;) {
        {
            // (3) First: the condition may have blocked on something else, which has used up the waker's token.
            Guard guard(lock_);
            if (!entry.queued) return Outcome::ready;
        }
        Outcome outcome = Outcome::ready;
        if (interruptible == Interruptible::yes && entry.thread->is_interrupted()) {
            outcome = Outcome::interrupted;
        } else if (deadline != kNever && now_ns() >= deadline) {
            outcome = Outcome::timed_out;
        }
        if (outcome != Outcome::ready) return dequeue(entry) ? outcome : Outcome::ready; // (5)
        park(deadline, next);
    }
}

// Whoever was to be woken by our sleep does not wait for the end of it.
void WaitQueue::stop_in_wait(Ref<Thread>* next) {
    if (next != nullptr && *next) unpark(*std::exchange(*next, {}));
    stop_at_gate();
}

void WaitQueue::wake_one() {
    Guard guard(lock_);
    if (Thread* thread = take_first_locked()) unpark(*thread);
}

// (6) Numbers ascend along the list: who comes back while the lock is dropped has a higher one than `last`.
void WaitQueue::wake_all() {
    std::uint64_t last = 0;
    for (bool is_first = true, more = true; more; is_first = false) {
        Guard guard(lock_);
        if (is_first) last = last_number_;
        for (unsigned i = 0; i < kWokenAtOnce; ++i) {
            Entry* entry = entries_.front();
            more = entry != nullptr && entry->place.number <= last;
            if (!more) break;
            unpark(*take_off_locked(*entry));
        }
    }
}

// The capability was dead before this was called. A waiter that enters from here on sees that by itself: it looks after
// it has taken our lock (2). One that entered before is found, by its number (6): so the holder cannot keep us here by
// sending threads in again and again.
void WaitQueue::wake_revoked(std::uint64_t holder) {
    Place from{holder, 0};
    std::uint64_t last = 0;
    const auto is_ours = [&](const Entry* entry) {
        return entry != nullptr && entry->place.holder == holder && entry->place.number <= last;
    };
    for (bool is_first = true, more = true; more; is_first = false) {
        Guard guard(lock_);
        if (is_first) last = last_number_;
        Entry* entry = by_holder_.lower_bound(from);
        for (unsigned i = 0; i < kWokenAtOnce && is_ours(entry); ++i) {
            Entry* const next = by_holder_.next(*entry);
            from.number = entry->place.number + 1;
            if (!entry->node->is_live()) unpark(*take_off_locked(*entry));
            entry = next;
        }
        more = is_ours(entry);
    }
}

Ref<Thread> WaitQueue::take_one() {
    Guard guard(lock_);
    Thread* thread = take_first_locked();
    return thread == nullptr ? Ref<Thread>() : Ref<Thread>::share(*thread);
}

bool WaitQueue::has_waiters() const {
    Guard guard(lock_);
    return !entries_.is_empty();
}

Outcome sleep_until(Deadline deadline) {
    for (;;) {
        if (has_to_stop_in_wait()) stop_at_gate();
        if (Thread::current().is_interrupted()) return Outcome::interrupted;
        if (deadline != kNever && now_ns() >= deadline) return Outcome::timed_out;
        park(deadline);
    }
}

} // namespace aios::sched
