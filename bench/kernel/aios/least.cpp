// The smallest agent: its first instructions close its parent's window and read the counter; what was read is its exit
// status.
#include "bench/kernel/window.h"

static_assert(kRow_spawn_first == 9, "the window that the code below closes");
// SAFETY: a whole program without a stack: agent_exit is call 4099 of abi/calls.def.
asm(".globl _start\n"
    "_start:\n"
    "    .byte 0x0f,0x1f,0x80\n"
    "    .long 0x5b5b0009\n"
    "    rdtsc\n"
    "    shlq $32, %rdx\n"
    "    orq %rdx, %rax\n"
    "    movq %rax, %rdi\n"
    "    movl $4099, %eax\n"
    "    syscall\n"
    "    ud2\n");
