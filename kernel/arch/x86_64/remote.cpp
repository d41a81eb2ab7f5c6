// See remote.hpp. Each CPU has one outgoing request and a mask of the CPUs that ask something of it. The asker writes
// its request, sets its bit at each target and sends an interrupt; a target runs the request and takes its own bit out
// of `waiting_for`.
// SAFETY: PAUSE has no effect but time.
#include "kernel/arch/x86_64/remote.hpp"

#include <bit>

#include "kernel/arch/log.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

namespace aios::arch {
namespace x86 {

std::uint64_t cpus_up_mask() { return cpus_up.load(std::memory_order_acquire); } // pairs with the release in apic.cpp

void run_incoming() {
    CpuBlock& block = this_cpu();
    std::uint64_t askers = block.incoming.exchange(0, std::memory_order_acquire);
    while (askers != 0) {
        const auto asker = static_cast<unsigned>(std::countr_zero(askers));
        askers &= askers - 1;
        RemoteCall& request = cpu_blocks[asker].request;
        request.function(request.argument);
        request.waiting_for.fetch_and(~(1ull << block.index), std::memory_order_release);
    }
}

void run_on(std::uint64_t mask, void (*function)(void*), void* argument) {
    CpuBlock& block = this_cpu();
    mask &= ~(1ull << block.index);
    if (mask == 0) return;
    block.request.function = function;
    block.request.argument = argument;
    block.request.rounds.store(block.request.rounds.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    block.request.waiting_for.store(mask, std::memory_order_release);
    for (std::uint64_t left = mask; left != 0; left &= left - 1) {
        CpuBlock& target = cpu_blocks[std::countr_zero(left)];
        target.incoming.fetch_or(1ull << block.index, std::memory_order_acq_rel);
        send_interrupt(target.apic_id, kVectorRemoteCall);
    }
    // Time alone does not convict: the machine may have been stopped as a whole for a while.
    constexpr std::uint64_t kManyPolls = 20'000'000;
    const std::uint64_t give_up = read_tsc() + 20 * tsc_per_second();
    for (std::uint64_t polls = 0; block.request.waiting_for.load(std::memory_order_acquire) != 0; ++polls) {
        asm volatile("pause");
        if (block.incoming.load(std::memory_order_relaxed) != 0) run_incoming();
        if (polls > kManyPolls && read_tsc() > give_up)
            panic("CPUs {:x} do not answer an interrupt", block.request.waiting_for.load(std::memory_order_relaxed));
    }
}

} // namespace x86

void relax() {
    asm volatile("pause" : : : "memory");
    if (interrupts_enabled()) return; // the interrupt does it
    if (x86::this_cpu().incoming.load(std::memory_order_relaxed) != 0) x86::run_incoming();
}

void run_on_others(void (*function)(void*), void* argument) {
    InterruptGuard guard;
    x86::run_on(x86::cpus_up_mask(), function, argument);
}

std::uint64_t rounds_waited_for() {
    std::uint64_t rounds = 0;
    for (unsigned cpu = 0; cpu < cpu_count(); ++cpu)
        rounds += x86::cpu_blocks[cpu].request.rounds.load(std::memory_order_relaxed);
    return rounds;
}

void send_reschedule(unsigned cpu) { x86::send_interrupt(x86::cpu_blocks[cpu].apic_id, x86::kVectorReschedule); }

} // namespace aios::arch
