// Ways into the kernel while it runs, and back: exceptions and interrupts (one stub a vector), SYSCALL, and the return to user
// mode. A TrapFrame (arch.hpp) is on the stack whenever C++ runs. Interrupt gates: interrupts are off on entry.
#include "kernel/arch/x86_64/entry_macros.h"
#include "kernel/arch/x86_64/offsets.h"

    .text
    // Stubs are 16 bytes apart; descriptors.cpp counts on it. Vectors 8, 10-14, 17, 21, 29 and 30 come with an error code.
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    pushq $0
    .endif
    pushq $vector
    .if (vector == 2) || (vector == 8) || (vector == 18)
    jmp trap_paranoid
    .else
    jmp trap_common
    .endif
    .set vector, vector + 1
    .endr

    .balign 16
trap_common:
    PUSH_REGISTERS
    cld
    SMAP_CLOSE
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
    lfence                      // no speculation with the user's gs
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call trap_from_user         // also takes upcall::before_user
    jmp return_by_iret
1:  movq %rsp, %rdi
    call trap_from_kernel
    POP_REGISTERS
    addq $16, %rsp
    iretq

    // Double fault, NMI, machine check: on their own stacks, maybe between a user's SYSCALL and our SWAPGS, maybe while user mode
    // has put an address of its choice into gs. The word above the frame names this CPU's block.
    .balign 16
trap_paranoid:
    PUSH_REGISTERS
    cld
    SMAP_CLOSE
    movl $0xc0000101, %ecx      // GS base
    rdmsr
    movl %eax, %r12d
    movl %edx, %r13d
    movl FRAME_BYTES(%rsp), %eax
    movl FRAME_BYTES+4(%rsp), %edx
    wrmsr
    movq %rsp, %rdi
    call trap_paranoid_handler
    movl $0xc0000101, %ecx
    movl %r12d, %eax
    movl %r13d, %edx
    wrmsr
    POP_REGISTERS
    addq $16, %rsp
    iretq

    .balign 16
    .globl syscall_entry
syscall_entry:                  // rcx = return address, r11 = flags; interrupts are off (SFMASK)
    swapgs
    movq %rsp, %gs:CPU_USER_STACK
    movq %gs:CPU_KERNEL_STACK, %rsp
    pushq $USER_DATA
    pushq %gs:CPU_USER_STACK
    pushq %r11
    pushq $USER_CODE
    pushq %rcx
    pushq $0
    pushq $VECTOR_CALL
    PUSH_REGISTERS
    xorl %ebp, %ebp
    sti
    movq %rsp, %rdi
    call _ZN4aios4arch6upcall11system_callERNS0_9TrapFrameE
    cli
    movq %rsp, %rdi
    call _ZN4aios4arch6upcall11before_userERNS0_9TrapFrameE
    // SYSRET gives rcx and r11 for rip and flags, and faults in kernel mode on a return address that is not canonical: only a
    // frame that looks as if nobody had changed it goes this way. A signal frame can look so with flags of the program's choice:
    // interrupts must be on and nothing else set but arithmetic flags, DF, AC and ID. (TF and RF need IRETQ anyway.)
    movq FRAME_RIP(%rsp), %rcx
    cmpq FRAME_RCX(%rsp), %rcx
    jne return_checked
    movq FRAME_FLAGS(%rsp), %r11
    cmpq FRAME_R11(%rsp), %r11
    jne return_checked
    movq %r11, %rax
    andq $~0x240cd5, %rax
    cmpq $0x202, %rax
    jne return_checked
    movq %rcx, %rax
    shrq $47, %rax
    jnz return_checked
    POP_REGISTERS
    movq FRAME_RSP - FRAME_VECTOR(%rsp), %rsp
    swapgs
    sysretq

return_checked:
    movq %rsp, %rdi
    call make_user_frame_safe
return_by_iret:
    POP_REGISTERS
    addq $16, %rsp
    swapgs
    iretq

    .globl enter_user_frame
enter_user_frame:               // rdi = frame, checked; interrupts off
    movq %rdi, %rsp
    jmp return_by_iret

    // void switch_stacks(uint64_t* save, uint64_t load)
    .balign 16
    .globl switch_stacks
switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

    .globl context_start        // first switch to a context: r12 = entry, r13 = argument
context_start:
    xorl %ebp, %ebp
    movq %r13, %rdi
    call *%r12
    ud2

    .section .note.GNU-stack, "", @progbits
