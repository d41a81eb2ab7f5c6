// Offsets and selectors that assembler and C++ share. Checked against the structures in cpu_block.hpp.
#pragma once

#define CPU_SELF 0
#define CPU_KERNEL_STACK 8
#define CPU_USER_STACK 16
#define CPU_THREAD 24
#define CPU_INDEX 32

#define FRAME_BYTES 176
#define FRAME_R11 32
#define FRAME_RCX 104
#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_FLAGS 152
#define FRAME_RSP 160

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_BASE 0x18
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TASK_STATE 0x30

#define VECTOR_CALL 256
