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

    movl %ecx, %ebp
    movl %cr4, %eax
    orl $0x20, %eax             // PAE
    movl %eax, %cr4
    movl $0xc0000080, %ecx      // EFER
    rdmsr
    orl $0x100, %eax            // LME
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax       // PG, WP, PE
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
    call pvh_hand_off           // -> rax: HandOff, or 0
    testq %rax, %rax
    jz 3f
    movq %rax, %rdi
    jmp aios_entry64
3:  movl $0x12, %eax            // the start info is unusable: leave with the status of a panic
    outl %eax, $0xf4
4:  hlt
    jmp 4b

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
