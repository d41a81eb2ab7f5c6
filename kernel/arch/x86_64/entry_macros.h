// Pieces of the entry and exit code.
#pragma once

// Opens (STAC) or closes (CLAC) the kernel's access to user pages. Three bytes of no-operation that early.cpp overwrites where the
// processor has SMAP.
.macro SMAP_SITE kind
770:
    .byte 0x0f, 0x1f, 0x00
    .pushsection .smap_sites, "a"
    .long 770b - .
    .long \kind
    .popsection
.endm
#define SMAP_CLOSE SMAP_SITE 0xca
#define SMAP_OPEN SMAP_SITE 0xcb

// A fault at `at` goes on at `fixup`.
.macro FAULT_FIXUP at, fixup
    .pushsection .exception_table, "a"
    .long \at - .
    .long \fixup - .
    .popsection
.endm

// The general registers, as TrapFrame has them.
.macro PUSH_REGISTERS
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm
.macro POP_REGISTERS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
.endm
