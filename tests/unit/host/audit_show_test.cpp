// Records of the audit log in words.
#include <gtest/gtest.h>

#include "abi/errors.hpp"
#include "tests/unit/host/messages.hpp"
#include "tools/aios/record/audit_record.hpp"

namespace aios::host {
namespace {

struct Fields {
    std::uint64_t kind = 0;
    std::uint64_t agent = 0;
    std::uint64_t subject = 0;
    std::uint64_t call = 0;
    std::array<std::uint64_t, 3> detail{};
    std::uint64_t count = 1;
    std::string name = {};
};

std::string record_item(const Fields& fields) {
    AuditRecord record{.index = 7,
                       .time_ns = 1'500'000,
                       .kind = fields.kind,
                       .agent = fields.agent,
                       .subject = fields.subject,
                       .call = fields.call,
                       .detail = fields.detail,
                       .count = fields.count,
                       .digest = {},
                       .name = {},
                       .trace = {}};
    if (!fields.name.empty()) record.name = fields.name;
    return encode_message(record);
}

AuditRecord record(const Fields& fields) {
    const auto decoded = decode_audit_record(record_item(fields));
    EXPECT_TRUE(decoded);
    return decoded.value_or(AuditRecord());
}

const std::vector<AuditRecord> kStarts = {record({.kind = 4, .subject = 9, .name = "initd"}),
                                          record({.kind = 4, .agent = 9, .subject = 39, .name = "memoryd"})};

std::string in_words(const Fields& fields) { return describe_record(record(fields), AuditNames(kStarts)); }

TEST(AuditShow, SaysWhatHappenedWithNames) {
    const auto bad_handle = static_cast<std::uint64_t>(Error::bad_handle);
    EXPECT_EQ(in_words({.kind = 1, .detail = {1, 0, 2}}), "boot by PVH, 2 processors, seed random");
    EXPECT_EQ(in_words({.kind = 2, .agent = 9, .subject = 39, .call = 4113, .detail = {5, 0, 0}}),
              "AgentKill memoryd (39): reason 5");
    EXPECT_EQ(in_words({.kind = 2, .agent = 39, .subject = 77, .call = 4101, .detail = {0x90, 0x10, 0x20}}),
              "handle_derive object 77: rights send derive; handle 0x20 out of 0x10");
    EXPECT_EQ(in_words({.kind = 2, .agent = 9, .subject = 39, .call = 4115}), "agent_control memoryd (39): pause");
    EXPECT_EQ(in_words({.kind = 2, .agent = 9, .subject = 39, .call = 4115, .detail = {1, 0, 0}}),
              "agent_control memoryd (39): resume");
    EXPECT_EQ(in_words({.kind = 3, .agent = 39, .call = 4123, .detail = {4, 8, bad_handle}, .count = 16}),
              "memory_map refused: bad_handle; needs memory with map; 16 times");
    EXPECT_EQ(in_words({.kind = 3, .agent = 39, .count = 5}), "5 refusals of one or several kinds");
    EXPECT_EQ(in_words({.kind = 4, .agent = 9, .subject = 39, .detail = {1, 35'100'000, 4}, .name = "memoryd"}),
              "starts memoryd (39): linux, 35.1 MB, 4 handles");
    EXPECT_EQ(
        in_words(
            {.kind = 4, .agent = 9, .subject = 39, .detail = {1 | kSpawnJit << 8, 35'100'000, 4}, .name = "memoryd"}),
        "starts memoryd (39): linux with jit, 35.1 MB, 4 handles");
    EXPECT_EQ(in_words({.kind = 5, .agent = 39, .subject = 39, .detail = {1, 3, 0}}),
              "memoryd (39) ended: exited with 3");
    EXPECT_EQ(in_words({.kind = 6, .agent = 39, .detail = {14, 0x1000, 0x2000}}),
              "fault of vector 14 at 0x1000, instruction 0x2000");
    EXPECT_EQ(in_words({.kind = 8, .detail = {0, 1, 0}}), "power off, status 1");
    EXPECT_EQ(in_words({.kind = 9, .agent = 9, .subject = 39, .call = 4177, .name = "question.answer"}),
              "refused memoryd (39): question.answer");
    EXPECT_EQ(in_words({.kind = 9, .agent = 9, .subject = 5, .call = 4177, .count = 1200, .name = "x"}),
              "refused agent 5: x, the first of 1,200");
    EXPECT_EQ(
        in_words({.kind = 10, .agent = 39, .subject = 39, .detail = {1'500, 0, 2}, .count = 2, .name = "memoryd"}),
        "2 holds of memoryd (39) uncertain: 1,500 tokens, 2 calls");
    EXPECT_EQ(in_words({.kind = 11, .agent = 39, .subject = 39, .detail = {0, 7, 0}, .name = "memoryd"}),
              "1 charge beyond the limit of memoryd (39): 7 micro-cents");
    EXPECT_EQ(in_words({.kind = 2, .agent = 39, .subject = 39, .call = 4190, .detail = {88, 0, 0}}),
              "agent_budget memoryd (39): budget 88");
    EXPECT_EQ(in_words({.kind = 2, .agent = 9, .subject = 39, .call = 4195, .detail = {5, 0, 0}}),
              "agent_grant memoryd (39): 5 tokens");
}

TEST(AuditShow, KeepsNumbersWithoutAName) {
    EXPECT_EQ(audit_kind_name(99), "kind 99");
    EXPECT_EQ(in_words({.kind = 12, .agent = 39, .subject = 39, .name = "Why?"}), "begins trace  with: Why?");
    EXPECT_EQ(call_name(1), "call 1");
    EXPECT_EQ(rights_names(std::uint64_t{1} << 40), "40");
    EXPECT_EQ(rights_names(0), "none");
    EXPECT_EQ(in_words({.kind = 99, .subject = 3, .detail = {1, 2, 3}}), "subject 3, call 0, details 1 2 3");
    EXPECT_EQ(AuditNames(kStarts).with_id(5), "agent 5");
    EXPECT_EQ(AuditNames(kStarts).with_id(0), "kernel");
}

// LAYOUT: a record of a later version, with one detail and one key more than the table has.
TEST(AuditShow, PassesOverWhatItDoesNotKnow) {
    const std::string later = encode([](auto& out) {
        out.map(9).key(0).uint(1).key(1).uint(2).key(2).uint(8).key(3).uint(0).key(4).uint(0).key(5).uint(0);
        out.key(6).array(4).uint(0).uint(1).uint(2).uint(3).key(7).uint(1).key(1000).text("new");
    });
    const auto decoded = decode_audit_record(later);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->detail[1], 1u);
    EXPECT_FALSE(decode_audit_record("no record"));
    EXPECT_FALSE(decode_audit_record(record_item({}) + "x"));
}

TEST(AuditShow, KnowsItsKinds) {
    EXPECT_TRUE(is_audit_kind("refusal"));
    EXPECT_FALSE(is_audit_kind("refusals"));
    EXPECT_EQ(audit_kind_list(),
              "boot, call, refusal, agent_start, agent_end, fault, integrity, power, service_refusal, hold_uncertain, "
              "overrun or trace");
    EXPECT_TRUE(AuditNames(kStarts).has("memoryd"));
    EXPECT_FALSE(AuditNames(kStarts).has("nobody"));
    EXPECT_EQ(AuditNames(kStarts).list(), "initd, memoryd, kernel");
}

} // namespace
} // namespace aios::host
