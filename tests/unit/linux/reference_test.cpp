// docs/linux.md is what personality/linux/coverage.def and absent.def say. With AIOS_UPDATE_REFERENCE=1 in the
// environment the page is written anew instead of compared.
#include <algorithm>
#include <cstdlib>
#include <format>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

struct Row {
    int number;
    const char* name;
    int tier;
    const char* restart;
    const char* answered;
    const char* arguments;
};
constexpr Row kRows[] = {
#define LINUX_CALL(number, name, tier, restart, answered, arguments)                                                   \
    {number, #name, tier, #restart, answered, #arguments},
#include "personality/linux/coverage.def"
#undef LINUX_CALL
};
struct Absent {
    int number;
    const char* name;
    const char* reason;
};
constexpr Absent kAbsent[] = {
#define LINUX_ABSENT(number, name, reason) {number, #name, reason},
#include "personality/linux/absent.def"
#undef LINUX_ABSENT
};
constexpr const char* kPage = AIOS_SOURCE "/docs/linux.md";

std::string answered() {
    std::string out = "| number | call | tier | when stopped | what is answered |\n| ---: | --- | ---: | --- | --- |\n";
    for (const Row& row : kRows) {
        std::string call = std::string(row.name) + row.arguments;
        for (std::size_t bar = 0; (bar = call.find('|', bar)) != std::string::npos; bar += 2) // the table's own sign
            call.insert(bar, "\\");
        out += std::format("| {} | `{}` | {} | {} | {} |\n", row.number, call, row.tier, row.restart, row.answered);
    }
    return out;
}

// By reason, in the order in which the reasons come first.
std::string absent() {
    std::vector<std::pair<std::string, std::string>> groups;
    for (const Absent& row : kAbsent) {
        auto group = std::ranges::find(groups, row.reason, &std::pair<std::string, std::string>::first);
        if (group == groups.end()) group = groups.insert(group, {row.reason, ""});
        group->second += std::format("{}`{}` ({})", group->second.empty() ? "" : ", ", row.name, row.number);
    }
    std::string out = "| why | calls |\n| --- | --- |\n";
    for (const auto& [reason, calls] : groups)
        out += std::format("| {} | {} |\n", reason, calls);
    return out;
}

std::string page() {
    return std::format(
        R"(# Linux calls

Programs for Linux x86-64 run on AIOS unmodified, as agents. This page says which calls they get answered and how, and which
not; [the design](design/linux.md) says how it works, and [caveats](caveats.md) what differs. It is made from
`personality/linux/coverage.def`, which the dispatch table is made from too, and from `absent.def` beside it. `tests/linux/calls.cpp`
tries each row, and every test program of `tests/linux` runs on Linux first, where it must say the same.

## Answered

Tiers: 0 first print of a static program, 1 static C++ programs with threads and files, 2 and 3 what larger programs ask for beyond
that. `when stopped`: what becomes of a thread in the call while its agent is stopped (abi/restart.hpp).

Errors are Linux's, in Linux's order as far as a program can see it. Of `Flags<...>` each bit that is not named is refused with EINVAL,
or with the error behind it, before the call does anything. A bad address is EFAULT, a descriptor that is not open EBADF, memory that the
agent's quota has no room for ENOMEM. What the agent may not reach is EACCES, what only a machine's owner may do EPERM; both are
recorded where an authority of the agent was asked for.

{}
{} calls.

## Not answered

ENOSYS, logged once for each agent; so is every number below 4096 that is in neither table.

{}
{} calls.
)",
        answered(), std::size(kRows), absent(), std::size(kAbsent));
}

TEST(LinuxReference, IsWhatTheTableSays) {
    if (std::getenv("AIOS_UPDATE_REFERENCE") != nullptr) std::ofstream(kPage, std::ios::binary) << page();
    std::ifstream file(kPage, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(text, page()) << "run the test with AIOS_UPDATE_REFERENCE=1 and commit the page";
}

TEST(LinuxReference, NumbersAscend) {
    for (std::size_t i = 1; i < std::size(kRows); ++i)
        EXPECT_LT(kRows[i - 1].number, kRows[i].number) << kRows[i].name;
}

// Each call of Linux stands in one of the two tables.
TEST(LinuxReference, EachCallIsNamedOnce) {
    std::map<int, const char*> names;
    for (const Row& row : kRows)
        EXPECT_TRUE(names.emplace(row.number, row.name).second) << row.name;
    for (std::size_t i = 0; i < std::size(kAbsent); ++i) {
        EXPECT_TRUE(names.emplace(kAbsent[i].number, kAbsent[i].name).second) << kAbsent[i].name;
        if (i != 0) EXPECT_LT(kAbsent[i - 1].number, kAbsent[i].number);
    }
    for (int number = 0; number <= 462; ++number) {
        const bool is_of_linux = number <= 334 || number >= 424;
        EXPECT_EQ(names.contains(number), is_of_linux) << number;
    }
}

} // namespace
