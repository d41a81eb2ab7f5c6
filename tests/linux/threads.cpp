// Threads of the C++ library over clone3 and futexes.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <future>
#include <latch>
#include <linux/futex.h>
#include <mutex>
#include <pthread.h>
#include <semaphore>
#include <set>
#include <shared_mutex>
#include <stop_token>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;
using namespace std::chrono_literals;

namespace {

thread_local int local = 7;
struct WithDestructor {
    std::atomic<int>* count = nullptr;
    ~WithDestructor() {
        if (count != nullptr) ++*count;
    }
};
thread_local WithDestructor with_destructor;

void* exits_itself(void*) {
    pthread_exit(reinterpret_cast<void*>(5));
} // SAFETY: a number as a pointer, by the interface

LINUX_TEST(join) {
    int value = 0;
    std::thread thread([&] { value = 1; });
    thread.join();
    CHECK(value == 1);
}

LINUX_TEST(many) {
    std::atomic<int> sum{0};
    for (int round = 0; round < 5; ++round) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 20; ++i)
            threads.emplace_back([&, i] { sum += i; });
        for (auto& thread : threads)
            thread.join();
    }
    CHECK(sum == 5 * 190);
}

LINUX_TEST(mutex) {
    std::mutex mutex;
    long counter = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 20000; ++j) {
                std::lock_guard guard(mutex);
                ++counter;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(counter == 80000);
}

LINUX_TEST(condition_variable) {
    std::mutex mutex;
    std::condition_variable changed;
    int turn = 0;
    const int rounds = 500;
    auto player = [&](int own) {
        for (int i = 0; i < rounds; ++i) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return turn == own; });
            turn = 1 - own;
            changed.notify_one();
        }
    };
    std::thread other([&] { player(1); });
    player(0);
    other.join();
    CHECK(turn == 0);
}

LINUX_TEST(wait_for_times_out) {
    std::mutex mutex;
    std::condition_variable changed;
    std::unique_lock lock(mutex);
    const auto before = std::chrono::steady_clock::now();
    CHECK(changed.wait_for(lock, 30ms) == std::cv_status::timeout);
    CHECK(std::chrono::steady_clock::now() - before >= 30ms);
    CHECK(changed.wait_until(lock, std::chrono::system_clock::now() + 20ms) == std::cv_status::timeout);
}

LINUX_TEST(thread_local) {
    std::atomic<int> destroyed{0};
    local = 1;
    std::thread([&] {
        if (local != 7) failed("fresh copy", __LINE__);
        local = 9;
        with_destructor.count = &destroyed;
    }).join();
    CHECK(local == 1);
    CHECK(destroyed == 1);
}

LINUX_TEST(futures) {
    auto result = std::async(std::launch::async, [] { return 6 * 7; });
    CHECK(result.get() == 42);
    auto thrown = std::async(std::launch::async, []() -> int { throw std::runtime_error("from a thread"); });
    bool caught = false;
    try {
        thrown.get();
    } catch (const std::runtime_error& error) {
        caught = std::string(error.what()) == "from a thread";
    }
    CHECK(caught);
    std::promise<int> promise;
    auto future = promise.get_future();
    CHECK(future.wait_for(5ms) == std::future_status::timeout);
    std::thread([&] { promise.set_value(3); }).join();
    CHECK(future.get() == 3);
}

LINUX_TEST(shared_mutex_and_latch) {
    std::shared_mutex mutex;
    std::latch done(4);
    std::atomic<int> readers{0}, most{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            std::shared_lock lock(mutex);
            const int now = ++readers;
            int old = most;
            while (old < now && !most.compare_exchange_weak(old, now)) {
            }
            done.arrive_and_wait(); // only when all four are inside
            --readers;
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(most == 4);
}

LINUX_TEST(semaphore_and_barrier) {
    std::counting_semaphore<4> permits(0);
    std::barrier barrier(3);
    std::atomic<int> phase_sum{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            permits.acquire();
            for (int phase = 0; phase < 50; ++phase) {
                ++phase_sum;
                barrier.arrive_and_wait();
            }
        });
    }
    permits.release(3);
    for (auto& thread : threads)
        thread.join();
    CHECK(phase_sum == 150);
    CHECK(!permits.try_acquire_for(10ms));
}

LINUX_TEST(ids) {
    const long own = raw(SYS_gettid);
    CHECK(own == getpid());
    std::set<long> ids{own};
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            std::lock_guard guard(mutex);
            ids.insert(raw(SYS_gettid));
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(ids.size() == 9);
    // What a program sees of itself says nothing of others, and is the same on every boot.
    if (on_aios()) CHECK(own == 1 && *ids.rbegin() < 1000);
}

// A signal finds its thread, and one to the process a thread that takes it, among many that do not.
LINUX_TEST(signals_among_many) {
    constexpr int kThreads = 200;
    static std::atomic<int> heard_by, ready;
    static std::atomic<bool> done;
    heard_by = ready = 0;
    done = false;
    struct sigaction action{};
    action.sa_handler = [](int) { heard_by = static_cast<int>(raw(SYS_gettid)); };
    struct sigaction before{};
    sigaction(SIGUSR1, &action, &before);
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    std::vector<std::thread> threads;
    static std::atomic<int> listener;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([i, &block] {
            if (i == kThreads - 3) {
                listener = static_cast<int>(raw(SYS_gettid));
                pthread_sigmask(SIG_UNBLOCK, &block, nullptr);
            }
            ++ready;
            while (!done)
                std::this_thread::sleep_for(1ms);
        });
    }
    while (ready != kThreads)
        std::this_thread::sleep_for(1ms);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    for (int i = 0; i < 5000 && heard_by == 0; ++i)
        std::this_thread::sleep_for(1ms);
    CHECK(heard_by == listener);
    heard_by = 0;
    CHECK(raw(SYS_tgkill, getpid(), listener.load(), SIGUSR1) == 0);
    for (int i = 0; i < 5000 && heard_by == 0; ++i)
        std::this_thread::sleep_for(1ms);
    CHECK(heard_by == listener);
    done = true;
    for (auto& thread : threads)
        thread.join();
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
    sigaction(SIGUSR1, &before, nullptr);
}

LINUX_TEST(detached) {
    std::atomic<bool> done{false};
    std::thread([&] { done = true; }).detach();
    for (int i = 0; i < 2000 && !done; ++i)
        std::this_thread::sleep_for(1ms);
    CHECK(done);
}

LINUX_TEST(pthread_exit_value) {
    pthread_t thread;
    void* value = nullptr;
    CHECK(pthread_create(&thread, nullptr, exits_itself, nullptr) == 0);
    CHECK(pthread_join(thread, &value) == 0);
    CHECK(value == reinterpret_cast<void*>(5)); // SAFETY: as above
}

LINUX_TEST(futex_errors) {
    alignas(4) std::uint32_t word[2] = {1, 2};
    const timespec bad{0, 1'000'000'000}, negative{-1, 0}, soon{0, 1'000'000};
    EXPECT(-EAGAIN, SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    EXPECT(-ETIMEDOUT, SYS_futex, word, FUTEX_WAIT_PRIVATE, 1, &soon, nullptr, 0);
    EXPECT(-ETIMEDOUT, SYS_futex, word, FUTEX_WAIT, 1, &soon, nullptr, 0);
    EXPECT(-EINVAL, SYS_futex, word, FUTEX_WAIT_PRIVATE, 1, &bad, nullptr, 0);
    EXPECT(-EINVAL, SYS_futex, word, FUTEX_WAIT_PRIVATE, 1, &negative, nullptr, 0);
    EXPECT(-EINVAL, SYS_futex, reinterpret_cast<char*>(word) + 1, FUTEX_WAIT_PRIVATE, 1, &soon, nullptr, 0);
    EXPECT(-EINVAL, SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, 1, nullptr, nullptr, 0);
    EXPECT(-EFAULT, SYS_futex, 16, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
    EXPECT(0, SYS_futex, word, FUTEX_WAKE_PRIVATE, 10, nullptr, nullptr, 0);
    EXPECT(-ENOSYS, SYS_futex, word, 77, 0, nullptr, nullptr, 0);
    EXPECT(-ENOSYS, SYS_futex, word, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 1, &soon, nullptr, 0);
    EXPECT(-ETIMEDOUT, SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 1, &soon, nullptr, ~0u);
    EXPECT(-EAGAIN, SYS_futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, word + 1, 9);
}

LINUX_TEST(futex_shared) {
    void* memory = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    auto* word = static_cast<std::atomic<std::uint32_t>*>(memory);
    std::thread waker([&] {
        long woken = 0;
        for (int i = 0; i < 5000 && woken == 0; ++i) {
            std::this_thread::sleep_for(1ms);
            woken = raw(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
        }
        if (woken != 1) failed("one woken", __LINE__, std::to_string(woken));
    });
    const timespec limit{20, 0};
    EXPECT(0, SYS_futex, word, FUTEX_WAIT, 0, &limit, nullptr, 0);
    waker.join();
    munmap(memory, 8192);
}

LINUX_TEST(clone_errors) {
    CHECK(raw(SYS_clone, 0x10000, 0, 0, 0, 0) == -EINVAL); // THREAD without SIGHAND
    CHECK(raw(SYS_clone3, nullptr, 8) == -EINVAL);         // too small
    CHECK(raw(SYS_clone3, nullptr, 64) == -EFAULT);
    CHECK(raw(SYS_clone3, nullptr, 100000) == -E2BIG);
    EXPECT(-EINVAL, SYS_set_robust_list, nullptr, 1);
}

LINUX_TEST(affinity) {
    CHECK(std::thread::hardware_concurrency() >= 1);
    unsigned long mask[16]{};
    CHECK(raw(SYS_sched_getaffinity, 0, sizeof(mask), mask) >= 8);
    CHECK((mask[0] & 1) != 0 || mask[0] != 0);
    EXPECT(-EINVAL, SYS_sched_getaffinity, 0, 7, mask);
}

} // namespace

int main() { return run_all("threads"); }
