// What the Linux test programs share: tests, LINUX_TEST(name) { ... }, that print one line "TEST name pass|fail|skip reason" each. The same
// programs run on the developer's own Linux and must say the same there: expectations are Linux's.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <sys/syscall.h>
#include <type_traits>
#include <unistd.h>

namespace linux_test {

inline const char* program = "";
inline std::string reason;      // of the first failed check of this case; empty: none
inline std::string skip_reason; // likewise; empty: it is not skipped
inline int failures = 0;

inline void failed(const char* what, int line, const std::string& got = {}) {
    if (reason.empty()) reason = "line " + std::to_string(line) + ": " + what + (got.empty() ? "" : ", got " + got);
}

inline void line(const std::string& name, const char* outcome, const std::string& why = {}) {
    const std::string text =
        std::string("TEST ") + program + "." + name + " " + outcome + (why.empty() ? "" : " " + why);
    std::puts(text.c_str());
    std::fflush(stdout);
}

template <typename F>
void run(const char* name, F&& function) {
    reason.clear();
    skip_reason.clear();
    try {
        function();
    } catch (const std::exception& error) {
        failed("exception", 0, error.what());
    }
    if (!skip_reason.empty()) return line(name, "skip", skip_reason);
    if (!reason.empty()) ++failures;
    line(name, reason.empty() ? "pass" : "fail", reason);
}
// Runs every LINUX_TEST of this program, in the order of the file; what main returns.
int run_all(const char* program_name);
inline void skip(const char* name, const char* why) { line(name, "skip", why); }
inline int finish() { return failures == 0 ? 0 : 1; }

struct Test {
    Test(const char* test_name, void (*test_body)());
    const char* name;
    void (*body)();
    Test* next = nullptr;
};
// Whether this is AIOS: the personality says so in uname's version.
bool on_aios();

template <typename T>
long word(T value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        return static_cast<long>(value);
    } else if constexpr (std::is_null_pointer_v<T>) {
        return 0;
    } else {
        return reinterpret_cast<long>(value); // SAFETY: addresses cross the border as words
    }
}

// The call itself, without the C library: the value, or minus the errno.
template <typename... A>
long raw(long number, A... arguments) {
    const long result = ::syscall(number, word(arguments)...);
    return result == -1 ? -errno : result;
}

inline std::string error_name(long result) {
    return result >= 0 ? std::to_string(result) : std::string(strerrorname_np(static_cast<int>(-result)));
}
inline void expect(long result, long wanted, const char* what, int line) {
    if (result != wanted) failed(what, line, error_name(result) + ", wanted " + error_name(wanted));
}

// A folder of this run's own below /tmp, gone at the end.
class TestFolder {
public:
    TestFolder();
    ~TestFolder();
    [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }
    [[nodiscard]] const std::string& root() const { return root_; }

private:
    std::string root_;
};

} // namespace linux_test

#define LINUX_TEST(name)                                                                                               \
    void test_##name();                                                                                                \
    ::linux_test::Test entry_##name(#name, test_##name);                                                               \
    void test_##name()
// Leaves the test, which counts as skipped.
#define SKIP_UNLESS(condition, why)                                                                                    \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            linux_test::skip_reason = (why);                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
    } while (false)
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) linux_test::failed(#condition, __LINE__);                                                    \
    } while (false)
// A raw call answers exactly this: a value, or an error as -ENAME.
#define EXPECT(wanted, ...) linux_test::expect(linux_test::raw(__VA_ARGS__), (wanted), #__VA_ARGS__, __LINE__)
