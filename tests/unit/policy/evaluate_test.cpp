// The evaluator, by what policies decide: every operator, every way to err, and what it does when room or budget run
// out.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "policy/language/compiler.hpp"
#include "tools/aios/policy/decide.hpp"

namespace {

using namespace aios;
using namespace aios::policy;
using nlohmann::json;

const json kEntities = json::parse(R"([
  {"uid": {"type": "User", "id": "ann"}, "attrs": {"age": 30, "tags": ["a", "b"], "home": {"__extn": {"fn": "ip", "arg": "10.1.2.3"}}},
   "parents": [{"type": "Group", "id": "staff"}], "tags": {"team": "red"}},
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": [{"type": "Group", "id": "all"}]},
  {"uid": {"type": "Doc", "id": "d"}, "attrs": {"owner": {"__entity": {"type": "User", "id": "ann"}}}, "parents": []}
])");
const json kRequest =
    json::parse(R"({"principal": {"type": "User", "id": "ann"}, "action": {"type": "Action", "id": "view"},
  "resource": {"type": "Doc", "id": "d"}, "context": {"n": 5, "deep": {"x": [1, 2]}}})");

host::PolicyDecision decide(const std::string& policies) {
    auto set = parse_policies(policies);
    EXPECT_TRUE(set.has_value()) << (set ? "" : set.error().sentence) << ": " << policies;
    if (!set) return {};
    host::PolicyEngine engine(std::move(*set));
    const host::EntityData entities(kEntities, nullptr);
    const host::RequestData request(kRequest, nullptr, true);
    return engine.decide(entities, request);
}

Verdict verdict_of(const std::string& condition) {
    const host::PolicyDecision decision = decide("permit(principal, action, resource) when { " + condition + " };");
    return decision.verdicts.empty() ? Verdict::type_error : decision.verdicts[0];
}

TEST(PolicyEvaluate, WhatHolds) {
    for (const char* condition : {
             "1 + 2 * 3 == 7",
             "2 - 3 == -1",
             "-(-5) == 5",
             "- 5 < 0",
             "!!true",
             "3 > 2 && 3 >= 3 && 2 <= 2 && 1 != 2",
             "if context.n > 3 then true else 1 == \"a\"",
             "false || true",
             "principal in Group::\"all\"",
             "principal in [Group::\"x\", Group::\"staff\"]",
             "principal in principal",
             "User::\"ghost\" in User::\"ghost\"",
             "principal is User",
             "principal is User in Group::\"staff\"",
             "!(principal is Doc)",
             "principal has age && principal.age == 30",
             "!(principal has nothing)",
             "!(User::\"ghost\" has age)",
             "resource has owner.age",
             "!(resource has owner.shoe)",
             "resource.owner.age == 30",
             "context.deep.x.contains(2)",
             "principal.tags.containsAll([\"b\"])",
             "principal.tags.containsAny([\"z\", \"a\"])",
             "[].isEmpty() && !([1].isEmpty())",
             "[1, 2, 2] == [2, 1]",
             "[[1], [2]] == [[2], [1], [1]]",
             "{a: 1, \"b\": 2} == {b: 2, a: 1}",
             "{a: [1]} != {a: [2]}",
             "1 != \"1\"",
             "principal.hasTag(\"team\") && principal.getTag(\"team\") == \"red\"",
             "!(principal.hasTag(\"x\"))",
             "!(resource.hasTag(\"x\"))",
             "\"abcabd\" like \"a*b*d\"",
             "\"a*b\" like \"a\\*b\"",
             "!(\"axb\" like \"a\\*b\")",
             "\"\" like \"*\"",
             "!(\"ab\" like \"a\")",
             "\"\\u{1F600}\" like \"*\"",
             "decimal(\"1.2\").lessThan(decimal(\"1.2001\"))",
             "decimal(\"-0.5\").greaterThanOrEqual(decimal(\"-0.5000\"))",
             "principal.home.isInRange(ip(\"10.0.0.0/8\"))",
             "!(ip(\"10.0.0.0/8\").isInRange(ip(\"10.0.0.0/9\")))",
             "ip(\"127.0.0.1\").isLoopback()",
             "ip(\"::1\").isLoopback() && ip(\"::1\").isIpv6()",
             "ip(\"ff02::1\").isMulticast()",
             "ip(\"1:2::\") == ip(\"1:2:0:0:0:0:0:0\")",
             "datetime(\"1970-01-02\").toTime() == duration(\"0s\")",
             "datetime(\"2024-02-29T12:30:00Z\") < datetime(\"2024-03-01\")",
             "datetime(\"2024-01-01T00:00:00+0100\") == datetime(\"2023-12-31T23:00:00.000Z\")",
             "duration(\"1d2h3m4s5ms\").toMilliseconds() == 93784005",
             "duration(\"-90m\").toHours() == -1",
             "datetime(\"1969-12-31T23:00:00Z\").toDate() == datetime(\"1969-12-31\")",
             "datetime(\"2024-01-01\").offset(duration(\"36h\")).durationSince(datetime(\"2024-01-01\")).toDays() == 1",
             "-9223372036854775808 < 0",
             "principal == User::\"ann\" && action == Action::\"view\"",
         })
        EXPECT_EQ(verdict_of(condition), Verdict::satisfied) << condition;
}

TEST(PolicyEvaluate, WhatErrs) {
    const std::pair<const char*, Verdict> cases[] = {
        {"1", Verdict::type_error},
        {"1 && true", Verdict::type_error},
        {"true && 1 == 1 && \"a\"", Verdict::type_error},
        {"!1", Verdict::type_error},
        {"\"a\" + 1 == 1", Verdict::type_error},
        {"\"a\" < \"b\"", Verdict::type_error},
        {"1 < decimal(\"1.0\")", Verdict::type_error},
        {"9223372036854775807 + 1 == 0", Verdict::overflow},
        {"-9223372036854775808 - 1 == 0", Verdict::overflow},
        {"-(-9223372036854775808) == 0", Verdict::overflow},
        {"3037000500 * 3037000500 == 0", Verdict::overflow},
        {"principal.shoe == 1", Verdict::missing_attribute},
        {"context.m", Verdict::missing_attribute},
        {"User::\"ghost\".age == 1", Verdict::missing_entity},
        {"principal.getTag(\"x\") == 1", Verdict::missing_tag},
        {"principal.getTag(1) == 1", Verdict::type_error},
        {"1 in principal", Verdict::type_error},
        {"principal in [1]", Verdict::type_error},
        {"principal in [principal, 1]", Verdict::type_error},
        {"1 is User", Verdict::type_error},
        {"1 has a", Verdict::type_error},
        {"1 like \"a\"", Verdict::type_error},
        {"1.contains(1)", Verdict::type_error},
        {"[1].containsAll(1)", Verdict::type_error},
        {"ip(\"1.2.3\").isIpv4()", Verdict::bad_text},
        {"ip(1).isIpv4()", Verdict::type_error},
        {"decimal(\"1\") == decimal(\"1.0\")", Verdict::bad_text},
        {"ip(\"1.1.1.1\").isInRange(1)", Verdict::type_error},
        {"ip() == 1", Verdict::type_error},
        {"datetime(\"2023-02-29\") == 1", Verdict::bad_text},
        {"duration(\"9223372036854775808ms\") == 1", Verdict::bad_text},
    };
    for (const auto& [condition, expected] : cases)
        EXPECT_EQ(verdict_of(condition), expected) << condition;
    EXPECT_EQ(verdict_of("true || 1"), Verdict::satisfied) << "the right side is not evaluated";
    EXPECT_EQ(verdict_of("false && 1"), Verdict::not_satisfied);
}

TEST(PolicyEvaluate, Decisions) {
    const std::string yes = "permit(principal, action, resource);", no = "forbid(principal, action, resource)",
                      err = " when { 1 };";
    EXPECT_FALSE(decide("").allowed) << "what nobody permits is denied";
    EXPECT_TRUE(decide(yes).allowed);
    const host::PolicyDecision both = decide(yes + no + ";" + yes);
    EXPECT_FALSE(both.allowed) << "forbid beats permit";
    EXPECT_EQ(both.deciding, std::vector<std::string>{"policy1"});
    const host::PolicyDecision erring = decide(yes + no + err);
    EXPECT_TRUE(erring.allowed) << "what errs counts for nothing";
    EXPECT_EQ(erring.failing, std::vector<std::string>{"policy1"});
    EXPECT_TRUE(decide("permit(principal in Group::\"all\", action in [Action::\"view\"], resource is Doc);").allowed);
    EXPECT_FALSE(decide("permit(principal, action in [], resource);").allowed);
    EXPECT_FALSE(decide("permit(principal, action, resource) unless { principal.age == 30 };").allowed);
    EXPECT_FALSE(decide("permit(principal == ?principal, action, resource);").allowed) << "a template decides nothing";
}

TEST(PolicyEvaluate, LinkedTemplates) {
    auto set = parse_policies("permit(principal in ?principal, action, resource == ?resource);");
    ASSERT_TRUE(set.has_value());
    const Policy of = set->policies[0];
    EXPECT_FALSE(link_template(*set, of, "l", Uid{"Group", "all"}, std::nullopt).has_value());
    auto linked = link_template(*set, of, "l", Uid{"Group", "all"}, Uid{"Doc", "d"});
    ASSERT_TRUE(linked.has_value());
    set->policies.push_back(*linked);
    host::PolicyEngine engine(std::move(*set));
    const host::PolicyDecision decision =
        engine.decide(host::EntityData(kEntities, nullptr), host::RequestData(kRequest, nullptr, true));
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.deciding, std::vector<std::string>{"l"});
}

struct Compiled {
    std::vector<std::uint64_t> block;
    explicit Compiled(const char* text) : block(*compile(*parse_policies(text))) {}
    [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(block)); }
};

Result<bool> run(std::span<const std::byte> bytes, std::size_t stack, std::size_t arena, std::uint64_t budget) {
    const Program program = TRY(Program::open(bytes));
    static const host::EntityData entities(kEntities, nullptr);
    static const host::RequestData request(kRequest, nullptr, true);
    std::vector<Value> values(stack);
    std::vector<std::max_align_t> room(arena / sizeof(std::max_align_t));
    std::vector<Verdict> verdicts(program.policy_count());
    Workspace workspace{values, std::as_writable_bytes(std::span(room)), budget};
    return authorize(program, entities.view(), request.view(), workspace, verdicts);
}

TEST(PolicyEvaluate, RoomAndBudgetAreBounds) {
    const Compiled all(
        "permit(principal, action, resource) when { [1, 2, {a: ip(\"1.1.1.1\")}].contains(3) || context.n == 5 };");
    EXPECT_EQ(run(all.bytes(), 8, 1024, 1000), true);
    EXPECT_EQ(run(all.bytes(), 2, 1024, 1000).error(), Error::buffer_small);
    EXPECT_EQ(run(all.bytes(), 8, 64, 1000).error(), Error::buffer_small);
    EXPECT_EQ(run(all.bytes(), 8, 1024, 5).error(), Error::too_large);
    std::string deep = "permit(principal, action, resource) when { " + std::string(kMaxNesting + 1, '[') + "1" +
                       std::string(kMaxNesting + 1, ']') + " == 1 };";
    EXPECT_EQ(run(Compiled(deep.c_str()).bytes(), 8, 1 << 16, 1000).error(), Error::too_large);
}

// Every bit of a compiled set flipped, and every shorter prefix: an answer or an error, never a crash or a loop.
TEST(PolicyEvaluate, DamagedProgramsAreHarmless) {
    const Compiled whole("permit(principal in Group::\"all\", action, resource) when { context has n && [1, "
                         "2].contains(context.n) || \"ab\" like \"a*\" };"
                         "forbid(principal, action, resource) when { if principal.age > 3 then {a: 1} == {a: 2} else "
                         "decimal(\"1.0\") == 1 };");
    std::vector<std::uint64_t> block = whole.block;
    for (std::size_t bit = 0; bit < block.size() * 64; ++bit) {
        block[bit / 64] ^= std::uint64_t{1} << bit % 64;
        (void)run(std::as_bytes(std::span(block)), 16, 4096, 10'000);
        block[bit / 64] ^= std::uint64_t{1} << bit % 64;
    }
    EXPECT_EQ(run(whole.bytes(), 16, 4096, 10'000), true);
    for (std::size_t words = 0; words < block.size(); ++words)
        EXPECT_FALSE(run(whole.bytes().first(words * 8), 16, 4096, 10'000).has_value());
}

} // namespace
