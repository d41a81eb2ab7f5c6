// The arithmetic of fair shares, without hardware or locks, so that host tests run the very same code. Every thread has
// a virtual time that advances by what it ran, divided by its share; a CPU runs the thread with the smallest. Virtual
// times wrap and are compared by difference.
//
// Holds always: the queue's floor never goes back; whoever enters stands at most kSleeperCredit behind the floor, so
// that time spent asleep is not saved up; a thread that ran ahead pays for it also after a sleep or on another CPU.
#pragma once

#include <cstdint>

#include "base/intrusive_tree.hpp"
#include "kernel/sched/share_group.hpp"

namespace aios::sched {

using VirtualTime = std::uint64_t;

inline constexpr std::uint64_t kSlice = 4'000'000;           // ns that a thread runs before others get their turn
inline constexpr std::uint64_t kSleeperCredit = 3'000'000;   // virtual ns
inline constexpr std::uint64_t kWakeGranularity = 1'000'000; // virtual ns that a woken thread must be behind to preempt

[[nodiscard]] constexpr bool is_before(VirtualTime a, VirtualTime b) { return static_cast<std::int64_t>(a - b) < 0; }
[[nodiscard]] constexpr VirtualTime later_of(VirtualTime a, VirtualTime b) { return is_before(a, b) ? b : a; }

// Virtual time for `ns` of real time at `share` (1/65536 of a CPU). ns < 2^47, which is 39 hours in one slice.
[[nodiscard]] constexpr VirtualTime virtual_of(std::uint64_t ns, std::uint32_t share) {
    return ns * kShareOne / (share == 0 ? 1 : share);
}

// A thread comes from a queue whose floor is `from` to one whose floor is `to`: it keeps its distance.
[[nodiscard]] constexpr VirtualTime rebase(VirtualTime time, VirtualTime from, VirtualTime to) {
    return time - from + to;
}

struct EarlierVirtual {
    constexpr bool operator()(VirtualTime a, VirtualTime b) const { return is_before(a, b); }
};

// Runnable threads of one CPU that do not run, by virtual time. T has a TreeNode and a VirtualTime.
template <typename T, TreeNode T::* Node, VirtualTime T::* Time>
class FairQueue {
public:
    // A thread that was asleep or comes from elsewhere.
    void enter(T& thread) {
        thread.*Time = later_of(thread.*Time, floor_ - kSleeperCredit);
        queue_.insert(thread);
    }
    // The thread that ran and is still runnable.
    void put_back(T& thread) { queue_.insert(thread); }
    void remove(T& thread) { queue_.erase(thread); }
    T* pop() {
        T* first = queue_.first();
        if (first != nullptr) queue_.erase(*first);
        return first;
    }
    [[nodiscard]] T* first() const { return queue_.first(); }
    [[nodiscard]] T* next(const T& thread) const { return queue_.next(thread); }
    [[nodiscard]] std::size_t size() const { return queue_.size(); }
    [[nodiscard]] bool is_empty() const { return queue_.is_empty(); }
    [[nodiscard]] VirtualTime floor() const { return floor_; }

    // The running thread (nullptr: none) has advanced: so has the least virtual time.
    void advance(const T* running) {
        const T* first = queue_.first();
        if (running == nullptr && first == nullptr) return;
        VirtualTime least = running == nullptr ? first->*Time : running->*Time;
        if (first != nullptr && is_before(first->*Time, least)) least = first->*Time;
        floor_ = later_of(floor_, least);
    }

private:
    IntrusiveTree<T, Node, Time, EarlierVirtual> queue_;
    VirtualTime floor_ = 0;
};

// Whether a thread that enters should run instead of the running one.
[[nodiscard]] constexpr bool should_preempt(VirtualTime entering, VirtualTime running) {
    return is_before(entering + kWakeGranularity, running);
}

// Whether moving a thread of `share` from a CPU with load `from` to one with load `to` evens them out. Where it only
// changes sides it is moved too: so the odd one out takes turns.
[[nodiscard]] constexpr bool should_move(std::uint64_t from, std::uint64_t to, std::uint64_t share) {
    return from > to && share <= (from - to) + (from - to) / 64;
}

} // namespace aios::sched
