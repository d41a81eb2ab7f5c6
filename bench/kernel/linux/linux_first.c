/* The smallest Linux program that says when it began: its first instructions close its parent's window and read the
 * counter, which it writes to descriptor 3. */
#include "bench/kernel/window.h"

_Static_assert(kRow_spawn_first == 9, "the window that the code below closes");
__asm__(".globl _start\n"
        "_start:\n"
        "    .byte 0x0f,0x1f,0x80\n"
        "    .long 0x5b5b0009\n"
        "    rdtsc\n"
        "    shlq $32, %rdx\n"
        "    orq %rdx, %rax\n"
        "    pushq %rax\n"
        "    movl $3, %edi\n"
        "    movq %rsp, %rsi\n"
        "    movl $8, %edx\n"
        "    movl $1, %eax\n" /* write */
        "    syscall\n"
        "    xorl %edi, %edi\n"
        "    movl $231, %eax\n" /* exit_group */
        "    syscall\n"
        "    ud2\n");
