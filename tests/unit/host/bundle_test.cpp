// The container is read back by a reader of its own, which follows boot/container.hpp step by step.
#include "tools/aios/input/bundle.hpp"

#include <cstring>
#include <map>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "boot/container.hpp"
#include "boot/manifest.hpp"
#include "crypto/merkle.hpp"
#include "tests/unit/host/support.hpp"

namespace aios::host {
namespace {

struct ReadEntry {
    std::string bytes; // of a file or link
    boot::ManifestKind kind;
    unsigned mode;
    std::uint64_t modified_ns;
    std::string file; // of a name: what it is a name of
    std::uint32_t names;
    bool operator==(const ReadEntry&) const = default;
};

struct ReadSection {
    std::map<std::string, ReadEntry> entries;
    std::string first;
};

// Throws std::string where the container is not as written down; gtest shows it.
void require(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(what);
}

ReadSection read_section(std::string_view file, const boot::ContainerSection& section) {
    require(section.manifest_offset % kPageBytes == 0 && section.leaves_offset % kPageBytes == 0 &&
                section.data_offset % kPageBytes == 0,
            "alignment");
    const std::string_view manifest = file.substr(section.manifest_offset, section.manifest_bytes);
    const crypto::MerkleHash head = crypto::page_tree_root(as_bytes(manifest));
    require(std::memcmp(head.data(), section.manifest_root, 32) == 0, "manifest root");
    std::vector<crypto::MerkleHash> leaves(section.data_pages);
    file.substr(section.leaves_offset).copy(static_cast<char*>(static_cast<void*>(leaves.data())), leaves.size() * 32);
    require(file.size() >= section.data_offset + section.data_pages * kPageBytes, "data in the file");

    boot::ManifestHeader header;
    require(manifest.size() >= sizeof header, "manifest header");
    std::memcpy(&header, manifest.data(), sizeof header);
    require(std::string_view(header.magic, 8) == "AIOSMAN2" && header.data_pages == section.data_pages, "manifest");
    require(manifest.size() == sizeof header + 64 * std::size_t{header.nodes} + header.text_bytes, "manifest size");
    const std::string_view text = manifest.substr(manifest.size() - header.text_bytes);
    ReadSection read;
    std::vector<std::string> paths;
    std::size_t next_page = 0, next_text = 0;
    for (std::uint32_t i = 0; i < header.nodes; ++i) {
        boot::ManifestNode node;
        std::memcpy(&node, manifest.data() + sizeof header + 64 * std::size_t{i}, sizeof node);
        require(node.text == next_text, "text");
        const std::string path(text.substr(node.text, node.path_bytes));
        require(i == 0 ? path.empty() : paths.back() < path, "order of paths");
        next_text += node.path_bytes;
        ReadEntry& entry = read.entries[path];
        entry = {{},
                 static_cast<boot::ManifestKind>(node.kind_and_mode >> 12),
                 node.kind_and_mode & 07777u,
                 node.modified_ns,
                 {},
                 node.names};
        if (entry.kind == boot::ManifestKind::link) {
            entry.bytes = text.substr(next_text, node.bytes);
            next_text += node.bytes;
        } else if (entry.kind == boot::ManifestKind::name) {
            entry.file = paths.at(node.first);
        } else if (entry.kind == boot::ManifestKind::file) {
            require(node.first == next_page, "pages follow each other");
            const std::uint64_t count = crypto::page_tree_leaves(node.bytes);
            next_page += count;
            const std::string_view data = file.substr(section.data_offset + node.first * kPageBytes, node.bytes);
            require(data.size() == node.bytes, "file in the container");
            const crypto::MerkleHash root = crypto::page_tree_root(as_bytes(data));
            require(std::memcmp(root.data(), node.root, 32) == 0, "root over the contents");
            require(crypto::merkle_root(std::span(leaves).subspan(node.first, count)) == root, "root over the leaves");
            entry.bytes = data;
        }
        paths.push_back(path);
    }
    require(next_page == section.data_pages && next_text == text.size(), "whole text and all pages");
    if (header.first_program != boot::kNoProgram) read.first = paths.at(header.first_program);
    return read;
}

class BundleTest : public ScratchTest {
protected:
    std::vector<ReadSection> write_and_read(Bundle boot, Bundle job) {
        const auto bytes = write_container(at("container"), boot, job);
        require(bytes.has_value(), "write_container");
        const std::string file = get("container");
        require(file.size() == *bytes, "size");
        boot::ContainerHeader header;
        std::memcpy(&header, file.data(), sizeof header);
        require(std::memcmp(header.magic, boot::kContainerMagic, 8) == 0, "magic");
        require(header.version == 2 && header.section_count == 2 && header.total_bytes == file.size(), "header");
        return {read_section(file, header.sections[0]), read_section(file, header.sections[1])};
    }
};

TEST_F(BundleTest, ReadsBackWhole) {
    const std::string pages(3 * kPageBytes + 17, 'p');
    Bundle boot{{{"bin/initd", pages, true}, {"etc/empty", "", false}, {"a", std::string(kPageBytes, 'q'), false}},
                "bin/initd"};
    Documents documents;
    documents.list = {{"one.txt", "1\r\n"}, {"sub/two.txt", "two"}};
    auto job = make_job(documents.list, {"What?", "Who?"});
    ASSERT_TRUE(job);
    const auto sections = write_and_read(std::move(boot), std::move(job->bundle));
    EXPECT_EQ(sections[0].first, "bin/initd");
    EXPECT_EQ(sections[0].entries.at("bin/initd").bytes, pages);
    EXPECT_EQ(sections[0].entries.at("bin/initd").mode, 0555u);
    EXPECT_EQ(sections[0].entries.at("bin").kind, boot::ManifestKind::directory);
    EXPECT_EQ(sections[0].entries.at("etc/empty").bytes, "");
    EXPECT_EQ(sections[0].entries.at("a").mode, 0444u);
    EXPECT_EQ(sections[1].first, "");
    EXPECT_EQ(sections[1].entries.at("docs/one.txt").bytes, "1\r\n");
    EXPECT_EQ(sections[1].entries.at("docs/sub/two.txt").bytes, "two");
    EXPECT_EQ(sections[1].entries.at("questions/000001").bytes, "Who?");
    EXPECT_EQ(sections[1].entries.size(), 5u + 4); // "", docs, docs/sub, questions
}

TEST_F(BundleTest, EmptyBundlesAreWellFormed) {
    const auto sections = write_and_read({}, {});
    EXPECT_EQ(sections[0].entries.size(), 1u); // the root
}

TEST_F(BundleTest, NamesThatAPathCannotHoldAreReplaced) {
    Documents documents;
    const std::string longest(2000, 'x');
    documents.list = {{"bad\xff", "1"}, {"good", "2"}, {longest, "3"}, {"unnameable-000000", "4"}};
    const auto job = make_job(documents.list, {});
    ASSERT_TRUE(job);
    EXPECT_EQ(job->true_names.at("unnameable-000001"), "bad\xff");
    EXPECT_EQ(job->true_names.at("unnameable-000002"), longest);
    EXPECT_EQ(job->true_names.size(), 2u);
}

TEST_F(BundleTest, RefusesTheSamePathTwice) {
    Bundle twice{{{"a", "1", false}, {"a", "2", false}}, ""};
    Bundle none;
    EXPECT_EQ(exit_of(write_container(at("c"), twice, none)), 3);
    EXPECT_FALSE(std::filesystem::exists(at("c")));
}

TEST_F(BundleTest, DirectoriesLinksNamesModesAndTimes) {
    Bundle boot{{{.path = "z/file", .bytes = "text", .mode = 04755, .modified_ns = 5},
                 {.path = "m", .bytes = {}, .kind = EntryKind::name, .target = "z/file"},
                 {.path = "a/name", .bytes = {}, .kind = EntryKind::name, .target = "z/file"},
                 {.path = "zz", .bytes = {}, .kind = EntryKind::name, .target = "z/file"},
                 {.path = "link", .bytes = {}, .kind = EntryKind::link, .modified_ns = 6, .target = "../nowhere"},
                 {.path = "z", .bytes = {}, .kind = EntryKind::directory, .mode = 01777, .modified_ns = 7},
                 {.path = "", .bytes = {}, .kind = EntryKind::directory, .mode = 0700}},
                "a/name"};
    const auto sections = write_and_read(std::move(boot), {});
    const auto& entries = sections[0].entries;
    using enum boot::ManifestKind;
    // The first name in the order of paths is the file.
    EXPECT_EQ(entries.at("a/name"), (ReadEntry{"text", file, 04755, 5, "", 4}));
    for (const char* path : {"m", "z/file", "zz"})
        EXPECT_EQ(entries.at(path), (ReadEntry{"", name, 0, 0, "a/name", 0})) << path;
    EXPECT_EQ(entries.at("link"), (ReadEntry{"../nowhere", link, 0777, 6, "", 0}));
    EXPECT_EQ(entries.at("z"), (ReadEntry{"", directory, 01777, 7, "", 0}));
    EXPECT_EQ(entries.at(""), (ReadEntry{"", directory, 0700, 0, "", 0}));
    EXPECT_EQ(entries.at("a"), (ReadEntry{"", directory, 0555, 0, "", 0}));
    EXPECT_EQ(sections[0].first, "a/name");
}

TEST_F(BundleTest, RefusesTreesThatAreNone) {
    Bundle none;
    const auto refused = [&](std::vector<BundleEntry> entries, std::string_view part) {
        Bundle bundle{std::move(entries), ""};
        const auto written = write_container(at("c"), bundle, none);
        EXPECT_EQ(exit_of(written), 3);
        if (!written) EXPECT_NE(written.error().sentence.find(part), std::string::npos) << written.error().sentence;
    };
    refused({{"a", "1", false}, {"a/b", "2", false}}, "'a/b' lies in 'a', which is not a folder");
    refused({{"a", "1", false}, {"a-", "1", false}, {"a/b/c", "2", false}}, "not a folder");
    refused({{.path = "n", .bytes = {}, .kind = EntryKind::name, .target = "x"}}, "'n' is a further name of 'x'");
    refused({{.path = "n", .bytes = {}, .kind = EntryKind::name, .target = "n"}}, "not a file");
    refused({{.path = "l", .bytes = {}, .kind = EntryKind::link, .target = ""}}, "no target");
    refused({{.path = "l", .bytes = {}, .kind = EntryKind::link, .target = std::string(1025, 'x')}}, "no target");
}

TEST_F(BundleTest, FullDiskLeavesASentence) {
    Bundle none;
    const auto written = write_container("/dev/full", none, none);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().exit, Exit::host_missing);
    EXPECT_NE(written.error().sentence.find("no room"), std::string::npos);
}

TEST_F(BundleTest, BootList) {
    put("program", "elf");
    const std::string line = "bin/initd\tx\t" + at("program").native() + "\n";
    put("list", "first\t-\tbin/initd\n" + line);
    const auto bundle = read_boot_list(at("list"));
    ASSERT_TRUE(bundle) << bundle.error().sentence;
    EXPECT_EQ(bundle->first, "bin/initd");
    EXPECT_TRUE(bundle->entries.at(0).executable);
    put("list", "first\t-\tbin/other\n" + line);
    EXPECT_EQ(exit_of(read_boot_list(at("list"))), 4);
    put("list", "nonsense\n");
    EXPECT_EQ(exit_of(read_boot_list(at("list"))), 4);
}

TEST_F(BundleTest, MarksOfABundleListAreReadAndJudged) {
    put("file", "text");
    put("list", "first\t-\tx\nx\tx,4755,12\t" + at("file").native() + "\nd\td,1700\t\nl\tl\td/nowhere\nn\tn\tx\n");
    const auto bundle = read_boot_list(at("list"));
    ASSERT_TRUE(bundle) << bundle.error().sentence;
    const auto& entries = bundle->entries;
    ASSERT_EQ(entries.size(), 4u);
    EXPECT_EQ(entries[0].mode, 04755);
    EXPECT_EQ(entries[0].modified_ns, 12u);
    EXPECT_EQ(entries[1].kind, EntryKind::directory);
    EXPECT_EQ(entries[1].mode, 01700);
    EXPECT_EQ(entries[2].kind, EntryKind::link);
    EXPECT_EQ(entries[2].target, "d/nowhere");
    EXPECT_EQ(entries[3].kind, EntryKind::name);
    EXPECT_EQ(entries[3].target, "x");
    for (const char* mark :
         {"", "y", "-0644", "-,", "-,9", "-,10000", "-,644,", "-,644,x", "-,644,1,", "x,644,-1", "dd"}) {
        put("list", std::string("first\t-\tx\nx\tx\t") + at("file").native() + "\ny\t" + mark + "\t" +
                        at("file").native() + "\n");
        EXPECT_EQ(exit_of(read_boot_list(at("list"))), 4) << mark;
    }
}

TEST(BundlePath, Rule) {
    for (const char* good : {"a", "a/b", "docs/new\nline", "docs/\xc3\xa9"})
        EXPECT_TRUE(is_bundle_path(good)) << good;
    for (const char* bad : {"", "/a", "a/", "a//b", ".", "a/../b", "./a", "a\xff"})
        EXPECT_FALSE(is_bundle_path(bad)) << bad;
    EXPECT_FALSE(is_bundle_path(std::string(256, 'x')));
    EXPECT_FALSE(is_bundle_path(std::string_view("a\0b", 3)));
}

} // namespace
} // namespace aios::host
