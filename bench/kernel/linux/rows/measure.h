/* What the rows on Linux share. Lines are those of bench/kernel/aios/measure.hpp. Nothing here needs /proc or /sys: the
 * rows thread_join and cow_fault run as they are on AIOS. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "bench/kernel/window.h"

static inline uint64_t ticks(void) {
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

void figure(const char* row, uint64_t total, uint64_t count);
/* Says why there is no figure, with errno, and ends the program. */
_Noreturn void give_up(const char* row, const char* what);
void keep_to_cpu(int cpu);
void read_all(int file, void* to, size_t bytes);
void write_all(int file, const void* from, size_t bytes);
/* A page that lives in both processes after a fork. */
volatile uint64_t* shared_page(void);
/* Ends a child and reaps it. */
void end_child(pid_t child);

#define REPEAT(row, count, ...)                                                                                        \
    do {                                                                                                               \
        for (uint64_t i_ = 0; i_ < (count) / 10 + 1; i_++) {                                                           \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
        OPEN_WINDOW(kRow_##row);                                                                                       \
        const uint64_t begin_ = ticks();                                                                               \
        for (uint64_t i_ = 0; i_ < (count); i_++) {                                                                    \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
        const uint64_t took_ = ticks() - begin_;                                                                       \
        CLOSE_WINDOW(kRow_##row);                                                                                      \
        figure(#row, took_, count);                                                                                    \
    } while (0)

void row_null(void);
void row_derive_close(void);
void row_ipc_64(void);
void row_ipc_4k(void);
void row_ipc_64k(void);
void row_ipc_grant_64k(void);
void row_ipc_move_64k(void);
void row_one_way(void);
void row_switch(void);
void row_anonymous_fault(void);
void row_cow_fault(void);
void row_spawn_first(void);
void row_spawn_reaped(void);
void row_thread_join(void);
void row_timer_p99(void);
void row_near_deadline(void);
void row_idle_agent(void);
void row_pairs(void);
void row_interactive(void);
