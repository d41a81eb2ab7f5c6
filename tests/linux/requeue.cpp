// FUTEX_REQUEUE against those who leave meanwhile: other processes, and waiters whose time is over.
#include <atomic>
#include <ctime>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

// A child moves its parent's waiter to a word of its own, and is gone.
LINUX_TEST(to_a_word_of_a_process_that_ends) {
    static int own = 0;
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int round = 0; round < 10; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            long moved = 0;
            for (int i = 0; i < 2000 && moved == 0; ++i) {
                usleep(1000);
                moved = raw(SYS_futex, page, FUTEX_REQUEUE, 0, 1, &own, 0);
            }
            _exit(moved == 1 ? 0 : 1);
        }
        const timespec time{0, 200'000'000};
        const long got = raw(SYS_futex, page, FUTEX_WAIT, 0, &time, nullptr, 0);
        CHECK(got == 0 || got == -ETIMEDOUT); // AIOS wakes it, Linux leaves it there
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    munmap(page, 4096);
}

LINUX_TEST(while_waiters_run_out_of_time) {
    static int from = 0, to = 0;
    std::atomic<bool> stop{false};
    std::thread waiters[4];
    for (std::thread& waiter : waiters) {
        waiter = std::thread([&] {
            while (!stop) {
                const timespec time{0, 30'000};
                (void)raw(SYS_futex, &from, FUTEX_WAIT_PRIVATE, 0, &time, nullptr, 0);
            }
        });
    }
    for (int i = 0; i < 100'000; ++i) {
        (void)raw(SYS_futex, &from, FUTEX_REQUEUE_PRIVATE, 0, 8, &to, 0);
        if (i % 16 == 0) (void)raw(SYS_futex, &to, FUTEX_WAKE_PRIVATE, 8, nullptr, nullptr, 0);
    }
    stop = true;
    for (std::thread& waiter : waiters)
        waiter.join();
    CHECK(raw(SYS_futex, &from, FUTEX_WAKE_PRIVATE, 8, nullptr, nullptr, 0) == 0); // nobody is left
    CHECK(raw(SYS_futex, &to, FUTEX_WAKE_PRIVATE, 8, nullptr, nullptr, 0) == 0);
}

// Its memory is gone while it waits: what comes to lie in its place has no waiter.
LINUX_TEST(a_word_that_is_unmapped_takes_nobodys_wake_up) {
    const auto map = [] { return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); };
    void* word = map();
    std::atomic<int> waiting{0};
    std::thread waiter([&] {
        const timespec time{2, 0};
        waiting = static_cast<int>(gettid());
        (void)raw(SYS_futex, word, FUTEX_WAIT, 0, &time, nullptr, 0);
    });
    while (waiting == 0)
        usleep(1000);
    usleep(100'000); // it sleeps by now
    CHECK(munmap(word, 4096) == 0);
    long taken = 0;
    for (int i = 0; i < 200; ++i) {
        void* other = map();
        *static_cast<volatile int*>(other) = 0;
        taken += raw(SYS_futex, other, FUTEX_WAKE, 1, nullptr, nullptr, 0);
        CHECK(munmap(other, 4096) == 0);
    }
    CHECK(taken == 0);
    waiter.join();
}

} // namespace

int main() { return run_all("requeue"); }
