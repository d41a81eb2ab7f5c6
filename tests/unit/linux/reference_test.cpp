// docs/reference/linux-calls.md is what personality/linux/coverage.def says. With AIOS_UPDATE_REFERENCE=1 in the
// environment the page is written anew instead of compared.
#include <cstdlib>
#include <format>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

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
constexpr const char* kPage = AIOS_SOURCE "/docs/reference/linux-calls.md";

std::string page() {
    std::string out =
        "# Linux calls that are answered\n\n"
        "Made from `personality/linux/coverage.def`, which the dispatch table is made from too; "
        "`tests/linux/calls.cpp` tries each\n"
        "row. Every other number below 4096 answers ENOSYS and is logged once for each agent. Tiers: 0 first print of "
        "a static program,\n"
        "1 static C++ programs with threads and files, 2 and 3 what larger programs ask for beyond that.\n\n"
        "Of `Flags<...>` each bit that is not named is refused with EINVAL, or with the error behind it, before the "
        "call does "
        "anything.\n\n"
        "`when stopped`: what becomes of a thread in the call while its agent is stopped (abi/restart.hpp).\n\n"
        "| number | call | tier | when stopped | what is answered |\n| ---: | --- | ---: | --- | --- |\n";
    for (const Row& row : kRows) {
        std::string call = std::string(row.name) + row.arguments;
        for (std::size_t bar = 0; (bar = call.find('|', bar)) != std::string::npos; bar += 2) // the table's own sign
            call.insert(bar, "\\");
        out += std::format("| {} | `{}` | {} | {} | {} |\n", row.number, call, row.tier, row.restart, row.answered);
    }
    return out + std::format("\n{} calls.\n", std::size(kRows));
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

} // namespace
