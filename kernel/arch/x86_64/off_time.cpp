// How long interrupts stay off. See kernel/arch/off_time.hpp. No lock: a CPU writes only its own table, with interrupts
// off; the report reads the others' as they are.
#include "kernel/arch/off_time.hpp"

#include <algorithm>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/layout.hpp"

namespace aios::arch {
namespace detail {
bool off_time_measured = false;
}

namespace {

using namespace x86;

constexpr std::uint64_t kNotable = 4'000; // shorter stretches are not kept apart
std::uint64_t limit_ticks = 0;

struct Meter {
    std::uint64_t since = 0; // 0: interrupts are on
    std::uint64_t from = 0;
    OffTime worst[kMaxOffTimes] = {}; // one for each beginning; the least makes room
};
constinit PerCpu<Meter> meters;

void keep(OffTime (&table)[kMaxOffTimes], const OffTime& stretch) {
    OffTime* place = &table[0];
    for (OffTime& entry : table) {
        if (entry.from == stretch.from) {
            place = &entry;
            break;
        }
        if (entry.ticks < place->ticks) place = &entry;
    }
    if (stretch.ticks > place->ticks) *place = stretch;
}

std::uint64_t link_address(std::uint64_t address) {
    const std::uint64_t offset = address - boot_facts.image_base;
    return offset < static_cast<std::uint64_t>(image_end - image_start) ? offset + kImageLinkBase : address;
}

} // namespace

[[gnu::noinline, gnu::cold]] void detail::off_time_begin(std::uint64_t from) {
    Meter& meter = meters.mine();
    if (meter.since != 0) return; // off already
    meter.from = from;
    meter.since = read_tsc();
}

[[gnu::noinline, gnu::cold]] void detail::off_time_end(std::uint64_t to) {
    Meter& meter = meters.mine();
    if (meter.since == 0) return; // went off before we measured
    const std::uint64_t ticks = read_tsc() - meter.since;
    meter.since = 0;
    if (ticks >= kNotable) keep(meter.worst, {ticks, meter.from, to});
}

void measure_off_time(std::uint64_t limit) {
    InterruptGuard off;
    for (unsigned cpu = 0; cpu < kMaxCpus; ++cpu)
        std::ranges::fill(meters.of(cpu).worst, OffTime{});
    limit_ticks = limit;
    detail::off_time_measured = true;
}

bool is_off_time_measured() { return detail::off_time_measured; }
std::uint64_t off_time_limit() { return limit_ticks; }

unsigned longest_off_times(OffTime (&out)[kMaxOffTimes]) {
    std::ranges::fill(out, OffTime{});
    for (unsigned cpu = 0; cpu < kMaxCpus; ++cpu)
        for (const OffTime& stretch : meters.of(cpu).worst)
            if (stretch.ticks != 0) keep(out, stretch);
    std::ranges::sort(out, [](const OffTime& a, const OffTime& b) { return a.ticks > b.ticks; });
    unsigned count = 0;
    for (OffTime& stretch : out) {
        if (stretch.ticks == 0) break;
        stretch.from = link_address(stretch.from);
        stretch.to = link_address(stretch.to);
        ++count;
    }
    return count;
}

} // namespace aios::arch
