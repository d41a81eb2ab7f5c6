#include "tools/aios/input/documents.hpp"

#include <atomic>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/input/encoding.hpp"
#include "tools/aios/input/questions.hpp"

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
    EXPECT_EQ(found->list[2].bytes, "bad \xc3\xbf bytes");
    EXPECT_EQ(found->count(Skip::binary), 1u);
    EXPECT_EQ(found->count(Skip::link), 2u);
    EXPECT_EQ(found->count(Skip::special), 1u);
    EXPECT_EQ(found->total_bytes, 33u);
    std::vector<std::string> skipped;
    for (const auto& file : found->skipped)
        skipped.push_back(file.name + ": " + std::string(skip_reason(file.why)));
    EXPECT_EQ(skipped, (std::vector<std::string>{"binary: binary", "link: symbolic link", "loop: symbolic link",
                                                 "pipe: special file"}));
    ASSERT_EQ(found->converted.size(), 1u);
    EXPECT_EQ(found->converted[0].name, "bad\xff.txt");
    EXPECT_EQ(found->converted[0].from, "Latin-1");
    EXPECT_EQ(describe(*found), "5 documents (33 bytes); skipped: 1 binary file, 2 symbolic links, 1 special file; "
                                "converted to UTF-8: 1 file");
}

TEST_F(DocumentsTest, SkipsWhatIsTooLarge) {
    put("d/small", "text");
    put("d/large", "");
    std::filesystem::resize_file(at("d/large"), kMaxDocumentBytes + 1);
    const auto found = gather();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->list.size(), 1u);
    EXPECT_EQ(found->count(Skip::too_large), 1u);
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
    for (int i = 0; i < 17; ++i)
        put("d/" + std::to_string(i), piece);
    EXPECT_EQ(exit_of(gather()), 3);
}

TEST_F(DocumentsTest, DeepFoldersAreBounded) {
    std::filesystem::path deep = at("d");
    put("d/top", "text");
    for (int i = 0; i < 210; ++i)
        deep /= "x";
    std::filesystem::create_directories(deep);
    const auto found = gather();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->count(Skip::unreadable), 1u);
}

// Files come and go in a folder whose reading takes a while.
TEST_F(DocumentsTest, SaysThatTheFolderChanged) {
    put("d/a.txt", "text");
    std::string big(8 << 20, 'a');
    for (int i = 0; i < 8; ++i)
        put("d/sub/" + std::to_string(i), big);
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        for (int i = 0; !stop; ++i) {
            put("d/sub/new" + std::to_string(i % 4), "x");
            std::filesystem::remove(at("d/sub/new" + std::to_string((i + 2) % 4)));
        }
    });
    const auto found = gather();
    stop = true;
    writer.join();
    ASSERT_TRUE(found) << found.error().sentence;
    EXPECT_GE(found->count(Skip::changed), 1u);
    EXPECT_NE(describe(*found).find("the folder changed while it was read"), std::string::npos) << describe(*found);
}

TEST(Encoding, IsGuessedAndConverted) {
    using namespace std::string_view_literals;
    const auto read = [](std::string_view bytes) { return convert_to_utf8(bytes, guess_encoding(bytes)); };
    EXPECT_EQ(read("plain"), "plain");
    EXPECT_EQ(read("caf\xc3\xa9"), "caf\xc3\xa9");
    EXPECT_EQ(read("caf\xe9 \x80"), "caf\xc3\xa9 \xe2\x82\xac");
    // One good character of UTF-8: it is UTF-8 with damage, and stays.
    EXPECT_EQ(read("caf\xc3\xa9 \xff"), "caf\xc3\xa9 \xff");
    EXPECT_EQ(read("\xff\xfeh\0i\0\xac\x20"sv), "hi\xe2\x82\xac");
    EXPECT_EQ(read("\xfe\xff\0h\0i\xd8\x3d\xde\x00"sv), "hi\xf0\x9f\x98\x80");
    EXPECT_EQ(read("\xff\xfeh\0\x3d\xd8"sv), "h\xef\xbf\xbd"); // half a pair
    EXPECT_EQ(guess_encoding("h\0e\0l\0l\0o\0"sv), Encoding::utf16_little);
    EXPECT_EQ(guess_encoding("\0h\0e\0l\0l\0o"sv), Encoding::utf16_big);
    EXPECT_EQ(guess_encoding("\x7f"
                             "ELF\0\0\0walrus"sv),
              Encoding::as_it_is);
    EXPECT_EQ(guess_encoding("\0\0\0\0"sv), Encoding::as_it_is);
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
