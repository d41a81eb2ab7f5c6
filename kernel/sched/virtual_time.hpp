// Virtual time: what a member of a share group has run, divided by its weight, in sixteenths of a nanosecond at weight
// 100. Times wrap and are compared by difference; they mean something only among the members of one group.
#pragma once

#include <cstdint>

namespace aios::sched {

using VirtualTime = std::uint64_t;

inline constexpr unsigned kVirtualShift = 4;
inline constexpr std::uint32_t kUsualWeight = 100; // of a thread among its agent's children, and of most agents

[[nodiscard]] constexpr bool is_before(VirtualTime a, VirtualTime b) { return static_cast<std::int64_t>(a - b) < 0; }
[[nodiscard]] constexpr VirtualTime later_of(VirtualTime a, VirtualTime b) { return is_before(a, b) ? b : a; }
// What `ns` of running costs a member of the usual weight.
[[nodiscard]] constexpr VirtualTime virtual_ns(std::uint64_t ns) { return ns << kVirtualShift; }

inline constexpr std::uint64_t kSlice = 4'000'000; // ns that a thread runs before others get their turn
// How far behind those who wait a member may stand that comes from sleep: its sleep is not saved up.
inline constexpr VirtualTime kSleeperCredit = virtual_ns(3'000'000);
// How far a woken thread must be behind the running one to take its place at once.
inline constexpr VirtualTime kWakeGranularity = virtual_ns(1'000'000);
// How far a hint lets an agent go before its turn: ns of its own running, and of that of a sibling of the usual weight.
inline constexpr std::uint64_t kMostAdvance = 2'000'000;
static_assert(virtual_ns(kMostAdvance) < kSleeperCredit);
// How far a waiting thread must be behind the one that another CPU runs to move there.
inline constexpr VirtualTime kMoveMargin = virtual_ns(6'000'000);
// A member that has a CPU to itself can have no more: what it could claim beyond this is forgotten.
inline constexpr VirtualTime kMostLag = virtual_ns(20'000'000);
// Further ahead than this nobody can have run (78 hours at the usual weight): the times have wrapped during a long
// sleep.
inline constexpr VirtualTime kMostLead = VirtualTime{1} << 52;

struct EarlierVirtual {
    constexpr bool operator()(VirtualTime a, VirtualTime b) const { return is_before(a, b); }
};

} // namespace aios::sched
