// Tests that run inside the kernel in the image aios-kernel-tests, each registered by KERNEL_TEST(name) { ... }
// through a linker section. They print one line each on the serial line, "TEST name pass", "TEST name fail file:line
// text" or "TEST name skip reason", and at the end "TESTS n passed, n failed, n skipped".
#pragma once

#include <string_view>

namespace aios::kernel_test {

struct Test {
    const char* name;
    void (*run)();
    unsigned least_cpus; // left out, not skipped, on a machine with fewer
};

// The outcome of the test that is running.
void record_failure(const char* text, const char* file, int line); // the first one is printed
void record_skip(std::string_view reason);

bool run_all(); // false if one failed

// exact=1 on the command line: the clock counts instructions, so that how long something took, and how much of a
// processor it got, says something about the kernel and nothing about the machine that it runs on.
[[nodiscard]] bool time_is_exact();

// disaster=NAME: does what must end in a panic, for tests of the panic itself; see disasters.cpp. Returns for other
// names.
void run_disaster(std::string_view name);

} // namespace aios::kernel_test

#define KERNEL_TEST(name) KERNEL_TEST_ON(name, 1)
// For what only several CPUs can do.
#define KERNEL_TEST_ON(name, cpus)                                                                                     \
    static void kernel_test_##name();                                                                                  \
    [[gnu::used, gnu::retain,                                                                                          \
      gnu::section(".kernel_tests")]] static constinit const ::aios::kernel_test::Test kernel_test_entry_##name = {    \
        #name, &kernel_test_##name, cpus};                                                                             \
    static void kernel_test_##name()

// Leave the test when the condition does not hold.
#define KERNEL_EXPECT(condition)                                                                                       \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            ::aios::kernel_test::record_failure(#condition, __FILE__, __LINE__);                                       \
            return;                                                                                                    \
        }                                                                                                              \
    } while (false)
// For what only holds by an exact clock.
#define KERNEL_EXPECT_EXACT(condition) KERNEL_EXPECT(!::aios::kernel_test::time_is_exact() || (condition))
#define KERNEL_SKIP(reason)                                                                                            \
    do {                                                                                                               \
        ::aios::kernel_test::record_skip(reason);                                                                      \
        return;                                                                                                        \
    } while (false)
