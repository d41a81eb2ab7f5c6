// Children of a test, and its own account before and after them.
#pragma once

#include "tests/guest/spawn.hpp"

namespace guest {

using namespace aios;

inline constexpr std::string_view kChild = "bin/child";

inline std::string_view text(std::string_view literal) { return literal; } // keeps inner NULs
#define ARGS(literal) std::string_view(literal "\0", sizeof(literal))

inline SpawnOptions with(std::string_view arguments) {
    SpawnOptions options;
    options.arguments = text(arguments);
    return options;
}

inline AgentInfo at_start;

inline bool same_limits(const QuotaGrant& a, const QuotaGrant& b) {
    return a.memory_bytes == b.memory_bytes && a.handles == b.handles && a.threads == b.threads && a.agents == b.agents;
}

// Our account when nothing of what we started is left: an end is complete a moment after it is told.
inline AgentInfo settled() {
    AgentInfo info = info_of(self);
    for (const std::uint64_t until = now() + 10 * kSecond; !same_limits(info.quota, at_start.quota) && now() < until;
         info = info_of(self))
        (void)sys::thread_yield();
    return info;
}

// Waits for the account to be as before.
inline bool settles(const AgentInfo& before) {
    const std::uint64_t until = now() + 10 * kSecond;
    do {
        const AgentInfo info = info_of(self);
        if (info.memory_bytes <= before.memory_bytes + kTableSlack && same_limits(info.quota, before.quota))
            return true;
        (void)sys::thread_yield();
    } while (now() < until);
    const AgentInfo info = info_of(self);
    console_print("used {} of {} before, {} of {} now; agents {} and {}\n", before.memory_bytes,
                  before.quota.memory_bytes, info.memory_bytes, info.quota.memory_bytes, before.quota.agents,
                  info.quota.agents);
    return false;
}

} // namespace guest
