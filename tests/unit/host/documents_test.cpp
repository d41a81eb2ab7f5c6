#include "tools/aios/documents.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/questions.hpp"

namespace aios::host {
namespace {

class DocumentsTest : public ScratchTest {
protected:
    Outcome<Documents> gather() { return gather_documents(std::vector<DocumentSource>{{at("d"), ""}}); }
};

TEST_F(DocumentsTest, TakesTextInOrderAndCountsTheRest) {
    put("d/b.txt", "second\r\n");
    put("d/a/z.txt", "first");
    put("d/empty", "");
    put("d/new\nline name", "odd name");
    put("d/bad\xff.txt", "bad \xff bytes");
    put("d/binary", std::string_view("ab\0cd", 5));
    put("outside", "never read");
    std::filesystem::create_symlink(at("outside"), at("d/link"));
    std::filesystem::create_directory_symlink(at("d"), at("d/loop"));
    ASSERT_EQ(::mkfifo(at("d/pipe").c_str(), 0600), 0);
    const auto found = gather();
    ASSERT_TRUE(found) << found.error().sentence;
    std::vector<std::string> names;
    for (const auto& document : found->list)
        names.push_back(document.name);
    EXPECT_EQ(names, (std::vector<std::string>{"a/z.txt", "b.txt", "bad\xff.txt", "empty", "new\nline name"}));
    EXPECT_EQ(found->list[1].bytes, "second\r\n");
    EXPECT_EQ(found->list[2].bytes, "bad \xff bytes");
    EXPECT_EQ(found->binaries, 1u);
    EXPECT_EQ(found->links, 2u);
    EXPECT_EQ(found->special, 1u);
    EXPECT_EQ(found->total_bytes, 32u);
}

TEST_F(DocumentsTest, SkipsWhatIsTooLarge) {
    put("d/small", "text");
    put("d/large", "");
    std::filesystem::resize_file(at("d/large"), kMaxDocumentBytes + 1);
    const auto found = gather();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->list.size(), 1u);
    EXPECT_EQ(found->too_large, 1u);
}

TEST_F(DocumentsTest, RefusesMissingEmptyAndTextless) {
    EXPECT_EQ(exit_of(gather()), 3);
    std::filesystem::create_directory(at("d"));
    EXPECT_EQ(exit_of(gather()), 3);
    put("d/blank", " \n\t\n");
    put("d/binary", std::string_view("\0", 1));
    EXPECT_EQ(exit_of(gather()), 3);
    put("d/text", "x");
    EXPECT_EQ(exit_of(gather()), 0);
}

TEST_F(DocumentsTest, RefusesMoreTextThanTheLimit) {
    const std::string piece(kMaxDocumentBytes, 'a');
    for (int i = 0; i < 17; i++)
        put("d/" + std::to_string(i), piece);
    EXPECT_EQ(exit_of(gather()), 3);
}

TEST_F(DocumentsTest, DeepFoldersAreBounded) {
    std::filesystem::path deep = at("d");
    put("d/top", "text");
    for (int i = 0; i < 210; i++)
        deep /= "x";
    std::filesystem::create_directories(deep);
    const auto found = gather();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->unreadable, 1u);
}

TEST(PlainText, Rule) {
    EXPECT_TRUE(is_plain_text(""));
    EXPECT_TRUE(is_plain_text("a\tb\r\nc\f\v\x1b"));
    EXPECT_TRUE(is_plain_text("\xff\xfe\xe9"));
    EXPECT_FALSE(is_plain_text(std::string_view("a\0", 2)));
    EXPECT_FALSE(is_plain_text("\x01\x02\x03"));
    EXPECT_TRUE(is_plain_text(std::string(50, 'a') + "\x01"));
    EXPECT_FALSE(is_plain_text(std::string(40, 'a') + "\x01"));
}

TEST(Questions, Checked) {
    EXPECT_EQ(exit_of(check_question("What is it?", "q")), 0);
    EXPECT_EQ(exit_of(check_question("Что это?", "q")), 0);
    EXPECT_EQ(exit_of(check_question("two\nlines", "q")), 0);
    EXPECT_EQ(exit_of(check_question("", "q")), 3);
    EXPECT_EQ(exit_of(check_question(" \t\n", "q")), 3);
    EXPECT_EQ(exit_of(check_question("?!", "q")), 3);
    EXPECT_EQ(exit_of(check_question("bad \xff", "q")), 3);
    EXPECT_EQ(exit_of(check_question(std::string_view("a\0b", 3), "q")), 3);
    EXPECT_EQ(exit_of(check_question(std::string(kMaxQuestionBytes, 'a'), "q")), 0);
    EXPECT_EQ(exit_of(check_question(std::string(kMaxQuestionBytes + 1, 'a'), "q")), 3);
}

TEST(Questions, Lines) {
    EXPECT_EQ(split_question_lines("\xef\xbb\xbfone\r\n\n  \ntwo"), (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(split_question_lines("").empty());
}

class QuestionFiles : public ScratchTest {};

TEST_F(QuestionFiles, AskComesFirstAndUsualOnlyAlone) {
    put("usual", "usual?\n");
    put("file", "file?\n");
    RunOptions options;
    EXPECT_EQ(gather_questions(options, at("usual")).value(), std::vector<std::string>{"usual?"});
    options.questions = {"asked?"};
    EXPECT_EQ(gather_questions(options, at("usual")).value(), std::vector<std::string>{"asked?"});
    options.question_file = at("file");
    EXPECT_EQ(gather_questions(options, at("usual")).value(), (std::vector<std::string>{"asked?", "file?"}));
    put("file", "\n\n");
    EXPECT_EQ(exit_of(gather_questions(options, at("usual"))), 3);
    options.question_file = at("missing");
    EXPECT_EQ(exit_of(gather_questions(options, at("usual"))), 3);
}

} // namespace
} // namespace aios::host
