// Temporary trees that begin with a directory of a section: against a model, and what they tell of their changes.
#include <map>
#include <random>
#include <set>

#include "boot/container_check.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "kernel/mm/owned.hpp"
#include "tests/support/hash_lanes_host.hpp"
#include "tests/support/heap_tally.hpp"
#include "tests/unit/fs/container_builder.hpp"
#include "tests/unit/fs/fixture.hpp"

namespace aios::fs {
namespace {

// Files by path; what ends in a slash is a directory.
using Model = std::map<std::string, std::string>;

class Private : public testing::Test {
protected:
    void SetUp() override {
        fake::start_machine();
        test::has_hash_lanes = false;
        section_.files = {{"usr/bin/sh", std::string(9000, 's')},
                          {"usr/lib/a", "aa"},
                          {"usr/lib/b", "bb"},
                          {"work/one", "1"},
                          {"work/two", "22"},
                          {"work/deep/in/three", "333"},
                          {"work/deep-er", "x"},
                          {"work/empty", ""},
                          {"work/deep/four", "4444"},
                          {"workshop", "not in work"},
                          {"work/many/a", "many"}};
        section_.directories = {longest_directory()};
        section_.modes = {{"usr/bin/sh", 0755}};
        section_.links = {{"work/link", "deep/four"}};
        section_.names = {{"work/many/b", "work/many/a"}};
        const auto container = test::build_container({section_, {}});
        const arch::PhysAddr base = test::place_container(container);
        const auto* page = static_cast<const std::uint8_t*>(arch::physmap(base));
        const auto header = boot::container_header_check({page, 4096}, container.size()).value();
        bundle_ = BundleTree::create(base, header.sections[0]).value();
        make("work");
    }
    void TearDown() override {
        tree_.reset();
        EXPECT_EQ(payer_.used(), 0u);
        EXPECT_EQ(payer_.references(), 0);
    }
    void make(std::string_view directory) {
        tree_.reset();
        tree_ = create_private_tree(payer_, bundle_->place_of(directory, payer_).value()).value();
    }
    static std::string longest_directory() { // 1,024 bytes
        const std::string part(255, 'l');
        return part + '/' + part + '/' + part + '/' + std::string(200, 'l') + '/' + std::string(55, 'l');
    }
    static std::string read(Node& node) {
        std::string text(node.info().bytes, '?');
        if (text.empty()) return text;
        EXPECT_TRUE(node.pages().value()->read(0, text.data(), text.size()).has_value());
        return text;
    }
    std::string read(std::string_view path) { return read(*tree_->open(path, payer_).value()); }
    Result<> write(std::string_view path, std::string_view text) {
        auto made = tree_->create_file(path, 0644);
        if (!made && made.error() != Error::already_exists) return fail(made.error());
        auto node = TRY(tree_->open(path, payer_));
        if (node->info().kind != NodeKind::file) return fail(Error::wrong_type);
        TRY(node->resize(text.size()));
        const Ref<mm::Pages> pages = TRY(node->pages());
        if (!text.empty()) TRY(pages->write(0, text.data(), text.size()));
        return {};
    }
    void walk(const std::string& directory, Model& into) {
        Node::Entry entry;
        auto node = tree_->open(directory, payer_).value();
        for (std::uint64_t position = 0; node->entry(position, entry); position = entry.next_position) {
            const std::string path =
                (directory.empty() ? "" : directory + "/") + std::string(entry.name, entry.name_bytes);
            if (entry.kind == NodeKind::directory) {
                into[path + "/"] = "";
                walk(path, into);
            } else if (entry.kind == NodeKind::file) {
                into[path] = read(path);
            }
        }
    }
    Model walk() {
        Model all;
        walk("", all);
        return all;
    }
    std::map<std::string, ChangeKind> changes() {
        std::map<std::string, ChangeKind> all;
        TreeChange change{};
        for (std::uint64_t position = 0;;) {
            const auto found = tree_->change(position, change);
            if (!found) {
                EXPECT_EQ(found.error(), Error::not_found);
                return all;
            }
            EXPECT_NE(change.next, position);
            position = change.next;
            const std::string path(change.path, change.path_bytes);
            EXPECT_TRUE(all.emplace(path, static_cast<ChangeKind>(change.kind)).second) << path;
        }
    }
    test::TestSection section_;
    Ref<BundleTree> bundle_;
    fake::CountingPayer payer_;
    Ref<Tree> tree_;
};

TEST_F(Private, BeginsWithWhatIsThere) {
    EXPECT_TRUE(tree_->is_writable());
    EXPECT_EQ(read("deep/in/three"), "333");
    const NodeInfo info = tree_->open("two", payer_).value()->info();
    EXPECT_EQ(info.mode, 0444u);
    EXPECT_EQ(info.modified_ns, 2'000'000'000u);
    EXPECT_EQ(tree_->open("workshop", payer_).error(), Error::not_found);
    EXPECT_EQ(tree_->open("deep/none", payer_).error(), Error::not_found);
    EXPECT_EQ(tree_->open("one/x", payer_).error(), Error::not_found);
    char target[16];
    EXPECT_EQ(tree_->open("link", payer_).value()->read_link(target, 16).value(), 9u);
    EXPECT_EQ(tree_->open("link", payer_).value()->info().bytes, 9u);
    EXPECT_EQ(tree_->open("many/a", payer_).value()->info().links, 2u);
    ASSERT_TRUE(write("many/b", "both").has_value());
    EXPECT_EQ(read("many/a"), "both"); // two names of one file
    TreeEntry entry;
    EXPECT_EQ(tree_->list(0, entry, payer_).error(), Error::unsupported);
    const Model all = walk();
    EXPECT_EQ(all.size(), 11u);
    EXPECT_EQ(all.at("deep-er"), "x");
    std::uint8_t root[32];
    EXPECT_FALSE(tree_->open("one", payer_).value()->content_root(root)); // somebody can change it
}

TEST_F(Private, LookingChangesNothing) {
    (void)walk();
    EXPECT_TRUE(changes().empty());
    EXPECT_TRUE(bundle_->open("work/one", payer_).has_value());
}

TEST_F(Private, TellsItsChanges) {
    ASSERT_TRUE(write("one", "other").has_value());
    ASSERT_TRUE(write("new", "n").has_value());
    ASSERT_TRUE(tree_->create_directory("dir", 0700).has_value());
    ASSERT_TRUE(tree_->create_link("dir/l", "../one").has_value());
    ASSERT_TRUE(tree_->remove("two", NodeKind::file).has_value());
    ASSERT_TRUE(tree_->rename("deep/four", "deep/five", IfPresent::refuse).has_value());
    ASSERT_TRUE(tree_->open("deep/in/three", payer_).value()->set_mode(0600).has_value());
    const std::map<std::string, ChangeKind> wanted = {
        {"deep/five", ChangeKind::file}, {"deep/four", ChangeKind::removed}, {"deep/in/three", ChangeKind::file},
        {"dir", ChangeKind::directory},  {"dir/l", ChangeKind::link},        {"new", ChangeKind::file},
        {"one", ChangeKind::file},       {"two", ChangeKind::removed}};
    EXPECT_EQ(changes(), wanted);
    // A directory that is gone is told, and not what was in it.
    for (const char* path : {"deep/five", "deep/in/three"})
        ASSERT_TRUE(tree_->remove(path, NodeKind::file).has_value());
    EXPECT_EQ(tree_->remove("deep", NodeKind::directory).error(), Error::busy);
    ASSERT_TRUE(tree_->remove("deep/in", NodeKind::directory).has_value());
    ASSERT_TRUE(tree_->remove("deep", NodeKind::directory).has_value());
    auto now = changes();
    EXPECT_EQ(now.at("deep"), ChangeKind::removed);
    EXPECT_FALSE(now.contains("deep/in"));
    // Another thing of that name is new.
    ASSERT_TRUE(write("deep", "a file").has_value());
    now = changes();
    EXPECT_EQ(now.at("deep"), ChangeKind::file);
}

TEST_F(Private, DirectoriesOfTheSectionKeepTheirPlaces) {
    EXPECT_EQ(tree_->rename("deep", "moved", IfPresent::refuse).error(), Error::unsupported);
    ASSERT_TRUE(tree_->create_directory("new", 0755).has_value());
    ASSERT_TRUE(tree_->rename("new", "moved", IfPresent::refuse).has_value());
    EXPECT_EQ(tree_->rename("moved", "deep", IfPresent::replace).error(), Error::busy);
    EXPECT_EQ(tree_->remove("deep", NodeKind::directory).error(), Error::busy);
}

TEST_F(Private, WhatCannotBePaidIsRefused) {
    payer_.set_limit(payer_.used());
    EXPECT_EQ(tree_->open("one", payer_).error(), Error::quota_exceeded);
    Node::Entry entry;
    payer_.set_limit(~0ull);
    auto directory = tree_->open("", payer_).value();
    payer_.set_limit(payer_.used() + 500); // the first of what is in it
    EXPECT_EQ(directory->entry(0, entry).error(), Error::quota_exceeded);
    payer_.set_limit(~0ull);
    EXPECT_EQ(walk().size(), 11u);
}

TEST_F(Private, SubtreesShowADirectory) {
    auto sub = create_subtree(payer_, bundle_, "work/deep").value();
    EXPECT_FALSE(sub->is_writable());
    EXPECT_EQ(read(*sub->open("in/three", payer_).value()), "333");
    EXPECT_EQ(sub->open("one", payer_).error(), Error::not_found);
    EXPECT_EQ(sub->open(std::string(1024, 'x'), payer_).error(), Error::not_found);
    EXPECT_EQ(sub->create_file("x", 0644).error(), Error::missing_right);
    EXPECT_EQ(create_subtree(payer_, bundle_, "work/one").error(), Error::wrong_type);
    EXPECT_EQ(create_subtree(payer_, bundle_, "none").error(), Error::not_found);
    EXPECT_EQ(create_subtree(payer_, tree_, "deep").error(), Error::unsupported);
    // One whose own path is as long as a path may be.
    auto longest = create_subtree(payer_, bundle_, longest_directory()).value();
    EXPECT_EQ(longest->open("", payer_).value()->info().kind, NodeKind::directory);
    EXPECT_EQ(longest->open("x", payer_).error(), Error::not_found);
    auto in = create_private_tree(payer_, sub->place_of("in", payer_).value()).value();
    EXPECT_TRUE(in->open("three", payer_).has_value());
}

TEST_F(Private, WhatIsMadeAnewHidesNothing) {
    for (const char* path : {"deep/four", "deep/in/three"})
        ASSERT_TRUE(tree_->remove(path, NodeKind::file).has_value());
    ASSERT_TRUE(tree_->remove("deep/in", NodeKind::directory).has_value());
    ASSERT_TRUE(tree_->remove("deep", NodeKind::directory).has_value());
    ASSERT_TRUE(tree_->create_directory("deep", 0755).has_value());
    ASSERT_TRUE(tree_->remove("one", NodeKind::file).has_value());
    ASSERT_TRUE(tree_->create_socket("one", 0755).has_value());
    const std::map<std::string, ChangeKind> wanted = {{"deep", ChangeKind::directory},
                                                      {"deep/four", ChangeKind::removed},
                                                      {"deep/in", ChangeKind::removed},
                                                      {"one", ChangeKind::removed}};
    EXPECT_EQ(changes(), wanted);
}

TEST_F(Private, NamesOfOneFileChangeTogether) {
    ASSERT_TRUE(write("many/a", "other").has_value()); // nobody has asked for the other name
    const std::map<std::string, ChangeKind> wanted = {{"many/a", ChangeKind::file}, {"many/b", ChangeKind::file}};
    EXPECT_EQ(changes(), wanted);
    ASSERT_TRUE(tree_->remove("many/a", NodeKind::file).has_value());
    EXPECT_EQ(read("many/b"), "other");
    const std::uint64_t before = payer_.used();
    ASSERT_TRUE(tree_->remove("many/b", NodeKind::file).has_value());
    EXPECT_LT(payer_.used() + mm::kPageSize, before); // its contents went with its last name
}

TEST_F(Private, GrowthIsAChange) {
    ASSERT_TRUE(tree_->open("one", payer_).value()->pages().value()->grow(5000).has_value());
    EXPECT_EQ(changes().at("one"), ChangeKind::file);
}

// A directory that is open while its tree ends gets nothing any more, so that nothing stays behind.
TEST_F(Private, DirectoriesOutliveTheirTreeEmpty) {
    Node::Entry entry;
    auto unmade = tree_->open("deep", payer_).value(), root = tree_->open("", payer_).value();
    ASSERT_TRUE(root->entry(0, entry).has_value());
    tree_.reset();
    EXPECT_EQ(unmade->entry(0, entry).error(), Error::revoked);
    EXPECT_EQ(root->entry(0, entry).error(), Error::not_found);
}

// Random operations; the tree has what a model has, and its changes are those of the model.
TEST_F(Private, Model) {
    const std::vector<std::string> names = {"one",           "two",  "new",   "deep",  "deep/in",   "deep/four",
                                            "deep/in/three", "many", "empty", "new/a", "deep/in/b", "deep-er"};
    std::mt19937_64 random(7);
    for (int round = 0; round < 40; ++round) {
        make("work");
        Model model = walk();
        model.erase("many/a");
        model.erase("many/b");
        make("work"); // nothing is made yet
        ASSERT_TRUE(tree_->remove("many/a", NodeKind::file).has_value());
        ASSERT_TRUE(tree_->remove("many/b", NodeKind::file).has_value());
        const Model first = model;
        const auto parent_is_there = [&](const std::string& path) {
            const auto slash = path.rfind('/');
            return slash == path.npos || model.contains(path.substr(0, slash) + "/");
        };
        const auto is_empty = [&](const std::string& directory) {
            const auto next = model.upper_bound(directory + "/");
            return next == model.end() || !next->first.starts_with(directory + "/");
        };
        for (int step = 0; step < 60; ++step) {
            const std::string& path = names[random() % names.size()];
            const std::string& other = names[random() % names.size()];
            const bool is_file = model.contains(path), is_directory = model.contains(path + "/");
            switch (random() % 5) {
            case 0: {
                const std::string text(random() % 5000, static_cast<char>('a' + step % 26));
                const bool works = parent_is_there(path) && !is_directory;
                EXPECT_EQ(write(path, text).has_value(), works) << path;
                if (works) model[path] = text;
                break;
            }
            case 1:
                EXPECT_EQ(tree_->create_directory(path, 0755).has_value(),
                          parent_is_there(path) && !is_file && !is_directory);
                if (parent_is_there(path) && !is_file) model[path + "/"] = "";
                break;
            case 2:
                EXPECT_EQ(tree_->remove(path, NodeKind::file).has_value(), is_file) << path;
                model.erase(path);
                break;
            case 3: {
                const bool works = is_directory && is_empty(path);
                EXPECT_EQ(tree_->remove(path, NodeKind::directory).has_value(), works) << path;
                if (works) model.erase(path + "/");
                break;
            }
            default: {
                const bool works = is_file && parent_is_there(other) && !model.contains(other + "/") && path != other;
                if (is_directory || path == other) break;
                EXPECT_EQ(tree_->rename(path, other, IfPresent::replace).has_value(), works) << path << ' ' << other;
                if (works) {
                    model[other] = model[path];
                    model.erase(path);
                }
            }
            }
        }
        auto told = changes();
        EXPECT_EQ(walk(), model);
        EXPECT_EQ(changes(), told); // looking at all of it changes nothing
        for (const auto& [path, text] : model) {
            if (path.ends_with('/')) continue;
            const bool is_same = first.contains(path) && first.at(path) == text;
            if (!is_same) EXPECT_TRUE(told.contains(path)) << path;
        }
        for (const auto& [path, kind] : told) {
            const bool is_there = model.contains(path) || model.contains(path + "/");
            EXPECT_EQ(kind == ChangeKind::removed, !is_there) << path;
        }
        for (const auto& [path, text] : first) {
            const std::string name = path.substr(0, path.size() - (path.ends_with('/') ? 1 : 0));
            const bool is_there = model.contains(name) || model.contains(name + "/");
            const auto slash = name.rfind('/');
            const bool parent_stays = slash == name.npos || model.contains(name.substr(0, slash) + "/");
            if (!is_there && parent_stays) EXPECT_TRUE(told.contains(name)) << name;
        }
    }
}

} // namespace
} // namespace aios::fs
