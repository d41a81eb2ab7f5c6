// Accesses to user memory that may fault. Each opens SMAP for itself; the page-fault handler resolves demand pages, and what it
// cannot resolve goes on at the fix-up. rax = 0 on success.
#include "kernel/arch/x86_64/entry_macros.h"

    .text
    // uint64_t user_copy_bytes(void* to, const void* from, size_t bytes): one side is user memory
    .balign 16
    .globl user_copy_bytes
user_copy_bytes:
    SMAP_OPEN
    movq %rdx, %rcx
    shrq $3, %rcx
1:  rep movsq
    movl %edx, %ecx
    andl $7, %ecx
    jz 3f
2:  rep movsb
3:  xorl %eax, %eax
    SMAP_CLOSE
    ret
    FAULT_FIXUP 1b, user_access_failed
    FAULT_FIXUP 2b, user_access_failed

    // uint64_t user_load_word(uint64_t address, uint32_t* value)
    .balign 16
    .globl user_load_word
user_load_word:
    SMAP_OPEN
1:  movl (%rdi), %ecx
    SMAP_CLOSE
    movl %ecx, (%rsi)
    xorl %eax, %eax
    ret
    FAULT_FIXUP 1b, user_access_failed

    // uint64_t user_exchange_word(uint64_t address, uint32_t* expected, uint32_t desired): *expected = what was there
    .balign 16
    .globl user_exchange_word
user_exchange_word:
    movl (%rsi), %eax
    SMAP_OPEN
1:  lock cmpxchgl %edx, (%rdi)
    SMAP_CLOSE
    movl %eax, (%rsi)
    movl $0, %eax
    ret
    FAULT_FIXUP 1b, user_access_failed

user_access_failed:
    SMAP_CLOSE
    movl $1, %eax
    ret

    .section .note.GNU-stack, "", @progbits
