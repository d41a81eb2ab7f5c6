// Deadlines of the kernel. A TimerEntry is embedded in what waits (a thread, a Timer object), which is charged for it:
// arming never allocates and never fails. Each CPU has a queue ordered by deadline; an entry waits in the queue of the
// CPU that armed it.
//
// Holds always: an entry fires at or after its deadline, at most once an arming; after cancel() has returned it does
// not fire and its function is not running. The function runs from the timer interrupt under the queue's lock
// (Rank::timer_queue): it may post events and wake threads, not block and not arm or cancel timers; it answers the next
// deadline, or kNever.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/intrusive_tree.hpp"

namespace aios::time {

inline constexpr std::uint64_t kNever = ~0ull;

struct TimerEntry : Pinned {
    using Function = std::uint64_t (*)(TimerEntry& entry, std::uint64_t now);
    explicit constexpr TimerEntry(Function function) : fired(function) {}

    TreeNode node;
    std::uint64_t deadline = kNever; // nanoseconds, monotonic
    const Function fired;
    std::atomic<std::uint32_t> cpu{0}; // in whose queue; changes under that queue's lock
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

void arm(TimerEntry& entry, std::uint64_t deadline); // on this CPU; moves it if it is armed; kNever cancels
bool cancel(TimerEntry& entry);                      // true if it was armed and has not fired

// For the scheduler: fires what is due on this CPU, and this CPU's first deadline. Interrupts off.
void run_due(std::uint64_t now);
[[nodiscard]] std::uint64_t next_deadline();
// Called by arm() when the first deadline of this CPU changed; the scheduler programs the hardware.
void deadline_changed(); // kernel/sched

} // namespace aios::time
