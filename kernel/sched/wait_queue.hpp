// WaitQueue: threads waiting for a condition:
//   Outcome o = queue.wait(deadline, [&] { return take_message(); });
//
// Why no wake-up is lost, and none is wasted; the numbers stand at the places:
//   (1) The waiter puts its entry, which is on its stack, at the end of the queue, under the queue's lock.
//   (2) It looks at the condition. A waker changes the condition first and looks into the queue afterwards, under the same
//       lock: either it came to the queue after (1) and finds the entry, or it was there before (1) and its change is seen
//       by this look (its release of the lock pairs with the acquisition in (1)).
//   (3) It sleeps. Before each park() it looks under the lock whether its entry still stands: a waker that took the entry
//       off has also left a token, but the condition in (2) may have blocked on something else and used that token up.
//   (4) A waker takes an entry off and calls unpark() under one hold of the lock. The waiter takes that lock before its
//       stack frame goes (3, or dequeue), so the entry and the Thread are there for as long as the waker is busy with them.
//   (5) Who gives up (deadline, interrupt) or finds its condition true takes its own entry off. If a waker was faster, that
//       wake-up was for somebody who still waits: one who is served by (2), or stops at the gate, passes it on; one who gives
//       up looks at the condition once more and takes what it was woken for.
//   (6) A waker that is to wake many drops the lock between the pieces. Entries are numbered in the order of arrival, and it
//       stops at the last one that stood there when it began: later ones look for themselves (2).
//
// Whoever changes what a condition depends on calls wake_one or wake_all afterwards. Conditions may have effects (take
// what they waited for): each is called until it first answers true. They run with no lock of the queue held and may
// take locks. A thread that was woken and leaves without what it waited for must wake another one if that is left.
//
// A wait through a capability (Through) ends when that is revoked: its condition looks at the capability, and
// wake_revoked() wakes exactly the threads whose capability is dead, so that nobody can make others pay for wake-ups.
// Nothing walks more than kWokenAtOnce entries under one hold of the lock. Lock: Rank::wait_queue, then the
// scheduler's.
#pragma once

#include <compare>

#include "base/intrusive_list.hpp"
#include "base/intrusive_tree.hpp"
#include "base/ref.hpp"
#include "kernel/sched/gate.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {
class Thread;
namespace cap {
class DerivationNode;
}
} // namespace aios

namespace aios::sched {

using Deadline = std::uint64_t; // nanoseconds on the monotonic clock
inline constexpr Deadline kNever = ~0ull;

enum class Outcome : std::uint8_t { ready, timed_out, interrupted };
enum class Interruptible : std::uint8_t { no, yes };

// The capability that somebody waits through, and the agent that holds it. Empty in the kernel.
struct Through {
    std::uint64_t holder = 0;
    const cap::DerivationNode* node = nullptr;
};

class WaitQueue {
public:
    // Blocks the current thread until `ready()` answers true, the deadline passes, or the thread is interrupted (kill,
    // signal). A deadline in the past polls. While its agent is stopped an interruptible wait stands still (gate.hpp):
    // the condition is not looked at, and a wake-up goes to another.
    template <typename Condition>
    Outcome wait(Deadline deadline, Condition&& ready, Interruptible interruptible = Interruptible::yes,
                 Ref<Thread>* next = nullptr, Through through = {}) {
        const bool has_gate = interruptible == Interruptible::yes;
        if (has_gate && has_to_stop_in_wait()) stop_in_wait(next);
        if (ready()) return Outcome::ready;
        for (;;) {
            Entry entry;
            entry.node = through.node;
            entry.place.holder = through.holder;
            enqueue(entry);                      // (1)
            if (ready()) {                       // (2)
                if (!dequeue(entry)) wake_one(); // (5) that wake-up was for somebody who still waits
                return Outcome::ready;
            }
            const Outcome outcome = sleep(entry, deadline, interruptible, next); // (3)
            if (has_gate && has_to_stop_in_wait()) {
                if (outcome == Outcome::ready) wake_one(); // (5)
                stop_in_wait(next);
            }
            if (ready()) return Outcome::ready;
            if (outcome != Outcome::ready) return outcome;
        }
    }
    void wake_one();
    void wake_all(); // those who wait when it is called
    // The threads of `holder` that wait through a capability that is dead.
    void wake_revoked(std::uint64_t holder);
    [[nodiscard]] bool has_waiters() const;
    template <typename Condition>
    void wake_one_if(Condition&& condition) {
        if (has_waiters() && condition()) wake_one();
    }
    // Takes the first thread off without waking it: the caller must unpark() it or hand the CPU to it with park().
    Ref<Thread> take_one();

    // For a waiter with a loop of its own (ipc::Receiver): its entry is part of something more. As long as all that
    // enqueue, dequeue and take entries off hold a lock of theirs, an entry that was taken stays until that is released.
    struct Entry;
    void enqueue(Entry& entry); // no effect if it stands there
    bool dequeue(Entry& entry); // false if it does not: a waker has taken it off
    Entry* take_entry();        // the first, without waking it; nullptr: nobody waits

    static constexpr unsigned kWokenAtOnce = 16;
    struct Place { // in the order of arrival, among those of one holder
        std::uint64_t holder = 0;
        std::uint64_t number = 0;
        auto operator<=>(const Place&) const = default;
    };
    struct Entry {
        ListNode list_node;
        TreeNode holder_node; // of waits through a capability
        Place place;
        const cap::DerivationNode* node = nullptr;
        Thread* thread = nullptr;
        bool queued = false;
    };

private:
    static void stop_in_wait(Ref<Thread>* next);
    Thread* take_off_locked(Entry& entry) AIOS_REQUIRES(lock_);
    Thread* take_first_locked() AIOS_REQUIRES(lock_);
    // Blocks until a waker took the entry off (ready), or takes it off itself (other outcomes).
    Outcome sleep(Entry& entry, Deadline deadline, Interruptible interruptible, Ref<Thread>* next);
    mutable sync::SpinLock<sync::Rank::wait_queue> lock_;
    IntrusiveList<Entry, &Entry::list_node> entries_ AIOS_GUARDED_BY(lock_);
    IntrusiveTree<Entry, &Entry::holder_node, &Entry::place> by_holder_ AIOS_GUARDED_BY(lock_);
    std::uint64_t last_number_ AIOS_GUARDED_BY(lock_) = 0;
};

} // namespace aios::sched
