// What one CPU owns: reached through gs in the kernel (gs:0 is its own address). Segment tables, task state and the
// stacks of the exceptions that must not run on whatever stack there is: double fault, NMI, machine check.
// SAFETY: gs holds the address of one of cpu_blocks; addresses are compared and stored as numbers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/offsets.h"

namespace aios::arch::x86 {

struct [[gnu::packed]] TaskState { // SDM volume 3 section 8.7
    std::uint32_t reserved0 = 0;
    std::uint64_t stack0 = 0, stack1 = 0, stack2 = 0;
    std::uint64_t reserved1 = 0;
    std::uint64_t interrupt_stack[7] = {};
    std::uint64_t reserved2 = 0;
    std::uint16_t reserved3 = 0;
    std::uint16_t io_map = sizeof(TaskState); // none: no port may be touched from user mode
};
static_assert(sizeof(TaskState) == 104);

// Slots of TaskState::interrupt_stack, from 1 as the IDT counts.
enum InterruptStack : std::uint8_t { kNoStack = 0, kDoubleFaultStack = 1, kNmiStack = 2, kMachineCheckStack = 3 };

// A function that other CPUs shall run; see remote.cpp.
struct RemoteCall {
    void (*function)(void*) = nullptr;
    void* argument = nullptr;
    std::atomic<std::uint64_t> waiting_for{0}; // CPUs that have not run it yet
    std::atomic<std::uint64_t> rounds{0};      // requests so far; written by its own CPU
};

struct alignas(64) CpuBlock {
    CpuBlock* self = nullptr;
    std::uint64_t kernel_stack_top = 0;
    std::uint64_t user_stack = 0; // while SYSCALL changes stacks
    void* thread = nullptr;
    std::uint32_t index = 0;
    std::uint32_t apic_id = 0;
    PageTable* active_table = nullptr;
    std::uint64_t timer_deadline = 0;        // TSC; 0 = not armed
    std::atomic<std::uint64_t> heartbeat{0}; // TSC of the last one
    unsigned suspicions = 0;                 // checks in a row that found the next CPU silent
    std::atomic<bool> up{false};
    RemoteCall request;                     // what this CPU asks of others
    std::atomic<std::uint64_t> incoming{0}; // CPUs that ask something of this one
    std::uint64_t segments[8] = {};
    TaskState task;
};
static_assert(offsetof(CpuBlock, kernel_stack_top) == CPU_KERNEL_STACK &&
              offsetof(CpuBlock, user_stack) == CPU_USER_STACK && offsetof(CpuBlock, thread) == CPU_THREAD &&
              offsetof(CpuBlock, index) == CPU_INDEX);
static_assert(sizeof(TrapFrame) == FRAME_BYTES && offsetof(TrapFrame, r11) == FRAME_R11 &&
              offsetof(TrapFrame, rcx) == FRAME_RCX && offsetof(TrapFrame, vector) == FRAME_VECTOR &&
              offsetof(TrapFrame, rip) == FRAME_RIP && offsetof(TrapFrame, cs) == FRAME_CS &&
              offsetof(TrapFrame, rflags) == FRAME_FLAGS && offsetof(TrapFrame, rsp) == FRAME_RSP);

extern CpuBlock cpu_blocks[kMaxCpus];
extern std::atomic<std::uint64_t> cpus_up; // a bit for each block whose `up` is set

inline CpuBlock& this_cpu() {
    return *static_cast<CpuBlock*>(read_gs_word()); // gs points at this CPU's block from name_cpu() on
}

// 0 before this CPU has its block (only the boot CPU runs then).
inline unsigned this_cpu_or_boot() {
    const std::uint64_t base = read_msr(kMsrGsBase);
    for (const CpuBlock& candidate : cpu_blocks)
        if (reinterpret_cast<std::uint64_t>(&candidate) == base) return candidate.index;
    return 0;
}

// The tops of a CPU's exception stacks. The word at each top names the CPU block: the entry code finds it there,
// because gs cannot be trusted in an exception that may hit between any two instructions.
struct ExceptionStacks {
    std::uint64_t double_fault, nmi, machine_check;
};

// Lets gs point at the block of this CPU: from here on it may take locks and write text.
void name_cpu(unsigned index);
// Takes this CPU over: gs, segments, interrupt table, task state, control registers, SYSCALL. Interrupts are off.
void init_cpu(unsigned index, const ExceptionStacks& stacks);
const ExceptionStacks& boot_exception_stacks();
void init_interrupt_table(); // once

} // namespace aios::arch::x86
