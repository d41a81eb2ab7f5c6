// Scratch folders that their owner could not remove, and what an accelerator that failed leaves behind.
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/machine/accelerator.hpp"

namespace aios::host {
namespace {

// Environment of one test: TMPDIR is a folder of its own.
class ScratchFolders : public ScratchTest {
protected:
    void SetUp() override {
        ScratchTest::SetUp();
        std::filesystem::create_directory(at("tmp"));
        ::setenv("TMPDIR", at("tmp").c_str(), 1);
    }
    void TearDown() override { ::unsetenv("TMPDIR"); }
    [[nodiscard]] std::size_t count() const {
        std::size_t entries = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(at("tmp")))
            ++entries;
        return entries;
    }
};

TEST_F(ScratchFolders, OfAKilledRunAreSweptByTheNext) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        auto scratch = Scratch::create();
        static_cast<void>(::write(ends[1], "x", 1));
        while (true)
            ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    {
        const auto beside = Scratch::create();
        ASSERT_TRUE(beside);
        EXPECT_EQ(count(), 2u); // the owner lives: its folder stays
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_EQ(count(), 1u);
    const auto next = Scratch::create();
    ASSERT_TRUE(next);
    EXPECT_EQ(count(), 1u);
}

TEST_F(ScratchFolders, NothingElseIsSwept) {
    put("tmp/aios.backup/precious", "data"); // looks like one, and is not
    put("tmp/other/.aios-scratch", "");
    std::filesystem::create_directory_symlink(at("tmp/other"), at("tmp/aios.link"));
    EXPECT_EQ(sweep_scratch(at("tmp")), 0u);
    EXPECT_EQ(count(), 3u);
    EXPECT_EQ(get("tmp/aios.backup/precious"), "data");
    EXPECT_EQ(sweep_scratch(at("nowhere")), 0u);
}

class AcceleratorMemory : public ScratchTest {};

TEST_F(AcceleratorMemory, HoldsForThisKernelAlone) {
    put("kernel", "one");
    EXPECT_FALSE(remembered_failure(at("memory"), at("kernel")));
    remember_failure(at("memory"), at("kernel"), "a guest under KVM ended with status 134");
    EXPECT_EQ(remembered_failure(at("memory"), at("kernel")), "a guest under KVM ended with status 134");
    put("kernel", "another");
    EXPECT_FALSE(remembered_failure(at("memory"), at("kernel")));
    put("memory", "junk");
    EXPECT_FALSE(remembered_failure(at("memory"), at("kernel")));
}

} // namespace
} // namespace aios::host
