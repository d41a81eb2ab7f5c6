// Kernel contexts, user frames and system-call arguments.
// SAFETY: casts between pointers and the words of a new stack; the caller gives a stack of its own.
#include <cstring>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"

extern "C" {
void switch_stacks(std::uint64_t* save, std::uint64_t load);
void context_start();
[[noreturn]] void enter_user_frame(const aios::arch::TrapFrame* frame);
}

namespace aios::arch {

void prepare_context(KernelContext& context, std::uint64_t stack_top, void (*entry)(void*), void* argument) {
    // What switch_stacks pops: r15 r14 r13 r12 rbx rbp, return address. After it the stack pointer is stack_top,
    // 16-aligned.
    const std::uint64_t words[7] = {
        0, 0, reinterpret_cast<std::uint64_t>(argument),      reinterpret_cast<std::uint64_t>(entry),
        0, 0, reinterpret_cast<std::uint64_t>(&context_start)};
    context.stack_pointer = stack_top - sizeof(words);
    // SAFETY: the caller gives a fresh stack that ends at stack_top.
    std::memcpy(reinterpret_cast<void*>(context.stack_pointer), words, sizeof(words));
}

void switch_context(KernelContext& from, KernelContext& to) { switch_stacks(&from.stack_pointer, to.stack_pointer); }

// Whatever a personality or a signal frame put there: user segments, an address that IRETQ takes, and harmless flags.
extern "C" void make_user_frame_safe(TrapFrame* frame) {
    constexpr std::uint64_t kUserFlags = 0x250dd5; // CF PF AF ZF SF TF DF OF RF AC ID
    frame->cs = USER_CODE;
    frame->ss = USER_DATA;
    frame->rflags = (frame->rflags & kUserFlags) | x86::kFlagInterrupt | 2;
    if (frame->rip > kUserHigh) frame->rip = kUserHigh; // not mapped: the thread faults there, in user mode
}

void enter_user(const TrapFrame& frame) {
    interrupts_disable();
    TrapFrame safe = frame;
    upcall::before_user(safe); // may change it: a signal
    make_user_frame_safe(&safe);
    enter_user_frame(&safe);
}

TrapFrame make_user_frame(std::uint64_t rip, std::uint64_t rsp) {
    TrapFrame frame{};
    frame.rip = rip;
    frame.rsp = rsp;
    frame.vector = VECTOR_CALL;
    make_user_frame_safe(&frame);
    return frame;
}

CallArguments call_arguments(const TrapFrame& frame) {
    return {frame.rax, {frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9}};
}
void set_call_result(TrapFrame& frame, std::int64_t value) { frame.rax = static_cast<std::uint64_t>(value); }

void restart_call(TrapFrame& frame, std::uint64_t number) {
    constexpr std::uint64_t kSyscallBytes = 2; // 0f 05
    frame.rip -= kSyscallBytes;
    frame.rax = number;
}

namespace {
char thread_is_set; // never written: stands for the word in the CPU block in what the compiler is told
}

// The same for as long as a thread's code runs, wherever it runs: so the compiler may keep what it has loaded until
// somebody sets it, or until it loses sight of memory.
void* current_thread() {
    void* thread;
    // SAFETY: gs points at this CPU's block; one load, so it is right even if the thread moves right after.
    asm("movq %%gs:%c1, %0" : "=r"(thread) : "i"(CPU_THREAD), "m"(thread_is_set));
    return thread;
}
void set_current_thread(void* thread, std::uint64_t kernel_stack_top) {
    x86::CpuBlock& block = x86::this_cpu();
    block.thread = thread;
    block.kernel_stack_top = kernel_stack_top;
    block.task.stack0 = kernel_stack_top;
    asm volatile("" : "+m"(thread_is_set));
}

} // namespace aios::arch
