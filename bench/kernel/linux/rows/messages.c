/* Rows of messages between two processes, over a pipe each way. */
#include <sched.h>
#include <sys/epoll.h>

#include "bench/kernel/linux/rows/measure.h"

static char buffer[65536];

static void make_pipes(const char* row, int to[2], int from[2]) {
    if (pipe(to) != 0 || pipe(from) != 0) give_up(row, "pipe");
}

/* The child answers each message of `bytes` with one of `answer`. */
static pid_t start_server(const char* row, const int to[2], const int from[2], size_t bytes, size_t answer) {
    const pid_t child = fork();
    if (child < 0) give_up(row, "fork");
    if (child != 0) return child;
    for (;;) {
        read_all(to[0], buffer, bytes);
        write_all(from[1], buffer, answer);
    }
}

#define CALLS(row, bytes, answer, count)                                                                               \
    do {                                                                                                               \
        int to[2], from[2];                                                                                            \
        make_pipes(#row, to, from);                                                                                    \
        const pid_t child = start_server(#row, to, from, bytes, answer);                                               \
        REPEAT(row, count, {                                                                                           \
            write_all(to[1], buffer, bytes);                                                                           \
            read_all(from[0], buffer, answer);                                                                         \
        });                                                                                                            \
        end_child(child);                                                                                              \
    } while (0)

void row_ipc_64(void) { CALLS(ipc_64, 64, 64, 5000); }
void row_ipc_4k(void) { CALLS(ipc_4k, 4096, 8, 2000); }
void row_ipc_64k(void) { CALLS(ipc_64k, 65536, 8, 1000); }
void row_ipc_grant_64k(void) { CALLS(ipc_grant_64k, 65536, 8, 2000); }
void row_ipc_move_64k(void) { CALLS(ipc_move_64k, 65536, 65536, 2000); }

/* As in bench/kernel/aios/messages.cpp: the message carries the time at which it was sent. */
static void receive(int in, int back) {
    const int events = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN}, got;
    if (events < 0 || epoll_ctl(events, EPOLL_CTL_ADD, in, &wanted) != 0) give_up("one_way", "epoll");
    uint64_t sum = 0, stamp[8];
    for (;;) {
        if (epoll_wait(events, &got, 1, -1) != 1) give_up("one_way", "epoll_wait");
        read_all(in, stamp, sizeof stamp);
        sum += ticks() - stamp[0];
        CLOSE_WINDOW(kRow_one_way);
        write_all(back, &sum, sizeof sum);
    }
}

void row_one_way(void) {
    enum { kMessages = 2000, kWarmUp = 100 };
    int to[2], from[2];
    make_pipes("one_way", to, from);
    const pid_t child = fork();
    if (child == 0) receive(to[0], from[1]);
    uint64_t stamp[8] = {0}, sum = 0, first = 0;
    for (int i = 0; i < kWarmUp + kMessages; i++) {
        if (i == kWarmUp) first = sum;
        if (i >= kWarmUp) OPEN_WINDOW(kRow_one_way);
        stamp[0] = ticks();
        write_all(to[1], stamp, sizeof stamp);
        read_all(from[0], &sum, sizeof sum);
    }
    figure("one_way", sum - first, kMessages);
    end_child(child);
}

/* Both yields count: each hands over to the other. */
void row_switch(void) {
    enum { kTurns = 5000 };
    volatile uint64_t* page = shared_page();
    const pid_t child = fork();
    while (child == 0) {
        page[0]++;
        sched_yield();
    }
    for (int i = 0; i < kTurns; i++) /* until they take turns */
        sched_yield();
    OPEN_WINDOW(kRow_switch);
    const uint64_t before = page[0], begin = ticks();
    for (int i = 0; i < kTurns; i++)
        sched_yield();
    const uint64_t took = ticks() - begin, others = page[0] - before;
    CLOSE_WINDOW(kRow_switch);
    end_child(child);
    if (others < kTurns * 9 / 10) give_up("switch", "the processes did not take turns");
    figure("switch", took, kTurns + others);
}

/* As in bench/kernel/aios/pairs.cpp; each pair keeps to its CPU. */
void row_pairs(void) {
    enum { kCalls = 20000, kBegin = 508 };
    const long count = sysconf(_SC_NPROCESSORS_ONLN) < 2 ? 1 : 2;
    volatile uint64_t* page = shared_page();
    pid_t children[4];
    int made = 0;
    for (int i = 0; i < count; i++) {
        int to[2], from[2];
        make_pipes("pairs", to, from);
        keep_to_cpu(i);
        children[made++] = start_server("pairs", to, from, 64, 64);
        children[made++] = fork();
        if (children[made - 1] != 0) continue;
        while (page[kBegin] == 0)
            sched_yield();
        for (int n = 0; n < kCalls; n++) {
            write_all(to[1], buffer, 64);
            read_all(from[0], buffer, 64);
        }
        page[i * 8] = 1;
        _exit(0);
    }
    usleep(20000);
    OPEN_WINDOW(kRow_pairs);
    page[kBegin] = 1;
    for (uint64_t done = 0; done != (uint64_t)count;) {
        usleep(2000);
        done = 0;
        for (int i = 0; i < count; i++)
            done += page[i * 8];
    }
    CLOSE_WINDOW(kRow_pairs);
    figure("pairs", 0, (uint64_t)count * kCalls);
    while (made > 0)
        end_child(children[--made]);
}
