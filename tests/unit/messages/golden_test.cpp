// The bytes on the wire: golden.txt has what hand-written code encoded before the table was there. A change here is another
// wire format, which old logs and old programs do not understand.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "tests/unit/messages/support.hpp"

namespace aios::messages::owned {
namespace {

std::map<std::string, std::string> read_golden() {
    std::map<std::string, std::string> all;
    std::ifstream file(AIOS_SOURCE "/tests/unit/messages/golden.txt");
    for (std::string name, hex; file >> name >> hex;)
        all[name] = hex;
    return all;
}

std::string hex(Bytes bytes) {
    std::string out;
    for (const std::byte byte : bytes) {
        out += "0123456789abcdef"[static_cast<unsigned>(byte) >> 4];
        out += "0123456789abcdef"[static_cast<unsigned>(byte) & 15];
    }
    return out;
}

ByteVector bytes(std::string_view text) {
    const Bytes from = as_bytes(text);
    return {from.begin(), from.end()};
}

Hash make_hash() {
    Hash hash;
    for (std::size_t i = 0; i < hash.size(); ++i)
        hash[i] = static_cast<std::byte>(i);
    return hash;
}

class Golden : public testing::Test {
protected:
    template <typename T>
    void is_same(const std::string& name, const T& message) {
        const auto encoded = messages::encode(message);
        ASSERT_TRUE(encoded) << name;
        EXPECT_EQ(hex(*encoded), golden_.at(name)) << name;
        EXPECT_EQ(through<T>(*encoded), *encoded) << name;
        golden_.erase(name);
    }
    // The slots in an intent as the golden ones are.
    template <typename T>
    void is_same_in_intent(const std::string& name, std::uint64_t performative, std::string_view intent,
                           const T& slots) {
        IntentMessage message{.performative = performative,
                              .name = std::string(intent),
                              .conversation = 5,
                              .reply_by = 1000,
                              .trace = 77,
                              .slots = {},
                              .error = {},
                              .reason = {}};
        message.slots.item = messages::encode(slots).value();
        is_same(name, message);
    }

    std::map<std::string, std::string> golden_ = read_golden();
    const Hash hash_ = make_hash();
    const ByteVector hash_bytes_{hash_.begin(), hash_.end()};
};

TEST_F(Golden, Frames) {
    is_same("account", Account{.id = 39,
                               .parent = 1,
                               .state = 6,
                               .end_reason = 2,
                               .end_status = 9,
                               .fault_address = 0x7fffffff0000,
                               .cpu_ns = 123456789,
                               .memory_bytes = 1 << 20,
                               .memory_peak_bytes = 2 << 20,
                               .quota_memory_bytes = 64 << 20,
                               .quota_handles = 300,
                               .quota_threads = 16,
                               .quota_agents = 5,
                               .messages_sent = 1000,
                               .messages_received = 70000,
                               .checks_granted = 5000000000,
                               .checks_refused = 3,
                               .identity = hash_,
                               .name = "memoryd"});
    is_same("boot_facts", BootFacts{.entry_tsc = 1000,
                                    .tsc_khz = 2400000,
                                    .first_user_tsc = 51000000,
                                    .processors = 4,
                                    .path = 2,
                                    .memory_bytes = 512u << 20,
                                    .seed_fixed = true,
                                    .label = "unsigned development boot"});
    is_same("audit_head", AuditHead{.records = 300, .root = hash_});
    Frame frame{.kind = 8, .agent = 39, .name = "memoryd", .body = {}};
    frame.body.item = bytes("\x64note");
    is_same("frame", frame);
    const std::string checks = "82" + hex(messages::encode(CheckCount{4, 3, 10, 1}).value()) +
                               hex(messages::encode(CheckCount{12, 17, 70000, 0}).value());
    EXPECT_EQ(checks, golden_.at("checks"));
}

TEST_F(Golden, JobOutput) {
    is_same("progress", Progress{.text = "taking in documents", .done = 12, .total = 300});
    is_same("answer", Answer{.question = 3,
                             .answered = true,
                             .text = bytes("the text"),
                             .agent = "reader-1",
                             .passages = {{bytes("a.md"), 1, 24, 0.9, bytes("quoted")},
                                          {bytes("b\xff.md"), 70000, 70001, 0.5, bytes("")}}});
    is_same("route", Route{.intent = "question.answer",
                           .agent = "reader-1",
                           .why = "least loaded",
                           .candidates = {{"reader-1", 0.9}, {"reader-2", 0.5}}});
    is_same("plan", Plan{.text = "a; b after a"});
    is_same("refusal",
            Refusal{.agent = "visitor", .text = "may not", .call = "intent.offer", .object = "question.answer"});
    is_same("refusal_in_words", Refusal{.agent = "visitor", .text = "may not", .call = {}, .object = {}});
    is_same("done", Done{.ok = false, .text = "no planner"});
    is_same("unit_message", UnitMessage{"ready", "memoryd", true});
}

TEST_F(Golden, AuditAndIdentity) {
    AuditRecord record{.index = 7,
                       .time_ns = 1500000,
                       .kind = 3,
                       .agent = 39,
                       .subject = 40,
                       .call = 4123,
                       .detail = {4, 256, 70000},
                       .count = 16,
                       .digest = {},
                       .name = {}};
    is_same("audit_record_plain", record);
    record.kind = 4;
    record.digest = hash_;
    record.name = "memoryd";
    is_same("audit_record_full", record);
    is_same("log_head", LogHead{.records = 300, .root = hash_});
    is_same("log_head_open", LogHead{.records = 300, .root = {}});
    is_same("identity_measure", IdentityMeasure{"memoryd", hash_, hash_});
    is_same("identity_record", IdentityRecordText{hash_, hash_, {"text.*", "*"}});
}

TEST_F(Golden, IntentsOfServices) {
    is_same_in_intent("identity_register", 1, "identity.register", IdentityRegister{{"text.*", "*"}, hash_});
    is_same_in_intent("identity_of", 3, "identity.of", IdentityOf{39});
    is_same_in_intent("identity_slots", 2, "identity.of",
                      IdentitySlots{.name = "memoryd",
                                    .agent = 39,
                                    .offers = {"text.*"},
                                    .record = hash_,
                                    .program = hash_,
                                    .identity = hash_});
    const Action action{"question.answer", {"memory.ready", "question.asked"}, {"answer.proposed"}, 2};
    is_same_in_intent("intent_offer", 1, "intent.offer",
                      IntentOffer{.action = action,
                                  .inputs = {{"question", 4}},
                                  .intent = "question.answer",
                                  .capacity = 1,
                                  .description = "answers"});
    is_same_in_intent("intent_find", 3, "intent.find",
                      IntentFind{.from = "reader-1",
                                 .slots = {{"question", 4}},
                                 .intent = "question.answer",
                                 .meaning = "words",
                                 .identity = hash_bytes_,
                                 .not_agent = 40});
    is_same_in_intent("found", 2, "intent.find",
                      FoundSlots{.why = "because",
                                 .agent = "reader-1",
                                 .intent = "question.answer",
                                 .agent_id = 41,
                                 .identity = hash_bytes_,
                                 .candidates = {{"reader-1", 0.9}, {"reader-2", 0.5}}});
    is_same_in_intent("actions", 2, "intent.list", ActionsSlots{{action}});
    is_same_in_intent("memory_ingest", 1, "memory.ingest", MemoryIngest{70000});
    is_same_in_intent("memory_seal", 1, "memory.seal", MemorySeal{});
    is_same_in_intent("memory_state", 2, "memory.seal", MemoryState{.epoch = 9, .passages = 300, .documents = 25});
    is_same_in_intent("plan_make", 1, "plan.make",
                      PlanMake{{"answer.checked"}, {"documents.available", "question.asked"}});
    is_same_in_intent("plan_made", 2, "plan.make",
                      PlanMade{.cost = 12.0,
                               .graph = {{"documents.take_in", {}, 10}, {"question.answer", {0}, 2}},
                               .offers = 4,
                               .looked_at = 30});
    const std::string batch = "82" + hex(messages::encode(DocumentText{bytes("a.md"), bytes("text of it")}).value()) +
                              hex(messages::encode(DocumentText{bytes("b.md"), bytes("text of it")}).value());
    EXPECT_EQ(batch, golden_.at("batch"));
}

TEST_F(Golden, IntentsOfTheCrew) {
    const Passage passage{bytes("a.md"), 1, 24, 0.9, bytes("quoted")};
    is_same_in_intent("question_answer", 1, "question.answer", QuestionAnswer{"what?"});
    is_same_in_intent("proposed", 2, "question.answer",
                      ProposedAnswer{.cited = {0}, .answered = true, .passages = {passage}, .confidence = 0.5});
    is_same_in_intent("answer_check", 1, "answer.check", AnswerCheck{{passage}});
    is_same_in_intent("checked", 2, "answer.check", CheckedAnswer{{true, false}});
    is_same_in_intent("was_read", 2, "region.read", RegionWasRead{true});
}

TEST_F(Golden, IntentsAndUnits) {
    IntentMessage request{.performative = 1,
                          .name = "identity.register",
                          .conversation = 3,
                          .reply_by = ~0ull,
                          .trace = 0,
                          .slots = {},
                          .error = {},
                          .reason = {}};
    request.slots.item = messages::encode(IdentityRegister{{"text.*", "*"}, hash_}).value();
    is_same("register_by_supervisor", request);
    request = {.performative = 6,
               .name = "plan.make",
               .conversation = 0,
               .reply_by = ~0ull,
               .trace = 0,
               .slots = {},
               .error = 16, // not_found
               .reason = "no plan"};
    request.slots.item = messages::encode(NoSlots{}).value();
    is_same("refuse", request);
    const UnitText unit{.name = "memoryd",
                        .program = "bin/memoryd",
                        .arguments = {"-x"},
                        .needs = {"identityd"},
                        .grants = {{3, 0x90}, {4, 1}},
                        .quota = {64 << 20, 64, 8, 0},
                        .weight = 100,
                        .personality = 1,
                        .restart = 2,
                        .sends_ready = true,
                        .essential = false,
                        .offers = {{"memory.*"}},
                        .ready_timeout = 30};
    is_same("system",
            SystemText{.strategy = 2, .intensity = 5, .period_ms = 60000, .units = {unit}, .region_bytes = 1 << 20});
}

} // namespace
} // namespace aios::messages::owned
