// Parser, schema and validator, by sentences and places; and the texts of extension types at the edges of their ranges.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "policy/language/parser.hpp"
#include "policy/language/validator.hpp"
#include "tools/aios/policy/data.hpp"

namespace {

using namespace aios;
using namespace aios::policy;

TEST(PolicyParser, SaysWhatIsWrongAndWhere) {
    struct Case {
        const char* text;
        unsigned line, column;
        const char* says;
    };
    const Case cases[] = {
        {"permit(principal, action);", 1, 25, "',' is expected"},
        {"allow(principal, action, resource);", 1, 1, "'permit' is expected"},
        {"permit(principal, action, resource)", 1, 36, "the text ends"},
        {"permit(principal, action, resource)\nwhen { 1 == 2 == 3 };", 2, 15, "relations do not chain"},
        {"permit(principal, action == User::\"a\", resource);", 1, 29, "is no action"},
        {"permit(principal, action, resource) when { \"a };", 1, 44, "does not end"},
        {"permit(principal, action, resource) when { \"\\q\" };", 1, 44, "escape"},
        {"permit(principal, action, resource) when { foo(1) };", 1, 44, "no function"},
        {"permit(principal, action, resource) when { 1.ip() };", 1, 44, "called as ip(...)"},
        {"permit(principal, action, resource) when { [].contains() };", 1, 44, "1 argument"},
        {"permit(principal, action, resource) when { 9223372036854775808 };", 1, 44, "64 bits"},
        {"permit(principal, action, resource) when { {a: 1, a: 2} };", 1, 51, "twice"},
        {"permit(principal, action, resource) when { !!!!!true };", 1, 44, "more than four"},
        {"permit(principal, action, resource) when { principal == ?principal };", 1, 57, "slots"},
        {"@a(\"1\")\n@a(\"2\") permit(principal, action, resource);", 2, 2, "twice"},
        {"permit(principal, action, resource) when { 1 / 2 };", 1, 46, "means nothing"},
    };
    for (const Case& one : cases) {
        const auto parsed = parse_policies(one.text);
        ASSERT_FALSE(parsed.has_value()) << one.text;
        EXPECT_NE(parsed.error().sentence.find(one.says), std::string::npos)
            << one.text << ": " << parsed.error().sentence;
        EXPECT_EQ(parsed.error().position.line, one.line) << one.text;
        EXPECT_EQ(parsed.error().position.column, one.column) << one.text;
    }
}

TEST(PolicyParser, DeepNestingIsRefusedNotFollowed) {
    for (const std::string open : {"(", "[", "{a: ", "if true then true else ", "!", "-"}) {
        std::string text = "permit(principal, action, resource) when { ";
        for (int i = 0; i < 100'000; ++i)
            text += open;
        EXPECT_FALSE(parse_policies(text + " 1 };").has_value()) << open;
    }
    std::string chain = "permit(principal, action, resource) when { true";
    for (int i = 0; i < 100'000; ++i)
        chain += " && true";
    EXPECT_FALSE(parse_policies(chain + " };").has_value());
}

TEST(PolicyExtensions, EdgesOfTexts) {
    for (const char* good : {"0.0.0.0", "255.255.255.255/32", "::", "::/0", "1::", "::1", "a:b:c:d:e:f:1:2",
                             "1:2:3:4:5:6:7::", "FFFF::/128"})
        EXPECT_TRUE(parse_ip(good).has_value()) << good;
    for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.1.1.1", "1.1.1.1/33", "1.1.1.1/01", "1.1.1.1/",
                            ":", ":::", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::/129", "::1.2.3.4",
                            "g::", "1:2:3:4:5:6:7:8::", " 1.1.1.1", "1:"})
        EXPECT_FALSE(parse_ip(bad).has_value()) << bad;
    EXPECT_EQ(parse_decimal("922337203685477.5807"), INT64_MAX);
    EXPECT_EQ(parse_decimal("-922337203685477.5808"), INT64_MIN);
    EXPECT_EQ(parse_decimal("-0.1"), -1000);
    for (const char* bad : {"922337203685477.5808", "1", "1.", ".1", "1.23456", "+1.0", "1.0 ", "--1.0", "1.0.0"})
        EXPECT_FALSE(parse_decimal(bad).has_value()) << bad;
    EXPECT_EQ(parse_datetime("1970-01-01"), 0);
    EXPECT_EQ(parse_datetime("0000-01-01"), -62'167'219'200'000);
    EXPECT_EQ(parse_datetime("9999-12-31T23:59:59.999Z"), 253'402'300'799'999);
    EXPECT_EQ(parse_datetime("2000-02-29T00:00:00-0130"), 951'787'800'000);
    for (const char* bad :
         {"", "1970-1-1", "1970-13-01", "1970-02-30", "1900-02-29", "1970-01-01T", "1970-01-01T24:00:00Z",
          "1970-01-01T00:00:60Z", "1970-01-01T00:00:00", "1970-01-01T00:00:00.1Z", "1970-01-01T00:00:00+2400",
          "1970-01-01T00:00:00+0060", "1970-01-01T00:00:00ZZ", "1970-01-01 "})
        EXPECT_FALSE(parse_datetime(bad).has_value()) << bad;
    EXPECT_EQ(parse_duration("-9223372036854775808ms"), INT64_MIN);
    EXPECT_EQ(parse_duration("1d1ms"), 86'400'001);
    for (const char* bad : {"", "-", "1", "d", "1s1m", "1s1s", "1x", "1 s", "9223372036854775808ms", "106751991168d"})
        EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
}

constexpr const char* kSchema = R"(
type Size = { w: Long, h?: Long };
entity Group;
entity User in [Group] = { name: String, boss?: User, size: Size } tags String;
entity Doc = { owner: User, readers: Set<User>, from: ipaddr };
entity Mode enum ["dark", "light"];
action view, edit appliesTo { principal: [User], resource: [Doc], context: { mfa: Bool, mode?: Mode } };
action admin in [Action::"edit"] appliesTo { principal: User, resource: Group };
namespace N { entity User; action "do it" appliesTo { principal: User, resource: [User, Doc] }; })";

TEST(PolicyValidator, WhatIsValid) {
    const auto schema = parse_schema(kSchema);
    ASSERT_TRUE(schema.has_value()) << schema.error().sentence;
    EXPECT_TRUE(schema->entities.contains("N::User"));
    EXPECT_TRUE(schema->actions.at({"N::Action", "do it"}).resources.contains("Doc"));
    const std::pair<const char*, bool> cases[] = {
        {"principal.name == \"a\"", true}, // no N::User views or edits
        {"principal is User && principal.name == \"a\"", true},
        {"principal is User && principal.nam == \"a\"", false},
        {"principal is User && principal.boss.name == \"a\"", false},
        {"principal is User && principal has boss && principal.boss.name == \"a\"", true},
        {"principal is User && (principal has boss || context has mfa) && principal.boss.name == \"a\"", false},
        {"principal is User && principal.size.h == 1", false},
        {"principal is User && principal.size has h && principal.size.h == 1", true},
        {"principal is User && principal.getTag(\"x\") == \"a\"", false},
        {"principal is User && principal.hasTag(\"x\") && principal.getTag(\"x\") == \"a\"", true},
        {"principal is User && principal.hasTag(\"x\") && principal.getTag(\"y\") == \"a\"", false},
        {"resource is Doc && resource.readers.contains(principal)", true},
        {"resource is Doc && resource.readers.contains(resource)", false},
        {"resource is Doc && resource.from.isInRange(ip(\"10.0.0.0/8\"))", true},
        {"resource is Doc && resource.from.isInRange(ip(\"10.0.0.0/99\"))", false},
        {"[] == [1]", false},
        {"[1, \"a\"].contains(1)", false},
        {"1 == principal", false},
        {"1 + true == 2", false},
        {"if true then true else 1", true},
        {"if context has mfa then 1 == 1 else false", true},
        {"Mode::\"dark\" == Mode::\"blue\"", false},
        {"Ghost::\"a\" == principal", false},
        {"action == Action::\"nothing\"", false},
        {"principal in Doc::\"d\"", true}, // never so, which is known
        {"resource is Doc && resource.owner in Doc::\"d\"", false},
        {"principal is User && principal in Group::\"g\"", true},
    };
    for (const auto& [condition, valid] : cases) {
        const auto set =
            parse_policies("permit(principal, action in [Action::\"view\", Action::\"edit\"], resource) when { " +
                           std::string(condition) + " };");
        ASSERT_TRUE(set.has_value()) << condition;
        const auto complaints = validate(*set, *schema);
        EXPECT_EQ(complaints.empty(), valid) << condition << ": " << (complaints.empty() ? "" : complaints[0].sentence);
    }
    const auto nowhere = parse_policies("permit(principal is Doc, action, resource);");
    ASSERT_EQ(validate(*nowhere, *schema).size(), 1u);
    EXPECT_NE(validate(*nowhere, *schema)[0].sentence.find("no action of the schema fits"), std::string::npos);
}

TEST(PolicySchema, SaysWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"entity A in [B];", "no entity type B"},
        {"entity A = { x: Foo };", "no type Foo"},
        {"type A = B; type B = A;", "defined by itself"},
        {"entity A; entity A;", "declared twice"},
        {"action a in [b];", "no action"},
        {"action a in [b]; action b in [a];", "below itself"},
        {"action a appliesTo { principal: [X], resource: [X] };", "no entity type X"},
        {"entity A = Long;", "must be a record"},
        {"entity A enum [];", "at least one"},
        {"entity A = { x: Set<Long };", "'>' is expected"},
        {"entity A = { x: Long, x: Long };", "twice"},
        {"entity A = { x: __cedar::Nope };", "built-in"},
    };
    for (const auto& [text, says] : cases) {
        const auto schema = parse_schema(text);
        ASSERT_FALSE(schema.has_value()) << text;
        EXPECT_NE(schema.error().sentence.find(says), std::string::npos) << text << ": " << schema.error().sentence;
    }
}

TEST(PolicyData, WhatDoesNotFitTheSchemaIsRefused) {
    const auto schema = parse_schema(kSchema);
    ASSERT_TRUE(schema.has_value());
    const std::pair<const char*, const char*> cases[] = {
        {R"([{"uid": {"type": "Ghost", "id": "a"}}])", "no entity type"},
        {R"([{"uid": {"type": "User", "id": "a"}, "attrs": {"name": 1, "size": {"w": 1}}}])", "String is expected"},
        {R"([{"uid": {"type": "User", "id": "a"}, "attrs": {"name": "x"}}])", "is missing"},
        {R"([{"uid": {"type": "User", "id": "a"}, "attrs": {"name": "x", "size": {"w": 1}, "more": 1}}])",
         "no attribute"},
        {R"([{"uid": {"type": "User", "id": "a"}, "attrs": {"name": "x", "size": {"w": 1}}, "parents": [{"type": "Doc", "id": "d"}]}])",
         "cannot be in"},
        {R"([{"uid": {"type": "Group", "id": "a"}, "tags": {"x": "y"}}])", "no tags"},
        {R"([{"uid": {"type": "Mode", "id": "blue"}}])", "not among"},
        {R"([{"uid": {"type": "Group", "id": "a"}}, {"uid": {"type": "Group", "id": "a"}}])", "twice"},
        {R"([{"uid": {"type": "Action", "id": "nope"}}])", "no action"},
        {R"({})", "array"},
        {R"([1])", "uid"},
    };
    for (const auto& [text, says] : cases) {
        try {
            const host::EntityData data(nlohmann::json::parse(text), &*schema);
            ADD_FAILURE() << text << " was taken";
        } catch (const host::DataError& error) {
            EXPECT_NE(error.sentence.find(says), std::string::npos) << text << ": " << error.sentence;
        }
    }
    // Short forms that the schema makes clear.
    const host::EntityData data(
        nlohmann::json::parse(
            R"([{"uid": {"type": "Doc", "id": "d"}, "attrs": {"owner": {"type": "User", "id": "u"}, "readers": [], "from": "10.0.0.1"}}])"),
        &*schema);
    const Entity* doc = data.view().find({"Doc", "d"});
    ASSERT_NE(doc, nullptr);
    EXPECT_EQ(find_field(doc->attributes.as_record(), "from")->kind, Value::Kind::ip);
    EXPECT_EQ(find_field(doc->attributes.as_record(), "owner")->kind, Value::Kind::entity);
}

} // namespace
