// The extended processor state across preemption: threads that never call the kernel hold sentinels in vector
// registers, upper halves too, while others change theirs.
#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

// One round of a few million instructions with eight registers full of `seed`; the number of registers that lost it.
[[gnu::target("avx2"), gnu::noinline]] int hold_wide(std::uint64_t seed) {
    alignas(32) std::uint64_t in[4] = {seed, ~seed, seed * 3, seed ^ 0x5555}, out[8][4];
    asm volatile("vmovdqa (%0), %%ymm0\n vmovdqa %%ymm0, %%ymm1\n vmovdqa %%ymm0, %%ymm5\n vmovdqa %%ymm0, %%ymm6\n"
                 "vmovdqa %%ymm0, %%ymm7\n vmovdqa %%ymm0, %%ymm8\n vmovdqa %%ymm0, %%ymm14\n vmovdqa %%ymm0, %%ymm15\n"
                 "movq $2000000, %%rcx\n"
                 "1: decq %%rcx\n jnz 1b\n"
                 "vmovdqu %%ymm0, (%1)\n vmovdqu %%ymm1, 32(%1)\n vmovdqu %%ymm5, 64(%1)\n vmovdqu %%ymm6, 96(%1)\n"
                 "vmovdqu %%ymm7, 128(%1)\n vmovdqu %%ymm8, 160(%1)\n vmovdqu %%ymm14, 192(%1)\n"
                 "vmovdqu %%ymm15, 224(%1)\n vzeroupper\n"
                 :
                 : "r"(in), "r"(out)
                 : "rcx", "memory", "xmm0", "xmm1", "xmm5", "xmm6", "xmm7", "xmm8", "xmm14", "xmm15");
    int lost = 0;
    for (auto& held : out)
        lost += std::memcmp(held, in, 32) != 0;
    return lost;
}

[[gnu::noinline]] int hold_narrow(std::uint64_t seed) {
    std::uint64_t out[3];
    asm volatile("movq %1, %%xmm3\n movq %1, %%xmm9\n movq %1, %%xmm15\n"
                 "movq $2000000, %%rcx\n"
                 "1: decq %%rcx\n jnz 1b\n"
                 "movq %%xmm3, (%0)\n movq %%xmm9, 8(%0)\n movq %%xmm15, 16(%0)\n"
                 :
                 : "r"(out), "r"(seed)
                 : "rcx", "memory", "xmm3", "xmm9", "xmm15");
    return (out[0] != seed) + (out[1] != seed) + (out[2] != seed);
}

// The kernel copies long pieces, and fills and copies pages, with vector registers of its own accord: 16 pages from
// /dev/zero to memory that is touched for the first time, by one call, while both registers that it may use hold `seed`.
// `is_upper_used` false: the upper halves are clean, and come back so. The number of registers that lost what they held.
[[gnu::target("avx2"), gnu::noinline]] int hold_over_copy(int zeros, std::uint64_t seed, bool is_upper_used) {
    constexpr std::size_t kBytes = 65536;
    void* fresh = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED) return 100;
    alignas(32) std::uint64_t in[4] = {seed, ~seed, is_upper_used ? seed * 3 : 0, is_upper_used ? seed ^ 0x5555 : 0};
    std::uint64_t out[2][4];
    long result = SYS_read;
    if (is_upper_used)
        asm volatile("vmovdqa (%0), %%ymm0\n vmovdqa %%ymm0, %%ymm1\n" : : "r"(in) : "memory", "xmm0", "xmm1");
    else
        asm volatile("vzeroupper\n movdqa (%0), %%xmm0\n movdqa %%xmm0, %%xmm1\n"
                     :
                     : "r"(in)
                     : "memory", "xmm0", "xmm1");
    asm volatile("syscall\n vmovdqu %%ymm0, (%4)\n vmovdqu %%ymm1, 32(%4)\n vzeroupper\n"
                 : "+a"(result)
                 : "D"(zeros), "S"(fresh), "d"(kBytes), "r"(out)
                 : "rcx", "r11", "memory", "xmm0", "xmm1");
    munmap(fresh, kBytes);
    if (result != static_cast<long>(kBytes)) return 100;
    return (std::memcmp(out[0], in, 32) != 0) + (std::memcmp(out[1], in, 32) != 0);
}

template <typename F>
void threads_hold(F hold) {
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i <= 6; ++i) {
        threads.emplace_back([&, i] {
            for (std::uint64_t round = 0; round < 12; ++round)
                lost += hold(i * 0x0123'4567'89ab'cdef + round);
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(lost == 0);
}

LINUX_TEST(sse) { threads_hold(hold_narrow); }

LINUX_TEST(avx_over_copies_by_the_kernel) {
    SKIP_UNLESS(__builtin_cpu_supports("avx2"), "this processor has no AVX2");
    const int zeros = open("/dev/zero", O_RDONLY);
    CHECK(zeros >= 0);
    threads_hold([zeros](std::uint64_t seed) {
        int lost = 0;
        for (unsigned i = 0; i < 40; ++i)
            lost += hold_over_copy(zeros, seed + i, i % 2 == 0);
        return lost;
    });
    close(zeros);
}

LINUX_TEST(avx) {
    SKIP_UNLESS(__builtin_cpu_supports("avx2"), "this processor has no AVX2");
    threads_hold(hold_wide);
}

LINUX_TEST(rounding_mode_is_a_threads_own) {
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned mode = 0; mode < 4; ++mode) {
        threads.emplace_back([&, mode] {
            const unsigned wanted = 0x1f80 | mode << 13;
            asm volatile("ldmxcsr %0" : : "m"(wanted));
            for (int i = 0; i < 300; ++i) {
                std::this_thread::yield();
                unsigned now = 0;
                asm volatile("stmxcsr %0" : "=m"(now));
                wrong += (now & 0x6000) != (wanted & 0x6000);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(wrong == 0);
}

} // namespace

int main() { return run_all("state"); }
