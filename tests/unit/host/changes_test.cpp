// What a program changed, put into a folder of this machine: whatever the program's names are, nothing is written beside it.
#include <sys/stat.h>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/linux/changes.hpp"

namespace aios::host {
namespace {

namespace view = messages::view;

class ChangesTest : public ScratchTest {
protected:
    void SetUp() override {
        ScratchTest::SetUp();
        auto made = Changes::create(folder());
        ASSERT_TRUE(made.has_value()) << made.error().sentence;
        changes_.emplace(std::move(*made));
    }
    [[nodiscard]] std::filesystem::path folder() const { return at("out"); }
    Outcome<> take(std::string_view path, ChangeKind kind, std::uint64_t size = 0, std::string_view target = {}) {
        return changes_->take(view::ProgramChange{.path = as_bytes(path),
                                                  .kind = static_cast<std::uint64_t>(kind),
                                                  .mode = 0640,
                                                  .modified_ns = 1'000'000'000ull * 1'000'000,
                                                  .size = size,
                                                  .target = as_bytes(target)});
    }
    Outcome<> data(std::string_view bytes) { return changes_->take(view::ProgramData{.data = as_bytes(bytes)}); }
    [[nodiscard]] std::string text(std::string_view name) const { return get("out/" + std::string(name)); }
    std::optional<Changes> changes_;
};

TEST_F(ChangesTest, FilesLinksDirectoriesAndWhatIsGone) {
    ASSERT_TRUE(take("/work/a", ChangeKind::file, 6));
    ASSERT_TRUE(data("abc"));
    ASSERT_TRUE(data("def"));
    ASSERT_TRUE(take("/work/empty", ChangeKind::file));
    ASSERT_TRUE(take("/work/link", ChangeKind::link, 0, "../anywhere"));
    ASSERT_TRUE(take("/work/dir", ChangeKind::directory));
    ASSERT_TRUE(take("/work/dir/inside", ChangeKind::file, 1));
    ASSERT_TRUE(data("x"));
    ASSERT_TRUE(take("/work/gone", ChangeKind::removed));
    ASSERT_TRUE(changes_->finish(false));
    EXPECT_EQ(text("work/a"), "abcdef");
    EXPECT_EQ(text("work/empty"), "");
    EXPECT_EQ(text("work/dir/inside"), "x");
    EXPECT_EQ(std::filesystem::read_symlink(folder() / "work/link"), "../anywhere");
    EXPECT_TRUE(std::filesystem::exists(folder() / "work/.wh.gone"));
    struct stat facts{};
    ASSERT_EQ(::stat((folder() / "work/dir").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0640u);
    EXPECT_EQ(facts.st_mtime, 1'000'000);
}

TEST_F(ChangesTest, NothingIsWrittenBesideTheFolder) {
    for (const std::string_view path : {"relative", "/", "", "/../x", "/a/../../x", "/a/./x", "/a//x", "/a/"})
        EXPECT_FALSE(take(path, ChangeKind::file)) << path;
    // A link of the program's own is not gone through.
    ASSERT_TRUE(take("/way", ChangeKind::link, 0, at(".").native()));
    EXPECT_FALSE(take("/way/x", ChangeKind::file));
    EXPECT_FALSE(take("/way", ChangeKind::file));
    EXPECT_FALSE(std::filesystem::exists(at("x")));
    EXPECT_FALSE(take("/odd", static_cast<ChangeKind>(9)));
}

TEST_F(ChangesTest, SizesAreKept) {
    EXPECT_FALSE(data("nothing was told"));
    ASSERT_TRUE(take("/a", ChangeKind::file, 3));
    EXPECT_FALSE(data("more"));
    ASSERT_TRUE(data("ab"));
    EXPECT_FALSE(take("/b", ChangeKind::file)); // one byte of the first is missing
}

// Holes are holes here too, and what was cut off is not taken for a mistake of the runner's.
TEST_F(ChangesTest, HolesAndCuts) {
    const std::string zeros(1 << 16, '\0');
    ASSERT_TRUE(take("/holes", ChangeKind::file, 3 * zeros.size() + 1));
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(data(zeros));
    ASSERT_TRUE(data("x"));
    ASSERT_TRUE(take("/all", ChangeKind::file, zeros.size()));
    ASSERT_TRUE(data(zeros));
    ASSERT_TRUE(take("/cut", ChangeKind::file, 10));
    ASSERT_TRUE(data("12345"));
    ASSERT_TRUE(changes_->finish(true));
    EXPECT_EQ(text("holes"), zeros + zeros + zeros + "x");
    EXPECT_EQ(text("all"), zeros);
    EXPECT_EQ(text("cut").substr(0, 5), "12345");
    struct stat facts{};
    ASSERT_EQ(::stat((folder() / "all").c_str(), &facts), 0);
    EXPECT_LT(facts.st_blocks * 512, 1 << 15);
}

// A name that would say that something is gone is passed over, and what comes of it too; the rest goes on.
TEST_F(ChangesTest, NamesOfMarks) {
    ASSERT_TRUE(take("/.wh.kept", ChangeKind::file, 4));
    ASSERT_TRUE(data("mark"));
    ASSERT_TRUE(take("/" + std::string(253, 'n'), ChangeKind::removed)); // its mark is too long a name
    ASSERT_TRUE(take("/after", ChangeKind::file, 1));
    ASSERT_TRUE(data("y"));
    ASSERT_TRUE(changes_->finish(false));
    EXPECT_FALSE(std::filesystem::exists(folder() / ".wh.kept"));
    EXPECT_EQ(text("after"), "y");
}

TEST_F(ChangesTest, TheFolderIsEmptyAtFirst) {
    ASSERT_TRUE(take("/x", ChangeKind::file));
    EXPECT_FALSE(Changes::create(folder()));
    EXPECT_FALSE(Changes::create(folder() / "x")); // a file
    EXPECT_TRUE(Changes::create(at("new/and/deep")));
}

} // namespace
} // namespace aios::host
