// The slow side of WaitQueue: entries live on the stacks of the waiting threads. A waker touches an entry and its
// thread only under the queue's lock, and a waiter takes that lock before it leaves, so neither goes away too early.
#include "kernel/sched/wait_queue.hpp"

#include "kernel/sched/thread.hpp"

namespace aios::sched {

using Guard = sync::SpinLock<sync::Rank::wait_queue>::Guard;

void WaitQueue::enqueue(Entry& entry) {
    entry.thread = &Thread::current();
    Guard guard(lock_);
    entry.queued = true;
    entries_.push_back(entry);
}

bool WaitQueue::dequeue(Entry& entry) {
    Guard guard(lock_);
    if (!entry.queued) return false;
    entry.queued = false;
    entries_.remove(entry);
    return true;
}

Outcome WaitQueue::sleep(Entry& entry, Deadline deadline, Interruptible interruptible, Ref<Thread>* next) {
    for (;;) {
        {
            // First: the condition may have blocked on something else, which has used up the waker's token.
            Guard guard(lock_);
            if (!entry.queued) return Outcome::ready;
        }
        Outcome outcome = Outcome::ready;
        if (interruptible == Interruptible::yes && entry.thread->is_interrupted()) {
            outcome = Outcome::interrupted;
        } else if (deadline != kNever && now_ns() >= deadline) {
            outcome = Outcome::timed_out;
        }
        if (outcome != Outcome::ready) return dequeue(entry) ? outcome : Outcome::ready;
        if (next != nullptr && *next) {
            park(deadline, next->get());
            next->reset();
        } else {
            park(deadline);
        }
    }
}

void WaitQueue::wake_one() {
    Guard guard(lock_);
    Entry* entry = entries_.pop_front();
    if (entry == nullptr) return;
    entry->queued = false;
    unpark(*entry->thread);
}

void WaitQueue::wake_all() {
    Guard guard(lock_);
    while (Entry* entry = entries_.pop_front()) {
        entry->queued = false;
        unpark(*entry->thread);
    }
}

Ref<Thread> WaitQueue::take_one() {
    Guard guard(lock_);
    Entry* entry = entries_.pop_front();
    if (entry == nullptr) return {};
    entry->queued = false;
    return Ref<Thread>::share(*entry->thread);
}

bool WaitQueue::has_waiters() const {
    Guard guard(lock_);
    return !entries_.is_empty();
}

Outcome sleep_until(Deadline deadline) {
    for (;;) {
        if (Thread::current().is_interrupted()) return Outcome::interrupted;
        if (deadline != kNever && now_ns() >= deadline) return Outcome::timed_out;
        park(deadline);
    }
}

} // namespace aios::sched
