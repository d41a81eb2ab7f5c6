// The container and BundleTree: what is in it is found and verified; what is wrong with it is refused.
#include <random>
#include <set>

#include "boot/container_check.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "tests/unit/fs/container_builder.hpp"
#include "tests/unit/fs/fixture.hpp"

namespace aios::test {
std::vector<IntegrityReport> integrity_reports;
}
namespace aios::fs {

void report_integrity(std::string_view entry, std::uint64_t page) {
    test::integrity_reports.push_back({std::string(entry), page});
}

namespace {

using test::TestSection;

TestSection sample() {
    TestSection section;
    section.files["bin/init"] = std::string(10'000, 'i');
    section.files["bin/tools/a"] = "a";
    section.files["bin/tools/b"] = "";
    section.files["bin-x"] = "sorts between bin and bin/";
    section.files["docs/\xc3\xa9t\xc3\xa9.txt"] = "summer";
    section.files["etc/system.cbor"] = std::string(4096, 's');
    section.files["zero"] = std::string(4097, '\0');
    section.flags["bin/init"] = 1;
    section.first = "bin/init";
    return section;
}

class Bundle : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        test::integrity_reports.clear();
    }
    // Opens section 0 of a container.
    static Result<Ref<BundleTree>> open(const std::vector<std::byte>& bytes) {
        const arch::PhysAddr base = test::place_container(bytes);
        const auto* page = static_cast<const std::uint8_t*>(arch::physmap(base));
        const auto header =
            TRY(boot::container_header_check({page, std::min<std::size_t>(4096, bytes.size())}, bytes.size()));
        return BundleTree::create(TRY(Section::open(base, header.sections[0])));
    }
    static Result<std::string> contents(Tree& tree, std::string_view path) {
        auto node = TRY(tree.open(path, test::payer));
        std::string text(node->info().bytes, '?');
        auto pages = TRY(node->pages());
        TRY(pages->read(0, text.data(), text.size()));
        return text;
    }
    static std::map<std::string, NodeKind> children(Tree& tree, std::string_view path) {
        std::map<std::string, NodeKind> found;
        auto node = tree.open(path, test::payer).value();
        Node::Entry entry;
        std::uint64_t position = 0;
        while (node->entry(position, entry)) {
            const std::string name(entry.name, entry.name_bytes);
            EXPECT_TRUE(found.emplace(name, entry.kind).second) << name;
            EXPECT_EQ(entry.name[entry.name_bytes], '\0');
            EXPECT_GT(entry.next_position, position);
            position = entry.next_position;
            const std::string child = path.empty() ? name : std::string(path) + "/" + name;
            EXPECT_EQ(tree.open(child, test::payer).value()->info().id, entry.id) << child;
        }
        EXPECT_EQ(node->entry(position, entry).error(), Error::not_found);
        EXPECT_EQ(node->entry(~0ull, entry).error(), Error::not_found);
        return found;
    }
};

TEST_F(Bundle, FilesAndDirectories) {
    const TestSection section = sample();
    auto tree = open(test::build_container({section, {}})).value();
    for (const auto& [path, expected] : section.files)
        EXPECT_EQ(contents(*tree, path).value(), expected) << path;
    EXPECT_EQ(children(*tree, ""), (std::map<std::string, NodeKind>{{"bin", NodeKind::directory},
                                                                    {"bin-x", NodeKind::file},
                                                                    {"docs", NodeKind::directory},
                                                                    {"etc", NodeKind::directory},
                                                                    {"zero", NodeKind::file}}));
    EXPECT_EQ(children(*tree, "bin"),
              (std::map<std::string, NodeKind>{{"init", NodeKind::file}, {"tools", NodeKind::directory}}));
    EXPECT_EQ(children(*tree, "bin/tools"),
              (std::map<std::string, NodeKind>{{"a", NodeKind::file}, {"b", NodeKind::file}}));
    for (const char* missing : {"bi", "bin/", "bin/too", "bin/init/x", "/bin", "zzz", "bin/tools/c", "."})
        EXPECT_EQ(tree->open(missing, test::payer).error(), Error::not_found) << missing;
    EXPECT_EQ(tree->open("bin/init", test::payer).value()->info().mode, 0555u);
    EXPECT_EQ(tree->open("zero", test::payer).value()->info().mode, 0444u);
    EXPECT_EQ(tree->open("bin", test::payer).value()->pages().error(), Error::bad_argument);
    EXPECT_EQ(tree->open("zero", test::payer).value()->resize(1).error(), Error::missing_right);
    EXPECT_EQ(tree->create_file("x", 0).error(), Error::missing_right);
    EXPECT_EQ(tree->section().manifest().first_program(), "bin/init");
    auto node = tree->open("zero", test::payer).value();
    EXPECT_EQ(node->pages().value(), node->pages().value());
    EXPECT_TRUE(test::integrity_reports.empty());
}

TEST_F(Bundle, FlatListing) {
    const TestSection section = sample();
    auto tree = open(test::build_container({section, {}})).value();
    std::uint64_t index = 0;
    for (const auto& [path, expected] : section.files) {
        TreeEntry entry;
        ASSERT_TRUE(tree->list(index++, entry).has_value());
        EXPECT_EQ(std::string_view(entry.name, entry.name_bytes), path);
        EXPECT_EQ(entry.size, expected.size());
    }
    TreeEntry entry;
    EXPECT_EQ(tree->list(index, entry).error(), Error::not_found);
    EXPECT_EQ(tree->list(~0ull, entry).error(), Error::not_found);
}

TEST_F(Bundle, EmptySection) {
    auto tree = open(test::build_container({TestSection{}, {}})).value();
    EXPECT_TRUE(children(*tree, "").empty());
    EXPECT_EQ(tree->open("a", test::payer).error(), Error::not_found);
}

TEST_F(Bundle, EveryPathIsFoundAmongMany) {
    std::mt19937 random(5);
    TestSection section;
    for (int i = 0; i < 3000; ++i) {
        std::string path = "d" + std::to_string(random() % 40);
        while (random() % 3 == 0)
            path += "/e" + std::to_string(random() % 5);
        path += "/f" + std::to_string(i);
        section.files[path] = "";
    }
    auto tree = open(test::build_container({section, {}})).value();
    std::set<std::string> seen;
    std::vector<std::string> todo{""};
    std::set<std::uint64_t> ids;
    while (!todo.empty()) {
        const std::string directory = todo.back();
        todo.pop_back();
        EXPECT_TRUE(ids.insert(tree->open(directory, test::payer).value()->info().id).second);
        for (const auto& [name, kind] : children(*tree, directory)) {
            const std::string path = directory.empty() ? name : directory + "/" + name;
            if (kind == NodeKind::directory) {
                todo.push_back(path);
            } else {
                EXPECT_TRUE(seen.insert(path).second);
                EXPECT_TRUE(ids.insert(tree->open(path, test::payer).value()->info().id).second);
            }
        }
    }
    EXPECT_EQ(seen.size(), section.files.size());
}

TEST_F(Bundle, ChangedBytesStopWhatTouchesThem) {
    const auto good = test::build_container({sample(), {}});
    boot::ContainerHeader header;
    std::memcpy(&header, good.data(), sizeof header);
    const std::uint64_t data = header.sections[0].data_offset, leaves = header.sections[0].leaves_offset;
    // bin-x is page 0; bin/init pages 1 to 3.
    auto bytes = good;
    bytes[data + 2 * 4096 + 17] ^= std::byte{1};
    {
        auto tree = open(bytes).value();
        auto pages = tree->open("bin/init", test::payer).value()->pages().value();
        EXPECT_TRUE(pages->page(0).has_value());
        EXPECT_EQ(pages->page(1).error(), Error::integrity);
        EXPECT_EQ(pages->page(1).error(), Error::integrity); // told once
        EXPECT_TRUE(pages->page(2).has_value());
        EXPECT_EQ(contents(*tree, "bin/init").error(), Error::integrity);
        EXPECT_TRUE(contents(*tree, "zero").has_value());
        ASSERT_EQ(test::integrity_reports.size(), 1u);
        EXPECT_EQ(test::integrity_reports[0].entry, "bin/init");
        EXPECT_EQ(test::integrity_reports[0].page, 1u);
    }
    bytes = good; // a changed leaf makes all pages of the entry bad, and no others
    bytes[leaves + 3 * 32] ^= std::byte{1};
    {
        auto tree = open(bytes).value();
        auto pages = tree->open("bin/init", test::payer).value()->pages().value();
        EXPECT_EQ(pages->page(0).error(), Error::integrity);
        EXPECT_TRUE(contents(*tree, "zero").has_value());
    }
    bytes = good; // padding behind the end of a file
    bytes[data + 3 * 4096 + 4095] ^= std::byte{1};
    EXPECT_EQ(open(bytes).value()->open("bin/init", test::payer).value()->pages().value()->page(2).error(),
              Error::integrity);
    bytes = good; // any byte of the manifest
    bytes[header.sections[0].manifest_offset + header.sections[0].manifest_bytes / 2] ^= std::byte{1};
    EXPECT_EQ(open(bytes).error(), Error::integrity);
}

TEST_F(Bundle, EveryHeaderFieldCorrupted) {
    const auto good = test::build_container({sample(), sample()});
    std::mt19937_64 random(6);
    const std::uint64_t values[] = {0,          1,          4095,  4096,     good.size(), good.size() - 4096,
                                    1ull << 32, 1ull << 63, ~0ull, ~0xfffull};
    for (std::size_t offset = 0; offset < sizeof(boot::ContainerHeader); offset += 8) {
        for (std::size_t i = 0; i < std::size(values) + 200; ++i) {
            auto bytes = good;
            const std::uint64_t value = i < std::size(values) ? values[i] : random() >> (random() % 64);
            std::memcpy(bytes.data() + offset, &value, 8);
            const auto tree = open(bytes); // no crash; if it opens, it may be used
            if (!tree) continue;
            (void)contents(**tree, "bin/init");
            (void)contents(**tree, "zero");
        }
    }
    for (std::size_t size : {0ul, 1ul, 4095ul, 4096ul, good.size() - 1}) {
        auto bytes = good;
        bytes.resize(size);
        EXPECT_FALSE(open(bytes).has_value());
    }
}

// A manifest with its hash made right again: the parser alone has to refuse what is wrong.
Result<> parse(const std::vector<std::byte>& manifest, std::uint64_t pages) {
    const std::vector<std::byte> exact(manifest); // its own allocation, so that a read past the end is seen
    Manifest parsed;
    TRY(parsed.parse(exact, pages));
    for (std::uint32_t i = 0; i < parsed.count(); ++i) {
        EXPECT_EQ(parsed.entry(i).path, parsed.path(i));
        EXPECT_LE(parsed.entry(i).first_page + parsed.entry(i).pages(), pages);
        EXPECT_EQ(parsed.lower_bound(parsed.path(i)), i);
    }
    return {};
}

TEST_F(Bundle, ManifestsWithChangedBytes) {
    const auto good = test::encode_manifest(sample());
    ASSERT_TRUE(parse(good, 20).has_value());
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto bytes = good;
            bytes[at] ^= static_cast<std::byte>(1u << bit);
            (void)parse(bytes, 20);
        }
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(parse({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}, 20).has_value());
}

struct RawEntry {
    std::string path;
    std::uint64_t first_page, bytes, flags = 0;
};
Result<> parse_entries(const std::vector<RawEntry>& entries, std::uint64_t version = 1) {
    std::vector<std::byte> buffer(100'000);
    cbor::Encoder out(buffer);
    out.map(2).key(0).uint(version).key(1).array(entries.size());
    for (const RawEntry& entry : entries)
        out.array(5)
            .text(entry.path)
            .uint(entry.first_page)
            .uint(entry.bytes)
            .bytes(crypto::MerkleHash{})
            .uint(entry.flags);
    buffer.resize(out.finish()->size());
    return parse(buffer, 10);
}

TEST_F(Bundle, ManifestsThatMeanNonsense) {
    EXPECT_TRUE(parse_entries({{"a", 0, 4096}, {"b", 1, 9 * 4096}}).has_value());
    EXPECT_TRUE(parse_entries({{"a", 10, 0}}).has_value());
    EXPECT_EQ(parse_entries({}, 2).error(), Error::unsupported);
    EXPECT_EQ(parse_entries({{"b", 0, 1}, {"a", 1, 1}}).error(), Error::bad_format);    // not sorted
    EXPECT_EQ(parse_entries({{"a", 0, 1}, {"a", 1, 1}}).error(), Error::bad_format);    // twice
    EXPECT_EQ(parse_entries({{"a", 0, 4097}, {"b", 1, 1}}).error(), Error::bad_format); // a page of two entries
    EXPECT_EQ(parse_entries({{"a", 1, 1}, {"b", 0, 1}}).error(), Error::bad_format);    // not in order
    EXPECT_EQ(parse_entries({{"a", 10, 1}}).error(), Error::bad_format);                // behind the end
    EXPECT_EQ(parse_entries({{"a", 11, 0}}).error(), Error::bad_format);
    EXPECT_EQ(parse_entries({{"a", 0, ~0ull}}).error(), Error::bad_format);
    EXPECT_EQ(parse_entries({{"a", ~0ull, 1}}).error(), Error::bad_format);
    EXPECT_EQ(parse_entries({{"a", 0, 1, 2}}).error(), Error::bad_format); // unknown flag
    EXPECT_EQ(parse_entries({{"a", 0, 1}, {"a-b", 1, 1}, {"a/b", 2, 1}}).error(),
              Error::bad_format); // file and directory
    EXPECT_EQ(parse_entries({{"x/a", 0, 1}, {"x/a-b", 1, 1}, {"x/a/b/c", 2, 1}}).error(), Error::bad_format);
    for (const char* bad : {"", "/a", "a/", "a//b", "../a", "a/./b"})
        EXPECT_EQ(parse_entries({{bad, 0, 1}}).error(), Error::bad_format) << bad;
    EXPECT_EQ(parse_entries({{std::string(256, 'x'), 0, 1}}).error(), Error::bad_format);
}

TEST_F(Bundle, TheKernelsOwnContainer) {
    const auto bytes = test::build_container({sample(), {{{"docs/a", "text"}}, "", {}}});
    EXPECT_EQ(open_bundle_section(0).error(), Error::not_found); // nothing yet
    EXPECT_EQ(init_bundle(test::place_container(bytes), 0).error(), Error::not_found);
    EXPECT_EQ(init_bundle({fake::unmanaged_ram().value + 1}, 4096).error(), Error::bad_format);
    EXPECT_EQ(init_bundle(test::place_container(bytes), bytes.size() - 1).error(), Error::truncated);
    ASSERT_TRUE(init_bundle(test::place_container(bytes), bytes.size() + 5000).has_value());
    EXPECT_EQ(first_program(), "bin/init");
    EXPECT_EQ(open_bundle_section(1).value(), open_bundle_section(1).value());
    EXPECT_EQ(contents(*open_bundle_section(1).value(), "docs/a").value(), "text");
    EXPECT_EQ(open_bundle_section(2).error(), Error::not_found);
    std::uint8_t digest[32];
    EXPECT_TRUE(boot_manifest_digest(digest).has_value());
    EXPECT_FALSE(open_bundle_section(0).value()->is_writable());
}

} // namespace
} // namespace aios::fs
