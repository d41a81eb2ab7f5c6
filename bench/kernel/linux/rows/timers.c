/* Rows of lateness, as in bench/kernel/aios/timers.cpp, with clock_nanosleep and no slack. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/kernel/linux/rows/measure.h"

enum { kSamples = 1000 };
static uint64_t late[kSamples];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void sleep_until(uint64_t due) {
    const struct timespec time = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

static int compare(const void* a, const void* b) {
    const uint64_t left = *(const uint64_t*)a, right = *(const uint64_t*)b;
    return (left > right) - (left < right);
}

static void percentile_99(const char* row) {
    qsort(late, kSamples, sizeof *late, compare);
    figure(row, late[kSamples * 99 / 100], 1);
}

void row_timer_p99(void) {
    const uint64_t period = 1000000;
    pid_t busy[4];
    prctl(PR_SET_TIMERSLACK, 1);
    for (int i = 0; i < 4; i++) {
        busy[i] = fork();
        for (volatile uint64_t n = 0; busy[i] == 0; n++)
            ;
    }
    uint64_t due = now() + 10 * period;
    for (int i = -20; i < kSamples; i++) {
        due += period;
        sleep_until(due);
        const uint64_t at = now();
        if (i >= 0) late[i] = at > due ? at - due : 0;
        if (at > due + period) due = at - (at - due) % period;
    }
    percentile_99("timer_p99");
    for (int i = 0; i < 4; i++)
        end_child(busy[i]);
}

void row_near_deadline(void) {
    prctl(PR_SET_TIMERSLACK, 1);
    for (uint64_t i = 0; i < kSamples; i++) {
        const uint64_t due = now() + 2000 + i * 7919 % 23001;
        sleep_until(due);
        const uint64_t at = now();
        late[i] = at > due ? at - due : 0;
    }
    percentile_99("near_deadline");
}
