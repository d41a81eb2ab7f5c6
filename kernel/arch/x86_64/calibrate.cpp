// How fast the time stamp counter and the local APIC's timer run: measured over a few milliseconds against the HPET
// (IA-PC HPET 1.0a), else against channel 2 of the PIT (Intel 8254). tsc_khz= overrides the counter's rate. Waiting
// costs instructions under an instruction-counting machine, so the interval is short and measured once.
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
constexpr std::uint64_t kMaxPolls = 50'000'000; // a reference that stands still

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
    for (int i = 0; i < 5; i++) {
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
    for (std::uint64_t polls = 0; ((read() - first.reference) & mask) < target; polls++) {
        if (polls == kMaxPolls) return std::nullopt;
    }
    const Sample last = sample(read);
    const std::uint64_t nanoseconds = ((last.reference - first.reference) & mask) * per_tick / 1'000'000;
    if (nanoseconds == 0 || last.tsc <= first.tsc) return std::nullopt;
    return Rates{(last.tsc - first.tsc) * 1'000'000 / nanoseconds, (last.apic - first.apic) * 1'000'000 / nanoseconds};
}

std::optional<Rates> measure_by_hpet(std::uint64_t physical) {
    const auto window = map_window(physical, 1024, true);
    if (!window) return std::nullopt;
    // SAFETY: the ACPI HPET table names these registers; 64-bit registers are read as two halves where that is all
    // there is.
    auto* registers = static_cast<volatile std::uint32_t*>(*window);
    const std::uint64_t per_tick = registers[1]; // femtoseconds
    if (per_tick == 0 || per_tick > 100'000'000) return std::nullopt;
    registers[4] = registers[4] | 1; // main counter runs
    return measure([&] { return std::uint64_t{registers[0xf0 / 4]}; }, per_tick, 0xffff'ffff);
}

std::optional<Rates> measure_by_pit() {
    constexpr std::uint64_t kFemtoseconds = 838'095'345;         // one tick of 1.193182 MHz
    out8(0x61, static_cast<std::uint8_t>((in8(0x61) & ~2) | 1)); // gate of channel 2 on, speaker off
    out8(0x43, 0xb0);                                            // channel 2, low then high byte, mode 0
    out8(0x42, 0xff);
    out8(0x42, 0xff);
    const auto read = [] {
        out8(0x43, 0x80); // latch channel 2
        const std::uint64_t low = in8(0x42);
        return 0xffff - (low | std::uint64_t{in8(0x42)} << 8);
    };
    return measure(read, kFemtoseconds, 0xffff);
}

} // namespace
} // namespace x86

void init_clocks(std::uint64_t hpet, std::optional<std::uint64_t> tsc_khz) {
    using namespace x86;
    apic_write(kApicTimerEntry, 1u << 16); // masked, counts on
    apic_write(kApicTimerDivide, 0b1011);
    apic_write(kApicTimerInitial, 0xffff'ffff);
    const char* source = "HPET";
    std::optional<Rates> rates = hpet != 0 ? measure_by_hpet(hpet) : std::nullopt;
    if (!rates) {
        source = "PIT";
        rates = measure_by_pit();
    }
    if (!rates) {
        log(LogLevel::warning, "neither HPET nor PIT runs: taking the time stamp counter for 1 GHz");
        rates = Rates{1'000'000, 1'000'000};
        source = "guess";
    }
    apic_write(kApicTimerInitial, 0);
    if (tsc_khz && *tsc_khz >= 1000 && *tsc_khz <= 100'000'000) {
        rates->tsc_khz = *tsc_khz;
        source = "command line";
    }
    set_rates(std::max<std::uint64_t>(rates->tsc_khz, 1), std::max<std::uint64_t>(rates->apic_khz, 1));
    log_info("clock: time stamp counter {} kHz, APIC timer {} kHz ({})", rates->tsc_khz, rates->apic_khz, source);
    init_timer();
}

} // namespace aios::arch
