// Deadlines of the kernel. A TimerEntry is embedded in what waits (a thread, a Timer object), which is charged for it:
// arming never allocates and never fails. The entries of one payer (the share group of an agent) that were armed on one
// CPU stand in a queue of their own; the CPU's queue holds payers, each at its first deadline. So a thousand timers of
// one agent are one deadline to the others.
//
// Holds always: an entry fires at or after its deadline, at most once an arming; after cancel() has returned it does
// not fire and its function is not running. The function runs from the timer interrupt under the queue's lock
// (Rank::timer_queue): it may post events and wake threads, not block and not arm or cancel timers; it answers the next
// deadline, or kNever. One interrupt fires at most kMostExpiries entries; the time is charged to their payers, and who
// has used more than its share waits, as its threads would.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/intrusive_tree.hpp"

namespace aios::sched {
class ShareGroup;
}

namespace aios::time {

inline constexpr std::uint64_t kNever = ~0ull;

struct TimerEntry : Pinned {
    using Function = std::uint64_t (*)(TimerEntry& entry, std::uint64_t now);
    explicit constexpr TimerEntry(Function function) : fired(function) {}

    TreeNode node;
    std::uint64_t deadline = kNever; // nanoseconds, monotonic
    const Function fired;
    sched::ShareGroup* payer = nullptr; // nullptr: the kernel. Changes only while the entry is not armed
    std::atomic<std::uint32_t> cpu{0};  // in whose queue; changes under that queue's lock
};

// The ordering alone, without locks and hardware: host tests compare it with a model.
class TimerQueue {
public:
    void insert(TimerEntry& entry, std::uint64_t deadline) {
        entry.deadline = deadline;
        entries_.insert(entry);
    }
    bool remove(TimerEntry& entry) { // false if it was not armed
        if (!entry.node.is_linked()) return false;
        entries_.erase(entry);
        return true;
    }
    // Fires the first entry if it is due. `now` is read once by the caller, so periodic entries cannot hold it for
    // ever.
    bool fire_one(std::uint64_t now) {
        TimerEntry* entry = entries_.first();
        if (entry == nullptr || entry->deadline > now) return false;
        entries_.erase(*entry);
        const std::uint64_t next = entry->fired(*entry, now);
        if (next != kNever) insert(*entry, next > now ? next : now + 1);
        return true;
    }
    [[nodiscard]] std::uint64_t next_deadline() const {
        const TimerEntry* entry = entries_.first();
        return entry == nullptr ? kNever : entry->deadline;
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    IntrusiveTree<TimerEntry, &TimerEntry::node, &TimerEntry::deadline> entries_;
};

// One payer's timers on one CPU.
struct PayerTimers {
    TreeNode node; // in PayerQueue, while there are entries
    std::uint64_t due = kNever;
    std::uint64_t held_until = 0; // the payer has used more than its share
    sched::ShareGroup* payer = nullptr;
    TimerQueue entries;
};

// All timers of one CPU, without locks and hardware.
class PayerQueue {
public:
    void insert(PayerTimers& timers, TimerEntry& entry, std::uint64_t deadline) {
        timers.entries.insert(entry, deadline);
        place(timers);
    }
    bool remove(PayerTimers& timers, TimerEntry& entry) {
        if (!timers.entries.remove(entry)) return false;
        place(timers);
        return true;
    }
    // The first payer with something due, or nullptr.
    [[nodiscard]] PayerTimers* first_due(std::uint64_t now) const {
        PayerTimers* first = payers_.first();
        return first != nullptr && first->due <= now ? first : nullptr;
    }
    void fire_one(PayerTimers& timers, std::uint64_t now) {
        timers.entries.fire_one(now);
        place(timers);
    }
    void hold(PayerTimers& timers, std::uint64_t until) {
        timers.held_until = until;
        place(timers);
    }
    [[nodiscard]] std::uint64_t next_deadline() const {
        const PayerTimers* first = payers_.first();
        return first == nullptr ? kNever : first->due;
    }

private:
    void place(PayerTimers& timers) {
        const std::uint64_t first = timers.entries.next_deadline();
        const std::uint64_t due = first != kNever && first < timers.held_until ? timers.held_until : first;
        if (timers.node.is_linked()) {
            if (timers.due == due) return;
            payers_.erase(timers);
        }
        timers.due = due;
        if (due != kNever) payers_.insert(timers);
    }
    IntrusiveTree<PayerTimers, &PayerTimers::node, &PayerTimers::due> payers_;
};

void arm(TimerEntry& entry, std::uint64_t deadline); // on this CPU; moves it if it is armed; kNever cancels
bool cancel(TimerEntry& entry);                      // true if it was armed and has not fired

// For the scheduler, interrupts off: fires what is due on this CPU, at most kMostExpiries entries and no longer than it may. Answers the time
// that was charged to payers.
inline constexpr unsigned kMostExpiries = 8;
std::uint64_t run_due(std::uint64_t now);
[[nodiscard]] std::uint64_t next_deadline(); // this CPU's

// Answered by the scheduler (docs/design/upcalls.md).
namespace upcall {
void deadline_changed(); // this CPU's first one, by arm(): the hardware is programmed anew
// For run_due(). How long (ns) the payer has to wait for the work of one expiry, because
// it has used more than its share; 0: now. Then: it has cost so much.
[[nodiscard]] std::uint64_t timer_delay(sched::ShareGroup& payer, unsigned cpu, std::uint64_t now);
void charge_timer(sched::ShareGroup& payer, unsigned cpu, std::uint64_t ns, std::uint64_t now);
[[nodiscard]] PayerTimers& timers_of(sched::ShareGroup& payer, unsigned cpu);
} // namespace upcall

} // namespace aios::time
