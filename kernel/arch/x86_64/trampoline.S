// The first code of every other CPU: real mode at a page below 1 MiB (CS = page), then protected mode, then long mode with page tables
// that map this page onto itself, and on to ap_entry at its final address. smp.cpp copies it there and fills in the words at its end.
    .section .rodata
    .balign 16
    .globl trampoline_begin
trampoline_begin:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    xorl %ebx, %ebx
    movw %ax, %bx
    shll $4, %ebx
    lgdtl trampoline_gdt_pointer - trampoline_begin
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl *(trampoline_far32 - trampoline_begin)

    .code32
trampoline_32:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $0x20, %eax            // CR4: PAE alone
    movl %eax, %cr4
    movl (trampoline_root - trampoline_begin)(%ebx), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    movl $0x900, %eax           // LME, NXE
    xorl %edx, %edx
    wrmsr
    movl $0x80010033, %eax      // PG, WP, NE, ET, MP, PE; caches, which INIT switches off, on
    movl %eax, %cr0
    ljmpl *(trampoline_far64 - trampoline_begin)(%ebx)

    .code64
trampoline_64:
    movl %ebx, %ebx
    movq (trampoline_stack - trampoline_begin)(%rbx), %rsp
    movq (trampoline_index - trampoline_begin)(%rbx), %rdi
    movq (trampoline_entry - trampoline_begin)(%rbx), %rax
    xorl %ebp, %ebp
    pushq $0
    jmpq *%rax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    // 32-bit code
    .quad 0x00cf93000000ffff    // data
    .quad 0x00af9b000000ffff    // 64-bit code
    .globl trampoline_gdt_pointer, trampoline_far32, trampoline_far64
trampoline_gdt_pointer:
    .word 31
    .long trampoline_gdt - trampoline_begin // + page
    .word 0
trampoline_far32:
    .long trampoline_32 - trampoline_begin  // + page
    .word 8
    .word 0
trampoline_far64:
    .long trampoline_64 - trampoline_begin  // + page
    .word 24
    .word 0
    .balign 8
    .globl trampoline_root, trampoline_stack, trampoline_index, trampoline_entry, trampoline_end
trampoline_root:  .quad 0
trampoline_stack: .quad 0
trampoline_index: .quad 0
trampoline_entry: .quad 0
trampoline_end:

    .section .note.GNU-stack, "", @progbits
