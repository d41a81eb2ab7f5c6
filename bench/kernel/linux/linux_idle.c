/* The smallest Linux program that waits: writes a byte to descriptor 3 when it runs, and pauses for ever. */
__asm__(".globl _start\n"
        "_start:\n"
        "    movl $3, %edi\n"
        "    movq %rsp, %rsi\n"
        "    movl $1, %edx\n"
        "    movl $1, %eax\n" /* write */
        "    syscall\n"
        "1:  movl $34, %eax\n" /* pause */
        "    syscall\n"
        "    jmp 1b\n");
