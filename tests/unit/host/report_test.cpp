// Frames in, report out: the whole way of a run without the machine, and what happens to each kind of bad frame.
#include "tools/aios/record/report.hpp"

#include <limits>

#include "tests/support/json_schema.hpp"
#include "tests/unit/host/messages.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/host/json_text.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/answer_order.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/run_end.hpp"

namespace aios::host {
namespace {

using test::Json;

const std::vector<std::string> kQuestions = {"What is it?", "Who \"knows\"?"};
const std::vector<std::string> kRecords = {cbor_text("one"), cbor_text("two"), cbor_text("three")};

const Passage kPassage{"bad\xff.txt", 3, 4, 0.75, "quoted \xff bytes\r\n\"to\" the letter"};

std::string whole_run() {
    return frame(FrameKind::boot_facts, boot_body()) + job_frame(route_message()) +
           job_frame(answer_message(1, false, "no answer in these documents", {kPassage})) +
           job_frame(answer_message(0, true, "It is this.", {kPassage})) + job_frame(done_message(true, "")) +
           frame(FrameKind::account, account_body(5, "desk")) + frame(FrameKind::checks, checks_body()) +
           frame(FrameKind::audit_records, records_body(kRecords)) +
           frame(FrameKind::audit_head, head_body(kRecords.size(), audit_root(kRecords)));
}

struct FakeRun {
    RunRecord record;
    RunEvents events;
    RunFollower follower{record, kQuestions.size(), events, {}};

    FakeRun() { record.documents.add(kPassage.file, kPassage.file, "one\ntwo\n" + kPassage.text + "\n"); }
    Judgement judge(std::string_view stream, int status = kStatusWell, MachineEnd end = MachineEnd::powered_off) {
        static_cast<void>(follower.frames(stream));
        MachineResult result;
        result.status = status;
        result.end = end;
        return judge_run(result, follower, {kQuestions.size(), 60});
    }
};

Report report_of(const FakeRun& run, const Judgement& judgement) {
    return {.record = run.record,
            .questions = kQuestions,
            .outcome = std::string(outcome_name(judgement.outcome)),
            .exit_status = static_cast<int>(judgement.exit),
            .cause = judgement.sentence,
            .boot_kind = "pvh",
            .accelerator = "tcg",
            .accelerator_reason = "as asked",
            .processors = 2,
            .memory_mib = 512,
            .documents = 3,
            .document_bytes = 99,
            .seconds = 1.5,
            .recomputed_root = audit_root(run.record.audit),
            .audit_file = "log",
            .converted = {{"old.txt", "Latin-1"}},
            .skipped = {{"a.out", Skip::binary}}};
}

TEST(Report, WholeRun) {
    FakeRun run;
    const auto judgement = run.judge(whole_run());
    ASSERT_EQ(judgement.exit, Exit::well) << judgement.sentence;
    EXPECT_EQ(judgement.root, audit_root(kRecords));
    EXPECT_EQ(run.record.answers.at(0).text, "It is this.");
    EXPECT_DOUBLE_EQ(run.record.boot->milliseconds(), 50.999);
    const Report report = report_of(run, judgement);

    const auto json = Json::parse(report_json(report));
    EXPECT_EQ(json.at("answers").size(), 2u);
    const Json& first = json.at("answers").at(0);
    EXPECT_EQ(first.at("question"), kQuestions[0]);
    EXPECT_EQ(first.at("passages").at(0).at("file"), "bad\xef\xbf\xbd.txt");
    EXPECT_EQ(first.at("passages").at(0).at("text"), "quoted \xef\xbf\xbd bytes\r\n\"to\" the letter");
    EXPECT_FALSE(json.at("answers").at(1).at("answered").get<bool>());
    EXPECT_EQ(json.at("agents").at(0).at("state"), "dead: exited with 4000");
    EXPECT_EQ(json.at("checks").at(0).at("object"), "memory");
    EXPECT_EQ(json.at("checks").at(0).at("right"), "map");
    EXPECT_EQ(json.at("audit").at("root"), json.at("audit").at("kernel_root"));
    EXPECT_EQ(json.at("outcome"), "well");
    EXPECT_EQ(json.at("skipped").at(0).at("file"), "a.out");
    EXPECT_EQ(json.at("converted").at(0).at("from"), "Latin-1");

    const std::string page = show_page(report);
    for (const char* part :
         {"unsigned development boot", "answer-question", "least loaded", "10 granted", "1 refused", "3 records"})
        EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
}

// Names, values and order of all members stay what readers of earlier reports know.
TEST(Report, JsonIsAsRecorded) {
    FakeRun run;
    const auto judgement = run.judge(whole_run());
    run.record.plan = "read\tand answer";
    run.record.notes = {{"visitor", "odd \xff\x01 note"}};
    Report report = report_of(run, judgement);
    report.document_bytes = ~std::uint64_t{0}; // no double holds it
    report.refusals = {{"visitor", "kernel", "memory_map", "memory with map", "refused", 16, {}}};
    report.refusals.front().grant.line = "grants.region = \"read map\"";
    const auto recorded = read_file(AIOS_SOURCE "/tests/unit/host/report.json", 1 << 20);
    ASSERT_TRUE(recorded);
    EXPECT_EQ(nlohmann::ordered_json::parse(report_json(report)), nlohmann::ordered_json::parse(*recorded));
}

TEST(Report, JsonFollowsItsSchema) {
    auto text = read_file(AIOS_SOURCE "/docs/report.schema.json", 1 << 20);
    ASSERT_TRUE(text);
    const auto schema = Json::parse(*text);
    FakeRun run;
    const auto judgement = run.judge(whole_run());
    const auto json = Json::parse(report_json(report_of(run, judgement)));
    EXPECT_EQ(test::schema_error(schema, json), "");

    // A run of which next to nothing is known.
    FakeRun cut;
    const auto late = cut.judge("", 137, MachineEnd::out_of_time);
    const auto little = Json::parse(report_json(report_of(cut, late)));
    EXPECT_EQ(test::schema_error(schema, little), "");
    EXPECT_EQ(little.at("outcome"), "out_of_time");
    EXPECT_EQ(little.at("exit_status").get<int>(), 6);
    EXPECT_NE(little.at("cause").get<std::string>().find("time ran out"), std::string::npos);

    // The validator finds what is wrong.
    Json changed = json;
    changed.erase("audit");
    EXPECT_NE(test::schema_error(schema, changed), "");
    changed = json;
    changed["extra"] = true;
    EXPECT_NE(test::schema_error(schema, changed), "");
    changed = json;
    changed["answers"] = {true};
    EXPECT_NE(test::schema_error(schema, changed), "");
}

int exit_status(const Judgement& judgement) { return static_cast<int>(judgement.exit); }

// The kernel's sentence about a machine reaches the user as it is.
TEST(Report, RefusalOfTheMachineIsTheKernelsSentence) {
    FakeRun run;
    run.follower.kernel_text("clock: 1 kHz\nerror: AIOS does not start here: the processor lacks SSE2 (sse2).\r\n");
    const auto judged = run.judge("", kStatusRefused);
    EXPECT_EQ(exit_status(judged), 4);
    EXPECT_EQ(judged.sentence, "AIOS does not start here: the processor lacks SSE2 (sse2).");
    EXPECT_EQ(exit_status(FakeRun().judge("", kStatusRefused)), 4);

    FakeRun loader; // the UEFI loader's machine is switched off by firmware, with no status of its own
    loader.follower.kernel_text(
        "\x1b[2Jaios-loader: reading .\r\naios-loader: memory: the firmware uses five-level paging"
        "\r\naios-loader: the machine is powered off\r\n");
    const auto refused = loader.judge("", 0);
    EXPECT_EQ(exit_status(refused), 4);
    EXPECT_EQ(refused.sentence, "aios-loader: memory: the firmware uses five-level paging.");
}

TEST(Report, EndsAreJudged) {
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run(), kStatusFailed)), 5);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run(), kStatusPanic)), 5);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run(), 0)), 5);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run(), 0, MachineEnd::out_of_time)), 6);
    EXPECT_EQ(exit_status(FakeRun().judge("", 1)), 4); // QEMU itself
    EXPECT_EQ(exit_status(FakeRun().judge("")), 5);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run() + "AIOF")), 5);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run() + "junk")), 5);
    // A question without an answer, a job that failed, a log that does not match.
    EXPECT_EQ(exit_status(FakeRun().judge(job_frame(answer_message(0, true, "x")) + job_frame(done_message(true, "")))),
              5);
    const auto failed = FakeRun().judge(job_frame(done_message(false, "memoryd kept crashing")), kStatusFailed);
    EXPECT_EQ(failed.outcome, RunOutcome::failed);
    EXPECT_NE(failed.sentence.find("memoryd kept crashing"), std::string::npos);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run() + frame(FrameKind::audit_records, records_body({"x"})))), 5);
    EXPECT_EQ(exit_status(FakeRun().judge(whole_run() + frame(FrameKind::audit_head, head_body(3, Hash{})))), 5);
}

// An account of an agent that was killed: by itself, with the number of a signal, or by its supervisor, with 0.
std::string killed_frame(std::uint64_t id, std::string_view name, std::uint64_t status) {
    return frame(FrameKind::account, account_body(id, name, EndReason::killed, status));
}

std::string console_frame(std::string_view agent, std::string_view text) {
    const std::string body = cbor_bytes(text);
    return encode_frame(FrameKind::console, 1, agent, as_bytes(body));
}

TEST(Cause, NamesWhatCameFirst) {
    const std::string crashes = killed_frame(5, "memoryd", 6) + killed_frame(6, "memoryd", 6);
    EXPECT_EQ(FakeRun()
                  .judge(crashes + job_frame(done_message(false, "no agent offers documents.take_in")), kStatusFailed)
                  .sentence,
              "the run failed inside AIOS: memoryd: ended by its own signal 6 (2 times); then no agent offers "
              "documents.take_in.");
    // The one that the last word names is to blame, not another that was restarted well.
    EXPECT_EQ(
        FakeRun()
            .judge(killed_frame(4, "planner", 6) + crashes +
                       console_frame("initd", "initd: odd\ninitd: memoryd failed for good\n"),
                   kStatusFailed)
            .sentence,
        "the run failed inside AIOS: memoryd: ended by its own signal 6 (2 times); then initd: memoryd failed for "
        "good.");
    // Whoever was stopped by its supervisor is no cause, nor is anything after the job was done.
    EXPECT_EQ(
        FakeRun()
            .judge(killed_frame(5, "reader-1", 0) + job_frame(done_message(false, "why")) + killed_frame(6, "desk", 6),
                   kStatusFailed)
            .sentence,
        "the run failed inside AIOS: why.");
}

TEST(Cause, OfTheKernel) {
    FakeRun refused;
    refused.follower.kernel_text(
        "AIOS, started by PVH\nerror: this processor has Meltdown\nerror: no agent can be started\n");
    EXPECT_EQ(refused.judge("", kStatusFailed).sentence,
              "AIOS cannot start on this machine: this processor has Meltdown.");
    FakeRun panicked;
    const auto judgement = panicked.judge(
        killed_frame(5, "memoryd", 6) + frame(FrameKind::note, cbor_text("assertion x < y")), kStatusPanic);
    EXPECT_EQ(judgement.sentence, "the kernel panicked: assertion x < y.");
    EXPECT_EQ(judgement.outcome, RunOutcome::panicked);
}

TEST(Cause, OfATimeOut) {
    const auto late = [](const std::string& stream) {
        return FakeRun().judge(stream, 137, MachineEnd::out_of_time).sentence;
    };
    EXPECT_EQ(late(""), "time ran out after 60 seconds; the kernel had started no agent yet; give a larger --timeout.");
    const std::string boot = frame(FrameKind::boot_facts, boot_body());
    EXPECT_EQ(late(boot), "time ran out after 60 seconds; the services were starting; give a larger --timeout.");
    EXPECT_EQ(
        late(boot + killed_frame(5, "identityd", 6)),
        "time ran out after 60 seconds; the services were starting; before that, identityd: ended by its own signal "
        "6; give a larger --timeout.");
    EXPECT_EQ(late(boot + job_frame(progress_message("taking in documents", 3, 25))),
              "time ran out after 60 seconds; the crew was taking in documents: 3 of 25; give a larger --timeout.");
    EXPECT_EQ(late(boot + job_frame(answer_message(0, true, "x"))),
              "time ran out after 60 seconds; 1 of 2 questions were answered; give a larger --timeout.");
}

TEST(Report, StatesOfAgents) {
    FakeRun run;
    ASSERT_TRUE(run.follower.frames(killed_frame(3, "memoryd", 0) + killed_frame(4, "memoryd", 6) +
                                    job_frame(done_message(true, "")) + killed_frame(5, "reader-1", 0)));
    EXPECT_EQ(describe_state(run.record.agents.at(3)), "dead: ended by its supervisor");
    EXPECT_EQ(describe_state(run.record.agents.at(4)), "dead: ended by its own signal 6");
    EXPECT_EQ(describe_state(run.record.agents.at(5)), "ended with the run");
}

TEST(AnswerOrder, IsThatOfTheQuestions) {
    std::string shown;
    AnswerOrder order([&](const std::string& text) { shown += text; });
    order.take(1, "b");
    EXPECT_EQ(shown, "");
    order.take(0, "a");
    EXPECT_EQ(shown, "ab");
    order.take(4, "e");
    order.take(3, "d");
    EXPECT_EQ(shown, "ab");
    order.finish();
    EXPECT_EQ(shown, "abde");
}

TEST(Report, BadBodiesAreRefused) {
    const auto take = [](FrameKind kind, const std::string& body) {
        FakeRun run;
        return run.follower.frames(frame(kind, body));
    };
    EXPECT_FALSE(take(FrameKind::console, cbor_text("text where bytes belong")));
    EXPECT_FALSE(take(static_cast<FrameKind>(99), cbor_text("unknown kind")));
    EXPECT_FALSE(take(FrameKind::audit_head, cbor_text("x")));
    EXPECT_FALSE(take(FrameKind::account, boot_body()));
    EXPECT_FALSE(take(FrameKind::boot_facts, account_body(1, "x")));
    EXPECT_FALSE(take(FrameKind::job_output, cbor_bytes("not cbor")));
    EXPECT_FALSE(take(FrameKind::job_output, cbor_bytes(answer_message(2, true, "no such question"))));
    EXPECT_FALSE(take(FrameKind::job_output, cbor_bytes(answer_message(0, true, "x") + "y")));
    const Passage endless{"f", 1, 1, std::numeric_limits<double>::infinity(), ""};
    EXPECT_FALSE(take(FrameKind::job_output, cbor_bytes(answer_message(0, true, "x", {endless}))));
    const std::vector<Passage> eleven(11, Passage{"f", 1, 1, 1.0, ""});
    EXPECT_FALSE(take(FrameKind::job_output, cbor_bytes(answer_message(0, true, "x", eleven))));
    EXPECT_TRUE(take(FrameKind::job_output, cbor_bytes(answer_message(0, true, "x"))));
}

TEST(Report, ReplacedNamesBecomeTrueAgain) {
    FakeRun run;
    run.record.documents.add("unnameable-000000", "odd\xffname", "t\n");
    const Passage passage{"unnameable-000000", 1, 1, 1.0, "t"};
    ASSERT_TRUE(run.follower.frames(job_frame(answer_message(0, true, "x", {passage}))));
    EXPECT_EQ(run.record.answers.at(0).passages.at(0).file, "odd\xffname");
}

TEST(Report, ConsoleIsBounded) {
    FakeRun run;
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(run.follower.frames(frame(FrameKind::console, cbor_bytes(std::string(1000, 'x')))));
    EXPECT_EQ(run.record.consoles.at("kernel").size(), kConsoleKept);
}

// What agents and file names are made of is printed as valid JSON, and numbers as they are.
TEST(JsonText, HoldsAnyBytesAndNumbers) {
    const nlohmann::ordered_json odd = {{"z", "a\"\\\n\r\t\x01\xff\xc3\xa9"}, {"a", ~std::uint64_t{0}}, {"m", 0.5}};
    const std::string text = json_text(odd);
    EXPECT_EQ(text, "{\n  \"z\": \"a\\\"\\\\\\n\\r\\t\\u0001\xef\xbf\xbd\xc3\xa9\",\n"
                    "  \"a\": 18446744073709551615,\n  \"m\": 0.5\n}\n");
    for (const std::string bytes :
         {"\xff\xfe", "\xe2\x82", "\xed\xa0\x80", "\xf0\x9f\x98!", "\xc0\xaf", "\xf8x", "\x80"})
        EXPECT_EQ(Json::parse(json_text(bytes)), to_utf8(bytes)) << hex(bytes);
}

TEST(Text, Forms) {
    EXPECT_EQ(with_thousands(0), "0");
    EXPECT_EQ(with_thousands(999), "999");
    EXPECT_EQ(with_thousands(1'234'567), "1,234,567");
    EXPECT_EQ(counted(1, "file"), "1 file");
    EXPECT_EQ(counted(2, "entry|entries"), "2 entries");
    EXPECT_EQ(printable("a\x1b[31m\n\xff"), "a\\x1b[31m\\n\xef\xbf\xbd");
    EXPECT_EQ(printable_lines("a\r\nb\tc"), "a\nb\tc");
    EXPECT_EQ(human_bytes(1'700'000), "1.7 MB");
}

class LogTest : public ScratchTest {};

TEST_F(LogTest, WriteReadProve) {
    std::vector<std::string> records;
    for (int i = 0; i < 100; ++i)
        records.push_back(cbor_text(std::to_string(i)));
    const Hash root = audit_root(records);
    ASSERT_TRUE(write_audit_log(at("log"), records, AuditHead{records.size(), root}));
    const auto log = read_audit_log(at("log"));
    ASSERT_TRUE(log) << log.error().sentence;
    EXPECT_EQ(log->records, records);
    EXPECT_EQ(log->head->root, root);
    for (std::uint64_t i = 0; i < records.size(); ++i) {
        auto proof = prove_inclusion(records, i);
        EXPECT_TRUE(verify_inclusion(records[i], i, records.size(), proof, root));
        EXPECT_FALSE(verify_inclusion(records[(i + 1) % 100], i, records.size(), proof, root));
        proof[0][0] ^= std::byte{1};
        EXPECT_FALSE(verify_inclusion(records[i], i, records.size(), proof, root));
    }
}

TEST_F(LogTest, DamageIsFound) {
    const std::vector<std::string> records = {cbor_text("one"), cbor_text("two")};
    ASSERT_TRUE(write_audit_log(at("log"), records, AuditHead{2, audit_root(records)}));
    const std::string good = get("log");
    EXPECT_EQ(exit_of(parse_audit_log("")), 3);
    EXPECT_EQ(exit_of(parse_audit_log("not a log")), 3);
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_EQ(exit_of(parse_audit_log(std::string_view(good).substr(0, length))), 3) << length;
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto log = parse_audit_log(bad);
        EXPECT_TRUE(!log || !log->head || audit_root(log->records) != log->head->root) << i;
    }
}

TEST_F(LogTest, MayBeCutShort) {
    const std::vector<std::string> records = {cbor_text("one"), cbor_text("two")};
    ASSERT_TRUE(write_audit_log(at("log"), records, std::nullopt));
    const auto cut = read_audit_log(at("log"));
    ASSERT_TRUE(cut) << cut.error().sentence;
    EXPECT_EQ(cut->records, records);
    EXPECT_FALSE(cut->head);
    // A head of other records does not close this log.
    ASSERT_TRUE(write_audit_log(at("log"), records, AuditHead{3, audit_root(records)}));
    EXPECT_FALSE(read_audit_log(at("log"))->head);
}

TEST_F(LogTest, ReplaceFileLeavesTheOldOneOnFailure) {
    put("out", "old");
    EXPECT_TRUE(replace_file(at("out"), "new"));
    EXPECT_EQ(get("out"), "new");
    EXPECT_EQ(exit_of(replace_file(at("missing/out"), "x")), 4);
    EXPECT_EQ(exit_of(replace_file(at("."), "x")), 4);
    EXPECT_EQ(exit_of(replace_file("/dev/full", "x")), 4);
}

TEST(Diagnostic, ShowsItems) {
    // LAYOUT: any item; it is no message.
    EXPECT_EQ(diagnostic(encode([](auto& out) { out.map(2).key(0).uint(1).key(1).array(2).text("a\n").bytes({}); })),
              "{0: 1, 1: [\"a\\n\", h'']}");
    EXPECT_EQ(diagnostic("\xff"), "not CBOR");
}

} // namespace
} // namespace aios::host
