// Reads CPUID and XCR0 once. See backend.hpp.
#include "crypto/backend.hpp"

#ifndef AIOS_KERNEL

#include <atomic>

#include <cpuid.h>
#include <immintrin.h>

namespace aios::crypto {

namespace {

enum Choice : std::uint8_t { kKnown = 1, kAvx2 = 2, kAes = 4, kSha = 8, kWideAes = 16, kAdx = 32 };
constexpr std::uint8_t kNewer = kWideAes | kAdx; // what Backend::avx2_plain leaves out

// Two programs' threads that race here write the same value.
constinit std::atomic<std::uint8_t> choice{0};

[[gnu::target("xsave")]] std::uint64_t read_xcr0() { return _xgetbv(0); }

// What the processor has and the operating system keeps.
std::uint8_t detect() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    std::uint8_t found = kKnown;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return found;
    const bool has_aes = (c & bit_AES) != 0 && (c & bit_PCLMUL) != 0;
    const bool has_sse41 = (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
    const bool has_avx = (c & bit_OSXSAVE) != 0 && (c & bit_AVX) != 0;
    constexpr std::uint64_t kSseAndAvxState = 6;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
    if (has_sse41 && (b & bit_SHA) != 0) found |= kSha;
    if (!has_avx || (read_xcr0() & kSseAndAvxState) != kSseAndAvxState) return found;
    if ((b & bit_AVX2) == 0 || (b & bit_BMI2) == 0 || (b & bit_BMI) == 0) return found;
    found |= kAvx2;
    if (has_aes && has_sse41) found |= kAes;
    if ((found & kAes) != 0 && (c & bit_VAES) != 0 && (c & bit_VPCLMULQDQ) != 0) found |= kWideAes;
#ifdef AIOS_CONSTANT_TIME_CHECK
    found |= kAdx; // valgrind runs ADX, but its CPUID does not say so
#else
    if ((b & bit_ADX) != 0) found |= kAdx;
#endif
    return found;
}

std::uint8_t current() {
    std::uint8_t now = choice.load(std::memory_order_relaxed);
    if (now == 0) {
        now = detect();
        choice.store(now, std::memory_order_relaxed);
    }
    return now;
}

} // namespace

bool is_supported(Backend backend) { return backend == Backend::portable || (detect() & kAvx2) != 0; }

Result<> use_backend(Backend backend) {
    if (!is_supported(backend)) return fail(Error::unsupported);
    std::uint8_t now = kKnown;
    if (backend != Backend::portable) now = detect();
    if (backend == Backend::avx2_plain) now = static_cast<std::uint8_t>(now & ~kNewer);
    choice.store(now, std::memory_order_relaxed);
    return {};
}

bool use_avx2() { return (current() & kAvx2) != 0; }

bool use_aes_instructions() { return (current() & kAes) != 0; }

bool use_wide_aes_instructions() { return (current() & kWideAes) != 0; }

bool use_carry_instructions() { return (current() & kAdx) != 0; }

bool use_sha_instructions() { return (current() & kSha) != 0; }

} // namespace aios::crypto

#endif
