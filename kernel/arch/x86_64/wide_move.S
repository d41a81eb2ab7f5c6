// Pages and long copies by AVX, 32 bytes a move (SDM volume 1 chapter 14). The kernel is compiled without these registers, so each
// function gives back what it uses, to the bit:
//   (1) Registers that it changes are saved on the stack, whole.
//   (2) XGETBV with ecx = 1 says whether the upper halves are in use at all. If not they are zero, and VZEROUPPER makes them so
//       again and tells the processor, which would else run the program's SSE instructions slowly from then on.
// Between (1) and the end the registers are not the program's. zero_page_wide and copy_page_wide run with interrupts off.
// user_copy_wide may be interrupted and may block in a fault: its thread's registers are saved and loaded at every switch.
#include "kernel/arch/x86_64/entry_macros.h"

#define XINUSE 1
#define AVX_IN_USE 4

    // r8 = what was in use. Changes rax, rcx, rdx.
.macro ASK_IN_USE
    movl $XINUSE, %ecx
    xgetbv
    movl %eax, %r8d
.endm

    // ymm0 and ymm1 are ours; r8 says what was in use.
.macro TAKE_TWO
    subq $72, %rsp
    vmovdqu %ymm0, (%rsp)
    vmovdqu %ymm1, 32(%rsp)
.endm

    // As they were, and back to the caller.
.macro GIVE_BACK_TWO
    testl $AVX_IN_USE, %r8d
    jz 9f
    vmovdqu (%rsp), %ymm0
    vmovdqu 32(%rsp), %ymm1
    addq $72, %rsp
    ret
9:  vzeroupper
    movdqu (%rsp), %xmm0
    movdqu 32(%rsp), %xmm1
    addq $72, %rsp
    ret
.endm

    .text
    // void zero_page_wide(void* page)
    .balign 16
    .globl zero_page_wide
zero_page_wide:
    ASK_IN_USE
    subq $40, %rsp
    vmovdqu %ymm0, (%rsp)
    vpxor %xmm0, %xmm0, %xmm0   // the upper half too
    movl $8, %ecx
1:
    .set at, 0
    .rept 16
    vmovdqa %ymm0, at(%rdi)
    .set at, at + 32
    .endr
    addq $512, %rdi
    decl %ecx
    jnz 1b
    testl $AVX_IN_USE, %r8d
    jz 2f
    vmovdqu (%rsp), %ymm0
    addq $40, %rsp
    ret
2:  vzeroupper
    movdqu (%rsp), %xmm0
    addq $40, %rsp
    ret

    // void copy_page_wide(void* to, const void* from)
    .balign 16
    .globl copy_page_wide
copy_page_wide:
    ASK_IN_USE
    TAKE_TWO
    movl $8, %ecx
1:
    .set at, 0
    .rept 8
    vmovdqa at(%rsi), %ymm0
    vmovdqa at + 32(%rsi), %ymm1
    vmovdqa %ymm0, at(%rdi)
    vmovdqa %ymm1, at + 32(%rdi)
    .set at, at + 64
    .endr
    addq $512, %rsi
    addq $512, %rdi
    decl %ecx
    jnz 1b
    GIVE_BACK_TWO

    // uint64_t user_copy_wide(void* to, const void* from, size_t bytes): as user_copy_bytes
    .balign 16
    .globl user_copy_wide
user_copy_wide:
    movq %rdx, %r9
    ASK_IN_USE
    TAKE_TWO
    movq %r9, %rcx
    shrq $10, %rcx              // a page at least, so not 0
    SMAP_OPEN
1:
    .set at, 0
    .rept 16
771: vmovdqu at(%rsi), %ymm0
772: vmovdqu at + 32(%rsi), %ymm1
773: vmovdqu %ymm0, at(%rdi)
774: vmovdqu %ymm1, at + 32(%rdi)
    FAULT_FIXUP 771b, wide_copy_failed
    FAULT_FIXUP 772b, wide_copy_failed
    FAULT_FIXUP 773b, wide_copy_failed
    FAULT_FIXUP 774b, wide_copy_failed
    .set at, at + 64
    .endr
    addq $1024, %rsi
    addq $1024, %rdi
    decq %rcx
    jnz 1b
    movl %r9d, %ecx
    andl $1023, %ecx            // the rest
    shrl $3, %ecx
2:  rep movsq
    movl %r9d, %ecx
    andl $7, %ecx
3:  rep movsb
    FAULT_FIXUP 2b, wide_copy_failed
    FAULT_FIXUP 3b, wide_copy_failed
    xorl %eax, %eax
wide_copy_ends:
    SMAP_CLOSE
    GIVE_BACK_TWO
wide_copy_failed:               // registers are as they were at the fault
    movl $1, %eax
    jmp wide_copy_ends

    .section .note.GNU-stack, "", @progbits
