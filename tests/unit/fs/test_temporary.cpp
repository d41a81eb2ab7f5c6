// The temporary tree: case by case, and against std::filesystem-like model with random operations; all charges come
// back.
#include <map>
#include <memory>
#include <random>
#include <set>

#include "kernel/fs/tree.hpp"
#include "kernel/mm/address_space.hpp"
#include "tests/support/heap_tally.hpp"
#include "tests/unit/fs/fixture.hpp"

namespace aios::time {
std::uint64_t wall_ns() {
    static std::uint64_t now = 1000;
    return now++;
}
} // namespace aios::time

namespace aios::fs {
namespace {

class Temporary : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        tree_ = create_temporary_tree(payer_).value();
    }
    void TearDown() override {
        tree_.reset();
        EXPECT_EQ(payer_.used(), 0u);
        EXPECT_EQ(payer_.references(), 0);
    }
    void write(std::string_view path, std::string_view text) {
        auto made = tree_->create_file(path, 0644);
        auto node = made ? *made : tree_->open(path, test::payer).value();
        ASSERT_TRUE(node->resize(text.size()).has_value());
        ASSERT_TRUE(node->pages().value()->write(0, text.data(), text.size()).has_value());
    }
    std::string read(Node& node) {
        std::string text(node.info().bytes, '?');
        EXPECT_TRUE(node.pages().value()->read(0, text.data(), text.size()).has_value());
        return text;
    }
    std::string read(std::string_view path) { return read(*tree_->open(path, test::payer).value()); }
    std::vector<std::string> children(std::string_view path) {
        std::vector<std::string> names;
        Node::Entry entry;
        auto node = tree_->open(path, test::payer).value();
        for (std::uint64_t position = 0; node->entry(position, entry); position = entry.next_position)
            names.emplace_back(entry.name, entry.name_bytes);
        return names;
    }
    fake::CountingPayer payer_;
    Ref<Tree> tree_;
};

TEST_F(Temporary, FilesDirectoriesLinks) {
    ASSERT_TRUE(tree_->create_directory("d", 0700).has_value());
    write("d/f", "hello");
    EXPECT_EQ(read("d/f"), "hello");
    EXPECT_EQ(tree_->create_file("d/f", 0).error(), Error::already_exists);
    EXPECT_EQ(tree_->create_file("x/f", 0).error(), Error::not_found);
    EXPECT_EQ(tree_->create_file("d/f/g", 0).error(), Error::wrong_type);
    EXPECT_EQ(tree_->create_file("", 0).error(), Error::bad_argument);
    EXPECT_EQ(tree_->create_file("d/" + std::string(256, 'x'), 0).error(), Error::bad_argument);
    EXPECT_TRUE(tree_->create_file("d/" + std::string(255, 'x'), 0).has_value());
    ASSERT_TRUE(tree_->create_link("l", "d/f").has_value());
    char target[10];
    auto link = tree_->open("l", test::payer).value();
    EXPECT_EQ(link->read_link(target, 2).value(), 2u);
    EXPECT_EQ(link->read_link(target, 10).value(), 3u);
    EXPECT_EQ(std::string_view(target, 3), "d/f");
    EXPECT_EQ(link->info().kind, NodeKind::link);
    EXPECT_EQ(link->info().bytes, 3u);
    EXPECT_EQ(link->pages().error(), Error::bad_argument);
    EXPECT_EQ(tree_->open("l/x", test::payer).error(), Error::not_found); // links are not followed
    EXPECT_EQ(tree_->create_link("m", "").error(), Error::bad_argument);
    EXPECT_EQ(tree_->create_link("m", std::string(4096, 'x')).error(), Error::bad_argument);
    auto node = tree_->open("d", test::payer).value();
    EXPECT_EQ(node->info().kind, NodeKind::directory);
    EXPECT_EQ(node->info().mode, 0700u);
    ASSERT_TRUE(node->set_mode(0170755).has_value());
    EXPECT_EQ(node->info().mode, 0755u);
    ASSERT_TRUE(node->set_modified(5).has_value());
    EXPECT_EQ(node->info().modified_ns, 5u);
    write("d/g", "");
    EXPECT_GT(node->info().modified_ns, 5u);
    EXPECT_EQ(tree_->open("", test::payer).value()->info().kind, NodeKind::directory);
}

TEST_F(Temporary, SocketsAreNamesAlone) {
    const auto made = tree_->create_socket("s", 0755);
    ASSERT_TRUE(made.has_value());
    const NodeInfo info = (*made)->info();
    EXPECT_TRUE(info.kind == NodeKind::socket && info.bytes == 0 && info.mode == 0755 && info.links == 1);
    EXPECT_EQ((*made)->pages().error(), Error::bad_argument);
    EXPECT_EQ(tree_->create_socket("s", 0755).error(), Error::already_exists);
    const auto opened = tree_->open("s", test::payer);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->get(), made->get()); // whoever keeps the node knows it again
    ASSERT_TRUE(tree_->rename("s", "t", IfPresent::refuse).has_value());
    ASSERT_TRUE(tree_->remove("t", NodeKind::socket).has_value());
    EXPECT_EQ((*made)->info().links, 0u);
}

TEST_F(Temporary, RemovedFilesLiveWhileOpen) {
    write("f", "still here");
    ASSERT_TRUE(tree_->create_hard_link("g", "f").has_value());
    auto node = tree_->open("f", test::payer).value();
    EXPECT_EQ(node->info().links, 2u);
    EXPECT_EQ(tree_->open("g", test::payer).value()->info().id, node->info().id);
    EXPECT_EQ(tree_->remove("f", NodeKind::directory).error(), Error::wrong_type);
    ASSERT_TRUE(tree_->remove("f", NodeKind::file).has_value());
    ASSERT_TRUE(tree_->remove("g", NodeKind::file).has_value());
    EXPECT_EQ(tree_->open("f", test::payer).error(), Error::not_found);
    EXPECT_EQ(tree_->remove("f", NodeKind::file).error(), Error::not_found);
    EXPECT_EQ(node->info().links, 0u);
    EXPECT_EQ(read(*node), "still here");
    tree_.reset(); // a node outlives its tree
    EXPECT_EQ(read(*node), "still here");
    EXPECT_GT(payer_.used(), 4096u);
}

// Nodes, names and targets of any length are charged at what the heap takes for them, to the byte.
TEST_F(Temporary, TheAccountIsWhatTheHeapTook) {
    const std::uint64_t heap_before = test::heap_taken() - payer_.used();
    std::vector<std::string> names;
    for (std::size_t bytes = 1; bytes <= 255; bytes += bytes < 70 ? 1 : 37) {
        const std::string name(bytes, 'n');
        ASSERT_TRUE(tree_->create_file(name, 0644).has_value());
        EXPECT_EQ(payer_.used(), test::heap_taken() - heap_before) << bytes;
        ASSERT_TRUE(tree_->create_link("l" + std::to_string(bytes), std::string(16 * bytes, 't')).has_value());
        EXPECT_EQ(payer_.used(), test::heap_taken() - heap_before) << bytes;
        names.push_back(name);
    }
    ASSERT_TRUE(tree_->rename(names[0], std::string(200, 'm'), IfPresent::refuse).has_value());
    EXPECT_EQ(payer_.used(), test::heap_taken() - heap_before);
    for (std::size_t i = 1; i < names.size(); ++i) {
        ASSERT_TRUE(tree_->remove(names[i], NodeKind::file).has_value());
        EXPECT_EQ(payer_.used(), test::heap_taken() - heap_before);
    }
}

TEST_F(Temporary, DirectoriesAreRemovedWhenEmpty) {
    ASSERT_TRUE(tree_->create_directory("a", 0755).has_value());
    ASSERT_TRUE(tree_->create_directory("a/b", 0755).has_value());
    EXPECT_EQ(tree_->remove("a", NodeKind::directory).error(), Error::busy);
    EXPECT_EQ(tree_->remove("a", NodeKind::file).error(), Error::wrong_type);
    EXPECT_EQ(tree_->create_hard_link("c", "a").error(), Error::wrong_type);
    ASSERT_TRUE(tree_->remove("a/b", NodeKind::directory).has_value());
    ASSERT_TRUE(tree_->remove("a", NodeKind::directory).has_value());
    EXPECT_EQ(tree_->remove("", NodeKind::directory).error(), Error::bad_argument);
}

TEST_F(Temporary, Rename) {
    write("a", "1");
    write("b", "2");
    EXPECT_EQ(tree_->rename("a", "b", IfPresent::refuse).error(), Error::already_exists);
    ASSERT_TRUE(tree_->rename("a", "b", IfPresent::replace).has_value());
    EXPECT_EQ(read("b"), "1");
    EXPECT_EQ(tree_->open("a", test::payer).error(), Error::not_found);
    ASSERT_TRUE(tree_->create_directory("d", 0755).has_value());
    ASSERT_TRUE(tree_->create_directory("d/e", 0755).has_value());
    ASSERT_TRUE(tree_->rename("b", "d/e/b", IfPresent::replace).has_value());
    EXPECT_EQ(tree_->rename("d", "d/e/x", IfPresent::replace).error(), Error::bad_argument);
    EXPECT_EQ(tree_->rename("d", "d/e", IfPresent::replace).error(), Error::bad_argument);
    EXPECT_EQ(tree_->rename("d/e/b", "d", IfPresent::replace).error(), Error::wrong_type);
    ASSERT_TRUE(tree_->create_directory("f", 0755).has_value());
    EXPECT_EQ(tree_->rename("f", "d", IfPresent::replace).error(), Error::busy);
    ASSERT_TRUE(tree_->rename("d", "f", IfPresent::replace).has_value());
    EXPECT_EQ(read("f/e/b"), "1");
    ASSERT_TRUE(tree_->rename("f/e", "g", IfPresent::replace).has_value());
    EXPECT_EQ(read("g/b"), "1");
    ASSERT_TRUE(tree_->rename("g", "g", IfPresent::replace).has_value());
    ASSERT_TRUE(tree_->create_hard_link("h", "g/b").has_value());
    ASSERT_TRUE(tree_->rename("h", "g/b", IfPresent::replace).has_value()); // names of one file: both stay
    EXPECT_EQ(read("h"), "1");
    EXPECT_EQ(tree_->rename("none", "x", IfPresent::replace).error(), Error::not_found);
    EXPECT_EQ(tree_->rename("g", "none/x", IfPresent::replace).error(), Error::not_found);
}

TEST_F(Temporary, ReadingADirectoryThatChanges) {
    for (int i = 0; i < 100; ++i)
        write("f" + std::to_string(i), "");
    auto root = tree_->open("", test::payer).value();
    Node::Entry entry;
    std::set<std::string> seen;
    std::uint64_t position = 0;
    int step = 0;
    while (root->entry(position, entry)) { // remove_all() removes while it reads
        seen.insert(std::string(entry.name, entry.name_bytes));
        position = entry.next_position;
        if (step++ % 2 == 0) {
            ASSERT_TRUE(tree_->remove(std::string_view(entry.name, entry.name_bytes), NodeKind::file).has_value());
        }
    }
    EXPECT_EQ(seen.size(), 100u);
    EXPECT_EQ(children("").size(), 50u);
}

TEST_F(Temporary, QuotaBoundsEverything) {
    fake::CountingPayer poor(64 * 1024);
    {
        auto tree = create_temporary_tree(poor).value();
        int made = 0;
        while (tree->create_file("f" + std::to_string(made), 0644))
            ++made;
        EXPECT_GT(made, 50);
        int directories = 0; // smaller than files
        while (tree->create_directory("d" + std::to_string(directories), 0755))
            ++directories;
        EXPECT_EQ(tree->create_directory("d", 0755).error(), Error::quota_exceeded);
        EXPECT_EQ(tree->create_link("l", std::string(100, 'x')).error(), Error::quota_exceeded);
        EXPECT_LE(poor.used(), 64u * 1024);
        for (int i = 0; i < made; ++i)
            ASSERT_TRUE(tree->remove("f" + std::to_string(i), NodeKind::file).has_value());
        auto node = tree->create_file("big", 0644).value();
        ASSERT_TRUE(node->resize(1 << 30).has_value()); // sparse
        EXPECT_EQ(node->resize((1 << 30) + 1).error(), Error::too_large);
        std::vector<char> data(100'000, 'x');
        EXPECT_EQ(node->pages().value()->write(0, data.data(), data.size()).error(), Error::quota_exceeded);
        poor.set_limit(100);
        EXPECT_EQ(tree->rename("big", "bigger", IfPresent::replace).error(), Error::quota_exceeded);
        EXPECT_TRUE(tree->open("big", test::payer).has_value()); // all or nothing
    }
    EXPECT_EQ(poor.used(), 0u);
    fake::CountingPayer none(0);
    EXPECT_EQ(create_temporary_tree(none).error(), Error::quota_exceeded);
}

TEST_F(Temporary, DeepTreesDoNotNeedADeepStack) {
    // Grown from above by renaming: deeper than any path can say.
    ASSERT_TRUE(tree_->create_directory("a", 0755).has_value());
    for (int i = 0; i < 20'000; ++i) {
        ASSERT_TRUE(tree_->create_directory("b", 0755).has_value());
        ASSERT_TRUE(tree_->rename("a", "b/a", IfPresent::replace).has_value());
        ASSERT_TRUE(tree_->rename("b", "a", IfPresent::replace).has_value());
    }
    write("z", "");
    TreeEntry entry;
    ASSERT_TRUE(tree_->list(0, entry, test::payer).has_value());
    EXPECT_EQ(std::string_view(entry.name, entry.name_bytes), "z");
    tree_.reset();
}

TEST_F(Temporary, RandomOperationsAgainstAModel) {
    std::mt19937_64 random(7);
    struct File {
        std::string text;
    };
    std::map<std::string, std::shared_ptr<File>> model; // nullptr: a directory
    const char* names[] = {"a", "b", "a-b", "c"};
    const auto random_path = [&] {
        std::string path = names[random() % 4];
        for (unsigned depth = 0; depth < 3 && random() % 2 == 0; ++depth)
            path += std::string("/") + names[random() % 4];
        return path;
    };
    const auto parent_is_there = [&](const std::string& path) {
        const auto slash = path.rfind('/');
        if (slash == std::string::npos) return true;
        const auto found = model.find(path.substr(0, slash));
        return found != model.end() && found->second == nullptr;
    };
    const auto has_children = [&](const std::string& path) {
        const auto next = model.lower_bound(path + "/");
        return next != model.end() && next->first.starts_with(path + "/");
    };
    for (int step = 0; step < 30'000; ++step) {
        const std::string path = random_path(), other = random_path();
        const auto at = model.find(path), at_other = model.find(other);
        const bool is_file = at != model.end() && at->second, is_directory = at != model.end() && !at->second;
        switch (random() % 7) {
        case 0:
            ASSERT_EQ(tree_->create_file(path, 0644).has_value(), at == model.end() && parent_is_there(path));
            if (at == model.end() && parent_is_there(path)) model[path] = std::make_shared<File>();
            break;
        case 1:
            ASSERT_EQ(tree_->create_directory(path, 0755).has_value(), at == model.end() && parent_is_there(path));
            if (at == model.end() && parent_is_there(path)) model[path] = nullptr;
            break;
        case 2:
            ASSERT_EQ(tree_->remove(path, NodeKind::file).has_value(), is_file);
            if (is_file) model.erase(at);
            break;
        case 3:
            ASSERT_EQ(tree_->remove(path, NodeKind::directory).has_value(), is_directory && !has_children(path));
            if (is_directory && !has_children(path)) model.erase(at);
            break;
        case 4: {
            const bool can = is_file && at_other == model.end() && parent_is_there(other);
            ASSERT_EQ(tree_->create_hard_link(other, path).has_value(), can);
            if (can) model[other] = at->second;
            break;
        }
        case 5: {
            bool can = at != model.end() && parent_is_there(other);
            if (is_directory && other.starts_with(path + "/")) can = false;
            const bool is_same =
                can && at_other != model.end() && (path == other || (is_file && at->second == at_other->second));
            if (can && at_other != model.end() && !is_same)
                can = is_file ? at_other->second != nullptr : (!at_other->second && !has_children(other));
            ASSERT_EQ(tree_->rename(path, other, IfPresent::replace).has_value(), can) << path << " to " << other;
            if (!can || is_same) break;
            std::map<std::string, std::shared_ptr<File>> moved;
            for (auto it = model.begin(); it != model.end();) {
                if (it->first == path || it->first.starts_with(path + "/")) {
                    moved[other + it->first.substr(path.size())] = it->second;
                    it = model.erase(it);
                } else {
                    ++it;
                }
            }
            for (auto& [name, file] : moved)
                model[name] = file;
            break;
        }
        case 6:
            if (is_file) {
                at->second->text.assign(random() % 9000, static_cast<char>('a' + random() % 26));
                write(path, at->second->text);
            }
            break;
        }
        if (step % 500 != 0) continue;
        std::uint64_t index = 0;
        std::map<std::string, std::shared_ptr<File>> files;
        for (const auto& [name, file] : model)
            if (file) files[name] = file;
        for (const auto& [name, file] : files) {
            TreeEntry entry;
            ASSERT_TRUE(tree_->list(index++, entry, test::payer).has_value());
            ASSERT_EQ(std::string_view(entry.name, entry.name_bytes), name);
            ASSERT_EQ(read(name), file->text);
        }
        TreeEntry entry;
        ASSERT_EQ(tree_->list(index, entry, test::payer).error(), Error::not_found);
    }
}

TEST_F(Temporary, MappedFilesAreTruncatedEverywhere) {
    using arch::Protection;
    write("f", std::string(10'000, 'x'));
    auto node = tree_->open("f", test::payer).value();
    auto space = mm::AddressSpace::create(payer_).value();
    const std::uint64_t at =
        space->map(node->pages().value(), 0, 10'000, Protection::read | Protection::write, mm::Sharing::shared).value();
    char byte = 0;
    ASSERT_TRUE(space->read(at + 9000, &byte, 1).has_value());
    EXPECT_EQ(byte, 'x');
    ASSERT_TRUE(node->resize(4096).has_value());
    EXPECT_EQ(space->read(at + 9000, &byte, 1).error(), Error::bad_address);
    ASSERT_TRUE(space->write(at + 10, "y", 1).has_value());
    EXPECT_EQ(read("f")[10], 'y');
}

} // namespace
} // namespace aios::fs
