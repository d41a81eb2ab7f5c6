// System descriptions as text: what a good one becomes, and what is said about a bad one.
#include <gtest/gtest.h>

#include "base/cbor.hpp"
#include "tools/aios/system_text.hpp"

namespace aios::host {
namespace {

constexpr std::string_view kText = R"(
strategy = rest_for_one   # a comment
region_bytes = $REGION
[first]
program = bin/first
ready = start
[second]
program = bin/second
arguments = --a b
needs = first
grant = console write
grant = job read execute transfer
memory = 32M
restart = on_failure
essential = no
)";

TEST(SystemText, CompilesToDeterministicCbor) {
    const auto compiled = compile_description("etc/test.units", kText, {{"REGION", 4096}});
    ASSERT_TRUE(compiled) << compiled.error().sentence;
    const Bytes bytes = std::as_bytes(std::span(*compiled));
    EXPECT_TRUE(cbor::validate(bytes));
    cbor::Decoder in(bytes);
    ASSERT_TRUE(in.map_begin());
    ASSERT_TRUE(in.expect_key(0));
    EXPECT_EQ(in.uint().value(), 1u);
    ASSERT_TRUE(in.expect_key(1));
    EXPECT_EQ(in.uint().value(), 2u);
}

TEST(SystemText, SaysWhatIsWrongAndWhere) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"strategy = often", "etc/x.units, line 1: 'often' is not known here."},
        {"\n[a]\nprogram = bin/a\nmemory = much", "etc/x.units, line 4: 'much' is not a number."},
        {"[a]\nprogram = bin/a\ngrant = console", "etc/x.units, line 3: a grant is a role and at least one right."},
        {"[a]\nprogram = bin/a\ngrant = moon read", "etc/x.units, line 3: 'moon' is not known here."},
        {"[a]\ncolour = red", "etc/x.units, line 2: a unit has no setting 'colour'."},
        {"region_bytes = $SIZE", "etc/x.units, line 1: there is no variable $SIZE."},
        {"[a]", "etc/x.units, line 1: unit a has no program."},
        {"hello", "etc/x.units, line 1: this is neither [unit] nor key = value."},
    };
    for (const auto& [text, sentence] : cases) {
        const auto compiled = compile_description("etc/x.units", text, {});
        ASSERT_FALSE(compiled) << text;
        EXPECT_EQ(compiled.error().sentence, sentence);
    }
}

TEST(SystemText, ReplacesEntriesOfABundle) {
    Bundle bundle;
    bundle.entries = {{"etc/crew.units", std::string(kText), false}, {"bin/a", "x", true}};
    ASSERT_TRUE(compile_descriptions(bundle, {{"REGION", 1}}));
    EXPECT_EQ(bundle.entries[0].path, "etc/crew.cbor");
    EXPECT_EQ(bundle.entries[1].bytes, "x");
}

} // namespace
} // namespace aios::host
