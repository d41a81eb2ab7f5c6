// Segments, task state, interrupt table and entry registers of one CPU. SDM volume 3 sections 3.4, 6.10, 8.7; volume 2
// SYSCALL. Selectors are laid out as SYSRET wants them: user data, then user code.
// SAFETY: the tables hold addresses as numbers; all that they name (stubs, stacks, blocks) lives as long as the kernel.
#include "kernel/arch/x86_64/control.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

extern "C" {
extern char trap_stubs[];
void syscall_entry();
}

namespace aios::arch::x86 {

CpuBlock cpu_blocks[kMaxCpus];

namespace {

struct [[gnu::packed]] Gate {
    std::uint16_t offset_low;
    std::uint16_t selector;
    std::uint8_t stack;
    std::uint8_t kind;
    std::uint16_t offset_middle;
    std::uint32_t offset_high;
    std::uint32_t reserved;
};
static_assert(sizeof(Gate) == 16);
struct [[gnu::packed]] TablePointer {
    std::uint16_t limit;
    const void* base;
};

constexpr std::uint64_t kKernelCodeSegment = 0x00af'9b00'0000'ffff;
constexpr std::uint64_t kKernelDataSegment = 0x00cf'9300'0000'ffff;
constexpr std::uint64_t kUserDataSegment = 0x00cf'f300'0000'ffff;
constexpr std::uint64_t kUserCodeSegment = 0x00af'fb00'0000'ffff;
constexpr std::uint8_t kInterruptGate = 0x8e;
constexpr std::uint8_t kUserInterruptGate = 0xee; // INT3 and INTO from user mode

alignas(4096) Gate interrupt_table[256];
constexpr std::size_t kBootStackBytes = 8192;
alignas(16) std::uint8_t boot_stacks[3][kBootStackBytes];
ExceptionStacks boot_stack_tops;

void load_segments(CpuBlock& block) {
    block.segments[KERNEL_CODE / 8] = kKernelCodeSegment;
    block.segments[KERNEL_DATA / 8] = kKernelDataSegment;
    block.segments[USER_DATA / 8] = kUserDataSegment;
    block.segments[USER_CODE / 8] = kUserCodeSegment;
    const auto base = reinterpret_cast<std::uint64_t>(&block.task);
    block.segments[TASK_STATE / 8] =
        (sizeof(TaskState) - 1) | ((base & 0xff'ffff) << 16) | (0x89ull << 40) | ((base >> 24 & 0xff) << 56);
    block.segments[TASK_STATE / 8 + 1] = base >> 32;

    const TablePointer pointer{sizeof(block.segments) - 1, block.segments};
    // SAFETY: the table lives as long as the kernel; the far return reloads cs with our own code segment.
    asm volatile("lgdt %0\n\t"
                 "pushq %1\n\t"
                 "leaq 1f(%%rip), %%rax\n\t"
                 "pushq %%rax\n\t"
                 "lretq\n"
                 "1: movl %2, %%eax\n\t"
                 "movl %%eax, %%ss\n\t"
                 "xorl %%eax, %%eax\n\t"
                 "movl %%eax, %%ds\n\t"
                 "movl %%eax, %%es\n\t"
                 "movl %%eax, %%fs\n\t"
                 "movl %%eax, %%gs\n\t"
                 :
                 : "m"(pointer), "i"(KERNEL_CODE), "i"(KERNEL_DATA)
                 : "rax", "memory");
}

std::uint64_t exception_stack(std::uint64_t top, CpuBlock& block) {
    // SAFETY: the caller owns the stack below `top`; the word is read by trap_paranoid in traps.S.
    top -= 16;
    *reinterpret_cast<CpuBlock**>(top) = &block;
    return top;
}

} // namespace

const ExceptionStacks& boot_exception_stacks() {
    boot_stack_tops = {reinterpret_cast<std::uint64_t>(boot_stacks[0]) + kBootStackBytes,
                       reinterpret_cast<std::uint64_t>(boot_stacks[1]) + kBootStackBytes,
                       reinterpret_cast<std::uint64_t>(boot_stacks[2]) + kBootStackBytes};
    return boot_stack_tops;
}

void init_interrupt_table() {
    for (unsigned vector = 0; vector < 256; ++vector) {
        const auto stub = reinterpret_cast<std::uint64_t>(trap_stubs) + vector * 16;
        std::uint8_t stack = kNoStack;
        if (vector == kVectorDoubleFault) stack = kDoubleFaultStack;
        if (vector == kVectorNmi) stack = kNmiStack;
        if (vector == kVectorMachineCheck) stack = kMachineCheckStack;
        const bool user = vector == kVectorBreakpoint || vector == kVectorOverflow;
        interrupt_table[vector] = {static_cast<std::uint16_t>(stub),
                                   KERNEL_CODE,
                                   stack,
                                   user ? kUserInterruptGate : kInterruptGate,
                                   static_cast<std::uint16_t>(stub >> 16),
                                   static_cast<std::uint32_t>(stub >> 32),
                                   0};
    }
}

void name_cpu(unsigned index) {
    CpuBlock& block = cpu_blocks[index];
    block.self = &block;
    block.index = index;
    // SAFETY: the block lives as long as the kernel.
    write_msr(kMsrGsBase, reinterpret_cast<std::uint64_t>(&block));
}

void init_cpu(unsigned index, const ExceptionStacks& stacks) {
    CpuBlock& block = cpu_blocks[index];
    block.task.interrupt_stack[kDoubleFaultStack - 1] = exception_stack(stacks.double_fault, block);
    block.task.interrupt_stack[kNmiStack - 1] = exception_stack(stacks.nmi, block);
    block.task.interrupt_stack[kMachineCheckStack - 1] = exception_stack(stacks.machine_check, block);
    load_segments(block);
    name_cpu(index); // behind the segments, whose loading clears the base
    write_msr(kMsrKernelGsBase, 0);
    const TablePointer pointer{sizeof(interrupt_table) - 1, interrupt_table};
    // SAFETY: both tables live as long as the kernel.
    asm volatile("lidt %0" : : "m"(pointer));
    asm volatile("ltr %w0" : : "r"(TASK_STATE));
    drop_local_descriptors();
    set_control_registers();
    set_entry_registers(reinterpret_cast<std::uint64_t>(&syscall_entry));
}

} // namespace aios::arch::x86
