// Futexes that say who owns them: the word's protocol, and the C library's mutexes that inherit priority.
#include <atomic>
#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "tests/linux/child.hpp"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

namespace {

using namespace linux_test;
using Word = std::atomic<unsigned>;

constexpr unsigned kWaiters = FUTEX_WAITERS, kDied = FUTEX_OWNER_DIED, kOwner = FUTEX_TID_MASK;
long call(Word& word, int operation, const timespec* time = nullptr) {
    return raw(SYS_futex, &word, operation, 0, time, nullptr, 0);
}
long lock(Word& word) { return call(word, FUTEX_LOCK_PI_PRIVATE); }
long unlock(Word& word) { return call(word, FUTEX_UNLOCK_PI_PRIVATE); }
unsigned own() { return static_cast<unsigned>(gettid()); }
timespec soon(clockid_t clock, long ms) {
    timespec time{};
    clock_gettime(clock, &time);
    time.tv_nsec += ms * 1'000'000;
    time.tv_sec += time.tv_nsec / 1'000'000'000;
    time.tv_nsec %= 1'000'000'000;
    return time;
}
// Until somebody waits for it in the kernel.
void await_waiter(const Word& word) {
    while ((word & kWaiters) == 0)
        usleep(500);
    usleep(5'000);
}

LINUX_TEST(nobody_else_wants_it) {
    static Word word{0};
    CHECK(lock(word) == 0 && word == own());
    CHECK(lock(word) == -EDEADLK);
    CHECK(call(word, FUTEX_TRYLOCK_PI_PRIVATE) == -EDEADLK);
    CHECK(unlock(word) == 0 && word == 0);
    CHECK(unlock(word) == -EPERM);
    CHECK(call(word, FUTEX_TRYLOCK_PI_PRIVATE) == 0 && word == own());
    CHECK(call(word, FUTEX_UNLOCK_PI) == 0 && word == 0); // own memory: shared is the same
    word = 0x3fff'fff0;                                   // nobody
    CHECK(lock(word) == -ESRCH);
    word = kDied; // an owner has ended
    CHECK(lock(word) == 0 && word == (own() | kDied));
    CHECK(unlock(word) == 0 && word == 0);
    word = 1; // another thread's, perhaps; not this one's
    if (own() != 1) CHECK(unlock(word) == -EPERM);
    EXPECT(-EINVAL, SYS_futex, reinterpret_cast<char*>(&word) + 1, FUTEX_LOCK_PI, 0, nullptr, nullptr, 0);
    EXPECT(-EFAULT, SYS_futex, 8, FUTEX_LOCK_PI_PRIVATE, 0, nullptr, nullptr, 0);
    const timespec wrong{0, -1};
    CHECK(call(word, FUTEX_LOCK_PI_PRIVATE, &wrong) == -EINVAL);
}

LINUX_TEST(it_goes_to_who_waits) {
    static Word word{0};
    CHECK(lock(word) == 0);
    std::atomic<int> got{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            if (lock(word) != 0 || (word & kOwner) != own()) return;
            ++got;
            usleep(1'000);
            if (unlock(word) != 0) got = -100;
        });
    }
    await_waiter(word);
    CHECK(got == 0 && (word & kOwner) == own());
    CHECK(call(word, FUTEX_TRYLOCK_PI_PRIVATE) == -EDEADLK);
    CHECK(unlock(word) == 0);
    for (std::thread& thread : threads)
        thread.join();
    CHECK(got == 4 && word == 0);
}

LINUX_TEST(a_wait_ends) {
    static Word word{0};
    std::atomic<bool> ends{false};
    std::thread holder([&] {
        CHECK(lock(word) == 0);
        while (!ends)
            usleep(1000);
        CHECK(unlock(word) == 0);
    });
    while (word == 0)
        usleep(100);
    CHECK(call(word, FUTEX_TRYLOCK_PI_PRIVATE) == -EAGAIN);
    timespec time = soon(CLOCK_REALTIME, 20);
    CHECK(call(word, FUTEX_LOCK_PI_PRIVATE, &time) == -ETIMEDOUT);
    time = soon(CLOCK_MONOTONIC, 20);
    const long got = call(word, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG, &time);
    CHECK(got == -ETIMEDOUT || got == -ENOSYS); // Linux has it since 5.14
    time = {1, 0};
    CHECK(call(word, FUTEX_LOCK_PI_PRIVATE, &time) == -ETIMEDOUT);
    ends = true;
    holder.join();
    CHECK(lock(word) == 0);
    CHECK(unlock(word) == 0 && word == 0);
}

LINUX_TEST(a_circle_is_found) {
    static Word first{0}, second{0};
    CHECK(lock(first) == 0);
    std::thread other([&] {
        CHECK(lock(second) == 0);
        CHECK(lock(first) == 0); // when the other one has it not any more
        CHECK(unlock(first) == 0 && unlock(second) == 0);
    });
    await_waiter(first);
    CHECK(lock(second) == -EDEADLK);
    CHECK(unlock(first) == 0);
    other.join();
    // Just given on, it is no circle.
    for (int i = 0; i < 200; ++i) {
        CHECK(lock(first) == 0);
        std::atomic<bool> has{false};
        std::thread waiter([&] {
            CHECK(lock(second) == 0);
            has = true;
            CHECK(lock(first) == 0);
            CHECK(unlock(first) == 0);
            CHECK(unlock(second) == 0);
        });
        while (!has)
            usleep(50);
        while ((first & kWaiters) == 0)
            usleep(50);
        CHECK(unlock(first) == 0);
        CHECK(lock(second) == 0);
        CHECK(unlock(second) == 0);
        waiter.join();
    }
}

void nothing(int) {}
LINUX_TEST(handlers_do_not_end_it) {
    static Word word{0};
    struct sigaction action{}, before{};
    action.sa_handler = nothing; // without SA_RESTART
    sigaction(SIGUSR1, &action, &before);
    CHECK(lock(word) == 0);
    std::atomic<long> got{1};
    std::thread waiter([&] {
        got = lock(word);
        CHECK(unlock(word) == 0);
    });
    await_waiter(word);
    for (int i = 0; i < 5; ++i) {
        pthread_kill(waiter.native_handle(), SIGUSR1);
        usleep(2'000);
    }
    CHECK(got == 1);
    CHECK(unlock(word) == 0);
    waiter.join();
    CHECK(got == 0);
    sigaction(SIGUSR1, &before, nullptr);
}

// The owner ends, and has not said so in a list: who waits has it, and is told.
LINUX_TEST(an_owner_that_ends) {
    static Word word{0};
    std::atomic<bool> ends{false};
    std::thread owner([&] {
        CHECK(lock(word) == 0);
        while (!ends)
            usleep(500);
    });
    while (word == 0)
        usleep(100);
    std::atomic<int> got{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            if (lock(word) != 0) return;
            ++got;
            if ((word & kOwner) == own()) unlock(word);
        });
    }
    await_waiter(word);
    ends = true;
    owner.join();
    for (std::thread& thread : threads)
        thread.join();
    CHECK(got == 3 && (word & kOwner) == 0);
}

pthread_mutex_t make_mutex(int kind, bool is_robust, bool is_shared) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    CHECK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0);
    pthread_mutexattr_settype(&attributes, kind);
    if (is_robust) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (is_shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_t mutex;
    CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
    return mutex;
}

LINUX_TEST(mutexes_exclude) {
    for (const int kind : {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK}) {
        pthread_mutex_t mutex = make_mutex(kind, kind == PTHREAD_MUTEX_NORMAL, false);
        long count = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 6; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 3000; ++n) {
                    pthread_mutex_lock(&mutex);
                    const long seen = count;
                    if (n % 64 == 0) sched_yield();
                    count = seen + 1;
                    pthread_mutex_unlock(&mutex);
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(count == 18'000);
        if (kind == PTHREAD_MUTEX_ERRORCHECK) {
            CHECK(pthread_mutex_lock(&mutex) == 0);
            CHECK(pthread_mutex_lock(&mutex) == EDEADLK);
            CHECK(pthread_mutex_unlock(&mutex) == 0);
            CHECK(pthread_mutex_unlock(&mutex) == EPERM);
        }
        CHECK(pthread_mutex_destroy(&mutex) == 0);
    }
}

LINUX_TEST(robust_mutexes_are_handed_on) {
    pthread_mutex_t mutex = make_mutex(PTHREAD_MUTEX_NORMAL, true, false);
    std::thread([&] { pthread_mutex_lock(&mutex); }).join();
    CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    // While somebody waits.
    std::atomic<bool> has{false}, ends{false};
    std::thread owner([&] {
        pthread_mutex_lock(&mutex);
        has = true;
        while (!ends)
            usleep(500);
    });
    while (!has)
        usleep(100);
    std::atomic<int> got{-1};
    std::thread waiter([&] {
        got = pthread_mutex_lock(&mutex);
        pthread_mutex_consistent(&mutex);
        pthread_mutex_unlock(&mutex);
    });
    usleep(20'000);
    ends = true;
    owner.join();
    waiter.join();
    CHECK(got == EOWNERDEAD);
    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

// Between processes, one of which is killed with the lock.
LINUX_TEST(processes_share_one) {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto* mutex = static_cast<pthread_mutex_t*>(page);
    auto* count = reinterpret_cast<volatile long*>(static_cast<char*>(page) + 2048); // SAFETY: aligned, in the page
    *mutex = make_mutex(PTHREAD_MUTEX_NORMAL, true, true);
    pid_t children[3];
    for (pid_t& child : children) {
        child = fork();
        if (child == 0) {
            for (int n = 0; n < 1000; ++n) {
                pthread_mutex_lock(mutex);
                *count = *count + 1;
                pthread_mutex_unlock(mutex);
            }
            _exit(0);
        }
    }
    int status = 0;
    for (const pid_t child : children)
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(*count == 3000);
    const pid_t holder = fork();
    if (holder == 0) {
        pthread_mutex_lock(mutex);
        *count = -1;
        for (;;)
            pause();
    }
    while (*count != -1)
        usleep(500);
    const pid_t waiter = fork();
    if (waiter == 0) {
        const int got = pthread_mutex_lock(mutex);
        pthread_mutex_consistent(mutex);
        pthread_mutex_unlock(mutex);
        _exit(got == EOWNERDEAD ? 0 : 1);
    }
    usleep(30'000);
    kill(holder, SIGKILL);
    CHECK(waitpid(holder, &status, 0) == holder);
    CHECK(waitpid(waiter, &status, 0) == waiter && status == 0);
    CHECK(pthread_mutex_lock(mutex) == 0);
    CHECK(pthread_mutex_unlock(mutex) == 0);
    munmap(page, 4096);
}

// A condition's waiters that go on to the lock.
LINUX_TEST(waiters_go_on_to_the_lock) {
    static Word word{0}, mutex{0};
    const auto wait = [&](const timespec* time) {
        return raw(SYS_futex, &word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, time, &mutex, 0);
    };
    const auto wake = [&](int most, unsigned expected) {
        return raw(SYS_futex, &word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, most, &mutex, expected);
    };
    CHECK(wake(100, 1) == -EAGAIN);
    CHECK(wake(100, 0) == 0);
    EXPECT(-EINVAL, SYS_futex, &word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, 100, &mutex, 0);
    EXPECT(-EINVAL, SYS_futex, &word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 100, &word, 0);
    EXPECT(-EAGAIN, SYS_futex, &word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 1, nullptr, &mutex, 0);
    timespec time = soon(CLOCK_MONOTONIC, 20);
    CHECK(wait(&time) == -ETIMEDOUT);
    std::atomic<int> waiting{0}, got{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            ++waiting;
            if (wait(nullptr) == 0 && (mutex & kOwner) == own()) ++got;
            unlock(mutex);
        });
    }
    while (waiting < 3)
        usleep(500);
    usleep(30'000);
    CHECK(lock(mutex) == 0);
    word = 1;
    CHECK(wake(100, 1) == 3);
    usleep(10'000);
    CHECK(got == 0);
    CHECK(unlock(mutex) == 0);
    for (std::thread& thread : threads)
        thread.join();
    CHECK(got == 3 && (mutex & kOwner) == 0);
}

// Who waits is killed; the others go on.
LINUX_TEST(waiters_that_are_killed) {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto& word = *new (page) Word(0);
    CHECK(call(word, FUTEX_LOCK_PI) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
        const pid_t child = fork();
        if (child == 0) _exit(call(word, FUTEX_LOCK_PI) == 0 && call(word, FUTEX_UNLOCK_PI) == 0 ? 0 : 1);
        children.push_back(child);
    }
    await_waiter(word);
    int status = 0;
    for (int i = 0; i < 6; i += 2) { // gone, before one of them is made the owner and dies as that
        kill(children[i], SIGKILL);
        CHECK(waitpid(children[i], &status, 0) == children[i]);
    }
    CHECK(call(word, FUTEX_UNLOCK_PI) == 0);
    for (int i = 1; i < 6; i += 2)
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    CHECK((word & kOwner) == 0);
    munmap(page, 4096);
}

} // namespace

int main() { return run_all("pi_mutexes"); }
