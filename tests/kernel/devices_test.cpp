// Clocks, entropy and interrupt lines of this machine.
#include <atomic>
#include <cstring>
#include <span>

#include "kernel/arch/machine.hpp"
#include "kernel/dev/entropy.hpp"
#include "kernel/dev/platform.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/time/clock.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

KERNEL_TEST(clock_is_monotonic_and_moves) {
    std::uint64_t last = time::now_ns();
    const std::uint64_t first = last;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t now = time::now_ns();
        KERNEL_EXPECT(now >= last);
        last = now;
    }
    KERNEL_EXPECT(last > first);
    KERNEL_EXPECT(time::now_ns() < 600'000'000'000); // the boot did not take ten minutes
    // A deadline is never earlier than asked.
    for (const std::uint64_t ahead : {1ull, 1'000ull, 999'999ull, 10'000'000ull}) {
        const std::uint64_t wanted = time::now_ns() + ahead;
        while (arch::ticks() < time::ticks_at(wanted))
            arch::relax();
        KERNEL_EXPECT(time::now_ns() >= wanted);
    }
    KERNEL_EXPECT(time::ticks_at(~0ull) > arch::ticks());
}

KERNEL_TEST(clock_agrees_with_the_hpet) {
    if (dev::platform().hpet == 0) KERNEL_SKIP("no HPET");
    if (arch::command_line_value("tsc_khz")) KERNEL_SKIP("the rate comes from the command line");
    const auto window = arch::map_registers({dev::platform().hpet}, 1024);
    KERNEL_EXPECT(window.has_value());
    auto* registers = static_cast<volatile std::uint32_t*>(*window);
    const std::uint64_t femtoseconds = registers[1];
    // The best of several short comparisons: a host that stops this CPU between two readings spoils one of them.
    std::uint64_t least_error = ~0ull, span = 0;
    for (int i = 0; i < 5; ++i) {
        const std::uint32_t reference = registers[0xf0 / 4];
        const std::uint64_t start = time::now_ns();
        while (time::now_ns() - start < 2'000'000)
            arch::relax();
        const std::uint64_t elapsed = time::now_ns() - start;
        const std::uint64_t wanted = std::uint64_t{registers[0xf0 / 4] - reference} * femtoseconds / 1'000'000;
        const std::uint64_t error = elapsed > wanted ? elapsed - wanted : wanted - elapsed;
        if (error < least_error) {
            least_error = error;
            span = wanted;
        }
    }
    KERNEL_EXPECT(least_error < span / 50);
}

KERNEL_TEST(wall_clock_is_in_this_century) {
    const std::uint64_t seconds = time::wall_ns() / 1'000'000'000;
    KERNEL_EXPECT(seconds > 946'684'800 && seconds < 4'102'444'800);
}

KERNEL_TEST(entropy_gives_bytes_that_differ) {
    std::byte first[2000] = {}, second[2000] = {};
    KERNEL_EXPECT(dev::random_bytes(first).has_value());
    KERNEL_EXPECT(dev::random_bytes(second).has_value());
    KERNEL_EXPECT(std::memcmp(first, second, sizeof(first)) != 0);
    unsigned ones = 0;
    for (const std::byte byte : first)
        ones += static_cast<unsigned>(__builtin_popcount(static_cast<unsigned>(byte)));
    KERNEL_EXPECT(ones > 7'400 && ones < 8'600); // 8,000 wanted; 9 standard deviations
    static std::byte large[(64 << 10) + 1];
    KERNEL_EXPECT(dev::random_bytes(large).error() == Error::too_large);
    KERNEL_EXPECT(dev::random_bytes({}).has_value());
}

// More requests than a generator serves before it is renewed.
KERNEL_TEST(entropy_goes_on_when_generators_are_renewed) {
    std::uint64_t before = 0;
    bool good = true;
    for (unsigned i = 0; i < 5000; ++i) {
        std::uint64_t word = 0;
        good = good && dev::random_bytes(std::as_writable_bytes(std::span(&word, 1))).has_value() && word != before;
        before = word;
    }
    KERNEL_EXPECT(good);
}

KERNEL_TEST(io_apic_lines_are_routed_once) {
    if (dev::platform().io_apics.is_empty()) KERNEL_SKIP("no I/O APIC");
    using enum arch::LineTrigger;
    using enum arch::LinePolarity;
    constexpr unsigned kLine = 23;
    KERNEL_EXPECT(arch::enable_line(kLine, level, low).has_value());
    KERNEL_EXPECT(arch::enable_line(kLine, level, low).error() == Error::already_exists);
    arch::disable_line(kLine);
    KERNEL_EXPECT(arch::enable_line(kLine, edge, high).has_value());
    arch::disable_line(kLine);
    KERNEL_EXPECT(arch::enable_line(100'000, edge, high).error() == Error::not_found);
}

} // namespace
} // namespace aios
