// An ordered, balanced tree whose nodes live inside the elements: insert, erase and look-up take O(log n) steps,
// first() O(1), and nothing allocates, fails or recurses. For address-space maps, run queues and timers.
//
// An AVL tree. Always holds: the heights of a node's two subtrees differ by at most one; in-order traversal is sorted
// by the key functor; equal keys stand in the order of their insertion. A key must not change while its element is
// linked. Linking a linked node, erasing an unlinked one, and destroying either a linked node or a non-empty tree
// assert. No locks: the caller's lock owns tree and nodes together. The balancing (intrusive_tree.cpp) knows nothing of
// elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>

#include "base/assert.hpp"
#include "base/member.hpp"
#include "base/types.hpp"

namespace aios {

class TreeNode : Pinned {
public:
    constexpr TreeNode() = default;
    constexpr ~TreeNode() { AIOS_ASSERT(height_ == 0); }

    [[nodiscard]] constexpr bool is_linked() const { return height_ != 0; }

private:
    friend class TreeCore;

    TreeNode* parent_ = nullptr;
    TreeNode* left_ = nullptr;
    TreeNode* right_ = nullptr;
    std::uint32_t height_ = 0; // of the subtree; 1 for a leaf, 0 for a node in no tree
};

// The shape of a tree, without its element type.
class TreeCore : Pinned {
public:
    constexpr TreeCore() = default;
    constexpr ~TreeCore() { AIOS_ASSERT(root_ == nullptr); }

    [[nodiscard]] constexpr bool is_empty() const { return root_ == nullptr; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }

    // Checks balance, parent links, the cached first node and the size, in time linear in the size. For tests.
    [[nodiscard]] bool shape_is_valid() const;

protected:
    // Where a new node goes: below `parent`, on the left or right. `leftmost` if the way down never turned right.
    struct Place {
        TreeNode* parent = nullptr;
        bool left = true;
        bool leftmost = true;
    };

    void insert_at(TreeNode& node, const Place& place);
    void erase_node(TreeNode& node);
    void clear_nodes();

    static TreeNode* left_of(const TreeNode* node) { return node->left_; }
    static TreeNode* right_of(const TreeNode* node) { return node->right_; }
    static TreeNode* next_of(const TreeNode* node);
    static TreeNode* previous_of(const TreeNode* node);
    [[nodiscard]] TreeNode* root() const { return root_; }
    [[nodiscard]] TreeNode* first_node() const { return first_; }
    [[nodiscard]] TreeNode* last_node() const;

private:
    static std::uint32_t height_of(const TreeNode* node) { return node == nullptr ? 0 : node->height_; }
    static void update_height(TreeNode* node);
    void replace_child(TreeNode* parent, TreeNode* old_child, TreeNode* new_child);
    TreeNode* rotate(TreeNode* node, bool to_left);
    void rebalance_from(TreeNode* node);

    TreeNode* root_ = nullptr;
    TreeNode* first_ = nullptr;
    std::size_t size_ = 0;
};

// struct Timer { TreeNode node; Deadline at; };
// IntrusiveTree<Timer, &Timer::node, [](const Timer& t) { return t.at; }> timers;
// KeyOf is a function object (an instance, such as a lambda, or a pointer to data member) from const T& to the key.
// Look-ups take anything that Less compares with a key.
template <typename T, TreeNode T::* Member, auto KeyOf, typename Less = std::less<>>
class IntrusiveTree : public TreeCore {
public:
    class Iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        T& operator*() const { return *element(node_); }
        T* operator->() const { return element(node_); }
        Iterator& operator++() {
            node_ = next_of(node_);
            return *this;
        }
        Iterator operator++(int) {
            Iterator old = *this;
            ++*this;
            return old;
        }
        bool operator==(const Iterator&) const = default;

    private:
        friend class IntrusiveTree;
        explicit Iterator(TreeNode* node) : node_(node) {}
        TreeNode* node_ = nullptr;
    };

    // Links `value` after all elements with an equal key.
    void insert(T& value) {
        Place place;
        decltype(auto) key = key_of(value);
        for (TreeNode* node = root(); node != nullptr;) {
            place.parent = node;
            place.left = Less{}(key, key_of(*element(node)));
            place.leftmost = place.leftmost && place.left;
            node = place.left ? left_of(node) : right_of(node);
        }
        insert_at(value.*Member, place);
    }

    // Links `value` unless an element has an equal key: then returns false and changes nothing.
    [[nodiscard]] bool insert_unique(T& value) {
        if (find(key_of(value)) != nullptr) return false;
        insert(value);
        return true;
    }

    // Unlinks `value`, which must be in this tree.
    void erase(T& value) { erase_node(value.*Member); }

    // Unlinks every element. Does not touch the elements otherwise.
    void clear() { clear_nodes(); }

    // The first element with an equal key, or nullptr.
    template <typename K>
    [[nodiscard]] T* find(const K& key) const {
        T* found = lower_bound(key);
        return found != nullptr && !Less{}(key, key_of(*found)) ? found : nullptr;
    }

    // The first element whose key is not less than `key`, or nullptr.
    template <typename K>
    [[nodiscard]] T* lower_bound(const K& key) const {
        TreeNode* best = nullptr;
        for (TreeNode* node = root(); node != nullptr;) {
            if (Less{}(key_of(*element(node)), key)) {
                node = right_of(node);
            } else {
                best = node;
                node = left_of(node);
            }
        }
        return element_or_null(best);
    }

    // The first element whose key is greater than `key`, or nullptr.
    template <typename K>
    [[nodiscard]] T* upper_bound(const K& key) const {
        TreeNode* best = nullptr;
        for (TreeNode* node = root(); node != nullptr;) {
            if (Less{}(key, key_of(*element(node)))) {
                best = node;
                node = left_of(node);
            } else {
                node = right_of(node);
            }
        }
        return element_or_null(best);
    }

    // The last element whose key is not greater than `key`, or nullptr: the mapping that may contain an address.
    template <typename K>
    [[nodiscard]] T* last_not_after(const K& key) const {
        TreeNode* best = nullptr;
        for (TreeNode* node = root(); node != nullptr;) {
            if (Less{}(key, key_of(*element(node)))) {
                node = left_of(node);
            } else {
                best = node;
                node = right_of(node);
            }
        }
        return element_or_null(best);
    }

    // Smallest and largest; nullptr if the tree is empty.
    [[nodiscard]] T* first() const { return element_or_null(first_node()); }
    [[nodiscard]] T* last() const { return element_or_null(last_node()); }

    // Neighbours of a linked element; nullptr at the end.
    [[nodiscard]] T* next(const T& value) const { return element_or_null(next_of(&(value.*Member))); }
    [[nodiscard]] T* previous(const T& value) const { return element_or_null(previous_of(&(value.*Member))); }

    // The current element may be erased only after the iterator has moved on.
    [[nodiscard]] Iterator begin() const { return Iterator(first_node()); }
    [[nodiscard]] Iterator end() const { return Iterator(nullptr); }

private:
    static T* element(TreeNode* node) { return detail::container_of(node, Member); }
    static T* element_or_null(TreeNode* node) { return node == nullptr ? nullptr : element(node); }
    static decltype(auto) key_of(const T& value) { return std::invoke(KeyOf, value); }
};

} // namespace aios
