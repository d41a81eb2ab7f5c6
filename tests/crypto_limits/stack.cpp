// Measures how much stack each operation of crypto/ needs, and ends with status 1 if one needs more than 3 KiB: kernel
// stacks are small. Usage: crypto_stack TITLE, which stands in the lines of the table on standard output.
//
// Each operation runs on a stack of its own, below which a page is missing, and which was filled with a pattern: what
// it has overwritten is what it used. What an empty operation uses is taken off. Memory that a function reserved at the
// very end of its frame but never wrote is not seen.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <ucontext.h>

#include "tests/crypto_limits/operation.hpp"

extern "C" bool nothing();

namespace {

using namespace aios::test;

constexpr std::size_t kLimit = 3072;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kStackSize = 16 * kPage;
constexpr std::uint8_t kPattern = 0xa5;

std::uint8_t* stack = nullptr; // kStackSize bytes above a page that cannot be touched
ucontext_t here;
ucontext_t there;
bool (*to_run)() = nullptr;
bool succeeded = false;

void run_on_stack() { succeeded = to_run(); }

// The bytes from the top of the stack to the lowest one that was overwritten.
std::size_t depth_of(bool (*run)()) {
    std::memset(stack, kPattern, kStackSize);
    to_run = run;
    succeeded = false;
    if (getcontext(&there) != 0) std::abort();
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = kStackSize;
    there.uc_link = &here;
    makecontext(&there, run_on_stack, 0);
    if (swapcontext(&here, &there) != 0) std::abort();
    std::size_t untouched = 0;
    while (untouched < kStackSize && stack[untouched] == kPattern)
        ++untouched;
    return kStackSize - untouched;
}

// The check of the check: what writes so much is seen to use it.
constexpr std::size_t kMuch = 5000;

bool uses_much() {
    volatile std::uint8_t bytes[kMuch];
    for (volatile std::uint8_t& byte : bytes)
        byte = 0;
    return bytes[kMuch - 1] == 0;
}

bool sees_much() {
    const std::size_t used = depth_of(uses_much) - depth_of(nothing);
    if (used + 100 > kMuch && used < kMuch + 200) return true;
    std::fprintf(stderr, "a function that uses %zu bytes of stack was measured with %zu\n", kMuch, used);
    return false;
}

// False if an operation failed or was over the limit.
bool measure(std::span<const Operation> operations, const char* title, const char* path) {
    const std::size_t nothing_used = depth_of(nothing);
    bool good = true;
    for (const Operation& operation : operations) {
        const std::size_t used = depth_of(operation.run) - nothing_used;
        std::printf("%-8s %-8s %-24s %-14s %6zu %9zu\n", title, path, operation.algorithm, operation.name, used,
                    operation.workspace);
        if (!succeeded) {
            std::fprintf(stderr, "%s %s (%s, %s): the operation failed\n", operation.algorithm, operation.name, title,
                         path);
            good = false;
        }
        if (used > kLimit) {
            std::fprintf(stderr, "%s %s (%s, %s): needs %zu bytes of stack, more than %zu\n", operation.algorithm,
                         operation.name, title, path, used, kLimit);
            good = false;
        }
    }
    return good;
}

bool measure_all(const char* title, const char* path) {
    bool good = true;
    for (const auto operations : {symmetric_operations(), aead_operations(), ml_kem_operations(), ml_dsa_operations(),
                                  slh_dsa_operations(), encoding_operations()})
        good = measure(operations, title, path) && good;
    return good;
}

} // namespace

// Of the flags of the kernel: the word that guards a frame.
extern "C" std::uintptr_t __stack_chk_guard;
std::uintptr_t __stack_chk_guard = 0x5bd1e995a5c3f700;

int main(int count, char** arguments) {
    if (count != 2) return 2;
    void* memory =
        mmap(nullptr, kStackSize + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE) != 0) return 2;
    stack = static_cast<std::uint8_t*>(memory) + kPage;
    std::printf("%-8s %-8s %-24s %-14s %6s %s\n", "flags", "path", "algorithm", "operation", "stack", "workspace");
    bool good = sees_much();
    for (const bool avx2 : {false, true})
        if (take_avx2(avx2)) good = measure_all(arguments[1], avx2 ? "avx2" : "portable") && good;
    return good ? 0 : 1;
}
