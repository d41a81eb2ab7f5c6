// This CPU's one-shot timer: the local APIC's, by TSC deadline where the processor has it, else by its own count (SDM
// volume 3 section 11.5.4). The count is 32 bits and the sleep is at most one heartbeat, so a long deadline takes
// several rounds; the upcall hears only of the real one. The heartbeat shows other CPUs that this one still takes
// interrupts.
#include <algorithm>

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/apic_registers.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

namespace aios::arch {
namespace x86 {
namespace {

std::uint64_t tsc_rate = 1'000'000'000;
std::uint64_t apic_per_tsc = 1ull << 32; // 32.32 fixed point
bool calibrated = false;

constexpr std::uint64_t kHeartbeatSeconds = 2;
constexpr std::uint64_t kSilentSeconds = 10;
constexpr unsigned kSuspicions = 5; // checks in a row; a machine that was stopped as a whole recovers at the first
// No interrupt is programmed nearer than this, so a near deadline may be missed by as much: between two interrupts there
// is always room for what an early one takes to look and program the next, and for some instructions of a program. What
// deadlines that are reached may cost is time::run_due's to bound.
constexpr std::uint64_t kLeastWaitsPerSecond = 1'000'000; // 1 us
constexpr std::uint32_t kDeadlineMode = 2 << 17;

void program(std::uint64_t now, std::uint64_t deadline) {
    const std::uint64_t least = tsc_rate / kLeastWaitsPerSecond;
    const std::uint64_t wait = deadline > now + least ? deadline - now : least;
    if (features().tsc_deadline) {
        write_msr(kMsrTscDeadline, now + wait);
        return;
    }
    const auto count = static_cast<std::uint64_t>((static_cast<unsigned __int128>(wait) * apic_per_tsc) >> 32);
    // One more, so that it does not end before the deadline by rounding.
    apic_write(kApicTimerInitial, static_cast<std::uint32_t>(std::min<std::uint64_t>(count + 1, 0xffff'ffff)));
}

// The kernel's deadline or the next heartbeat, whichever is first.
void program_next(CpuBlock& block, std::uint64_t now) {
    const std::uint64_t beat = block.heartbeat.load(std::memory_order_relaxed) + kHeartbeatSeconds * tsc_rate;
    program(now, block.timer_deadline != 0 ? std::min(block.timer_deadline, beat) : beat);
}

// Each CPU looks after the next one.
void check_neighbour(CpuBlock& block, std::uint64_t now) {
    for (unsigned step = 1; step < kMaxCpus; ++step) {
        const CpuBlock& other = cpu_blocks[(block.index + step) % kMaxCpus];
        if (!other.up.load(std::memory_order_acquire)) continue;
        const std::uint64_t beat = other.heartbeat.load(std::memory_order_relaxed);
        const bool silent = &other != &block && beat != 0 && now > beat && now - beat > kSilentSeconds * tsc_rate;
        block.suspicions = silent ? block.suspicions + 1 : 0;
        if (block.suspicions == kSuspicions)
            panic("CPU {} has not taken an interrupt for {} seconds", other.index, (now - beat) / tsc_rate);
        return;
    }
}

} // namespace

std::uint64_t tsc_per_second() { return tsc_rate; }

void set_rates(std::uint64_t tsc_khz, std::uint64_t apic_khz) {
    tsc_rate = tsc_khz * 1000;
    apic_per_tsc = (apic_khz << 32) / tsc_khz;
    calibrated = true;
}

void init_timer() {
    if (!features().tsc_deadline) apic_write(kApicTimerDivide, 0b1011); // by 1
    apic_write(kApicTimerEntry, kVectorTimer | (features().tsc_deadline ? kDeadlineMode : 0));
    // The MSR write of a deadline must not overtake the register write that chose the mode (SDM volume 3
    // section 11.5.4.1).
    store_fence();
    const std::uint64_t now = read_tsc();
    CpuBlock& block = this_cpu();
    block.heartbeat.store(now, std::memory_order_relaxed);
    program_next(block, now);
}

void timer_interrupt() {
    end_of_interrupt();
    CpuBlock& block = this_cpu();
    const std::uint64_t now = read_tsc();
    const std::uint64_t beat = block.heartbeat.load(std::memory_order_relaxed);
    if (now - beat >= kHeartbeatSeconds * tsc_rate) {
        block.heartbeat.store(now, std::memory_order_relaxed);
        check_neighbour(block, now);
    }
    if (block.timer_deadline == 0 || now < block.timer_deadline) {
        program_next(block, now);
        return;
    }
    block.timer_deadline = 0;
    program_next(block, now);
    upcall::timer();
}

} // namespace x86

std::uint64_t tick_khz() { return x86::tsc_rate / 1000; }

void timer_arm(std::uint64_t ticks_deadline) {
    InterruptGuard guard;
    x86::CpuBlock& block = x86::this_cpu();
    block.timer_deadline = ticks_deadline == 0 ? 1 : ticks_deadline;
    if (x86::calibrated) x86::program_next(block, x86::read_tsc());
}

void timer_disarm() {
    InterruptGuard guard;
    x86::this_cpu().timer_deadline = 0; // an interrupt that still comes finds nothing due
}

} // namespace aios::arch
