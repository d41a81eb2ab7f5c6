/* Rows of processes and threads. */
#include <pthread.h>
#include <sys/wait.h>

#include "bench/kernel/linux/rows/measure.h"

enum { kLives = 1000, kWarmUp = 20 };

static void one_life(char* path) {
    const pid_t child = fork();
    if (child == 0) {
        char *arguments[] = {path, NULL}, *environment[] = {NULL};
        execve(path, arguments, environment);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) give_up("spawn", "a child did not end well");
}

void row_spawn_reaped(void) { REPEAT(spawn_reaped, kLives, one_life("/bin/least")); }

/* The child writes what its counter was to descriptor 3. */
void row_spawn_first(void) {
    int said[2];
    if (pipe(said) != 0) give_up("spawn_first", "pipe");
    const int in = dup(said[0]); /* said[0] may be 3 itself */
    if (in < 0 || dup2(said[1], 3) != 3) give_up("spawn_first", "dup");
    uint64_t sum = 0;
    for (int i = 0; i < kWarmUp + kLives; i++) {
        uint64_t first;
        if (i >= kWarmUp) OPEN_WINDOW(kRow_spawn_first); /* the child closes it */
        const uint64_t begin = ticks();
        one_life("/bin/first");
        read_all(in, &first, sizeof first);
        if (i >= kWarmUp) sum += first - begin;
    }
    figure("spawn_first", sum, kLives);
}

static void* nothing(void* argument) { return argument; }

void row_thread_join(void) {
    REPEAT(thread_join, 1000, {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
            give_up("thread_join", "a thread could not be made");
    });
}
