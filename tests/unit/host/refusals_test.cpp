// Refusals: which line of a unit file would allow what, and the list of them from what a run has told.
#include "abi/audit_kinds.hpp"
#include "tools/aios/record/refusals.hpp"

#include "tests/unit/host/messages.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/record/audit_record.hpp"

namespace aios::host {
namespace {

constexpr std::string_view kSystem = R"(
[unit.memoryd]
program = "bin/memoryd"
grants.console = "write"
[unit.agentsupervisor]
program = "bin/agentsupervisor"
grants.bundle = "read execute derive transfer"
grants.console = "write derive transfer"
grants.broker = "send derive transfer"
grants.job = "read derive transfer"
grants.region = "read map derive transfer"
grants.host_port = "send derive transfer"
grants.log = "read"
)";
constexpr std::string_view kCrew = R"(
[unit.visitor]
program = "bin/visitor"
offers = "region.read"
grants.console = "write"
grants.broker = "send derive transfer"
[unit.half]
program = "bin/half"
grants.region = "read"
grants.job = "read"
[unit.bare]
program = "bin/bare"
)";

UnitFiles files() { return {*read_units("system.toml", kSystem, {}), *read_units("crew.toml", kCrew, {})}; }

RefusedCall refused(std::string_view agent, std::string_view call, Error error = Error::bad_handle,
                    Starter starter = Starter::agentsupervisor) {
    const auto row = find_call_named(call);
    EXPECT_TRUE(row) << call;
    return {agent, starter, row->number, row->type, row->right, error};
}

std::string line(const RefusedCall& call) { return grant_for_call(files(), call).line; }
std::string why(const RefusedCall& call) { return grant_for_call(files(), call).why; }

TEST(Grants, LineForWhatAUnitWasNotGiven) {
    const GrantLine region = grant_for_call(files(), refused("visitor", "memory_map"));
    EXPECT_EQ(region.line, "grants.region = \"read map\"");
    EXPECT_EQ(region.place, "[unit.visitor] of crew.toml");
    EXPECT_EQ(region.why, "");
    EXPECT_EQ(line(refused("bare", "console_write")), "grants.console = \"write\"");
    EXPECT_EQ(line(refused("visitor", "host_send")), "grants.host_port = \"send\"");
    EXPECT_EQ(line(refused("bare", "IPCSend")), "grants.broker = \"send derive transfer\"");
    EXPECT_EQ(line(refused("visitor", "tree_open")), "grants.bundle = \"read execute\" or grants.job = \"read\"");
    const GrantLine service =
        grant_for_call(files(), refused("memoryd", "log_read", Error::bad_handle, Starter::initd));
    EXPECT_EQ(service.line, "grants.log = \"read\"");
    EXPECT_EQ(service.place, "[unit.memoryd] of system.toml");
}

TEST(Grants, LineForARightThatAGrantLacks) {
    EXPECT_EQ(line(refused("half", "memory_map", Error::missing_right)), "grants.region = \"read map\"");
    // What it has already would not help, and what it lacks cannot have been meant.
    EXPECT_EQ(line(refused("half", "tree_open", Error::missing_right)), "");
    EXPECT_EQ(line(refused("visitor", "memory_map", Error::missing_right)), "");
    EXPECT_TRUE(why(refused("visitor", "memory_map", Error::missing_right)).contains("ask its giver"));
    RefusedCall start = refused("half", "AgentSpawn", Error::missing_right);
    start.type = ObjectType::tree;
    start.needed = rights::read | rights::execute;
    EXPECT_EQ(line(start), "") << "the job tree holds no programs";
    // Any handle may be handed on, if its grant says so.
    RefusedCall give = refused("half", "handle_derive", Error::missing_right);
    EXPECT_EQ(line(give), "grants.job = \"read derive\" or grants.region = \"read derive\"");
}

TEST(Grants, NoneIsSaidToBeNone) {
    EXPECT_EQ(why(refused("visitor", "IPCSend")),
              "the handle is none of its own, and grants lead to nothing else of that kind")
        << "it has the channel that it can have";
    EXPECT_EQ(why(refused("visitor", "node_power")),
              "agentsupervisor, which starts it, has no grants.power to hand on");
    EXPECT_EQ(why(refused("visitor", "log_read")), "agentsupervisor, which starts it, has no grants.log to hand on")
        << "it has it for itself";
    EXPECT_EQ(why(refused("visitor", "timer_set")),
              "the handle is none of its own, and grants lead to nothing else of that kind");
    EXPECT_EQ(why(refused("visitor", "memory_map", Error::wrong_type)), "it gave the call a handle of another kind");
    EXPECT_TRUE(why(refused("visitor", "memory_map", Error::revoked)).contains("taken back"));
    EXPECT_TRUE(why(refused("child", "memory_map")).contains("no unit"));
    EXPECT_TRUE(why(refused("visitor", "memory_map", Error::bad_handle, Starter::other)).contains("no unit"));
    EXPECT_EQ(grant_for_call(files(), refused("visitor", "timer_set")).place, "");
}

TEST(Grants, LineForAnOffer) {
    const GrantLine offer = grant_for_offer(files(), "visitor", "question.answer");
    EXPECT_EQ(offer.line, "offers = \"region.read question.answer\"");
    EXPECT_EQ(offer.place, "[unit.visitor] of crew.toml");
    EXPECT_EQ(grant_for_offer(files(), "bare", "text.count").line, "offers = \"text.count\"");
    EXPECT_EQ(grant_for_offer(files(), "memoryd", "text.count").place, "[unit.memoryd] of system.toml");
    EXPECT_EQ(grant_for_offer(files(), "nobody", "text.count").line, "");
    // The agent chose the name, and would get more than it asked for.
    for (const char* sly : {"*", "text.*", "a b", "a\"", "a\n", ""})
        EXPECT_EQ(grant_for_offer(files(), "visitor", sly).line, "") << sly;
    UnitFiles full = files();
    full.crew.units[0].offers.assign(kMostOffers, "x");
    EXPECT_TRUE(grant_for_offer(full, "visitor", "text.count").why.contains("namespace"));
}

// Records as the kernel writes them.
std::string start_record(std::uint64_t parent, std::uint64_t child, std::string_view name) {
    messages::view::AuditRecord record;
    record.kind = static_cast<std::uint64_t>(AuditKind::agent_start);
    record.agent = parent;
    record.subject = child;
    record.count = 1;
    record.name = name;
    return encode_message(record);
}
std::string refusal_record(std::uint64_t agent, const RefusedCall& call, std::uint64_t count = 1) {
    messages::view::AuditRecord record;
    record.kind = static_cast<std::uint64_t>(AuditKind::refusal);
    record.agent = agent;
    record.call = call.call;
    record.detail = {static_cast<std::uint64_t>(call.type), call.needed.bits(), static_cast<std::uint64_t>(call.error)};
    record.count = count;
    return encode_message(record);
}

// initd (1), memoryd (2), agentsupervisor (3), and of the crew visitor (4); its child (5) is called like a service.
RunRecord told() {
    RunRecord record;
    record.audit = {start_record(0, 1, "initd"), start_record(1, 2, "memoryd"), start_record(1, 3, "agentsupervisor"),
                    start_record(3, 4, "visitor"), start_record(4, 5, "memoryd")};
    return record;
}

TEST(Refusals, OfTheKernel) {
    RunRecord record = told();
    const RefusedCall map = refused("", "memory_map");
    for (const auto& [agent, count] : {std::pair(4u, 1u), {4u, 15u}, {5u, 1u}, {2u, 1u}, {77u, 1u}})
        record.audit.push_back(refusal_record(agent, map, count));
    RefusedCall sum{};
    record.audit.push_back(refusal_record(4, sum, 9));
    record.audit.emplace_back("not a record");
    const auto rows = list_refusals(record, files());
    ASSERT_EQ(rows.size(), 5u);
    EXPECT_EQ(rows[0].agent, "visitor");
    EXPECT_EQ(rows[0].by, "kernel");
    EXPECT_EQ(rows[0].call, "memory_map");
    EXPECT_EQ(rows[0].object, "memory with map");
    EXPECT_EQ(rows[0].text, "the handle names nothing, or what it named is gone");
    EXPECT_EQ(rows[0].count, 16u);
    EXPECT_EQ(rows[0].grant.line, "grants.region = \"read map\"");
    // The service, or the agent of that name that the visitor has started: in one row, after whom the kernel named.
    EXPECT_EQ(rows[1].agent, "memoryd");
    EXPECT_EQ(rows[1].grant.line, "");
    EXPECT_EQ(rows[2].agent, "memoryd");
    EXPECT_EQ(rows[2].grant.line, "grants.region = \"read map\" or grants.region_writer = \"read write map\"");
    EXPECT_EQ(rows[3].agent, "agent 77");
    EXPECT_EQ(rows[4].count, 9u);
    EXPECT_EQ(rows[4].call, "");
}

TEST(Refusals, ThatWereTold) {
    RunRecord record = told();
    const Refusal offer{"visitor", "visitor may not", "intent.offer", "question.answer", "semantic-ipcd"};
    record.refusals = {offer,
                       {"visitor", "no capability", "memory_map", "memory", "desk"},
                       {"reader-1", "in words", "", "", "desk"},
                       offer,
                       {"semantic-ipcd", "further refusals are not listed", "", "", "semantic-ipcd"}};
    const auto rows = list_refusals(record, files());
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].count, 2u);
    EXPECT_EQ(rows[0].grant.line, "offers = \"region.read question.answer\"");
    EXPECT_EQ(rows[1].grant.line, "grants.region = \"read map\"");
    EXPECT_EQ(rows[2].grant.why, "it was told in words alone");
    EXPECT_EQ(show_refusals(rows, false),
              "Refusals\n"
              "  visitor: intent.offer of question.answer, told by semantic-ipcd, 2 times: visitor may not\n"
              "      allowed by offers = \"region.read question.answer\" in [unit.visitor] of crew.toml\n"
              "  visitor: memory_map of memory, told by desk: no capability\n"
              "      allowed by grants.region = \"read map\" in [unit.visitor] of crew.toml\n"
              "  reader-1: told by desk: in words\n"
              "      no grant would allow it: it was told in words alone\n"
              "  semantic-ipcd: told by semantic-ipcd: further refusals are not listed\n"
              "      no grant would allow it: it was told in words alone\n");
}

TEST(Refusals, ManyAreOnlyCounted) {
    std::vector<RefusalRow> rows;
    EXPECT_EQ(show_refusals(rows, true), "");
    for (int i = 0; i < 13; ++i)
        rows.push_back({.agent = i % 2 == 0 ? "a" : "b",
                        .by = "kernel",
                        .call = std::to_string(i),
                        .object = "",
                        .text = "t",
                        .count = 1000,
                        .grant = {}});
    EXPECT_EQ(show_refusals(rows, false), "Refusals: 13 kinds of 2 agents; --verbose lists them with the grants that "
                                          "would allow them, and so does --json\n");
    EXPECT_NE(show_refusals(rows, true).find("  b: 11, by the kernel, 1,000 times: t\n"), std::string::npos);
}

} // namespace
} // namespace aios::host
