// The balancing of IntrusiveTree: AVL rotations by parent links, without recursion. See intrusive_tree.hpp for what
// holds.
#include "base/intrusive_tree.hpp"

namespace aios {

namespace {

constexpr std::uint32_t larger(std::uint32_t a, std::uint32_t b) { return a > b ? a : b; }

} // namespace

void TreeCore::update_height(TreeNode* node) {
    node->height_ = 1 + larger(height_of(node->left_), height_of(node->right_));
}

// Makes `new_child` (may be null) stand where `old_child` stood below `parent`; a null parent means the root.
void TreeCore::replace_child(TreeNode* parent, TreeNode* old_child, TreeNode* new_child) {
    if (parent == nullptr) {
        root_ = new_child;
    } else if (parent->left_ == old_child) {
        parent->left_ = new_child;
    } else {
        parent->right_ = new_child;
    }
    if (new_child != nullptr) new_child->parent_ = parent;
}

// Turns the subtree at `node` to the left (its right child rises) or to the right; returns the new top.
TreeNode* TreeCore::rotate(TreeNode* node, bool to_left) {
    TreeNode* top = to_left ? node->right_ : node->left_;
    TreeNode* moved = to_left ? top->left_ : top->right_;
    replace_child(node->parent_, node, top);
    (to_left ? top->left_ : top->right_) = node;
    node->parent_ = top;
    (to_left ? node->right_ : node->left_) = moved;
    if (moved != nullptr) moved->parent_ = node;
    update_height(node);
    update_height(top);
    return top;
}

// Restores heights and balance from `node` upwards; stops where nothing changes any more.
void TreeCore::rebalance_from(TreeNode* node) {
    while (node != nullptr) {
        const std::uint32_t old_height = node->height_;
        const std::uint32_t left = height_of(node->left_);
        const std::uint32_t right = height_of(node->right_);
        if (left > right + 1) {
            TreeNode* child = node->left_;
            if (height_of(child->left_) < height_of(child->right_)) rotate(child, true);
            node = rotate(node, false);
        } else if (right > left + 1) {
            TreeNode* child = node->right_;
            if (height_of(child->right_) < height_of(child->left_)) rotate(child, false);
            node = rotate(node, true);
        } else {
            update_height(node);
        }
        if (node->height_ == old_height) return;
        node = node->parent_;
    }
}

void TreeCore::insert_at(TreeNode& node, const Place& place) {
    AIOS_ASSERT(!node.is_linked());
    node.parent_ = place.parent;
    node.height_ = 1;
    if (place.parent == nullptr) {
        root_ = &node;
    } else {
        (place.left ? place.parent->left_ : place.parent->right_) = &node;
    }
    if (place.leftmost) first_ = &node;
    ++size_;
    if (place.parent != nullptr) rebalance_from(place.parent);
}

void TreeCore::erase_node(TreeNode& node) {
    AIOS_ASSERT(node.is_linked() && size_ != 0);
    if (size_ == 1) { // most trees have one element most of the time
        AIOS_ASSERT(root_ == &node);
        root_ = first_ = nullptr;
        size_ = 0;
        node.height_ = 0;
        return;
    }
    if (first_ == &node) first_ = next_of(&node);

    TreeNode* lowest; // the lowest node whose subtrees change
    if (node.left_ != nullptr && node.right_ != nullptr) {
        // The successor has no left child: it takes the node's place.
        TreeNode* successor = node.right_;
        while (successor->left_ != nullptr)
            successor = successor->left_;
        lowest = successor;
        if (successor != node.right_) {
            lowest = successor->parent_;
            replace_child(successor->parent_, successor, successor->right_);
            successor->right_ = node.right_;
            node.right_->parent_ = successor;
        }
        successor->left_ = node.left_;
        node.left_->parent_ = successor;
        successor->height_ = node.height_;
        replace_child(node.parent_, &node, successor);
    } else {
        lowest = node.parent_;
        replace_child(node.parent_, &node, node.left_ != nullptr ? node.left_ : node.right_);
    }

    node.parent_ = node.left_ = node.right_ = nullptr;
    node.height_ = 0;
    --size_;
    rebalance_from(lowest);
}

// Cuts leaf after leaf.
void TreeCore::clear_nodes() {
    for (TreeNode* node = root_; node != nullptr;) {
        if (node->left_ != nullptr) {
            node = node->left_;
        } else if (node->right_ != nullptr) {
            node = node->right_;
        } else {
            TreeNode* parent = node->parent_;
            if (parent != nullptr) (parent->left_ == node ? parent->left_ : parent->right_) = nullptr;
            node->parent_ = nullptr;
            node->height_ = 0;
            node = parent;
        }
    }
    root_ = nullptr;
    first_ = nullptr;
    size_ = 0;
}

TreeNode* TreeCore::next_of(const TreeNode* node) {
    if (node->right_ != nullptr) {
        TreeNode* below = node->right_;
        while (below->left_ != nullptr)
            below = below->left_;
        return below;
    }
    TreeNode* above = node->parent_;
    while (above != nullptr && above->right_ == node) {
        node = above;
        above = above->parent_;
    }
    return above;
}

TreeNode* TreeCore::previous_of(const TreeNode* node) {
    if (node->left_ != nullptr) {
        TreeNode* below = node->left_;
        while (below->right_ != nullptr)
            below = below->right_;
        return below;
    }
    TreeNode* above = node->parent_;
    while (above != nullptr && above->left_ == node) {
        node = above;
        above = above->parent_;
    }
    return above;
}

TreeNode* TreeCore::last_node() const {
    TreeNode* node = root_;
    while (node != nullptr && node->right_ != nullptr)
        node = node->right_;
    return node;
}

bool TreeCore::shape_is_valid() const {
    if (root_ != nullptr && root_->parent_ != nullptr) return false;
    const TreeNode* node = root_;
    while (node != nullptr && node->left_ != nullptr)
        node = node->left_;
    if (node != first_) return false;

    std::size_t count = 0;
    for (; node != nullptr; node = next_of(node)) {
        const std::uint32_t left = height_of(node->left_);
        const std::uint32_t right = height_of(node->right_);
        if (node->left_ != nullptr && node->left_->parent_ != node) return false;
        if (node->right_ != nullptr && node->right_->parent_ != node) return false;
        if (left > right + 1 || right > left + 1 || node->height_ != 1 + larger(left, right)) return false;
        if (++count > size_) return false;
    }
    return count == size_;
}

} // namespace aios
