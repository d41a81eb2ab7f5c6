// Runs every secret-key operation of crypto/ with marked secrets, with both backends, under valgrind memcheck; without
// valgrind it refuses. Prints "TEST name pass|fail|skip detail" for each.
//
//   valgrind --error-exitcode=99 constant_time           every operation: no report, exit status 0
//   valgrind --error-exitcode=99 constant_time --leaks   functions that leak: each reported, exit status 99
#include <cstdio>
#include <cstring>

#include "crypto/backend.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

constexpr int kWrongUse = 2;

// The reports so far; valgrind counts repeated ones too.
unsigned reports() { return static_cast<unsigned>(VALGRIND_COUNT_ERRORS); }

// One line, written out at once: what valgrind says about a test stands before the test's line.
void result(const Check& check, const char* backend, bool passed, const char* detail) {
    std::printf("TEST %.*s.%s %s %s\n", static_cast<int>(check.name.size()), check.name.data(), backend,
                passed ? "pass" : "fail", passed ? "" : detail);
    std::fflush(stdout);
}

bool run(std::span<const Check> checks, const char* backend) {
    bool all = true;
    for (const Check& check : checks) {
        const unsigned before = reports();
        const bool right = check.run();
        const bool silent = reports() == before;
        result(check, backend, right && silent, silent ? "its result is wrong" : "reported by valgrind");
        all = all && right && silent;
    }
    return all;
}

bool run_operations(const char* backend) {
    bool all = true;
    for (const auto checks :
         {symmetric_checks(), aead_checks(), ml_kem_checks(), ml_dsa_checks(), slh_dsa_checks(), encoding_checks()})
        all = run(checks, backend) && all;
    return all;
}

// A check that reports nothing here would report nothing anywhere.
bool run_leaks() {
    bool all = true;
    for (const Check& leak : leaks()) {
        const unsigned before = reports();
        static_cast<void>(leak.run());
        const bool reported = reports() != before;
        result(leak, "reported", reported, "valgrind did not notice the leak");
        all = all && reported;
    }
    return all;
}

int run_everything() {
    using crypto::Backend;
    if (!crypto::use_backend(Backend::portable)) return kWrongUse;
    bool all = run_operations("portable");
    if (crypto::use_backend(Backend::avx2)) {
        all = run_operations("avx2") && all;
        if (!crypto::use_aes_instructions()) std::printf("TEST aes_instructions skip the processor has no AES-NI\n");
    } else {
        std::printf("TEST avx2 skip the processor has no AVX2\n");
    }
    return all ? 0 : 1;
}

} // namespace

} // namespace aios::test

int main(int count, char** arguments) {
    if (RUNNING_ON_VALGRIND == 0) {
        std::printf("TEST constant_time fail it was not run under valgrind\n");
        return aios::test::kWrongUse;
    }
    if (count == 1) return aios::test::run_everything();
    if (count == 2 && std::strcmp(arguments[1], "--leaks") == 0) return aios::test::run_leaks() ? 0 : 1;
    return aios::test::kWrongUse;
}
