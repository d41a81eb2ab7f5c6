// Archives: what `tar` writes becomes the image that the folder itself becomes, however it is compressed; what an image cannot hold
// is refused or left out, and so is what is cut or changed; nothing leads out of the tree.
#include <format>
#include <fstream>

#include <sys/stat.h>

#include "tests/unit/host/made_tar.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/image/image.hpp"
#include "tools/aios/image/layer.hpp"
#include "tools/aios/image/pack.hpp"

namespace aios::host {
namespace {

namespace fs = std::filesystem;

class ArchiveTest : public ScratchTest {
protected:
    void SetUp() override {
        ScratchTest::SetUp();
        spool_.emplace(*Spool::create(16));
    }
    Outcome<std::uint64_t> apply(std::string_view bytes, Tree& tree, Whiteouts whiteouts = Whiteouts::are_names) {
        auto archive = Archive::open(bytes, "archive");
        if (!archive) return std::unexpected(archive.error());
        return apply_archive(*archive, tree, *spool_, whiteouts);
    }
    // The sentence of what refuses this, or nothing.
    std::string complaint(std::string_view bytes) {
        Tree tree;
        const auto done = apply(bytes, tree);
        return done ? "" : done.error().sentence;
    }
    std::string complaint(const std::vector<Piece>& pieces) { return complaint(made_tar(pieces)); }

    std::string image_of(const fs::path& source) {
        auto packed = pack_source(source, *spool_);
        EXPECT_TRUE(packed) << packed.error().sentence;
        if (!packed) return {};
        Bundle tree = std::move(packed->tree).bundle();
        const auto written = write_image(at("image"), tree);
        EXPECT_TRUE(written) << written.error().sentence;
        return get("image");
    }
    // Every path with its kind, and the contents or the target.
    static std::string told(Tree tree) {
        std::string all;
        for (const BundleEntry& entry : std::move(tree).bundle().entries) {
            all += entry.path;
            if (entry.kind == EntryKind::directory) all += '/';
            if (entry.kind == EntryKind::link) all += " -> " + entry.target;
            if (entry.kind == EntryKind::name) all += " = " + entry.target;
            if (entry.kind == EntryKind::file)
                all += ": " + (entry.stored ? read_stored(*entry.stored, 1 << 20).value_or("?") : entry.bytes);
            all += '\n';
        }
        return all;
    }

    std::optional<Spool> spool_;
};

void says(const std::string& sentence, std::string_view part) {
    EXPECT_NE(sentence.find(part), std::string::npos) << sentence << " has no " << part;
}

TEST_F(ArchiveTest, WhatTarWritesIsTheFolder) {
    const fs::path tree = at("tree");
    const std::string long_name(120, 'n'), longer = std::string(200, 'a') + "/" + std::string(200, 'b');
    put("tree/bin/tool", std::string(10'000, 't'));
    put("tree/note", "text");
    put("tree/" + long_name, "long");
    put("tree/" + longer, "longer");
    put("tree/nothing", "");
    put("tree/\xc3\xa4", "a name in UTF-8");
    fs::create_directories(tree / "empty");
    fs::create_hard_link(tree / "bin/tool", tree / "also");
    fs::create_symlink("../note", tree / "bin/link");
    fs::create_symlink(std::string(150, 'x'), tree / "dangling");
    chmod((tree / "bin/tool").c_str(), 06751);
    chmod((tree / "empty").c_str(), 01700);
    const std::string wanted = image_of(tree);
    const auto archived = [&](const std::vector<std::string>& how) {
        std::vector<std::string> command{"tar"};
        command.insert(command.end(), how.begin(), how.end());
        for (const std::string& word :
             {std::string("-C"), tree.native(), std::string("-cf"), at("made").native(), std::string(".")})
            command.push_back(word);
        const auto made = capture_process(command, std::chrono::minutes(1));
        EXPECT_EQ(made.status, 0) << made.err;
        return image_of(at("made"));
    };
    for (const std::string filter : {"--gzip", "--bzip2", "--xz", "--zstd", "--no-same-owner"})
        EXPECT_EQ(archived({"--format=pax", filter}), wanted) << filter;
    put("tree/hole", "");
    ASSERT_EQ(::truncate((tree / "hole").c_str(), 1'000'000), 0);
    const std::string sparse = image_of(tree);
    EXPECT_EQ(archived({"--format=pax", "--sparse"}), sparse);
    // An image is a source too.
    std::ofstream(at("first"), std::ios::binary) << wanted;
    EXPECT_EQ(image_of(at("first")), wanted);
    EXPECT_EQ(image_of(at("image")), wanted); // also the one that is written
}

TEST_F(ArchiveTest, EntriesAsTheyAreRead) {
    Tree tree;
    const auto left_out = apply(
        made_tar({{.name = "./", .type = '5', .mode = "0000700"},
                  {.name = "/d//./f", .contents = "text"},
                  {.name = "d", .type = '5', .mode = "0000711"},
                  {.name = "n", .type = '1', .target = "./d/f"},
                  {.name = "m", .type = '1', .target = "n"},
                  {.name = "twice", .contents = "one"},
                  {.name = "twice", .contents = "two"},
                  {.name = "tty", .type = '3'},
                  {.name = "pipe", .type = '6'},
                  {.name = "x", .type = 'x', .contents = pax_record("mtime", "5.25") + pax_record("path", "long/name")},
                  {.name = "cut", .type = '2', .target = "d/f"}}),
        tree);
    ASSERT_TRUE(left_out) << left_out.error().sentence;
    EXPECT_EQ(*left_out, 2u);
    EXPECT_EQ(tree.entry("")->mode, 0700);
    EXPECT_EQ(tree.entry("d")->mode, 0711);
    EXPECT_EQ(tree.entry("d/f")->modified_ns, 1'699'945'216'000'000'000u);
    EXPECT_EQ(tree.entry("long/name")->modified_ns, 5'250'000'000u);
    EXPECT_EQ(tree.entry("long")->mode, 0755); // which no entry names
    EXPECT_EQ(told(std::move(tree)), "/\nd/\nd/f: text\nlong/\nlong/name -> d/f\nm = d/f\nn = d/f\ntwice: two\n");
}

TEST_F(ArchiveTest, NothingLeadsOutOfTheTree) {
    says(complaint({{.name = "a/../b"}}), "'a/../b', which cannot be a path");
    says(complaint({{.name = "/../b"}}), "cannot be a path");
    says(complaint({{.name = "up", .type = '2', .target = "../../etc"}, {.name = "up/passwd"}}),
         "'up/passwd', which leads out of it");
    says(complaint(
             {{.name = "a", .type = '2', .target = "b"}, {.name = "b", .type = '2', .target = "a"}, {.name = "a/f"}}),
         "too many links");
    says(complaint({{.name = "f"}, {.name = "f/below"}}), "lies below a file");
    says(complaint({{.name = "n", .type = '1', .target = "none"}}), "does not come before");
    says(complaint({{.name = "n", .type = '1', .target = "../../etc/passwd"}}), "does not come before");
    says(complaint({{.name = "d", .type = '5'}, {.name = "n", .type = '1', .target = "d"}}), "does not come before");
    says(complaint({{.name = "./", .type = '2', .target = "x"}}), "root that is not a folder");
    // Links within the tree are where they lead, also absolute ones.
    Tree tree;
    ASSERT_TRUE(apply(made_tar({{.name = "usr/lib/", .type = '5'},
                                {.name = "lib", .type = '2', .target = "usr/lib"},
                                {.name = "deep/er/", .type = '5'},
                                {.name = "deep/er/abs", .type = '2', .target = "/usr"},
                                {.name = "deep/er/back", .type = '2', .target = "../../usr"},
                                {.name = "lib/one", .contents = "1"},
                                {.name = "deep/er/abs/lib/two", .contents = "2"},
                                {.name = "deep/er/back/three", .contents = "3"},
                                {.name = "outside", .type = '2', .target = "../../../etc/passwd"}}),
                      tree));
    EXPECT_EQ(told(std::move(tree)), "deep/\ndeep/er/\ndeep/er/abs -> /usr\ndeep/er/back -> ../../usr\nlib -> usr/lib\n"
                                     "outside -> ../../../etc/passwd\nusr/\nusr/lib/\nusr/lib/one: 1\nusr/lib/two: 2\n"
                                     "usr/three: 3\n");
}

TEST_F(ArchiveTest, ALayerTakesAway) {
    Tree tree;
    ASSERT_TRUE(apply(made_tar({{.name = "gone", .contents = "x"},
                                {.name = "dir/gone/deep", .contents = "x"},
                                {.name = "dir/stays", .contents = "s"},
                                {.name = "opaque/old/a", .contents = "x"},
                                {.name = "opaque/old-b", .contents = "x"},
                                {.name = "file", .contents = "x"},
                                {.name = "name", .type = '1', .target = "file"},
                                {.name = "folder/inside", .contents = "x"}}),
                      tree, Whiteouts::take_away));
    ASSERT_TRUE(apply(made_tar({{.name = "opaque/new", .contents = "n"},
                                {.name = "opaque/old/", .type = '5'},
                                {.name = "opaque/old/c", .contents = "c"},
                                {.name = "opaque/.wh..wh..opq"}, // whatever comes before it in its layer stays
                                {.name = ".wh.gone"},
                                {.name = "dir/.wh.gone"},
                                {.name = ".wh.file"}, // the file stays under its other name
                                {.name = ".wh.never"},
                                {.name = "dir/.wh..wh.plnk"},
                                {.name = "folder", .contents = "a file now"}}),
                      tree, Whiteouts::take_away));
    EXPECT_EQ(told(std::move(tree)),
              "dir/\ndir/stays: s\nfolder: a file now\nname: x\nopaque/\nopaque/new: n\nopaque/old/\n"
              "opaque/old/c: c\n");
    for (const char* name : {".wh.", "d/.wh..", ".wh...", ".wh..wh..opq/../x"}) {
        Tree other;
        EXPECT_FALSE(apply(made_tar({{.name = name}}), other, Whiteouts::take_away)) << name;
    }
    Tree plain; // an archive that is no layer has such names
    ASSERT_TRUE(apply(made_tar({{.name = ".wh.a"}}), plain));
    EXPECT_EQ(told(std::move(plain)), ".wh.a: \n");
}

TEST_F(ArchiveTest, WhatUnpacksToTooMuchIsRefused) {
    // 17 MiB of zeros, where 16 are allowed: as a file, as a hole, and behind a device.
    put("zeros", std::string(17 << 20, '\0'));
    const auto made =
        capture_process({"tar", "-C", at("").native(), "-czf", at("bomb").native(), "zeros"}, std::chrono::minutes(1));
    ASSERT_EQ(made.status, 0);
    EXPECT_LT(fs::file_size(at("bomb")), 100'000u);
    const auto refused = pack_source(at("bomb"), *spool_);
    ASSERT_FALSE(refused);
    says(refused.error().sentence,
         "more to unpack than 16 MiB; if that is meant, allow more by ./aios image pack --unpack-limit");
    spool_.emplace(*Spool::create(16));
    const std::string sparse = pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") +
                               pax_record("GNU.sparse.name", "hole") +
                               pax_record("GNU.sparse.realsize", "1000000000000");
    std::string map = "1\n999999999999\n1\n";
    map.resize(512);
    says(complaint({{.name = "x", .type = 'x', .contents = sparse}, {.name = "hole", .contents = map + "x"}}),
         "more to unpack");
    const auto twice = capture_process({"gzip", "-k", at("bomb").native()}, std::chrono::minutes(1));
    ASSERT_EQ(twice.status, 0);
    says(pack_source(at("bomb.gz"), *spool_).error().sentence, "compressed more than once");
}

TEST_F(ArchiveTest, WhatIsCutOrChangedIsRefused) {
    const std::string good = made_tar({{.name = "f", .contents = std::string(700, 'f')}, {.name = "g"}});
    ASSERT_EQ(complaint(good), "");
    // An archive may end without its end mark, but not within an entry.
    for (std::size_t bytes = 0; bytes < good.size() - 1024; ++bytes) {
        if (bytes % 512 == 0 && (bytes == 1536 || bytes == 2048)) continue;
        ASSERT_NE(complaint(std::string_view(good).substr(0, bytes)), "") << bytes;
    }
    for (std::size_t byte = 0; byte < 148; ++byte) {
        std::string changed = good;
        changed[byte] = static_cast<char>(changed[byte] + 1);
        EXPECT_NE(complaint(changed), "") << byte;
    }
    put("text", std::string(2000, 'x'));
    says(pack_source(at("text"), *spool_).error().sentence, "is no archive that can be read");
    put("nothing", "");
    says(pack_source(at("nothing"), *spool_).error().sentence, "is no archive that can be read");
}

} // namespace
} // namespace aios::host
