// A doubly linked list whose nodes live inside the elements: linking never allocates and never fails.
//
// Always holds: the list is a ring through a sentinel; a node is either in exactly one list or unlinked (both pointers
// null). Linking a linked node, removing an unlinked one, and destroying either a linked node or a list with elements
// all assert. The list does not own its elements. No locks: the caller's lock owns list and nodes together.
#pragma once

#include <cstddef>
#include <iterator>

#include "base/assert.hpp"
#include "base/member.hpp"
#include "base/types.hpp"

namespace aios {

class ListNode : Pinned {
public:
    constexpr ListNode() = default;
    constexpr ~ListNode() { AIOS_ASSERT(next_ == nullptr); }

    [[nodiscard]] constexpr bool is_linked() const { return next_ != nullptr; }

private:
    template <typename T, ListNode T::* Member>
    friend class IntrusiveList;

    ListNode* next_ = nullptr;
    ListNode* previous_ = nullptr;
};

// struct Waiter { ListNode node; };   IntrusiveList<Waiter, &Waiter::node> waiters;
template <typename T, ListNode T::* Member>
class IntrusiveList : Pinned {
public:
    class Iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        constexpr Iterator() = default;
        T& operator*() const { return *element(node_); }
        T* operator->() const { return element(node_); }
        Iterator& operator++() {
            node_ = node_->next_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator old = *this;
            node_ = node_->next_;
            return old;
        }
        bool operator==(const Iterator&) const = default;

    private:
        friend class IntrusiveList;
        explicit Iterator(ListNode* node) : node_(node) {}
        ListNode* node_ = nullptr;
    };

    constexpr IntrusiveList() { reset(); }
    constexpr ~IntrusiveList() {
        AIOS_ASSERT(is_empty());
        sentinel_.next_ = nullptr;
    }

    [[nodiscard]] constexpr bool is_empty() const { return sentinel_.next_ == &sentinel_; }

    // Walks the list: for statistics and tests.
    [[nodiscard]] std::size_t count() const {
        std::size_t n = 0;
        for (const ListNode* node = sentinel_.next_; node != &sentinel_; node = node->next_)
            ++n;
        return n;
    }

    void push_front(T& value) { link(&(value.*Member), sentinel_.next_); }
    void push_back(T& value) { link(&(value.*Member), &sentinel_); }

    // Links `value` before `position`, which is in this list.
    void insert_before(T& position, T& value) {
        AIOS_ASSERT((position.*Member).is_linked());
        link(&(value.*Member), &(position.*Member));
    }

    // Removes `value`, which must be in this list, in constant time.
    void remove(T& value) { unlink(&(value.*Member)); }

    // First and last element; nullptr if the list is empty.
    [[nodiscard]] T* front() const { return is_empty() ? nullptr : element(sentinel_.next_); }
    [[nodiscard]] T* back() const { return is_empty() ? nullptr : element(sentinel_.previous_); }

    // The element after or before `value`; nullptr at the end.
    [[nodiscard]] T* next(const T& value) const { return element_or_null((value.*Member).next_); }
    [[nodiscard]] T* previous(const T& value) const { return element_or_null((value.*Member).previous_); }

    // Removes and returns; nullptr if the list is empty.
    T* pop_front() { return pop(sentinel_.next_); }
    T* pop_back() { return pop(sentinel_.previous_); }

    // Unlinks every element without looking at it.
    void clear() {
        while (pop_front() != nullptr) {
        }
    }

    // Moves all elements of `other` to the end of this list in constant time.
    void splice_back(IntrusiveList& other) {
        if (&other == this || other.is_empty()) return;
        ListNode* first = other.sentinel_.next_;
        ListNode* last = other.sentinel_.previous_;
        other.reset();
        first->previous_ = sentinel_.previous_;
        sentinel_.previous_->next_ = first;
        last->next_ = &sentinel_;
        sentinel_.previous_ = last;
    }

    // The current element may be removed only after the iterator has moved on: auto& e = *it++; list.remove(e);
    [[nodiscard]] Iterator begin() const { return Iterator(sentinel_.next_); }
    [[nodiscard]] Iterator end() const { return Iterator(&sentinel_); }

private:
    static T* element(ListNode* node) { return detail::container_of(node, Member); }
    T* element_or_null(ListNode* node) const {
        AIOS_ASSERT(node != nullptr);
        return node == &sentinel_ ? nullptr : element(node);
    }

    constexpr void reset() {
        sentinel_.next_ = &sentinel_;
        sentinel_.previous_ = &sentinel_;
    }

    static void link(ListNode* node, ListNode* before) {
        AIOS_ASSERT(!node->is_linked());
        node->next_ = before;
        node->previous_ = before->previous_;
        before->previous_->next_ = node;
        before->previous_ = node;
    }

    static void unlink(ListNode* node) {
        AIOS_ASSERT(node->is_linked());
        node->previous_->next_ = node->next_;
        node->next_->previous_ = node->previous_;
        node->next_ = nullptr;
        node->previous_ = nullptr;
    }

    T* pop(ListNode* node) {
        if (node == &sentinel_) return nullptr;
        unlink(node);
        return element(node);
    }

    // Mutable: iterators of a const list still hand out T&, as the list does not own its elements.
    mutable ListNode sentinel_;
};

} // namespace aios
