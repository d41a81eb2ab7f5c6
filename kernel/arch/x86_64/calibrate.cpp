// How fast the time stamp counter and the local APIC's timer run: measured over a few milliseconds against the first
// of these that the machine has: HPET (IA-PC HPET 1.0a), ACPI's timer (specification 6.5 section 4.8.3.3), channel 2 of
// the PIT (Intel 8254); else the counter's rate is what CPUID says (SDM volume 2, leaf 15h; a hypervisor's leaf
// 40000010h), or is measured over a second of the real-time clock (MC146818). Who knows the counter's rate measures the
// APIC's timer by it. tsc_khz= overrides the counter's rate. Waiting costs instructions under an instruction-counting
// machine, so the interval is short and measured once. A device that is not there reads as all ones.
#include <algorithm>

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/apic_registers.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/features.hpp"

namespace aios::arch {
namespace x86 {
namespace {

constexpr std::uint64_t kMicroseconds = 2500;
constexpr std::uint64_t kLeastPolls = 10'000, kMostTicks = 1ull << 31; // after both a reference stands still

struct Sample {
    std::uint64_t tsc, apic, reference;
};
struct Rates {
    std::uint64_t tsc_khz, apic_khz;
};

// The reading whose two TSC values are closest together: what the host took away in between does not count.
template <typename Read>
Sample sample(Read&& read) {
    Sample best{};
    std::uint64_t best_gap = ~0ull;
    for (int i = 0; i < 5; ++i) {
        const std::uint64_t before = read_tsc();
        const std::uint64_t reference = read();
        const std::uint64_t apic = 0xffff'ffff - apic_read(kApicTimerCurrent);
        const std::uint64_t after = read_tsc();
        if (after - before >= best_gap) continue;
        best_gap = after - before;
        best = {before + (after - before) / 2, apic, reference};
    }
    return best;
}

// `per_tick`: femtoseconds of the reference. nullopt if it stands still.
template <typename Read>
std::optional<Rates> measure(Read&& read, std::uint64_t per_tick, std::uint64_t mask) {
    const Sample first = sample(read);
    const std::uint64_t target = kMicroseconds * 1'000'000'000 / per_tick;
    for (std::uint64_t polls = 0; ((read() - first.reference) & mask) < target; ++polls) {
        if (polls > kLeastPolls && read_tsc() - first.tsc > kMostTicks) return std::nullopt;
    }
    const Sample last = sample(read);
    const std::uint64_t nanoseconds = ((last.reference - first.reference) & mask) * per_tick / 1'000'000;
    if (nanoseconds == 0 || last.tsc <= first.tsc) return std::nullopt;
    return Rates{(last.tsc - first.tsc) * 1'000'000 / nanoseconds, (last.apic - first.apic) * 1'000'000 / nanoseconds};
}

std::optional<Rates> measure_by_hpet(std::uint64_t physical) {
    if (physical == 0) return std::nullopt;
    const auto window = map_window(physical, 1024, Caching::device_registers);
    if (!window) return std::nullopt;
    // SAFETY: the ACPI HPET table names these registers; 64-bit registers are read as two halves where that is all
    // there is.
    auto* registers = static_cast<volatile std::uint32_t*>(*window);
    const std::uint64_t per_tick = registers[1]; // femtoseconds
    if (per_tick == 0 || per_tick > 100'000'000) return std::nullopt;
    registers[4] = registers[4] | 1; // main counter runs
    return measure([&] { return std::uint64_t{registers[0xf0 / 4]}; }, per_tick, 0xffff'ffff);
}

std::optional<Rates> measure_by_acpi(std::uint16_t port) {
    constexpr std::uint64_t kFemtoseconds = 279'365'115; // one tick of 3.579545 MHz
    if (port == 0) return std::nullopt;
    return measure([&] { return std::uint64_t{in32(port)} & 0xff'ffff; }, kFemtoseconds, 0xff'ffff);
}

std::optional<Rates> measure_by_pit() {
    constexpr std::uint64_t kFemtoseconds = 838'095'345;         // one tick of 1.193182 MHz
    out8(0x61, static_cast<std::uint8_t>((in8(0x61) & ~2) | 1)); // gate of channel 2 on, speaker off
    out8(0x43, 0xb0);                                            // channel 2, low then high byte, mode 0
    out8(0x42, 0xff);
    out8(0x42, 0xff);
    out8(0x43, 0xe8); // status of channel 2: both bytes, mode 0, binary, as it was set
    if ((in8(0x42) & 0x3f) != 0x30) return std::nullopt;
    const auto read = [] {
        out8(0x43, 0x80); // latch channel 2
        const std::uint64_t low = in8(0x42);
        return 0xffff - (low | std::uint64_t{in8(0x42)} << 8);
    };
    return measure(read, kFemtoseconds, 0xffff);
}

// By the counter itself, where its rate is known.
std::optional<Rates> measure_by_counter(std::optional<std::uint64_t> khz) {
    if (!khz) return std::nullopt;
    std::optional<Rates> rates = measure(read_tsc, 1'000'000'000'000 / *khz, ~0ull);
    if (!rates || rates->tsc_khz == 0) return std::nullopt;
    // What both came out at is rounded alike.
    return Rates{*khz, rates->apic_khz * *khz / rates->tsc_khz};
}

std::optional<std::uint64_t> plausible(std::uint64_t khz) {
    if (khz < 1'000 || khz > 100'000'000) return std::nullopt;
    return khz;
}

std::optional<std::uint64_t> khz_of_cpuid() {
    constexpr std::uint32_t kRatio = 0x15, kHypervisor = 0x4000'0000, kHypervisorClock = 0x4000'0010;
    if (has_leaf(kRatio)) {
        const CpuId leaf = cpuid(kRatio); // denominator, numerator, crystal in Hz
        if (leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0)
            return plausible(std::uint64_t{leaf.ecx} * leaf.ebx / leaf.eax / 1000);
    }
    const bool guest = (cpuid(1).ecx >> 31) != 0;
    if (guest && cpuid(kHypervisor).eax >= kHypervisorClock) return plausible(cpuid(kHypervisorClock).eax);
    return std::nullopt;
}

// From one change of the seconds to the next.
std::optional<std::uint64_t> khz_of_rtc() {
    constexpr std::uint8_t kSeconds = 0, kAbsent = 0xff;
    const auto seconds = [] {
        out8(0x70, kSeconds);
        return in8(0x71);
    };
    const auto next_change = [&]() -> std::optional<std::uint64_t> {
        const std::uint8_t now = seconds();
        const std::uint64_t begin = read_tsc();
        while (seconds() == now) {
            if (now == kAbsent || read_tsc() - begin > 8 * kMostTicks) return std::nullopt;
        }
        return read_tsc();
    };
    const auto first = next_change();
    if (!first) return std::nullopt;
    const auto second = next_change();
    if (!second) return std::nullopt;
    return plausible((*second - *first) / 1000);
}

struct Source {
    const char* name;
    std::optional<Rates> rates;
};
Source find_rates(const ClockSources& sources) {
    if (const auto rates = measure_by_hpet(sources.hpet)) return {"HPET", rates};
    if (const auto rates = measure_by_acpi(sources.acpi_timer)) return {"ACPI timer", rates};
    if (const auto rates = measure_by_pit()) return {"PIT", rates};
    if (const auto rates = measure_by_counter(sources.tsc_khz)) return {"command line", rates};
    if (const auto rates = measure_by_counter(khz_of_cpuid())) return {"CPUID", rates};
    return {"real-time clock", measure_by_counter(khz_of_rtc())};
}

} // namespace
} // namespace x86

bool init_clocks(const ClockSources& given) {
    using namespace x86;
    ClockSources sources = given;
    if (sources.tsc_khz) sources.tsc_khz = plausible(*sources.tsc_khz);
    apic_write(kApicTimerEntry, 1u << 16); // masked, counts on
    apic_write(kApicTimerDivide, 0b1011);
    apic_write(kApicTimerInitial, 0xffff'ffff);
    auto [source, rates] = find_rates(sources);
    apic_write(kApicTimerInitial, 0);
    if (!rates) return false;
    if (sources.tsc_khz) {
        rates->tsc_khz = *sources.tsc_khz;
        source = "command line";
    }
    set_rates(std::max<std::uint64_t>(rates->tsc_khz, 1), std::max<std::uint64_t>(rates->apic_khz, 1));
    log_info("clock: time stamp counter {} kHz, APIC timer {} kHz ({})", rates->tsc_khz, rates->apic_khz, source);
    init_timer();
    return true;
}

} // namespace aios::arch
