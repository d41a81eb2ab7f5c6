// The container is read back by a reader of its own, which follows boot/container.hpp step by step.
#include "tools/aios/input/bundle.hpp"

#include <cstring>
#include <map>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "boot/container.hpp"
#include "crypto/merkle.hpp"
#include "tests/unit/host/support.hpp"

namespace aios::host {
namespace {

struct ReadEntry {
    std::string bytes;
    std::uint64_t flags;
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
    const auto digest = crypto::Sha256::hash(as_bytes(manifest));
    require(std::memcmp(digest.data(), section.manifest_sha256, 32) == 0, "manifest hash");
    std::vector<crypto::MerkleHash> leaves(section.data_pages);
    file.substr(section.leaves_offset).copy(static_cast<char*>(static_cast<void*>(leaves.data())), leaves.size() * 32);
    require(file.size() >= section.data_offset + section.data_pages * kPageBytes, "data in the file");

    ReadSection read;
    cbor::Decoder in(as_bytes(manifest));
    const auto value = [](auto result) {
        require(result.has_value(), "manifest encoding");
        return *result;
    };
    const auto good = [](Result<> result) { require(result.has_value(), "manifest encoding"); };
    const std::uint64_t pairs = value(in.map_begin());
    good(in.expect_key(0));
    require(value(in.uint()) == 1, "version");
    good(in.expect_key(1));
    const std::uint64_t count = value(in.array_begin());
    std::string previous;
    std::uint64_t next_page = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        require(value(in.array_next()), "entry");
        require(value(in.array_begin()) == 5, "entry size");
        const std::string path(value(in.text()));
        require(i == 0 || previous < path, "order of paths");
        previous = path;
        const std::uint64_t first = value(in.uint());
        const std::uint64_t bytes = value(in.uint());
        require(first == next_page, "pages follow each other");
        next_page += crypto::page_tree_leaves(bytes);
        crypto::MerkleHash root;
        good(in.bytes_into(root));
        const std::uint64_t flags = value(in.uint());
        good(in.end());
        const std::string_view data = file.substr(section.data_offset + first * kPageBytes, bytes);
        require(data.size() == bytes, "entry in the file");
        require(crypto::page_tree_root(as_bytes(data)) == root, "root over the contents");
        require(crypto::merkle_root(std::span(leaves).subspan(first, crypto::page_tree_leaves(bytes))) == root,
                "root over the leaves");
        read.entries[path] = {std::string(data), flags};
    }
    good(in.end());
    require(next_page == section.data_pages, "number of pages");
    if (pairs == 3) {
        good(in.expect_key(2));
        read.first = value(in.text());
    }
    good(in.end());
    good(in.finish());
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
        require(header.version == 1 && header.section_count == 2 && header.total_bytes == file.size(), "header");
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
    EXPECT_EQ(sections[0].entries.at("bin/initd").flags, boot::kEntryExecutable);
    EXPECT_EQ(sections[0].entries.at("etc/empty").bytes, "");
    EXPECT_EQ(sections[0].entries.at("a").flags, 0u);
    EXPECT_EQ(sections[1].first, "");
    EXPECT_EQ(sections[1].entries.at("docs/one.txt").bytes, "1\r\n");
    EXPECT_EQ(sections[1].entries.at("docs/sub/two.txt").bytes, "two");
    EXPECT_EQ(sections[1].entries.at("questions/000001").bytes, "Who?");
    EXPECT_EQ(sections[1].entries.size(), 5u);
}

TEST_F(BundleTest, EmptyBundlesAreWellFormed) {
    const auto sections = write_and_read({}, {});
    EXPECT_TRUE(sections[0].entries.empty());
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
