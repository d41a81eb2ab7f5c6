// How long interrupts stay off: the meter sees guards, nested guards as one stretch, and locks; it names the place; and
// waiting for an interrupt does not count.
#include "kernel/arch/off_time.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/lock.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

constexpr std::uint64_t kLong = 40'000'000; // longer than anything else, also where ticks are those of a real clock

void spin(std::uint64_t ticks) {
    for (const std::uint64_t start = arch::ticks(); arch::ticks() - start < ticks;)
        arch::relax();
}

[[gnu::noinline]] void hold_guard(std::uint64_t ticks) {
    arch::InterruptGuard outer;
    {
        arch::InterruptGuard inner; // its end does not end the stretch
        spin(ticks / 2);
    }
    spin(ticks / 2);
}

constinit sync::Protected<int, sync::Rank::futex> guarded(0);
[[gnu::noinline]] void hold_lock(std::uint64_t ticks) {
    guarded.with([&](int&) { spin(ticks); });
}

// A stretch of at least `ticks` that began elsewhere than at `other`, or nothing. (A host that takes the processor away
// makes stretches longer, so nothing is said of the most.)
arch::OffTime find(std::uint64_t ticks, std::uint64_t other = 0) {
    arch::OffTime found[arch::kMaxOffTimes];
    const unsigned count = arch::longest_off_times(found);
    for (unsigned i = 0; i < count; ++i)
        if (found[i].ticks >= ticks && found[i].from != other) return found[i];
    return {};
}

KERNEL_TEST(off_time_of_guards_and_locks) {
    arch::measure_off_time(50'000);
    KERNEL_EXPECT(arch::is_off_time_measured() && arch::off_time_limit() == 50'000);
    KERNEL_EXPECT(find(kLong).ticks == 0);
    hold_guard(kLong);
    const arch::OffTime guard = find(kLong);
    KERNEL_EXPECT(guard.ticks >= kLong);
    KERNEL_EXPECT(guard.from > 256 && guard.to > 256); // places, not vectors
    hold_lock(kLong);
    KERNEL_EXPECT(find(kLong, guard.from).ticks >= kLong);
    arch::measure_off_time(50'000); // begins anew
    const std::uint64_t before = arch::ticks();
    (void)sched::sleep_until(sched::now_ns() + 500'000'000);
    const std::uint64_t slept = arch::ticks() - before;
    KERNEL_EXPECT(find(slept / 2).ticks == 0); // a CPU that waits for an interrupt is not one with interrupts off
}

} // namespace
} // namespace aios
