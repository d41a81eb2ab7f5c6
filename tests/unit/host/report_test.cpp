// Frames in, report out: the whole way of a run without the machine, and what happens to each kind of bad frame.
#include "tools/aios/report.hpp"

#include <limits>

#include "tests/support/json_value.hpp"
#include "tests/unit/host/messages.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/audit_log.hpp"
#include "tools/aios/json_writer.hpp"
#include "tools/aios/run_end.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {
namespace {

using test::Json;

const std::vector<std::string> kQuestions = {"What is it?", "Who \"knows\"?"};
const std::vector<std::string> kRecords = {cbor_text("one"), cbor_text("two"), cbor_text("three")};

std::string whole_run() {
    const Passage passage{"bad\xff.txt", 3, 4, 0.75, "quoted \xff bytes\r\n\"to\" the letter"};
    return frame(FrameKind::boot_facts, boot_body()) + job_frame(route_message()) +
           job_frame(answer_message(1, false, "no answer in these documents", {passage})) +
           job_frame(answer_message(0, true, "It is this.", {passage})) + job_frame(done_message(true, "")) +
           frame(FrameKind::account, account_body(5, "desk")) + frame(FrameKind::checks, checks_body()) +
           frame(FrameKind::audit_records, records_body(kRecords)) +
           frame(FrameKind::audit_head, head_body(kRecords.size(), audit_root(kRecords)));
}

struct FakeRun {
    RunRecord record;
    RunEvents events;
    RunFollower follower{record, kQuestions.size(), events, {}};

    Outcome<Hash> judge(std::string_view stream, int status = kStatusWell, MachineEnd end = MachineEnd::powered_off) {
        static_cast<void>(follower.frames(stream));
        MachineResult result;
        result.status = status;
        result.end = end;
        return judge_run(result, follower, kQuestions.size(), 60);
    }
};

TEST(Report, WholeRun) {
    FakeRun run;
    const auto root = run.judge(whole_run());
    ASSERT_TRUE(root) << root.error().sentence;
    EXPECT_EQ(*root, audit_root(kRecords));
    EXPECT_EQ(run.record.answers.at(0).text, "It is this.");
    EXPECT_DOUBLE_EQ(run.record.boot->milliseconds(), 50.999);
    const Report report{run.record, kQuestions, "pvh", "tcg", "as asked", 2, 512, 3, 99, 1.5, *root, "log"};

    const auto json = Json::parse(report_json(report));
    ASSERT_TRUE(json);
    EXPECT_EQ((*json)["answers"].size(), 2u);
    const Json& first = (*json)["answers"][0];
    EXPECT_EQ(first["question"].text(), kQuestions[0]);
    EXPECT_EQ(first["passages"][0]["file"].text(), "bad\xef\xbf\xbd.txt");
    EXPECT_EQ(first["passages"][0]["text"].text(), "quoted \xef\xbf\xbd bytes\r\n\"to\" the letter");
    EXPECT_FALSE(*(*json)["answers"][1]["answered"].boolean());
    EXPECT_EQ((*json)["agents"][0]["state"].text(), "dead: exited with 4000");
    EXPECT_EQ((*json)["checks"][0]["object"].text(), "memory");
    EXPECT_EQ((*json)["checks"][0]["right"].text(), "map");
    EXPECT_EQ((*json)["audit"]["root"].text(), (*json)["audit"]["kernel_root"].text());

    const std::string page = show_page(report);
    for (const char* part :
         {"unsigned development boot", "answer-question", "least loaded", "10 granted", "1 refused", "3 records"})
        EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
}

TEST(Report, JsonFollowsItsSchema) {
    auto text = read_file(AIOS_SOURCE "/docs/report.schema.json", 1 << 20);
    ASSERT_TRUE(text);
    const auto schema = Json::parse(*text);
    ASSERT_TRUE(schema);
    FakeRun run;
    const auto root = run.judge(whole_run());
    ASSERT_TRUE(root);
    const Report report{run.record, kQuestions, "pvh", "tcg", "as asked", 2, 512, 3, 99, 1.5, *root, "log"};
    const auto json = Json::parse(report_json(report));
    ASSERT_TRUE(json);
    EXPECT_EQ(test::schema_error(*schema, *json), "");

    // The validator finds what is wrong.
    Json::Object changed = *json->object();
    changed.erase("audit");
    EXPECT_NE(test::schema_error(*schema, Json(changed)), "");
    changed = *json->object();
    changed["extra"] = Json(true);
    EXPECT_NE(test::schema_error(*schema, Json(changed)), "");
    changed = *json->object();
    changed["answers"] = Json(Json::Array{Json(true)});
    EXPECT_NE(test::schema_error(*schema, Json(changed)), "");
}

// The kernel's sentence about a machine reaches the user as it is.
TEST(Report, RefusalOfTheMachineIsTheKernelsSentence) {
    FakeRun run;
    run.follower.kernel_text("clock: 1 kHz\nerror: AIOS does not start here: the processor lacks SSE2 (sse2).\r\n");
    const auto judged = run.judge("", kStatusRefused);
    ASSERT_FALSE(judged);
    EXPECT_EQ(exit_of(judged), 4);
    EXPECT_EQ(judged.error().sentence, "AIOS does not start here: the processor lacks SSE2 (sse2).");
    EXPECT_EQ(exit_of(FakeRun().judge("", kStatusRefused)), 4);

    FakeRun loader; // the UEFI loader's machine is switched off by firmware, with no status of its own
    loader.follower.kernel_text(
        "\x1b[2Jaios-loader: reading .\r\naios-loader: memory: the firmware uses five-level paging"
        "\r\naios-loader: the machine is powered off\r\n");
    const auto refused = loader.judge("", 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(exit_of(refused), 4);
    EXPECT_EQ(refused.error().sentence, "aios-loader: memory: the firmware uses five-level paging.");
}

TEST(Report, EndsAreJudged) {
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run(), kStatusFailed)), 5);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run(), kStatusPanic)), 5);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run(), 0)), 5);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run(), 0, MachineEnd::out_of_time)), 6);
    EXPECT_EQ(exit_of(FakeRun().judge("", 1)), 4); // QEMU itself
    EXPECT_EQ(exit_of(FakeRun().judge("")), 5);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run() + "AIOF")), 5);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run() + "junk")), 5);
    // A question without an answer, a job that failed, a log that does not match.
    EXPECT_EQ(exit_of(FakeRun().judge(job_frame(answer_message(0, true, "x")) + job_frame(done_message(true, "")))), 5);
    const auto failed = FakeRun().judge(job_frame(done_message(false, "memoryd kept crashing")), kStatusFailed);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().sentence.find("memoryd kept crashing"), std::string::npos);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run() + frame(FrameKind::audit_records, records_body({"x"})))), 5);
    EXPECT_EQ(exit_of(FakeRun().judge(whole_run() + frame(FrameKind::audit_head, head_body(3, Hash{})))), 5);
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
    run.record.true_names["unnameable-000000"] = "odd\xffname";
    const Passage passage{"unnameable-000000", 1, 1, 1.0, "t"};
    ASSERT_TRUE(run.follower.frames(job_frame(answer_message(0, true, "x", {passage}))));
    EXPECT_EQ(run.record.answers.at(0).passages.at(0).file, "odd\xffname");
}

TEST(Report, ConsoleIsBounded) {
    FakeRun run;
    for (int i = 0; i < 100; i++)
        ASSERT_TRUE(run.follower.frames(frame(FrameKind::console, cbor_bytes(std::string(1000, 'x')))));
    EXPECT_EQ(run.record.consoles.at("kernel").size(), kConsoleKept);
}

TEST(JsonText, EscapesEverything) {
    EXPECT_EQ(json_quoted("a\"\\\n\r\t\x01\xff\xc3\xa9"), "\"a\\\"\\\\\\n\\r\\t\\u0001\xef\xbf\xbd\xc3\xa9\"");
    JsonWriter out;
    out.object().key("a").array().number(~0ull).real(0.5).null().end().key("b").object().end().end();
    const auto back = Json::parse(std::move(out).finish());
    ASSERT_TRUE(back);
    EXPECT_EQ((*back)["a"].size(), 3u);
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
    for (int i = 0; i < 100; i++)
        records.push_back(cbor_text(std::to_string(i)));
    const Hash root = audit_root(records);
    ASSERT_TRUE(write_audit_log(at("log"), records, {records.size(), root}));
    const auto log = read_audit_log(at("log"));
    ASSERT_TRUE(log) << log.error().sentence;
    EXPECT_EQ(log->records, records);
    EXPECT_EQ(log->head.root, root);
    for (std::uint64_t i = 0; i < records.size(); i++) {
        auto proof = prove_inclusion(records, i);
        EXPECT_TRUE(verify_inclusion(records[i], i, records.size(), proof, root));
        EXPECT_FALSE(verify_inclusion(records[(i + 1) % 100], i, records.size(), proof, root));
        proof[0][0] ^= std::byte{1};
        EXPECT_FALSE(verify_inclusion(records[i], i, records.size(), proof, root));
    }
}

TEST_F(LogTest, DamageIsFound) {
    const std::vector<std::string> records = {cbor_text("one"), cbor_text("two")};
    ASSERT_TRUE(write_audit_log(at("log"), records, {2, audit_root(records)}));
    const std::string good = get("log");
    EXPECT_EQ(exit_of(parse_audit_log("")), 3);
    EXPECT_EQ(exit_of(parse_audit_log("not a log")), 3);
    for (std::size_t length = 0; length < good.size(); length++)
        EXPECT_EQ(exit_of(parse_audit_log(std::string_view(good).substr(0, length))), 3) << length;
    for (std::size_t i = 0; i < good.size(); i++) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto log = parse_audit_log(bad);
        EXPECT_TRUE(!log || audit_root(log->records) != log->head.root) << i;
    }
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
    EXPECT_EQ(diagnostic(encode([](auto& out) { out.map(2).key(0).uint(1).key(1).array(2).text("a\n").bytes({}); })),
              "{0: 1, 1: [\"a\\n\", h'']}");
    EXPECT_EQ(diagnostic("\xff"), "not CBOR");
}

} // namespace
} // namespace aios::host
