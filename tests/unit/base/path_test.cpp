#include <gtest/gtest.h>

#include <string>

#include "base/path.hpp"

namespace aios {
namespace {

TEST(Path, Forms) {
    for (const char* good : {"a", "a/b", "a/b.c/d", "...", "a/.hidden", "a b/\xff\n"})
        EXPECT_TRUE(is_path(good)) << good;
    for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/../b", "./a"})
        EXPECT_FALSE(is_path(bad)) << bad;
    EXPECT_FALSE(is_path(std::string_view("a\0b", 3)));
    EXPECT_TRUE(is_path(std::string(255, 'x')));
    EXPECT_FALSE(is_path(std::string(256, 'x')));
    std::string longest;
    while (longest.size() < kMaxPathBytes)
        longest += "abc/";
    longest.pop_back();
    EXPECT_TRUE(is_path(longest));
    EXPECT_FALSE(is_path(longest + "/a/b"));
}

TEST(Path, Splitting) {
    EXPECT_EQ(split_last("c").directory, "");
    EXPECT_EQ(split_last("c").name, "c");
    EXPECT_EQ(split_last("a/b/c").directory, "a/b");
    EXPECT_EQ(split_last("a/b/c").name, "c");
    PathWalker walker("a/bb/c");
    EXPECT_EQ(walker.next(), "a");
    EXPECT_EQ(walker.next(), "bb");
    EXPECT_FALSE(walker.at_end());
    EXPECT_EQ(walker.next(), "c");
    EXPECT_TRUE(walker.at_end());
}

} // namespace
} // namespace aios
