#include "bench/kernel/linux/rows/measure.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

void figure(const char* row, uint64_t total, uint64_t count) {
    printf("BENCH %s %llu %llu\n", row, (unsigned long long)total, (unsigned long long)count);
    fflush(stdout);
}

void give_up(const char* row, const char* what) {
    printf("BENCH %s fail %s: %s\n", row, what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

void keep_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* one CPU, or a kernel that has no such call */
}

void read_all(int file, void* to, size_t bytes) {
    for (char* at = to; bytes != 0;) {
        const ssize_t got = read(file, at, bytes);
        if (got <= 0) _exit(got == 0 ? 0 : 1);
        at += got;
        bytes -= (size_t)got;
    }
}

void write_all(int file, const void* from, size_t bytes) {
    for (const char* at = from; bytes != 0;) {
        const ssize_t put = write(file, at, bytes);
        if (put <= 0) _exit(1);
        at += put;
        bytes -= (size_t)put;
    }
}

volatile uint64_t* shared_page(void) {
    void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) give_up("shared_page", "mmap");
    return page;
}

void end_child(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
