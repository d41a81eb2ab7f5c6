// The kernel hashes with vector registers: records of the audit log in a thread of its own, on whatever CPU, and pages of
// the bundle in the thread that touches them. Programs whose registers are full meanwhile find all of them as they were:
// every register, with upper halves in use and clean, and MXCSR.
#include <cstring>

#include "tests/guest/audit_log.hpp"
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

// What is touched for the first time here: 64 pages of the program itself.
asm(".section .rodata\n"
    ".balign 4096\n"
    "untouched: .fill 64 * 4096, 1, 0x5a\n"
    ".text\n");
extern "C" [[gnu::visibility("hidden")]] const volatile unsigned char untouched[64 * 4096];

namespace {

constexpr unsigned kRegisters = 16;
struct alignas(32) Registers {
    std::uint64_t words[kRegisters][4];
    bool operator==(const Registers&) const = default;
};

bool has_avx2() {
    std::uint32_t a = 1, b = 0, c = 0, d = 0;
    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if ((c >> 27 & 1) == 0 || (c >> 28 & 1) == 0) return false;
    a = 7, c = 0;
    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (b >> 5 & 1) != 0;
}

enum class Upper : std::uint8_t { clean, used };

Registers pattern(std::uint64_t seed, Upper upper) {
    Registers made{};
    for (unsigned i = 0; i < kRegisters; ++i)
        for (unsigned k = 0; k < (upper == Upper::used ? 4u : 2u); ++k)
            made.words[i][k] = (seed + 16 * i + k) * 0x9e37'79b9'7f4a'7c15;
    return made;
}

// Loads all registers, reads a byte from `touch`, spends `rounds` rounds of two instructions, and stores them.
#define EACH_REGISTER(one)                                                                                             \
    one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11) one(12) one(13) one(14)      \
        one(15)
#define LOAD_WIDE(n) "vmovdqa " #n "*32(%[in]), %%ymm" #n "\n"
#define LOAD_NARROW(n) "movdqa " #n "*32(%[in]), %%xmm" #n "\n"
#define STORE(n) "vmovdqa %%ymm" #n ", " #n "*32(%[out])\n"
#define CHANGED                                                                                                        \
    "rcx", "rax", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",      \
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
[[gnu::noinline]] Registers hold(const Registers& in, Upper upper, const volatile unsigned char* touch,
                                 std::uint64_t rounds) {
    Registers out;
    if (upper == Upper::used)
        asm volatile(EACH_REGISTER(LOAD_WIDE) "movzbl (%[touch]), %%eax\n"
                                              "movq %[rounds], %%rcx\n"
                                              "1: decq %%rcx\n"
                                              "jnz 1b\n" EACH_REGISTER(STORE) "vzeroupper\n"
                     :
                     : [in] "r"(&in), [out] "r"(&out), [touch] "r"(touch), [rounds] "r"(rounds)
                     : CHANGED);
    else
        asm volatile("vzeroupper\n" EACH_REGISTER(LOAD_NARROW) "movzbl (%[touch]), %%eax\n"
                                                               "movq %[rounds], %%rcx\n"
                                                               "1: decq %%rcx\n"
                                                               "jnz 1b\n" EACH_REGISTER(STORE) "vzeroupper\n"
                     :
                     : [in] "r"(&in), [out] "r"(&out), [touch] "r"(touch), [rounds] "r"(rounds)
                     : CHANGED);
    return out;
}

constexpr Upper kUppers[] = {Upper::used, Upper::clean};

[[noreturn]] void derive_for_ever(std::uint64_t) {
    const Handle timer = GET(sys::timer_create(self));
    for (;;) {
        const auto derived = sys::handle_derive(timer, rights::write.bits());
        if (derived) (void)sys::handle_close(*derived);
    }
}

alignas(16) char stacks[2][8192];

void test_pages() {
    const std::uint32_t mxcsr = 0x1f80 | 0x6000; // towards zero
    std::uint32_t after = 0;
    asm volatile("ldmxcsr %0" : : "m"(mxcsr));
    for (std::uint64_t page = 0; page < sizeof(untouched) / 4096; page += 8) {
        const Upper upper = kUppers[page / 8 % 2];
        const Registers in = pattern(page, upper);
        CHECK(hold(in, upper, untouched + 4096 * page + 7, 1) == in);
    }
    asm volatile("stmxcsr %0" : "=m"(after));
    CHECK((after & 0xffc0) == mxcsr);
    bool all = true;
    for (std::size_t i = 0; i < sizeof(untouched); i += 512)
        all = all && untouched[i] == 0x5a;
    CHECK(all);
}

void test_log() {
    for (char(&stack)[8192] : stacks)
        GET(sys::thread_create(self, address_of(&derive_for_ever), address_of(stack + sizeof(stack)) - 8, 0));
    // Records are hashed at the latest when 64 of them wait, so this is many times.
    const std::uint64_t before = log_size();
    std::uint64_t rounds = 0, lost = 0;
    constexpr std::uint64_t kRounds = 20, kRecords = 2000;
    const std::uint64_t until = now() + 60 * kSecond;
    for (; (rounds < kRounds || log_size() < before + kRecords) && now() < until; ++rounds) {
        const Upper upper = kUppers[rounds % 2];
        const Registers in = pattern(rounds, upper);
        lost += hold(in, upper, untouched, 3'000'000) == in ? 0 : 1;
    }
    CHECK(lost == 0);
    CHECK(rounds >= kRounds);
    CHECK(log_size() >= before + kRecords);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "vectors");
    if (!has_avx2()) {
        for (const char* name : {"pages", "log"})
            skip(name, "this processor has no AVX2");
        return finish();
    }
    run("pages", test_pages);
    run("log", test_log);
    return finish();
}
