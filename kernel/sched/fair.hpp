// Who runs next on one CPU. Threads that wait stand in the tree of their group's part, groups with waiting threads in
// the tree of their parent's part, and so on up to the root: the way down that takes the least virtual time at each
// step ends at the thread whose turn it is. No hardware and no locks: host tests run the same code in virtual time.
//
// Holds always: a part is linked exactly while something waits in it; the running thread is in no tree. Keys of groups
// may lag behind their turns, which move on other CPUs too, and lead only where a hint came while they waited: the first
// one is brought up to date before it is chosen, at most kRefreshes at a level and kRefreshesInWalk on one way down. The
// caller holds the run queue's lock: interrupts are off, so what an agent can do to make keys lag must not make the walk
// longer.
#pragma once

#include <algorithm>

#include "kernel/sched/share_group.hpp"

namespace aios::sched {

// What evens out two CPUs: nothing, a thread that waits there comes here, or one that waits here goes there.
enum class Move : std::uint8_t { none, come, go };
struct Exchange {
    Move move = Move::none;
    Runnable* thread = nullptr;
};

class FairQueue {
public:
    void init(ShareGroup& root, unsigned cpu) {
        root_ = &root;
        cpu_ = cpu;
    }

    // `thread` waits from now on, at its virtual_time.
    void insert(Runnable& thread);
    void remove(Runnable& thread);
    [[nodiscard]] Runnable* first(); // nullptr: nobody waits
    Runnable* pop();                 // takes it off: its turn has come
    void take(Runnable& first);      // the same when it is known
    [[nodiscard]] std::uint32_t size() const { return size_; }
    // How long (ns) `running` goes on before the others here get their turn: as the hint of its agent says.
    [[nodiscard]] std::uint64_t slice_of(const Runnable& running) const;

    // `thread` has run here for `ns`; `debt_ns` more were run by others for it and are charged above already.
    void charge(Runnable& thread, std::uint64_t ns, std::uint64_t debt_ns = 0) {
        thread.virtual_time += virtual_ns(ns + debt_ns);
        charge_groups(thread, ns);
    }
    // The same when `thread` stands at its new time already: its groups move on.
    void charge_groups(Runnable& thread, std::uint64_t ns);
    // How far `a` stands before `b` at the level where their ways to the root meet. Positive: `a` has run less.
    [[nodiscard]] static std::int64_t lead(const Runnable& a, const Runnable& b);
    // Under both locks. On the way down to the first thread here, somebody who waits there may be behind whoever is
    // next here, at the same level, by more than kMoveMargin: he comes. So does one who is behind what runs here
    // (nullptr: nothing) by as much, at any level: a thread that nobody here can take the CPU from may be of a group
    // whose other members wait there, and would keep them waiting for ever. Else the first one here goes there, if he
    // is behind what runs there by as much, and before all who wait there.
    [[nodiscard]] Exchange compare(FairQueue& other, const Runnable* running_here, const Runnable* running_there);
    // Puts the running thread behind the first one, and answers that; nullptr: nobody waits.
    Runnable* step_behind_first(Runnable& running);

    // Keys brought up to date in one first() or pop(), or on each of the two CPUs in one compare(), however deep the tree
    // is.
    static constexpr unsigned kRefreshesInWalk = 64;

private:
    static constexpr unsigned kRefreshes = 8;
    CpuPart* first_group(CpuPart& part);
    Runnable* first_of_walk();
    Runnable* first_below(CpuPart* part);
    Runnable* earlier_on(FairQueue& other);
    Runnable* behind_on(FairQueue& other, const Runnable& running_here);
    void publish(CpuPart& part);
    enum class Extent : std::uint8_t { whole, part };
    VirtualTime settle(ShareGroup& group, VirtualTime time, Extent extent);

    ShareGroup* root_ = nullptr;
    unsigned cpu_ = 0;
    std::uint32_t size_ = 0, batch_ = 0; // who wait; those of batch agents among them
    unsigned refreshes_left_ = 0;        // of the walk that is under way
};

// How long (ns) a thread runs before others get their turn, while so many wait: all of them within 8 ms, if they are
// few.
[[nodiscard]] constexpr std::uint64_t slice_among(std::uint32_t waiting) {
    const std::uint64_t even = 2 * kSlice / (std::uint64_t{waiting} + 1);
    return std::clamp<std::uint64_t>(even, kSlice / 4, kSlice);
}

// Whether a thread that comes should take the running one's place.
[[nodiscard]] bool should_preempt(const Runnable& coming, const Runnable& running);

} // namespace aios::sched
