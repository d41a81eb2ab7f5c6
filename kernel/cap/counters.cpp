// Check counters, one set a CPU. See counters.hpp.
#include "kernel/cap/counters.hpp"

#include <bit>

#include "kernel/arch/arch.hpp"

namespace aios::cap {

static_assert(static_cast<unsigned>(ObjectType::stream) < kObjectTypes);

namespace {

struct Counts {
    CheckCount of[kObjectTypes][kRightKinds];
};
constinit arch::PerCpu<Counts> g_counts;

} // namespace

void count_check(ObjectType type, Rights needed, CheckResult result) {
    const unsigned right = needed.bits() == 0 ? kNoRight : static_cast<unsigned>(std::countr_zero(needed.bits()));
    CheckCount& count = g_counts.mine().of[static_cast<unsigned>(type)][right < kNoRight ? right : kNoRight];
    ++(result == CheckResult::granted ? count.granted : count.refused);
}

CheckCount checks_of(unsigned type, unsigned right) {
    CheckCount sum{0, 0};
    if (type >= kObjectTypes || right >= kRightKinds) return sum;
    for (unsigned cpu = 0; cpu < arch::kMaxCpus; ++cpu) {
        const CheckCount& count = g_counts.of(cpu).of[type][right];
        sum.granted += count.granted;
        sum.refused += count.refused;
    }
    return sum;
}

} // namespace aios::cap
