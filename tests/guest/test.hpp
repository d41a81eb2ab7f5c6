// What guest test programs share: cases that print one line "TEST name pass|fail reason" each, checks, and addresses
// that no call may accept. No allocation, no C library.
#pragma once

#include <array>
#include <string_view>

#include "runtime/kernel/console.hpp"
#include "runtime/kernel/startup.hpp"

namespace guest {

using namespace aios;

inline const StartupBlock* startup = nullptr;
inline Handle self = kNoHandle;
inline std::string_view program; // prefix of the cases' names
inline char reason[160];
inline std::size_t reason_bytes = 0; // of the first failed check of this case; 0: none
inline int failures = 0;

inline void init(const StartupBlock& block, std::string_view name) {
    startup = &block;
    self = find_handle(block, StartupRole::self);
    console_handle = find_handle(block, StartupRole::console);
    program = name;
}
inline Handle handle(StartupRole role) { return find_handle(*startup, role); }

inline void failed(std::string_view what, int line, std::string_view got = {}) {
    if (reason_bytes == 0) reason_bytes = format_to(reason, "line {}: {} {}", line, what, got).size();
}

template <typename F>
void run(std::string_view name, F&& function) {
    reason_bytes = 0;
    function();
    if (reason_bytes == 0) {
        console_print("TEST {}.{} pass\n", program, name);
    } else {
        ++failures;
        console_print("TEST {}.{} fail {}\n", program, name, std::string_view(reason, reason_bytes));
    }
}
inline void skip(std::string_view name, std::string_view why) {
    console_print("TEST {}.{} skip {}\n", program, name, why);
}
inline int finish() { return failures == 0 ? 0 : 1; }

template <typename T>
void expect_error(const Result<T>& result, Error error, std::string_view what, int line) {
    if (result) return failed(what, line, "succeeded");
    if (result.error() != error) failed(what, line, error_info(result.error()).name);
}
template <typename T>
T expect_value(Result<T> result, std::string_view what, int line) {
    if (result) return std::move(*result);
    failed(what, line, error_info(result.error()).name);
    return T{};
}

// Addresses that must never work: not mapped, in the kernel, not canonical, at the edge.
inline constexpr std::array<std::uint64_t, 7> kBadAddresses = {
    0, 8, 0x10000, 0x7fff'ffff'f000, 0x8000'0000'0000, 0xffff'8000'0000'0000, 0xffff'ffff'ffff'fff8};
template <typename T>
T* bad_pointer(std::uint64_t address) {
    return reinterpret_cast<T*>(address); // SAFETY: never used here; the kernel must refuse it
}

template <typename T>
std::uint64_t address_of(T* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer); // SAFETY: addresses cross the border as words
}

inline std::uint64_t now() { return *sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)); }
inline constexpr std::uint64_t kSecond = 1'000'000'000;

// Whether the clock counts instructions, one a nanosecond: a loop of known length takes exactly as long.
inline bool counts_instructions() {
    constexpr std::uint64_t kRounds = 100'000; // of two instructions
    for (unsigned tries = 0; tries < 3; ++tries) {
        std::uint64_t left = kRounds;
        const std::uint64_t begin = now();
        asm volatile("1: dec %0\n jnz 1b" : "+r"(left) : : "cc");
        const std::uint64_t took = now() - begin;
        if (took >= 2 * kRounds && took < 2 * kRounds + kRounds / 5) return true;
    }
    return false;
}

inline AgentInfo info_of(Handle agent) {
    AgentInfo info{};
    if (!sys::agent_info(agent, &info)) info.state = ~0u;
    return info;
}

} // namespace guest

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) guest::failed(#condition, __LINE__);                                                         \
    } while (false)
#define CHECK_ERROR(call, wanted) guest::expect_error((call), aios::Error::wanted, #call, __LINE__)
#define GET(call) guest::expect_value((call), #call, __LINE__)
