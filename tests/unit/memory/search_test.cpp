// Searching: what is found, how it is quoted, what is refused, and odd questions.
#include <gtest/gtest.h>

#include <set>

#include "runtime/memory/passages.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

using test::Documents;
using test::Region;

// A small project's documents: what the engine has to cope with beside large collections.
const Documents& project() {
    static const Documents documents = {
        {"docs/scheduler.md",
         "# Scheduler\n\nThe scheduler gives each agent a share of the processor by its weight. Weights "
         "are\nhierarchical: "
         "the children of an agent divide the share of their parent among them, in\nproportion to their own "
         "weights.\n\n"
         "## Idle\n\nA processor with nothing to run halts until the next interrupt. Before it halts it looks\nonce "
         "more "
         "at the queues of the other processors and takes over a thread if one waits.\nThe timer is not programmed "
         "while it sleeps, so an idle machine costs nothing.\n"},
        {"docs/memory.md",
         "# Memory\n\nFrames are handed out by a buddy allocator. Each processor keeps a small cache of "
         "single\nframes, so "
         "that most requests take no lock. Pages are mapped when they are first touched.\n\n## Running out\n\n"
         "When no frame is left the request is refused with an error. No victim is chosen: an agent\nis never ended "
         "because another one was greedy. Quotas are charged before the work starts.\n"},
        {"docs/audit.md", "# Audit log\n\nThe kernel records each change of authority in an append-only Merkle tree. "
                          "The root hash\nproves "
                          "that no record was removed. Inclusion of a record is shown by a path of hashes from\nthe "
                          "leaf to the root.\n"},
        {"docs/ipc.md", "# Messages\n\nA message is copied once, from the sender into the channel. A full channel "
                        "answers that it\nwould "
                        "block. Large data is not copied but granted: whole pages change their owner.\n"},
        {"README.md", "# A small operating system\n\nIt boots in a virtual machine, runs agents that hold only the "
                      "capabilities they "
                      "were\nhanded, and shows at the end what each of them did.\n"},
    };
    return documents;
}

const std::vector<std::string>& foreign() {
    static const std::vector<std::string> questions = {
        "who won the world cup",
        "what is the capital of france",
        "how is cheese made from goat milk",
        "why is the sky blue",
        "how many players are in a football team",
        "what are the symptoms of influenza",
        "how do birds navigate when they migrate",
        "what is the price of a ticket to london",
    };
    return questions;
}

Answer ask(const Region& region, std::string_view question, std::uint32_t limit = kDefaultPassages) {
    return search(IndexView::open(region.view()).value(), question, limit).value();
}

// What search.hpp promises of any answer.
void check_promises(const Answer& answer, const Documents& documents, std::uint32_t limit = kDefaultPassages) {
    std::set<std::string> files;
    std::size_t with_text = 0;
    for (const auto& [name, text] : documents)
        with_text += cut_passages(text).empty() ? 0 : 1;
    ASSERT_LE(answer.passages.size(), limit);
    for (std::size_t i = 0; i < answer.passages.size(); ++i) {
        const FoundPassage& passage = answer.passages[i];
        files.insert(passage.file);
        const auto document = std::ranges::find(documents, passage.file, &Documents::value_type::first);
        ASSERT_NE(document, documents.end());
        const std::string_view lines = lines_of(document->second, passage.first, passage.last);
        EXPECT_NE(lines.find(passage.text), std::string_view::npos) << "a quotation is not in the cited lines";
        EXPECT_FALSE(passage.text.empty());
        EXPECT_GE(passage.score, 0);
        EXPECT_LE(passage.score, 1 + 1e-9);
        if (i > 0) {
            EXPECT_LE(passage.score, answer.passages[i - 1].score);
        }
    }
    EXPECT_EQ(files.size(), std::min<std::size_t>(limit, with_text));
    EXPECT_EQ(answer.answered, answer.confidence >= 0.5);
    EXPECT_EQ(answer.answered, !answer.cited.empty());
    EXPECT_EQ(answer.answered, !answer.text.empty());
    for (const std::uint32_t cited : answer.cited) {
        ASSERT_LT(cited, answer.passages.size());
        EXPECT_NE(answer.text.find(answer.passages[cited].text), std::string::npos);
    }
}

TEST(Search, FindsTheFileThatAnswersInASmallProject) {
    const Region region = test::sealed(project());
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"How does the scheduler divide CPU time?", "docs/scheduler.md"},
        {"what happens when a processor has nothing to run", "docs/scheduler.md"},
        {"What happens when memory runs out and no frame is left?", "docs/memory.md"},
        {"How does the audit log prove inclusion of a record?", "docs/audit.md"},
        {"how is a message sent through a channel?", "docs/ipc.md"},
    };
    for (const auto& [question, file] : cases) {
        const Answer answer = ask(region, question);
        check_promises(answer, project());
        EXPECT_TRUE(answer.answered) << question << " " << answer.confidence;
        EXPECT_EQ(answer.passages.at(0).file, file) << question;
    }
}

TEST(Search, RefusesWhatASmallProjectDoesNotAnswer) {
    const Region region = test::sealed(project());
    for (const std::string& question : foreign()) {
        const Answer answer = ask(region, question);
        check_promises(answer, project());
        EXPECT_FALSE(answer.answered) << question << " " << answer.confidence;
    }
}

TEST(Search, AnswersAndRefusesFromOneFile) {
    const Documents one = {project()[0]};
    const Region region = test::sealed(one);
    const Answer answer = ask(region, "how do children of an agent divide the share of their parent");
    check_promises(answer, one);
    EXPECT_TRUE(answer.answered);
    EXPECT_EQ(answer.passages.at(0).first, 1U);
    for (const std::string& question : foreign())
        EXPECT_FALSE(ask(region, question).answered) << question;
}

TEST(Search, GivesTenFilesWhereThereAreTen) {
    Documents documents;
    for (int i = 0; i < 30; ++i)
        documents.emplace_back(std::to_string(i), "text number " + std::to_string(i) + " of wings");
    documents.emplace_back("empty", "");
    const Region region = test::sealed(documents);
    for (const char* question : {"wings", "number 7", "nothing of this is here", "what is it?", "Ω"}) {
        const Answer answer = ask(region, question);
        EXPECT_EQ(answer.passages.size(), 10U) << question;
        check_promises(answer, documents);
    }
    check_promises(ask(region, "wings", 25), documents, 25);
}

TEST(Search, GivesSeveralPassagesOfAFileWhereFilesAreFew) {
    std::string text;
    for (int i = 0; i < 40; ++i) {
        text += "Paragraph " + std::to_string(i) + " speaks of " + (i == 23 ? "turbines" : "wings") + " " +
                std::string(220, 'x') + "\n\n";
    }
    const Documents documents = {{"a", text}, {"b", "short"}};
    const Region region = test::sealed(documents);
    const Answer answer = ask(region, "where are turbines");
    check_promises(answer, documents);
    EXPECT_EQ(answer.passages.size(), 10U);
    EXPECT_EQ(answer.passages[0].file, "a");
    EXPECT_EQ(answer.passages[0].first, 47U);
}

TEST(Search, FindsMisspeltAndInflectedWords) {
    const Documents documents = {
        {"a", "aeroelastic flutter of wings"}, {"b", "heat in slabs"}, {"c", "a laminar layer"}};
    const Region region = test::sealed(documents);
    EXPECT_EQ(ask(region, "aeroelasticity").passages[0].file, "a");
    EXPECT_EQ(ask(region, "lamnar").passages[0].file, "c");
    EXPECT_EQ(ask(region, "HEATING SLAB").passages[0].file, "b");
}

TEST(Search, QuotesOddTextToTheLetter) {
    using namespace std::string_view_literals;
    const std::string odd("first \xff\xfe turbine\r\n\tcaf\xc3\xa9\0 blade\r\n"sv);
    const Documents documents = {{"odd\n name", odd}};
    const Region region = test::sealed(documents);
    const Answer answer = ask(region, "turbine blade");
    check_promises(answer, documents);
    EXPECT_EQ(answer.passages[0].text, odd.substr(0, odd.size() - 2));
    EXPECT_TRUE(answer.answered);
}

TEST(Search, CitesTheLineOfAHugeLine) {
    std::string line;
    while (line.size() < 500'000)
        line += "padding words without end ";
    line += "the needle of the compass points north ";
    while (line.size() < (1 << 20))
        line += "padding words without end ";
    const Documents documents = {{"huge", "title\n" + line + "\n"}};
    const Region region = test::sealed(documents);
    const Answer answer = ask(region, "where does the compass needle point");
    check_promises(answer, documents);
    EXPECT_EQ(answer.passages[0].first, 2U);
    EXPECT_NE(answer.passages[0].text.find("compass"), std::string::npos);
    EXPECT_LE(answer.passages[0].text.size(), kMaxPassageBytes);
}

TEST(Search, RefusesQuestionsThatAreNone) {
    using namespace std::string_view_literals;
    const Region region = test::sealed(project());
    const auto view = IndexView::open(region.view()).value();
    for (const auto question : {""sv, "   \n"sv, "?!"sv, "\xff\xfe"sv, "a\0b"sv}) {
        EXPECT_EQ(search(view, question).error(), Error::bad_argument);
    }
    EXPECT_EQ(search(view, "wing", 0).error(), Error::bad_argument);
    EXPECT_EQ(search(view, "wing", kMaxPassages + 1).error(), Error::bad_argument);
    EXPECT_EQ(search(view, std::string(kMaxQuestionBytes + 1, 'a')).error(), Error::too_large);
}

TEST(Search, TakesAQuestionOf100kB) {
    const Region region = test::sealed(project());
    std::string question;
    for (int i = 0; question.size() < 100'000; ++i)
        question += "scheduler weight w" + std::to_string(i) + " ";
    const Answer answer = ask(region, question);
    check_promises(answer, project());
    EXPECT_EQ(answer.passages[0].file, "docs/scheduler.md");
}

TEST(Search, IsTheSameEachTime) {
    const Region region = test::sealed(project());
    const Answer first = ask(region, "how are frames handed out");
    const Answer second = ask(region, "how are frames handed out");
    ASSERT_EQ(first.passages.size(), second.passages.size());
    EXPECT_EQ(first.confidence, second.confidence);
    for (std::size_t i = 0; i < first.passages.size(); ++i) {
        EXPECT_EQ(first.passages[i].score, second.passages[i].score);
        EXPECT_EQ(first.passages[i].text, second.passages[i].text);
    }
}

// A text that only repeats the question does not stand before one that answers it; a list of questions with their
// answers does answer.
TEST(Search, PrefersWhoAnswersToWhoAsks) {
    Documents documents = project();
    documents.emplace_back("docs/shares.md",
                           "# Shares\n\nEach processor runs the thread with the smallest virtual time, in "
                           "slices of 4 ms. A sleeper comes\nback behind the others.\n");
    documents.emplace_back("docs/use.md",
                           "# Use\n\n```\n[1] How long is a time slice?\n    ... the passage ...\n```\n");
    const Answer answer = ask(test::sealed(documents), "How long is a time slice?");
    ASSERT_TRUE(answer.answered);
    ASSERT_FALSE(answer.cited.empty());
    EXPECT_EQ(answer.passages[answer.cited.front()].file, "docs/shares.md");
    for (const std::uint32_t at : answer.cited)
        EXPECT_NE(answer.passages[at].file, "docs/use.md") << answer.passages[at].text;

    documents = project();
    documents.emplace_back("docs/faq.md", "# Questions\n\nHow long is a time slice?\nFour milliseconds.\n");
    const Answer listed = ask(test::sealed(documents), "How long is a time slice?");
    ASSERT_TRUE(listed.answered);
    EXPECT_EQ(listed.passages[listed.cited.front()].file, "docs/faq.md");
}

} // namespace
} // namespace aios::memory
