/* Rows of lateness, as in bench/kernel/aios/timers.cpp and interactive.cpp, with clock_nanosleep and no slack. */
#include <errno.h>
#include <sched.h>
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

static uint64_t up_to(uint64_t* random, uint64_t most) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (*random >> 33) % most;
}

static uint64_t waits_p99(void) {
    enum { kWarmUp = 50 };
    uint64_t random = 7;
    for (int i = 0; i < kWarmUp + kSamples; i++) {
        const uint64_t due = now() + 3000000 + up_to(&random, 11000000);
        sleep_until(due);
        if (i >= kWarmUp) late[i - kWarmUp] = now() - due;
        uint64_t left = (200000 + up_to(&random, 1400000)) / 2;
        __asm__ volatile("1: decq %0\n\tjnz 1b" : "+r"(left) : : "cc");
    }
    qsort(late, kSamples, sizeof *late, compare);
    return late[kSamples * 99 / 100];
}

/* Linux has no hint of this kind; what it has is one for the others, that they are a batch. */
void row_interactive(void) {
    enum { kOthers = 8 };
    pid_t others[kOthers];
    prctl(PR_SET_TIMERSLACK, 1);
    for (int i = 0; i < kOthers; i++) {
        others[i] = fork();
        for (volatile uint64_t n = 0; others[i] == 0; n++)
            ;
    }
    const uint64_t without = waits_p99();
    const struct sched_param none = {0};
    for (int i = 0; i < kOthers; i++)
        if (sched_setscheduler(others[i], SCHED_BATCH, &none) != 0) give_up("interactive", "sched_setscheduler");
    const uint64_t with = waits_p99();
    figure("interactive", with, without);
    for (int i = 0; i < kOthers; i++)
        end_child(others[i]);
}
