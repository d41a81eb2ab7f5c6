// abi/messages.cddl and docs/reference/messages.md are what abi/messages.def says. With AIOS_UPDATE_REFERENCE=1 in the
// environment the files are written anew instead of compared.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "messages/owned.hpp"
#include "tools/abigen/messages.hpp"

namespace aios {
namespace {

constexpr const char* kRules = AIOS_SOURCE "/abi/messages.cddl";
constexpr const char* kPage = AIOS_SOURCE "/docs/reference/messages.md";

std::string read(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_if_wanted(const char* path, const std::string& text) {
    if (std::getenv("AIOS_UPDATE_REFERENCE") != nullptr) std::ofstream(path, std::ios::binary) << text;
}

TEST(MessagesReference, TheRulesAreWhatTheTableSays) {
    write_if_wanted(kRules, abigen::update_cddl(read(kRules)));
    const std::string text = read(kRules);
    EXPECT_TRUE(text == abigen::update_cddl(text)) << "run the test with AIOS_UPDATE_REFERENCE=1 and commit the file";
    EXPECT_NE(text.find("; 5. Audit records: the data of a leaf."), std::string::npos); // what is no rule stays
}

TEST(MessagesReference, ThePageIsWhatTheTableSays) {
    write_if_wanted(kPage, abigen::message_reference());
    EXPECT_TRUE(read(kPage) == abigen::message_reference())
        << "run the test with AIOS_UPDATE_REFERENCE=1 and commit the page";
}

TEST(MessagesReference, ARuleIsFoundWhateverItHolds) {
    const std::string before = "; head\n\ndone = { 0: [* {x: (y)}], ; }} in a comment\n  1: z }\nother = [\n]\n";
    const std::string after = abigen::update_cddl(before);
    EXPECT_TRUE(after.starts_with("; head\n\ndone = {"));
    EXPECT_NE(after.find("  2: text,                           ; text: says why if not ok\n}\nother = [\n]\n"),
              std::string::npos);
}

TEST(MessagesReference, NamesOfRulesAreUnique) {
    std::set<std::string_view> rules, intents;
#define MESSAGE(Name, rule, shape, note) EXPECT_TRUE(rules.insert(rule).second) << (rule);
#define INTENT(name, performative, Request, Answer, service, note) EXPECT_TRUE(intents.insert(name).second) << (name);
#include "abi/messages.def"
}

} // namespace
} // namespace aios
