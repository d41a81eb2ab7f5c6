/* Rows of memory. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "bench/kernel/linux/rows/measure.h"

enum { kPage = 4096 };

/* A byte to each page. */
static uint64_t write_pages(char* at, size_t pages) {
    const uint64_t begin = ticks();
    for (size_t i = 0; i < pages; i++)
        *(volatile char*)(at + i * kPage) = 1;
    return ticks() - begin;
}

void row_anonymous_fault(void) {
    enum { kPages = 2048 };
    for (int round = 0; round < 2; round++) { /* the first warms up */
        char* at = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) give_up("anonymous_fault", "mmap");
        madvise(at, kPages * kPage, MADV_NOHUGEPAGE);
        if (round == 1) OPEN_WINDOW(kRow_anonymous_fault);
        const uint64_t took = write_pages(at, kPages);
        CLOSE_WINDOW(kRow_anonymous_fault);
        munmap(at, kPages * kPage);
        if (round == 1) figure("anonymous_fault", took, kPages);
    }
}

/* /etc/pages has 1,024 pages; on AIOS it is an entry of the bundle, whose pages are verified at the first read. */
void row_cow_fault(void) {
    enum { kPages = 1024 };
    const int file = open("/etc/pages", O_RDONLY);
    if (file < 0) give_up("cow_fault", "/etc/pages");
    for (int round = 0; round < 2; round++) { /* the first warms up */
        char* at = mmap(NULL, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
        if (at == MAP_FAILED) give_up("cow_fault", "mmap");
        for (size_t i = 0; i < kPages; i++)
            (void)*(volatile char*)(at + i * kPage);
        if (round == 1) OPEN_WINDOW(kRow_cow_fault);
        const uint64_t took = write_pages(at, kPages);
        CLOSE_WINDOW(kRow_cow_fault);
        munmap(at, kPages * kPage);
        if (round == 1) figure("cow_fault", took, kPages);
    }
}

/* Each process has said that it runs before the next one starts. */
void row_idle_agent(void) {
    enum { kProcesses = 1000 };
    int said[2];
    if (pipe(said) != 0) give_up("idle_agent", "pipe");
    static pid_t children[kProcesses + 1];
    struct sysinfo before = {0}, after = {0};
    for (int i = 0; i <= kProcesses; i++) {
        if (i == 1 && sysinfo(&before) != 0) /* the first warms up */
            give_up("idle_agent", "sysinfo");
        children[i] = vfork();
        if (children[i] == 0) {
            char *arguments[] = {"idle", NULL}, *environment[] = {NULL};
            dup2(said[1], 3);
            execve("/bin/idle", arguments, environment);
            _exit(127);
        }
        char byte;
        if (children[i] < 0 || read(said[0], &byte, 1) != 1) give_up("idle_agent", "vfork");
    }
    sysinfo(&after);
    figure("idle_agent", (uint64_t)(before.freeram - after.freeram) * before.mem_unit, kProcesses);
    for (int i = 0; i <= kProcesses; i++)
        end_child(children[i]);
}
