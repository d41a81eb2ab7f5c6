// How the threads of an agent, and of all below it, are stopped: where they stop nothing is under way, so they can go on
// as if no time had passed. A thread stops on its way to user mode (upcall::before_user), and in a wait before it looks at
// its condition, which may have effects (WaitQueue::wait, the two waits of ipc).
//
//   (1) Whoever stops a group sets `is_stopped_` there first. Then it goes through the groups below, each after its
//       parent, and says must_look(): the mark is set and the count above it goes up.
//   (2) A thread that finds the mark looks upwards (at most 64 groups, as deep as agents are nested). Finds it a stopped
//       one, it stops. If not, it takes the mark away, with a compare-exchange from what it had read before it looked. A
//       stop that it did not see sets the mark after that look: then the count has changed and the exchange fails, or
//       the mark is set behind it.
//   (3) A group begins with the mark. One that (1) did not meet was linked below its parent after that; its first
//       thread looks by itself, and finds what was set before.
//   (4) An interrupt to each CPU that runs a thread of a marked group ends the matter: after it no instruction of the
//       program is executed (Agent::pause). So the last look before user mode is made with interrupts off: one that comes
//       after it is taken before the first instruction. What is under way in the kernel goes on to the next gate.
//   (5) Whoever lets go takes `is_stopped_` back first, then goes through the groups below and wakes those who stopped.
//       A thread that stops has put itself in the queue before it looks once more: it sees (5), or is woken by it.
// A killed thread passes. A wake-up that a stopping thread had got is handed on by the wait that it stops in.
#include "kernel/sched/gate.hpp"

#include "kernel/sched/share_group.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::sched {

void ShareGroup::must_look() {
    std::uint64_t old = gate_.load(std::memory_order_relaxed);
    while (!gate_.compare_exchange_weak(old, (old + kLookNumber) | kMustLook, std::memory_order_seq_cst)) {
    }
}

bool ShareGroup::has_to_stop() {
    std::uint64_t seen = gate_.load(std::memory_order_seq_cst);
    if ((seen & kMustLook) == 0) return false;
    for (const ShareGroup* group = this; group != nullptr; group = group->parent_)
        if (group->is_stopped_.load(std::memory_order_seq_cst)) return true;
    gate_.compare_exchange_strong(seen, seen & ~kMustLook, std::memory_order_seq_cst); // (2)
    return false;
}

void ShareGroup::stop_here() {
    sync::assert_may_block();
    const Thread& me = Thread::current();
    for (;;) {
        WaitQueue::Entry entry;
        stopped_.enqueue(entry);
        const bool goes_on = me.is_killed() || !has_to_stop(); // (5)
        if (!goes_on) park(kNever);
        (void)stopped_.dequeue(entry);
        if (goes_on) return;
    }
}

bool has_to_stop_in_wait() {
    Thread& me = Thread::current();
    return me.is_user() && me.own_group().has_to_stop() && !me.is_killed() && upcall::may_stop_in_call(me);
}

void stop_at_gate() { Thread::current().own_group().stop_here(); }

} // namespace aios::sched
