// The public tests of the Cedar project, where the shared folder has them: the hand-written ones, and every tenth of
// the generated ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/support/json.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/policy/public_test.hpp"

namespace {

namespace fs = std::filesystem;
using aios::test::shared_folder;

std::vector<fs::path> tests_below(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".json" && !entry.path().string().ends_with(".entities.json"))
            files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

void expect_all(const std::vector<fs::path>& files, std::size_t step) {
    std::size_t requests = 0;
    for (std::size_t i = 0; i < files.size(); i += step) {
        const auto result = aios::host::run_public_test(files[i]);
        ASSERT_TRUE(result.has_value()) << result.error().sentence;
        EXPECT_EQ(result->difference, "") << files[i];
        requests += result->requests;
    }
    EXPECT_GE(requests, files.size() / step);
}

TEST(PolicyPublic, HandWritten) {
    const fs::path folder = fs::path(shared_folder()) / "cedar" / "tests";
    if (!fs::is_directory(folder)) GTEST_SKIP() << "the shared folder has no cedar/tests";
    const auto files = tests_below(folder);
    EXPECT_GE(files.size(), 20u);
    expect_all(files, 1);
}

TEST(PolicyPublic, Generated) {
    const fs::path archive = fs::path(shared_folder()) / "cedar" / "corpus.tar.gz";
    if (!fs::is_regular_file(archive)) GTEST_SKIP() << "the shared folder has no cedar/corpus.tar.gz";
    const auto scratch = aios::host::Scratch::create();
    ASSERT_TRUE(scratch.has_value());
    ASSERT_EQ(std::system(("tar -xzf '" + archive.string() + "' -C '" + scratch->path().string() + "'").c_str()), 0);
    const auto files = tests_below(scratch->path());
    EXPECT_GE(files.size(), 5000u);
    expect_all(files, 10);
}

} // namespace
