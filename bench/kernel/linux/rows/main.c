/* The first program of the Linux machine, and the program of the rows: `rows NAME` measures one row. As process 1 it
 * says when it began, runs the rows of the variable BENCH_ROWS (set on the kernel's command line) one after the other,
 * and powers the machine off as AIOS does, by QEMU's debug-exit port. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <sys/wait.h>

#include "bench/kernel/linux/rows/measure.h"

static const struct {
    const char* name;
    void (*measure)(void);
} kRows[] = {
    {"null", row_null},
    {"derive_close", row_derive_close},
    {"ipc_64", row_ipc_64},
    {"ipc_4k", row_ipc_4k},
    {"ipc_64k", row_ipc_64k},
    {"ipc_grant_64k", row_ipc_grant_64k},
    {"ipc_move_64k", row_ipc_move_64k},
    {"one_way", row_one_way},
    {"switch", row_switch},
    {"anonymous_fault", row_anonymous_fault},
    {"cow_fault", row_cow_fault},
    {"spawn_first", row_spawn_first},
    {"spawn_reaped", row_spawn_reaped},
    {"thread_join", row_thread_join},
    {"timer_p99", row_timer_p99},
    {"near_deadline", row_near_deadline},
    {"idle_agent", row_idle_agent},
    {"pairs", row_pairs},
    {"interactive", row_interactive},
};

static int measure(const char* name) {
    for (size_t i = 0; i < sizeof kRows / sizeof *kRows; i++) {
        if (strcmp(kRows[i].name, name) != 0) continue;
        kRows[i].measure();
        return fflush(stdout) == 0 ? 0 : 1;
    }
    printf("BENCH %s fail the program has no such row\n", name);
    return 1;
}

static void run_row(char* name) {
    const pid_t child = fork();
    if (child == 0) {
        char* arguments[] = {"rows", name, NULL};
        execv("/init", arguments);
        give_up(name, "exec");
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void first_program(uint64_t began) {
    printf("BENCH boot %llu 1\n", (unsigned long long)began);
    fflush(stdout);
    char* rest = getenv("BENCH_ROWS");
    for (char* name = strtok_r(rest, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
        run_row(name);
    if (iopl(3) == 0) outb(0x10, 0xf4);
    reboot(RB_AUTOBOOT);
}

int main(int count, char** values) {
    CLOSE_WINDOW(kWindowFromReset);
    const uint64_t began = ticks();
    if (count == 2) return measure(values[1]);
    if (getpid() == 1 && getenv("BENCH_ROWS") != NULL) first_program(began);
    return 2;
}
