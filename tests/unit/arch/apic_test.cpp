// The local APIC in both of its modes, the timer in both of its modes, and what the clocks are measured by: paths that
// no emulator here takes (x2APIC, TSC deadline, rates from CPUID) on a processor made of variables.
#include <gtest/gtest.h>

#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/apic_registers.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "tests/unit/arch/fake_machine.hpp"

namespace aios::arch::x86 {
namespace {

using test::FakeMachine;
using Written = std::vector<std::pair<std::uint32_t, std::uint64_t>>;

constexpr std::uint64_t kBase = 0xfee0'0000, kEnabled = 1 << 11, kExtended = 1 << 10, kBootCpu = 1 << 8;

class Apic : public testing::Test {
protected:
    void SetUp() override {
        test::machine = &boot;
        boot.msr[0x802] = 0x0012'3456; // an id that 8 bits do not hold
        boot.apic_page[0x20 / 4] = 5u << 24;
        for (CpuBlock& block : cpu_blocks) {
            block.up = false;
            block.timer_deadline = 0;
            block.suspicions = 0;
            block.heartbeat = 0;
        }
        test::timer_hooks = 0;
        read_features();
    }
    void firmware_chose_x2apic() { boot.msr[kMsrApicBase] = kBase | kBootCpu | kEnabled | kExtended; }
    void start() {
        ASSERT_TRUE(map_local_apic(0).has_value());
        init_local_apic();
        boot.written.clear();
    }
    void without_deadline_timer() {
        boot.set_bit(1, 0, 'c', 24, false);
        read_features();
    }
    FakeMachine boot;
};

TEST_F(Apic, X2ApicIsReachedByRegistersAlone) {
    firmware_chose_x2apic();
    ASSERT_TRUE(map_local_apic(0).has_value());
    init_local_apic();
    EXPECT_EQ(local_apic_id(), 0x0012'3456u);
    EXPECT_EQ(cpu_blocks[0].apic_id, 0x0012'3456u);
    EXPECT_EQ(boot.msr[0x80f], 0x1ffu); // spurious vector 0xff, switched on
    EXPECT_EQ(boot.msr[0x835] & 1 << 16, 1u << 16);
    EXPECT_EQ(boot.msr[0x836] & 1 << 16, 1u << 16);
    boot.written.clear();
    end_of_interrupt();
    send_interrupt(0x0065'4321, 0xf1);
    send_init(7);
    send_startup(7, 0x9f);
    EXPECT_EQ(boot.written, (Written{{0x80b, 0},
                                     {0x830, 0x0065'4321'0000'40f1}, // one write a command
                                     {0x830, 0x0000'0007'0000'4500},
                                     {0x830, 0x0000'0007'0000'469f}}));
    for (const std::uint32_t word : boot.apic_page)
        EXPECT_TRUE(word == 0 || word == 5u << 24); // memory was not touched
    EXPECT_TRUE(apic_reaches(100'000));
}

TEST_F(Apic, XApicTakesTwoWrites) {
    start();
    EXPECT_EQ(local_apic_id(), 5u);
    send_interrupt(9, 0xf2);
    EXPECT_EQ(boot.apic_page[0x310 / 4], 9u << 24);
    EXPECT_EQ(boot.apic_page[0x300 / 4], 0x40f2u);
    EXPECT_TRUE(boot.written.empty());
    EXPECT_TRUE(apic_reaches(254));
    EXPECT_FALSE(apic_reaches(255)); // would be everybody
    EXPECT_FALSE(apic_reaches(256)); // would be CPU 0
}

TEST_F(Apic, OtherCpusFollowTheBootCpusMode) {
    firmware_chose_x2apic();
    start();
    for (const std::uint64_t left : {kBase, kBase | kEnabled, kBase | kEnabled | kExtended}) {
        FakeMachine other;
        other.msr[kMsrApicBase] = left;
        test::machine = &other;
        EXPECT_NO_THROW(init_local_apic()) << left;
        EXPECT_EQ(other.msr[kMsrApicBase], kBase | kEnabled | kExtended) << left;
    }
    FakeMachine first; // and the other way round
    test::machine = &first;
    ASSERT_TRUE(map_local_apic(0).has_value());
    for (const std::uint64_t left : {kBase, kBase | kEnabled, kBase | kEnabled | kExtended}) {
        FakeMachine other;
        other.msr[kMsrApicBase] = left;
        test::machine = &other;
        EXPECT_NO_THROW(init_local_apic()) << left;
        EXPECT_EQ(other.msr[kMsrApicBase], kBase | kEnabled) << left;
    }
}

TEST_F(Apic, NmiGoesToCpusThatAreUp) {
    firmware_chose_x2apic();
    start();
    cpu_blocks[1].apic_id = 70'000;
    cpu_blocks[1].up = true;
    cpu_blocks[2].apic_id = 80'000; // never started
    send_nmi_to_others();
    EXPECT_EQ(boot.written, (Written{{0x830, std::uint64_t{70'000} << 32 | 0x4400}}));
}

TEST_F(Apic, DeadlineTimerIsSetUpInOrder) {
    firmware_chose_x2apic();
    start();
    set_rates(2'000'000, 1'000'000);
    init_timer();
    ASSERT_EQ(boot.written.size(), 3u);
    EXPECT_EQ(boot.written[0], (std::pair<std::uint32_t, std::uint64_t>{0x832, 0x400f0})); // the mode
    EXPECT_EQ(boot.written[1].first, 0u);                                                  // the fence
    EXPECT_EQ(boot.written[2].first, kMsrTscDeadline);                                     // the first heartbeat
    const std::uint64_t beat = cpu_blocks[0].heartbeat.load();
    EXPECT_EQ(boot.written[2].second, beat + 2 * 2'000'000'000ull);
}

TEST_F(Apic, DeadlineTimerTakesCounterValues) {
    start();
    set_rates(2'000'000, 1'000'000);
    init_timer();
    const std::uint64_t now = boot.tsc, slack = 2'000'000'000 / 1'000'000;
    boot.written.clear();
    timer_arm(now + 1'000'000);
    EXPECT_EQ(boot.written.back(), (std::pair<std::uint32_t, std::uint64_t>{kMsrTscDeadline, now + 1'000'000}));
    timer_arm(now + 1); // nearly there: a little later, never in the past
    EXPECT_GE(boot.written.back().second, now + slack);
    EXPECT_LE(boot.written.back().second, boot.tsc + slack);
    timer_arm(0);
    EXPECT_GT(boot.written.back().second, now);
    timer_arm(~0ull); // not before the heartbeat
    EXPECT_LE(boot.written.back().second, cpu_blocks[0].heartbeat.load() + 4'000'000'000ull);
}

TEST_F(Apic, CountingTimerDoesNotEndEarly) {
    without_deadline_timer();
    start();
    set_rates(3'000'000, 1'000'000);
    init_timer();
    boot.written.clear();
    EXPECT_EQ(boot.apic_page[kApicTimerEntry / 4], 0xf0u);
    EXPECT_EQ(boot.apic_page[kApicTimerDivide / 4], 0b1011u);
    for (const std::uint64_t ahead : {300'000ull, 300'001ull, 3'000'000ull, 2'999'999'999ull}) {
        timer_arm(boot.tsc + ahead);
        const std::uint64_t count = boot.apic_page[kApicTimerInitial / 4];
        EXPECT_GE((count + 1) * 3, ahead - boot.tsc_step) << ahead;
        EXPECT_LE(count, ahead / 3 + 1) << ahead;
    }
    EXPECT_TRUE(boot.written.empty());
}

TEST_F(Apic, HookHearsOfTheRealDeadlineAlone) {
    start();
    set_rates(2'000'000, 1'000'000);
    init_timer();
    const std::uint64_t deadline = boot.tsc + 5'000'000'000;
    timer_arm(deadline);
    timer_interrupt(); // early
    EXPECT_EQ(test::timer_hooks, 0u);
    boot.tsc += 4'100'000'000; // a heartbeat is due
    timer_interrupt();
    EXPECT_EQ(test::timer_hooks, 0u);
    EXPECT_GE(cpu_blocks[0].heartbeat.load(), boot.tsc - 1000);
    boot.tsc = deadline;
    timer_interrupt();
    timer_interrupt();
    EXPECT_EQ(test::timer_hooks, 1u);
}

// --- what the clocks are measured by ---------------------------------------------------------------------------------

class Clocks : public Apic {
protected:
    void SetUp() override {
        Apic::SetUp();
        boot.leaves.erase({0x15, 0});
        boot.tsc_step = 500;
        firmware_chose_x2apic(); // so that the APIC's count can follow the counter
        ASSERT_TRUE(map_local_apic(0).has_value());
    }
    // The APIC counts down once for `per` ticks of the counter.
    void follow(std::uint64_t per) { boot.msr[0x839] = 0xffff'ffff - boot.tsc / per; }
    [[nodiscard]] bool init(const ClockSources& sources) { return init_clocks(sources); }
    // Ports of a PIT whose channel 2 counts with a counter of 2 GHz.
    void give_pit() {
        boot.out = [this](std::uint16_t port, std::uint32_t value) {
            if (port == 0x43) latch_ = value;
            if (port == 0x43 && value == 0x80)
                held_ = 0xffff - static_cast<std::uint32_t>((boot.tsc - 1'000'000) * 1'193'182 / 2'000'000'000);
        };
        boot.in = [this](std::uint16_t port) -> std::uint32_t {
            follow(2);
            if (port != 0x42) return 0;
            if (latch_ == 0xe8) return 0x30;
            const std::uint32_t byte = held_ & 0xff;
            held_ >>= 8;
            return byte;
        };
    }
    std::uint32_t latch_ = 0, held_ = 0;
};

void expect_near(std::uint64_t value, std::uint64_t wanted) {
    EXPECT_GE(value, wanted - wanted / 100);
    EXPECT_LE(value, wanted + wanted / 100);
}

TEST_F(Clocks, AcpiTimer) {
    boot.in = [this](std::uint16_t port) -> std::uint32_t {
        follow(2);
        return port == 0x608 ? static_cast<std::uint32_t>(boot.tsc * 3'579'545 / 2'000'000'000) | 0xff00'0000
                             : 0xffff'ffff;
    };
    ASSERT_TRUE(init({0, 0x608, {}}));
    expect_near(tick_khz(), 2'000'000);
}

TEST_F(Clocks, Pit) {
    give_pit();
    ASSERT_TRUE(init({0, 0, {}}));
    expect_near(tick_khz(), 2'000'000);
}

TEST_F(Clocks, CpuidsRatio) {
    boot.leaves[{0x15, 0}] = {2, 200, 24'000'000, 0}; // 2.4 GHz
    ASSERT_TRUE(init({0, 0, {}}));
    EXPECT_EQ(tick_khz(), 2'400'000u);
}

TEST_F(Clocks, AHypervisorsWord) {
    boot.leaves[{0x4000'0000, 0}] = {0x4000'0010, 0x4b4d'564b, 0x564b'4d56, 0x4d}; // KVMKVMKVM
    boot.leaves[{0x4000'0010, 0}] = {3'100'000, 1'000'000, 0, 0};
    EXPECT_FALSE(init({0, 0, {}})); // no guest: that leaf means nothing
    boot.set_bit(1, 0, 'c', 31, true);
    ASSERT_TRUE(init({0, 0, {}}));
    EXPECT_EQ(tick_khz(), 3'100'000u);
}

TEST_F(Clocks, RealTimeClock) {
    boot.tsc_step = 50'000;
    boot.in = [this](std::uint16_t port) -> std::uint32_t {
        return port == 0x71 ? static_cast<std::uint32_t>(boot.tsc / 1'500'000'000 % 10) : 0xff;
    };
    ASSERT_TRUE(init({0, 0, {}}));
    expect_near(tick_khz(), 1'500'000);
}

TEST_F(Clocks, CommandLine) {
    ASSERT_TRUE(init({0, 0, 2'600'000}));
    EXPECT_EQ(tick_khz(), 2'600'000u);
    EXPECT_FALSE(init({0, 0, 5})); // not plausible, and nothing else is there
}

TEST_F(Clocks, NothingAtAll) {
    EXPECT_FALSE(init({0, 0, {}}));
    EXPECT_FALSE(init({0, 0x608, {}})); // named, but it stands still
    EXPECT_FALSE(init({0xfed0'0000, 0, {}}));
}

} // namespace
} // namespace aios::arch::x86
