// The vdso as it was linked, in a page of its own that the kernel completes at boot (vdso.cpp).
    .section .data.vdso, "aw", @progbits
    .balign 4096
    .globl vdso_image
    .hidden vdso_image
vdso_image:
    .incbin AIOS_VDSO
    .balign 4096
    .section .note.GNU-stack, "", @progbits
