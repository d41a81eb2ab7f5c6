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

} // namespace

int main() { return run_all("requeue"); }
