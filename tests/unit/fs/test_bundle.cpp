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
    section.modes["bin/init"] = 0555;
    section.modes["zero"] = 04640;
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
        Ref<BundleTree> tree = TRY(BundleTree::create(base, header.sections[0]));
        TRY(tree->section(nullptr));
        return tree;
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
    EXPECT_EQ(tree->open("zero", test::payer).value()->info().mode, 04640u);
    EXPECT_EQ(tree->open("bin-x", test::payer).value()->info().mode, 0444u);
    EXPECT_EQ(tree->open("bin/tools", test::payer).value()->info().mode, 0555u);
    EXPECT_EQ(tree->open("bin/init", test::payer).value()->info().modified_ns, 10'000'000'000'000u);
    EXPECT_EQ(tree->open("bin/init", test::payer).value()->read_link(nullptr, 0).error(), Error::bad_argument);
    EXPECT_EQ(tree->open("bin", test::payer).value()->pages().error(), Error::bad_argument);
    EXPECT_EQ(tree->open("zero", test::payer).value()->resize(1).error(), Error::missing_right);
    EXPECT_EQ(tree->create_file("x", 0).error(), Error::missing_right);
    EXPECT_EQ((*tree->section(nullptr))->manifest().first_program(), "bin/init");
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
        ASSERT_TRUE(tree->list(index++, entry, test::payer).has_value());
        EXPECT_EQ(std::string_view(entry.name, entry.name_bytes), path);
        EXPECT_EQ(entry.size, expected.size());
    }
    TreeEntry entry;
    EXPECT_EQ(tree->list(index, entry, test::payer).error(), Error::not_found);
    EXPECT_EQ(tree->list(~0ull, entry, test::payer).error(), Error::not_found);
}

// Links are nodes of their own; the names of a file are one file.
TEST_F(Bundle, LinksAndNames) {
    TestSection section = sample();
    section.links["bin/sh"] = "../bin/init";
    section.links["lib"] = "usr/lib";
    section.names["bin/tools/init"] = "bin/init";
    section.names["other/init"] = "bin/init";
    auto tree = open(test::build_container({section, {}})).value();
    auto link = tree->open("bin/sh", test::payer).value();
    EXPECT_EQ(link->info().kind, NodeKind::link);
    EXPECT_EQ(link->info().mode, 0777u);
    EXPECT_EQ(link->info().bytes, 11u);
    char target[20];
    ASSERT_EQ(link->read_link(target, sizeof target).value(), 11u);
    EXPECT_EQ(std::string_view(target, 11), "../bin/init");
    EXPECT_EQ(link->read_link(target, 4).value(), 4u);
    EXPECT_EQ(link->pages().error(), Error::bad_argument);
    EXPECT_EQ(tree->open("lib/x", test::payer).error(), Error::not_found); // nobody follows here
    const NodeInfo file = tree->open("bin/init", test::payer).value()->info();
    EXPECT_EQ(file.links, 3u);
    for (const char* path : {"bin/tools/init", "other/init"}) {
        EXPECT_EQ(tree->open(path, test::payer).value()->info().id, file.id);
        EXPECT_EQ(tree->open(path, test::payer).value()->info().mode, file.mode);
        EXPECT_EQ(contents(*tree, path).value(), section.files["bin/init"]);
    }
    EXPECT_EQ(children(*tree, "bin"),
              (std::map<std::string, NodeKind>{
                  {"init", NodeKind::file}, {"sh", NodeKind::link}, {"tools", NodeKind::directory}}));
    TreeEntry entry;
    std::uint64_t files = 0;
    for (; tree->list(files, entry, test::payer); ++files)
        EXPECT_NE(std::string_view(entry.name, entry.name_bytes), "bin/sh");
    EXPECT_EQ(files, section.files.size() + 2);
}

// Names that sort between a directory and what is in it.
TEST_F(Bundle, EntriesAreListedOnceWhateverSortsBetween) {
    TestSection section;
    for (const char* path : {"a/c", "a!/x/y", "a!x", "a-/b", "a-b", "a.b/c", "a/b/c", "a/b!/c", "a/b!"})
        if (std::string_view(path) != "a/b!") section.files[path] = path;
    auto tree = open(test::build_container({section, {}})).value();
    EXPECT_EQ(children(*tree, ""), (std::map<std::string, NodeKind>{{"a", NodeKind::directory},
                                                                    {"a!", NodeKind::directory},
                                                                    {"a!x", NodeKind::file},
                                                                    {"a-", NodeKind::directory},
                                                                    {"a-b", NodeKind::file},
                                                                    {"a.b", NodeKind::directory}}));
    EXPECT_EQ(children(*tree, "a"),
              (std::map<std::string, NodeKind>{
                  {"b", NodeKind::directory}, {"b!", NodeKind::directory}, {"c", NodeKind::file}}));
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
        const boot::ManifestNode& node = parsed.node(i);
        if (Manifest::kind(node) == boot::ManifestKind::file) {
            EXPECT_LE(node.first + Manifest::pages(node), pages);
        }
        EXPECT_EQ(parsed.lower_bound(parsed.path(i)), i);
        EXPECT_EQ(Manifest::kind(parsed.node(parsed.resolve(i))) == boot::ManifestKind::name, false);
    }
    return {};
}

TestSection everything() {
    TestSection section = sample();
    section.links["bin/sh"] = "init";
    section.names["other"] = "bin/init";
    section.names["zz"] = "bin/tools/a";
    return section;
}

// One tree has one encoding: a manifest that differs in one bit means something else, or nothing.
TEST_F(Bundle, ManifestsWithChangedBytes) {
    const TestSection section = everything();
    const auto good = test::encode_manifest(section);
    const std::uint64_t pages = test::pages_of(section);
    ASSERT_TRUE(parse(good, pages).has_value());
    EXPECT_EQ(parse(good, pages + 1).error(), Error::bad_format);
    EXPECT_EQ(parse(good, pages - 1).error(), Error::bad_format);
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto bytes = good;
            bytes[at] ^= static_cast<std::byte>(1u << bit);
            (void)parse(bytes, pages);
        }
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(parse({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}, pages).has_value());
    auto longer = good;
    longer.push_back({});
    EXPECT_FALSE(parse(longer, pages).has_value());
}

// Each rule of boot/manifest.hpp, broken alone.
TEST_F(Bundle, ManifestsThatMeanNonsense) {
    using boot::ManifestKind;
    using test::TestNode;
    const TestSection section = everything();
    const std::uint64_t pages = test::pages_of(section);
    const std::vector<TestNode> good = test::nodes_of(section);
    const auto at = [&](std::string_view path) {
        return static_cast<std::size_t>(std::ranges::find(good, path, &TestNode::path) - good.begin());
    };
    const auto first = static_cast<std::uint32_t>(at("bin/init"));
    ASSERT_TRUE(parse(test::encode_nodes(good, first, pages), pages).has_value());
    const auto expect_bad = [&](const char* what, auto&& change) {
        auto nodes = good;
        change(nodes);
        EXPECT_EQ(parse(test::encode_nodes(nodes, first, pages), pages).error(), Error::bad_format) << what;
    };
    const auto with = [&](std::string_view path, auto&& change) {
        return [&, path, change](std::vector<TestNode>& nodes) { change(nodes[at(path)]); };
    };
    for (const char* directory : {"", "bin", "docs"}) {
        expect_bad("a directory's bytes", with(directory, [](TestNode& node) { node.node.bytes = 1; }));
        expect_bad("a directory's first", with(directory, [](TestNode& node) { node.node.first = 1; }));
        expect_bad("a directory's names", with(directory, [](TestNode& node) { node.node.names = 1; }));
        expect_bad("a directory's root", with(directory, [](TestNode& node) { node.node.root[31] = 1; }));
    }
    expect_bad("an empty file's page", with("bin/tools/b", [](TestNode& node) { ++node.node.first; }));
    expect_bad("an empty file's root", with("bin/tools/b", [](TestNode& node) { node.node.root[0] ^= 1; }));
    expect_bad("a gap before a file", with("zero", [](TestNode& node) { ++node.node.first; }));
    expect_bad("a page of two files", with("zero", [](TestNode& node) { --node.node.first; }));
    expect_bad("fewer pages", with("zero", [](TestNode& node) { node.node.bytes = 4096; }));
    expect_bad("more pages", with("zero", [](TestNode& node) { node.node.bytes = 8193; }));
    expect_bad("a size past all", with("zero", [](TestNode& node) { node.node.bytes = ~0ull; }));
    expect_bad("no name", with("zero", [](TestNode& node) { node.node.names = 0; }));
    expect_bad("too many names", with("zero", [](TestNode& node) { node.node.names = 2; }));
    expect_bad("another's names", [&](std::vector<TestNode>& nodes) { // the sum is right
        ++nodes[at("zero")].node.names;
        --nodes[at("bin/init")].node.names;
    });
    expect_bad("a link's mode", with("bin/sh", [](TestNode& node) { node.node.kind_and_mode ^= 1; }));
    expect_bad("a link's root", with("bin/sh", [](TestNode& node) { node.node.root[5] = 1; }));
    expect_bad("a link's first", with("bin/sh", [](TestNode& node) { node.node.first = 1; }));
    expect_bad("a link's names", with("bin/sh", [](TestNode& node) { node.node.names = 1; }));
    expect_bad("no target", with("bin/sh", [](TestNode& node) { node.target = "", node.node.bytes = 0; }));
    expect_bad("NUL in a target", with("bin/sh", [](TestNode& node) { node.target[2] = 0; }));
    expect_bad("a target past the text", with("zz", [](TestNode& node) {
                   node.node = {};
                   node.node.kind_and_mode = boot::kind_and_mode(ManifestKind::link, 0777);
                   node.node.bytes = 100;
               }));
    expect_bad("a long target", with("bin/sh", [](TestNode& node) {
                   node.target.assign(1025, 't');
                   node.node.bytes = 1025;
               }));
    for (const char* what : {"itself", "a later one", "a directory", "a link", "a name", "none"})
        expect_bad(what, with("other", [&, what](TestNode& node) {
                       const std::map<std::string, std::size_t> places{
                           {"itself", at("other")},  {"a later one", at("zero")}, {"a directory", at("bin")},
                           {"a link", at("bin/sh")}, {"a name", at("zz")},        {"none", 1'000'000}};
                       node.node.first = static_cast<std::uint32_t>(places.at(what));
                   }));
    expect_bad("a name's mode", with("other", [](TestNode& node) { node.node.kind_and_mode |= 0444; }));
    expect_bad("a name's time", with("other", [](TestNode& node) { node.node.modified_ns = 1; }));
    expect_bad("a name's size", with("other", [](TestNode& node) { node.node.bytes = 1; }));
    expect_bad("a name's names", with("other", [](TestNode& node) { node.node.names = 1; }));
    expect_bad("a name's root", with("other", [](TestNode& node) { node.node.root[0] = 1; }));
    for (const unsigned kind : {0u, 5u, 15u})
        expect_bad("a kind", with("zero", [kind](TestNode& node) {
                       node.node.kind_and_mode = static_cast<std::uint16_t>(kind << 12 | 0444);
                   }));
    expect_bad("no root", [](std::vector<TestNode>& nodes) { nodes.erase(nodes.begin()); });
    expect_bad("a root that is a file", with("", [](TestNode& node) {
                   node.node.kind_and_mode = boot::kind_and_mode(ManifestKind::file, 0444);
               }));
    expect_bad("no directory",
               [&](std::vector<TestNode>& nodes) { nodes.erase(nodes.begin() + static_cast<int>(at("docs"))); });
    expect_bad("twice", [&](std::vector<TestNode>& nodes) {
        nodes.insert(nodes.begin() + static_cast<int>(at("docs")), good[at("docs")]);
    });
    expect_bad("not in order", [&](std::vector<TestNode>& nodes) { std::swap(nodes[at("docs")], nodes[at("etc")]); });
    for (const char* name : {"zz/", "/zz", "zz//b", "zz/.", "..", "zero/x", "bin/sh/x"})
        expect_bad(name, with("zz", [name](TestNode& node) { node.path = name; }));
    expect_bad("NUL in a path", with("zz", [](TestNode& node) { node.path[1] = 0; }));
    expect_bad("a long component", with("zz", [](TestNode& node) { node.path.assign(256, 'z'); }));
    EXPECT_TRUE(parse(test::encode_nodes(good, boot::kNoProgram, pages), pages).has_value());
    for (const char* program : {"bin", "bin/sh", "zz", "zero", ""}) // not files, or not to be executed
        EXPECT_EQ(parse(test::encode_nodes(good, static_cast<std::uint32_t>(at(program)), pages), pages).error(),
                  Error::bad_format)
            << program;
    EXPECT_EQ(parse(test::encode_nodes(good, 1000, pages), pages).error(), Error::bad_format);
    auto moved = good; // text somewhere else than in its place
    std::uint32_t text = 0;
    for (TestNode& node : moved) {
        node.node.text = text;
        node.node.path_bytes = static_cast<std::uint16_t>(node.path.size());
        text += static_cast<std::uint32_t>(node.path.size() + node.target.size());
    }
    ASSERT_TRUE(parse(test::encode_nodes(moved, first, pages, false), pages).has_value());
    for (TestNode& node : moved) {
        const boot::ManifestNode before = node.node;
        for (const std::uint32_t wrong : {before.text + 1, before.text - 1, ~0u}) {
            node.node.text = wrong;
            EXPECT_EQ(parse(test::encode_nodes(moved, first, pages, false), pages).error(), Error::bad_format);
        }
        node.node = before;
        node.node.path_bytes = 0xffff;
        EXPECT_EQ(parse(test::encode_nodes(moved, first, pages, false), pages).error(), Error::bad_format);
        node.node = before;
    }
    auto other = test::encode_nodes(good, first, pages); // another version
    other[7] = std::byte{'1'};
    EXPECT_EQ(parse(other, pages).error(), Error::unsupported);
    EXPECT_EQ(parse({}, 0).error(), Error::truncated);
}

// A section is opened by whoever asks first, at his expense; a bad one is reported once, and stays bad.
TEST_F(Bundle, ATreeIsOpenedWhenItIsAsked) {
    auto bytes = test::build_container({sample(), {}});
    const arch::PhysAddr base = test::place_container(bytes);
    boot::ContainerHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    auto* manifest = static_cast<std::byte*>(arch::physmap({base.value + header.sections[0].manifest_offset}));
    TreeEntry entry;
    {
        auto tree = BundleTree::create(base, header.sections[0]).value();
        fake::CountingPayer poor(100);
        EXPECT_EQ(tree->list(0, entry, poor).error(), Error::quota_exceeded);
        EXPECT_EQ(tree->open("zero", poor).error(), Error::quota_exceeded);
        EXPECT_TRUE(tree->list(0, entry, test::payer).has_value());
        EXPECT_TRUE(tree->list(0, entry, poor).has_value()); // it is open
        manifest[100] ^= std::byte{1};                       // nobody looks again
        EXPECT_TRUE(tree->list(0, entry, test::payer).has_value());
        EXPECT_EQ(tree->section(nullptr)->get(), tree->section(nullptr)->get());
        EXPECT_EQ(test::payer.used(), 0u);
    }
    auto tree = BundleTree::create(base, header.sections[0]).value();
    EXPECT_TRUE(test::integrity_reports.empty());
    EXPECT_EQ(tree->open("zero", test::payer).error(), Error::integrity);
    EXPECT_EQ(tree->list(0, entry, test::payer).error(), Error::integrity);
    manifest[100] ^= std::byte{1};
    EXPECT_EQ(tree->list(0, entry, test::payer).error(), Error::integrity);
    EXPECT_EQ(test::integrity_reports.size(), 1u);
    EXPECT_EQ(test::payer.used(), 0u);
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
