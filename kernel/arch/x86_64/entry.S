// The two ways into the kernel. aios_pvh_entry: 32-bit protected mode, paging off, ebx = hvm_start_info (Xen's PVH boot protocol).
// aios_entry64: long mode, memory identity mapped, interrupts off, rdi = physical address of the HandOff (boot/handoff.hpp); the
// UEFI loader enters here. Nothing is relocated yet: every address is taken relative to the instruction pointer.

    .section .text.boot, "ax"
    .code32
    .globl aios_pvh_entry
aios_pvh_entry:
    cli
    cld
    rdtsc                       // the boot time starts here
    movl %eax, %esi
    movl %edx, %edi
    // There is no stack yet: the first word of the start info serves as one, and is put back.
    movl (%ebx), %ebp
    leal 4(%ebx), %esp
    calll 1f
1:  popl %ecx
    movl %ebp, (%ebx)
    leal (boot_stack_top - 1b)(%ecx), %esp

    // Identity map of the first 4 GiB with pages of 2 MiB. The tables are in .bss, zero.
    leal (boot_pml4 - 1b)(%ecx), %eax
    leal (boot_pdpt - 1b)(%ecx), %ebp
    leal 3(%ebp), %edx
    movl %edx, (%eax)
    movl %eax, %cr3
    leal (boot_pd - 1b)(%ecx), %eax
    leal 3(%eax), %edx
    movl %edx, 0(%ebp)
    addl $4096, %edx
    movl %edx, 8(%ebp)
    addl $4096, %edx
    movl %edx, 16(%ebp)
    addl $4096, %edx
    movl %edx, 24(%ebp)
    movl $0x83, %edx            // present, writable, 2 MiB
    movl $2048, %ebp
2:  movl %edx, (%eax)
    addl $8, %eax
    addl $0x200000, %edx
    decl %ebp
    jnz 2b

    // A processor without long mode would fault at the next steps, with nobody to say why.
    movl %ecx, %ebp
    movl %ebx, %esp             // CPUID changes ebx; the stack is empty
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    testl $0x20000000, %edx
    jz no_long_mode
    movl %esp, %ebx
    leal (boot_stack_top - 1b)(%ebp), %esp

    movl $0x20, %eax            // CR4: PAE alone
    movl %eax, %cr4
    movl $0xc0000080, %ecx      // EFER
    movl $0x100, %eax           // LME
    xorl %edx, %edx
    wrmsr
    movl $0x80010033, %eax      // PG, WP, NE, ET, MP, PE; caches on
    movl %eax, %cr0

    subl $16, %esp
    leal (boot_gdt - 1b)(%ebp), %eax
    movw $23, (%esp)
    movl %eax, 2(%esp)
    lgdt (%esp)
    leal (pvh_long_mode - 1b)(%ebp), %eax
    pushl $8
    pushl %eax
    lretl

no_long_mode:
    leal (no_long_mode_text - 1b)(%ebp), %esi
    movw $0x3f8, %dx            // the serial line, as it is: a virtual one needs no setting up
5:  lodsb
    testb %al, %al
    jz 6f
    outb %al, %dx
    jmp 5b
6:  movl $0x14, %eax            // ExitStatus::refused
    outl %eax, $0xf4
7:  hlt
    jmp 7b

    .code64
pvh_long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq boot_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    movl %esi, %esi             // zero-extends; entry TSC = edi:esi
    shlq $32, %rdi
    orq %rdi, %rsi
    movl %ebx, %edi
    call pvh_hand_off           // -> rax: HandOff
    movq %rax, %rdi
    jmp aios_entry64

    .globl aios_entry64
aios_entry64:
    cli
    cld
    leaq boot_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    subq $32, %rsp
    movq %rsp, %rsi
    call early_main             // fills {cr3, entry, stack}; see early.cpp
    movq 0(%rsp), %rax
    movq 8(%rsp), %rcx
    movq 16(%rsp), %rdx
    movq %rax, %cr3
    movq %rdx, %rsp
    xorl %ebp, %ebp
    pushq $0                    // no caller: ends backtraces
    jmpq *%rcx

    .section .rodata
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    // 64-bit code
    .quad 0x00cf93000000ffff    // data

no_long_mode_text:
    .asciz "AIOS does not start here: the processor lacks 64-bit mode (lm).\r\n"

    .section .bss
    .balign 4096
boot_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4096 * 4
    .globl boot_stack_bottom, boot_stack_top
boot_stack_bottom:
    .skip 32768
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
