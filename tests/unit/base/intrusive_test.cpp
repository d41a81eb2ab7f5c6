// The intrusive containers: the list against std::list by random operations, the tree against std::multimap, and the
// assertions that guard against double linking.
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/intrusive_list.hpp"
#include "base/intrusive_tree.hpp"

namespace aios {
namespace {

struct Item {
    explicit Item(int k = 0) : key(k) {}
    char before = 1; // so that the nodes are not at offset 0
    int key;
    ListNode in_list;
    TreeNode in_tree;
    std::uint64_t serial = 0;
};

using List = IntrusiveList<Item, &Item::in_list>;
using Tree = IntrusiveTree<Item, &Item::in_tree, &Item::key>;

// Walks both ways and compares with the model.
void expect_same(const List& list, const std::list<Item*>& model) {
    ASSERT_EQ(list.count(), model.size());
    ASSERT_EQ(list.is_empty(), model.empty());
    auto expected = model.begin();
    for (Item& item : list)
        ASSERT_EQ(&item, *expected++);
    Item* back = list.back();
    for (auto it = model.rbegin(); it != model.rend(); ++it, back = list.previous(*back))
        ASSERT_EQ(back, *it);
    ASSERT_EQ(back, nullptr);
}

TEST(IntrusiveList, AgreesWithStdList) {
    std::mt19937 random(1);
    std::vector<Item> items(40);
    List list;
    List other;
    std::list<Item*> model;
    for (int step = 0; step < 20000; ++step) {
        Item& item = items[random() % items.size()];
        Item& second = items[random() % items.size()];
        switch (random() % 6) {
        case 0:
            if (!item.in_list.is_linked()) {
                list.push_back(item);
                model.push_back(&item);
            }
            break;
        case 1:
            if (!item.in_list.is_linked()) {
                list.push_front(item);
                model.push_front(&item);
            }
            break;
        case 2:
            if (item.in_list.is_linked()) {
                list.remove(item);
                model.remove(&item);
            }
            break;
        case 3:
            if (!item.in_list.is_linked() && second.in_list.is_linked()) {
                list.insert_before(second, item);
                model.insert(std::find(model.begin(), model.end(), &second), &item);
            }
            break;
        case 4: {
            Item* popped = random() % 2 == 0 ? list.pop_front() : nullptr;
            if (popped != nullptr) {
                ASSERT_EQ(popped, model.front());
                model.pop_front();
            } else if ((popped = list.pop_back()) != nullptr) {
                ASSERT_EQ(popped, model.back());
                model.pop_back();
            }
            break;
        }
        default:
            if (!item.in_list.is_linked()) {
                other.push_back(item);
                list.splice_back(other);
                model.push_back(&item);
                ASSERT_TRUE(other.is_empty());
            }
            break;
        }
        expect_same(list, model);
        if (testing::Test::HasFatalFailure()) break;
    }
    list.splice_back(list);
    expect_same(list, model);
    list.clear();
    for (const Item& item : items)
        EXPECT_FALSE(item.in_list.is_linked());
    EXPECT_EQ(list.front(), nullptr);
    EXPECT_EQ(list.pop_back(), nullptr);
}

TEST(IntrusiveList, RemovesWhileWalking) {
    std::vector<Item> items(10);
    List list;
    for (int i = 0; i < 10; ++i) {
        items[static_cast<std::size_t>(i)].key = i;
        list.push_back(items[static_cast<std::size_t>(i)]);
    }
    for (auto it = list.begin(); it != list.end();) {
        Item& item = *it++;
        if (item.key % 2 == 0) list.remove(item);
    }
    int expected = 1;
    for (const Item& item : list) {
        EXPECT_EQ(item.key, expected);
        expected += 2;
    }
    list.clear();
}

TEST(IntrusiveListDeathTest, GuardsItsLinks) {
    EXPECT_DEATH(
        {
            Item item;
            List list;
            list.push_back(item);
            list.push_back(item);
        },
        "is_linked");
    EXPECT_DEATH(
        {
            Item item;
            List list;
            list.remove(item);
        },
        "is_linked");
    EXPECT_DEATH(
        {
            List list;
            Item item;
            list.push_back(item);
        },
        "next_ == nullptr");
}

TEST(IntrusiveTree, AgreesWithStdMultimap) {
    for (const int key_range : {8, 100, 1000000}) {
        std::mt19937 random(static_cast<unsigned>(key_range));
        std::vector<Item> items(300);
        Tree tree;
        std::multimap<int, Item*> model;
        const auto modelled = [&](auto it) { return it == model.end() ? nullptr : it->second; };
        const auto erase = [&](Item& item) {
            tree.erase(item);
            for (auto [it, last] = model.equal_range(item.key); it != last; ++it) {
                if (it->second == &item) {
                    model.erase(it);
                    break;
                }
            }
        };
        for (int step = 0; step < 20000; ++step) {
            Item& item = items[random() % items.size()];
            if (item.in_tree.is_linked()) {
                erase(item);
            } else {
                item.key = static_cast<int>(random() % static_cast<unsigned>(key_range));
                if (step % 3 == 0) {
                    const bool is_new = !model.contains(item.key);
                    ASSERT_EQ(tree.insert_unique(item), is_new);
                    if (is_new) model.emplace(item.key, &item);
                } else {
                    tree.insert(item);
                    model.emplace(item.key, &item); // a multimap also puts equal keys in the order of insertion
                }
            }
            ASSERT_TRUE(tree.shape_is_valid());
            ASSERT_EQ(tree.size(), model.size());

            const int key = static_cast<int>(random() % static_cast<unsigned>(key_range + 2)) - 1;
            ASSERT_EQ(tree.lower_bound(key), modelled(model.lower_bound(key)));
            ASSERT_EQ(tree.upper_bound(key), modelled(model.upper_bound(key)));
            ASSERT_EQ(tree.find(key), model.contains(key) ? model.lower_bound(key)->second : nullptr);
            const auto after = model.upper_bound(key);
            ASSERT_EQ(tree.last_not_after(key), after == model.begin() ? nullptr : std::prev(after)->second);
            ASSERT_EQ(tree.first(), model.empty() ? nullptr : model.begin()->second);
            ASSERT_EQ(tree.last(), model.empty() ? nullptr : model.rbegin()->second);

            if (step % 50 == 0) {
                auto expected = model.begin();
                for (Item& entry : tree)
                    ASSERT_EQ(&entry, (expected++)->second);
                ASSERT_EQ(expected, model.end());
                Item* entry = tree.last();
                for (auto it = model.rbegin(); it != model.rend(); ++it, entry = tree.previous(*entry)) {
                    ASSERT_EQ(entry, it->second);
                }
                ASSERT_EQ(entry, nullptr);
            }
        }
        tree.clear();
        EXPECT_TRUE(tree.is_empty());
        for (const Item& item : items)
            EXPECT_FALSE(item.in_tree.is_linked());
    }
}

// Sorted input is the worst case of a tree without balance.
TEST(IntrusiveTree, StaysBalancedOnSortedInput) {
    std::vector<std::unique_ptr<Item>> items;
    Tree up;
    IntrusiveTree<Item, &Item::in_tree, [](const Item& item) { return item.key; }, std::greater<>> down;
    for (int i = 0; i < 5000; ++i) {
        items.push_back(std::make_unique<Item>(i));
        up.insert(*items.back());
    }
    EXPECT_TRUE(up.shape_is_valid());
    EXPECT_EQ(up.first()->key, 0);
    while (Item* first = up.first()) {
        up.erase(*first);
        down.insert(*first);
    }
    EXPECT_TRUE(down.shape_is_valid());
    EXPECT_EQ(down.size(), 5000u);
    EXPECT_EQ(down.first()->key, 4999);
    EXPECT_EQ(down.next(*down.first())->key, 4998);
    down.clear();
}

TEST(IntrusiveTreeDeathTest, GuardsItsLinks) {
    EXPECT_DEATH(
        {
            Item item;
            Tree tree;
            tree.insert(item);
            tree.insert(item);
        },
        "is_linked");
    EXPECT_DEATH(
        {
            Item item;
            Tree tree;
            tree.erase(item);
        },
        "is_linked");
    EXPECT_DEATH(
        {
            Tree tree;
            Item item;
            tree.insert(item);
        },
        "height_ == 0");
}

} // namespace
} // namespace aios
