// Archives: what `tar` writes becomes the image that the folder itself becomes; what an image cannot hold is refused, and so is
// what is cut or changed.
#include "tools/aios/image/tar.hpp"

#include <algorithm>
#include <cstring>
#include <format>
#include <fstream>

#include <sys/stat.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/image/image.hpp"
#include "tools/aios/image/pack.hpp"

namespace aios::host {
namespace {

namespace fs = std::filesystem;

// A header with its contents, as POSIX has it.
struct Piece {
    std::string name;
    char type = '0';
    std::string contents = {};
    std::string target = {};
    std::string modified = "14524615400"; // 1,699,945,216
    std::string mode = "0000644";
    std::string size = {}; // unless given: that of the contents
};
std::string header(const Piece& piece) {
    std::string block(512, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { text.copy(block.data() + at, text.size()); };
    put(0, piece.name);
    put(100, piece.mode);
    put(124, piece.size.empty() ? std::format("{:011o}", piece.contents.size()) : piece.size);
    put(136, piece.modified);
    block[156] = piece.type;
    put(157, piece.target);
    put(257, std::string_view("ustar\00000", 8));
    put(148, "        ");
    unsigned sum = 0;
    for (const char byte : block)
        sum += static_cast<unsigned char>(byte);
    put(148, std::format("{:06o}", sum));
    block[154] = '\0';
    return block;
}
std::string archive(const std::vector<Piece>& pieces) {
    std::string all;
    for (const Piece& piece : pieces) {
        all += header(piece) + piece.contents;
        all.resize((all.size() + 511) / 512 * 512);
    }
    return all + std::string(1024, '\0');
}
std::string record(std::string_view key, std::string_view value) {
    std::size_t length = key.size() + value.size() + 3;
    length += std::to_string(length + std::to_string(length).size()).size();
    return std::format("{} {}={}\n", length, key, value);
}
std::string complaint(std::string_view bytes) {
    const auto read = read_tar(bytes, "archive");
    return read ? "" : read.error().sentence;
}
std::string complaint(const std::vector<Piece>& pieces) { return complaint(archive(pieces)); }

class TarTest : public ScratchTest {
protected:
    std::string image_of(const fs::path& source) {
        auto bundle = pack_source(source);
        EXPECT_TRUE(bundle) << bundle.error().sentence;
        if (!bundle) return {};
        EXPECT_TRUE(write_image(at("image"), *bundle));
        return get("image");
    }
};

TEST_F(TarTest, WhatTarWritesIsTheFolder) {
    const fs::path tree = at("tree");
    const std::string long_name(120, 'n'), longer = std::string(200, 'a') + "/" + std::string(200, 'b');
    put("tree/bin/tool", std::string(10'000, 't'));
    put("tree/note", "text");
    put("tree/" + long_name, "long");
    put("tree/" + longer, "longer");
    put("tree/nothing", "");
    fs::create_directories(tree / "empty");
    fs::create_hard_link(tree / "bin/tool", tree / "also");
    fs::create_symlink("../note", tree / "bin/link");
    fs::create_symlink(std::string(150, 'x'), tree / "dangling");
    chmod((tree / "bin/tool").c_str(), 06751);
    chmod((tree / "empty").c_str(), 01700);
    const auto pack = [&](const std::string& format) {
        const auto made = capture_process(
            {"tar", "--format=" + format, "-C", tree.native(), "-cf", at(format + ".tar").native(), "."},
            std::chrono::minutes(1));
        ASSERT_EQ(made.status, 0) << made.err;
    };
    pack("pax");
    EXPECT_EQ(image_of(at("pax.tar")), image_of(tree));
    pack("gnu"); // whole seconds
    const auto whole_seconds = [](Bundle bundle) {
        for (BundleEntry& entry : bundle.entries)
            entry.modified_ns -= entry.modified_ns % 1'000'000'000;
        return bundle;
    };
    auto folder = pack_folder(tree);
    ASSERT_TRUE(folder);
    Bundle rounded = whole_seconds(std::move(*folder));
    ASSERT_TRUE(write_image(at("rounded"), rounded));
    EXPECT_EQ(image_of(at("gnu.tar")), get("rounded"));
    put("text", std::string(2000, 'x'));
    EXPECT_EQ(exit_of(pack_source(at("text"))), 3);
}

TEST_F(TarTest, EntriesAsTheyAreRead) {
    const auto bundle =
        read_tar(archive({{.name = "./", .type = '5', .mode = "0000700"},
                          {.name = "/d//./f", .contents = "text"},
                          {.name = "d", .type = '5', .mode = "0000711"},
                          {.name = "n", .type = '1', .target = "./d/f"},
                          {.name = "m", .type = '1', .target = "n"},
                          {.name = "old/", .type = '\0'},
                          {.name = "d/", .type = '5', .mode = "0001755"},
                          {.name = "x", .type = 'x', .contents = record("mtime", "5.25") + record("path", "long/name")},
                          {.name = "cut", .type = '2', .target = "d/f"}}),
                 "archive");
    ASSERT_TRUE(bundle) << bundle.error().sentence;
    const auto& entries = bundle->entries;
    ASSERT_EQ(entries.size(), 7u);
    EXPECT_EQ(entries[0].path, "");
    EXPECT_EQ(entries[0].mode, 0700);
    EXPECT_EQ(entries[1].path, "d/f");
    EXPECT_EQ(entries[1].bytes, "text");
    EXPECT_EQ(entries[1].modified_ns, 1'699'945'216'000'000'000u);
    EXPECT_EQ(entries[2].mode, 01755); // as it was written last
    EXPECT_EQ(entries[3].target, "d/f");
    EXPECT_EQ(entries[4].target, "d/f");
    EXPECT_EQ(entries[5].path, "old");
    EXPECT_EQ(entries[5].kind, EntryKind::directory);
    EXPECT_EQ(entries[6].path, "long/name");
    EXPECT_EQ(entries[6].target, "d/f");
    EXPECT_EQ(entries[6].modified_ns, 5'250'000'000u);
}

TEST_F(TarTest, WhatAnImageCannotHoldIsNamed) {
    const auto says = [](const std::string& sentence, std::string_view part) {
        EXPECT_NE(sentence.find(part), std::string::npos) << sentence << " has no " << part;
    };
    for (const char type : {'3', '4', '6', 'S', 'V', 'M'})
        says(complaint({{.name = "odd", .type = type}}), "'odd', which is neither");
    says(complaint({{.name = "a/../b"}}), "cannot be a path");
    says(complaint({{.name = std::string(99, 'a') + "/"}, {.name = "f"}, {.name = "f"}}), "'f' twice");
    says(complaint({{.name = "./"}, {.name = "./", .type = '2', .target = "x"}}), "root that is not a folder");
    says(complaint({{.name = "n", .type = '1', .target = "none"}}), "does not come before");
    says(complaint({{.name = "f"}, {.name = "n", .type = '1', .contents = "x", .target = "f"}}), "contents beside");
    says(complaint({{.name = "f", .modified = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}}), "mode or time");
    says(complaint({{.name = "f", .mode = "0000689"}}), "mode or time");
    says(complaint({{.name = "f", .size = "x"}}), "size that is no number");
    says(complaint({{.name = "x", .type = 'x', .contents = record("mtime", "-5")}, {.name = "f"}}), "cannot say, '-5'");
    says(complaint({{.name = "x", .type = 'x', .contents = record("size", "1e3")}, {.name = "f"}}),
         "size that is no number");
    says(complaint({{.name = "x", .type = 'x', .contents = record("GNU.sparse.major", "1")}, {.name = "f"}}), "holes");
    for (const char* records : {"x", "5 a=b\n", "7 a=b\n", "99 a=b\n", "6 a=b", "6 abb\n", "0 a=b\n", " 6 a=b\n"})
        says(complaint({{.name = "x", .type = 'x', .contents = records}, {.name = "f"}}),
             "extended header that is none");
}

TEST_F(TarTest, WhatIsCutOrChangedIsRefused) {
    const std::string good = archive({{.name = "f", .contents = std::string(700, 'f')}, {.name = "g"}});
    ASSERT_EQ(complaint(good), "");
    for (std::size_t bytes = 0; bytes < good.size() - 512; ++bytes)
        ASSERT_NE(complaint(std::string_view(good).substr(0, bytes)), "") << bytes;
    for (std::size_t byte = 0; byte < 512; ++byte) {
        std::string changed = good;
        changed[byte] = static_cast<char>(changed[byte] + 1);
        if (byte >= 154 && byte < 156) continue; // behind the digits of the checksum, which does not count itself
        EXPECT_NE(complaint(changed), "") << byte;
    }
    EXPECT_NE(complaint(good + "x").find("behind its end"), std::string::npos);
}

} // namespace
} // namespace aios::host
