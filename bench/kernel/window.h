/* Windows of counting: what runs between OPEN_WINDOW(n) and CLOSE_WINDOW(n) is counted by the plugin (plugin.c) for row
 * n. Both are a no-operation of seven bytes that the plugin knows by its number; without the plugin they do nothing.
 * Windows may overlap, and one program may close what another opened. In C and C++, for AIOS and for Linux. */
#pragma once

#define OPEN_WINDOW(number) __asm__ volatile(".byte 0x0f,0x1f,0x80\n\t.long 0x5a5a0000+%c0" : : "i"(number) : "memory")
#define CLOSE_WINDOW(number) __asm__ volatile(".byte 0x0f,0x1f,0x80\n\t.long 0x5b5b0000+%c0" : : "i"(number) : "memory")

/* The block of code that begins with it is of an agent that is not measured: what it executes is counted apart. */
#define MARK_APART ".byte 0x0f,0x1f,0x80\n\t.long 0x5c5c0000\n\t"

/* Open from reset on; the first program of a machine closes it. */
enum { kWindowFromReset = 0 };

enum BenchRow {
#define ROW(number, name, group, unit, goal, quick, also, title, how, obstacle) kRow_##name = number,
#include "tools/aios/bench/rows.def"
#undef ROW
};
