// The smallest agent that waits: for a message on the channel that is its second startup handle, for ever.

// SAFETY: a whole program: the startup block (abi/call_types.hpp) is at rdi, its entries of 16 bytes from offset 32;
// ipc_reply_wait is call 4134 of abi/calls.def: channel, answers nothing, no answer, a Message on the stack, for ever.
asm(".globl _start\n"
    "_start:\n"
    "    movq 48(%rdi), %rdi\n"
    "    subq $64, %rsp\n"
    "    leaq 48(%rsp), %rax\n"
    "    movq %rax, (%rsp)\n"
    "    movq $8, 8(%rsp)\n"
    "    movq $0, 16(%rsp)\n"
    "    movq $0, 24(%rsp)\n"
    "    xorl %esi, %esi\n"
    "    xorl %edx, %edx\n"
    "    movq %rsp, %r10\n"
    "    movq $-1, %r8\n"
    "    movl $4134, %eax\n"
    "    syscall\n"
    "    movl $1, %edi\n"
    "    movl $4099, %eax\n"
    "    syscall\n"
    "    ud2\n");
