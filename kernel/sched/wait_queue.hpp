// WaitQueue: threads waiting for a condition. The condition is looked at after the thread has been put in the queue,
// and a wake-up that comes between that and the sleep leaves a token, so no wake-up is lost:
//   Outcome o = queue.wait(deadline, [&] { return take_message(); });
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
            enqueue(entry);
            if (ready()) {
                if (!dequeue(entry)) wake_one(); // that wake-up was for somebody who still waits
                return Outcome::ready;
            }
            const Outcome outcome = sleep(entry, deadline, interruptible, next);
            if (has_gate && has_to_stop_in_wait()) {
                if (outcome == Outcome::ready) wake_one();
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
    Thread* take_off_locked(Entry& entry);
    Thread* take_first_locked();
    // Blocks until a waker took the entry off (ready), or takes it off itself (other outcomes).
    Outcome sleep(Entry& entry, Deadline deadline, Interruptible interruptible, Ref<Thread>* next);
    mutable sync::SpinLock<sync::Rank::wait_queue> lock_;
    IntrusiveList<Entry, &Entry::list_node> entries_;
    IntrusiveTree<Entry, &Entry::holder_node, &Entry::place> by_holder_;
    std::uint64_t last_number_ = 0;
};

} // namespace aios::sched
