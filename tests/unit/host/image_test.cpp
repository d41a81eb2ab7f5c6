// Images: a folder becomes an image and is found in it; the same tree gives the same bytes; one wrong bit anywhere is found.
#include "tools/aios/image/image.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/image/pack.hpp"

namespace aios::host {
namespace {

namespace fs = std::filesystem;
using boot::ManifestKind;
using boot::ManifestTable;

void set_time(const fs::path& path, long seconds, long nanoseconds) {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

class ImageTest : public ScratchTest {
protected:
    // A folder with one of everything; `order` is that of making, which must not matter.
    fs::path make_tree(const std::string& name, bool reversed) {
        const fs::path tree = at(name);
        fs::create_directories(tree / "bin");
        fs::create_directories(tree / "empty");
        std::vector<std::string> files = {"bin/tool", "bin-x", "note"};
        if (reversed) std::ranges::reverse(files);
        for (const std::string& file : files)
            std::ofstream(tree / file) << std::string(file == "bin/tool" ? 10'000 : 5, file[0]);
        fs::create_hard_link(tree / "bin/tool", tree / "also");
        fs::create_symlink("../note", tree / "bin/link");
        chmod((tree / "bin/tool").c_str(), 04751);
        chmod((tree / "bin-x").c_str(), 0640);
        chmod((tree / "note").c_str(), 0444);
        chmod((tree / "empty").c_str(), 01777);
        chmod((tree / "bin").c_str(), 0755);
        chmod(tree.c_str(), 0700);
        long time = 1'700'000'000;
        for (const char* path : {"bin/tool", "bin-x", "note", "bin/link", "empty", "bin", "."})
            set_time(tree / path, ++time, 123'456'789);
        return tree;
    }
    std::string pack(const fs::path& tree, const std::string& file) {
        auto bundle = pack_folder(tree);
        EXPECT_TRUE(bundle) << bundle.error().sentence;
        EXPECT_TRUE(write_image(at(file), *bundle));
        return get(file);
    }
    // The sentence of what refuses these bytes, or nothing.
    std::string complaint(const std::string& bytes) {
        put("changed", bytes);
        const auto image = Image::open(at("changed"));
        if (!image) return image.error().sentence;
        const auto verified = image->verify();
        return verified ? "" : verified.error().sentence;
    }
};

TEST_F(ImageTest, AFolderIsFoundInItsImage) {
    const std::string bytes = pack(make_tree("tree", false), "image");
    const auto image = Image::open(at("image"));
    ASSERT_TRUE(image) << image.error().sentence;
    ASSERT_TRUE(image->verify());
    const ManifestTable& table = image->table();
    std::map<std::string, const boot::ManifestNode*> nodes;
    for (std::uint32_t i = 0; i < table.count(); ++i)
        nodes[std::string(table.path(i))] = &table.node(i);
    ASSERT_EQ(nodes.size(), 8u);
    EXPECT_EQ(ManifestTable::mode(*nodes[""]), 0700u);
    EXPECT_EQ(ManifestTable::mode(*nodes["empty"]), 01777u);
    EXPECT_EQ(ManifestTable::kind(*nodes["empty"]), ManifestKind::directory);
    EXPECT_EQ(ManifestTable::kind(*nodes["also"]), ManifestKind::file); // the first of the two names
    EXPECT_EQ(ManifestTable::mode(*nodes["also"]), 04751u);
    EXPECT_EQ(nodes["also"]->bytes, 10'000u);
    EXPECT_EQ(nodes["also"]->names, 2u);
    EXPECT_EQ(nodes["also"]->modified_ns, 1'700'000'001'123'456'789u);
    EXPECT_EQ(ManifestTable::kind(*nodes["bin/tool"]), ManifestKind::name);
    EXPECT_EQ(ManifestTable::kind(*nodes["bin/link"]), ManifestKind::link);
    EXPECT_EQ(table.target(table.lower_bound("bin/link")), "../note");
    EXPECT_EQ(nodes["bin/link"]->modified_ns, 1'700'000'004'123'456'789u);
    EXPECT_EQ(ManifestTable::mode(*nodes["bin-x"]), 0640u);
}

TEST_F(ImageTest, TheSameTreeIsTheSameImage) {
    EXPECT_EQ(pack(make_tree("one", false), "image1"), pack(make_tree("two", true), "image2"));
    set_time(at("two") / "note", 5, 0);
    EXPECT_NE(get("image1"), pack(at("two"), "image3"));
}

// Every byte of a small image; then the ends.
TEST_F(ImageTest, EveryChangedByteIsFound) {
    const fs::path tree = at("small");
    fs::create_directories(tree / "d");
    std::ofstream(tree / "d/a") << std::string(4097, 'a');
    std::ofstream(tree / "b") << "b";
    fs::create_symlink("d/a", tree / "l");
    const std::string good = pack(tree, "image");
    ASSERT_EQ(complaint(good), "");
    for (std::size_t byte = 0; byte < good.size(); byte += byte % 4096 < 600 || byte % 4096 > 4080 ? 1 : 61) {
        std::string changed = good;
        changed[byte] = static_cast<char>(changed[byte] ^ 1 << byte % 8);
        ASSERT_NE(complaint(changed), "") << byte;
    }
    EXPECT_NE(complaint(good.substr(0, good.size() - 1)).find("cut off"), std::string::npos);
    EXPECT_NE(complaint(good.substr(0, 100)).find("cut off"), std::string::npos);
    EXPECT_NE(complaint(good + "x").find("behind its end"), std::string::npos);
    EXPECT_NE(complaint("").find("not an image"), std::string::npos);
    EXPECT_NE(complaint(std::string(10'000, 'x')).find("is not an image"), std::string::npos);
}

TEST_F(ImageTest, DamageIsNamed) {
    const fs::path tree = at("named");
    fs::create_directories(tree);
    std::ofstream(tree / "file") << std::string(3 * 4096, 'f');
    const std::string good = pack(tree, "image");
    const auto at_data = good.find(std::string(4096, 'f'));
    ASSERT_NE(at_data, std::string::npos);
    std::string changed = good;
    changed[at_data + 4096 + 7] ^= 1;
    EXPECT_NE(complaint(changed).find("page 1 of 'file' does not match"), std::string::npos) << complaint(changed);
}

TEST_F(ImageTest, WhatCannotBeInAnImageIsNamed) {
    const auto sentence = [&](const fs::path& tree) {
        const auto packed = pack_folder(tree);
        EXPECT_EQ(exit_of(packed), 3);
        return packed ? std::string() : packed.error().sentence;
    };
    EXPECT_NE(sentence(at("nowhere")).find("No such file"), std::string::npos);
    put("file", "text");
    EXPECT_NE(sentence(at("file")).find("is not a folder"), std::string::npos);
    fs::create_directories(at("pipe"));
    ASSERT_EQ(mkfifo((at("pipe") / "fifo").c_str(), 0600), 0);
    EXPECT_NE(sentence(at("pipe")).find("fifo' is neither a file nor a folder nor a link"), std::string::npos);
    fs::create_directories(at("old"));
    std::ofstream(at("old") / "grandfather") << "x";
    set_time(at("old") / "grandfather", -5, 0);
    EXPECT_NE(sentence(at("old")).find("before 1970"), std::string::npos);
    fs::path deep = at("deep");
    for (int i = 0; i < 5; ++i)
        deep /= std::string(250, 'd');
    fs::create_directories(deep);
    EXPECT_NE(sentence(at("deep")).find("more than 1024 bytes"), std::string::npos);
}

} // namespace
} // namespace aios::host
