// Runs the registered kernel tests one after another. A test that hangs is ended by whoever started QEMU.
#include "tests/kernel/test.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"

extern "C" {
extern const aios::kernel_test::Test kernel_tests_start[], kernel_tests_end[];
}

namespace aios::kernel_test {
namespace {

struct Outcome {
    bool failed = false, skipped = false;
    const char* text = "";
    const char* file = "";
    int line = 0;
    std::string_view reason;
};
Outcome outcome;

} // namespace

void record_failure(const char* text, const char* file, int line) {
    if (outcome.failed) return;
    outcome.failed = true;
    outcome.text = text;
    outcome.file = file;
    outcome.line = line;
}

void record_skip(std::string_view reason) {
    outcome.skipped = true;
    outcome.reason = reason;
}

bool time_is_exact() { return arch::command_line_number("exact") == 1u; }

bool run_all() {
    unsigned passed = 0, failed = 0, skipped = 0;
    for (const Test* test = kernel_tests_start; test != kernel_tests_end; ++test) {
        if (test->least_cpus > arch::cpu_count()) continue;
        outcome = {};
        test->run();
        if (outcome.failed) {
            ++failed;
            log_info("TEST {} fail {}:{} {}", test->name, outcome.file, outcome.line, outcome.text);
        } else if (outcome.skipped) {
            ++skipped;
            log_info("TEST {} skip {}", test->name, outcome.reason);
        } else {
            ++passed;
            log_info("TEST {} pass", test->name);
        }
    }
    log_info("TESTS {} passed, {} failed, {} skipped", passed, failed, skipped);
    return failed == 0 && passed != 0;
}

} // namespace aios::kernel_test
