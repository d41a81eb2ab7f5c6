// Area: one mapping of an address space, and the ordered set of them. An area is a run of pages with one kind,
// protection and authority; neighbours that continue each other are merged, a change in the middle splits. Owned by
// AddressSpace, under its lock.
#pragma once

#include <optional>

#include "base/intrusive_tree.hpp"
#include "kernel/mm/authority.hpp"
#include "kernel/mm/label.hpp"
#include "kernel/mm/pages.hpp"

namespace aios::mm {

enum class AreaKind : std::uint8_t {
    anonymous,     // private, zero-filled
    pages_shared,  // a window on Pages
    pages_private, // copy-on-write of Pages
    device,        // registers; `offset` is the physical address
};

// What a child of fork has of an area: a copy, an empty one, or nothing.
enum class AtFork : std::uint8_t { copied, emptied, left_out };

struct Area {
    TreeNode node;
    std::uint64_t start = 0, end = 0; // page aligned
    std::uint64_t offset = 0;         // of `start` in the Pages, bytes; or the physical address
    Ref<Authority> authority;         // what it was made under; empty: nothing ends it but its own space
    Ref<Pages> pages;
    Ref<Label> label;       // of the first of what was merged; may be empty
    std::uint64_t cuts = 0; // of the Pages, that its entries have followed
    Window window;          // in pages' set while the area is in a space
    ListNode watched;       // in the space's list of those that others may end or cut
    AreaKind kind = AreaKind::anonymous;
    arch::Protection protection = arch::Protection::none;
    arch::Protection maximum = arch::Protection::none;
    AtFork at_fork = AtFork::copied;
    bool grows_down = false;
    bool charged_whole = false; // each of its pages was charged when it was mapped; else a page of its own is at touch

    [[nodiscard]] std::uint64_t bytes() const { return end - start; }
    // Pages of Pages: the index of the page at `address`.
    [[nodiscard]] std::uint64_t page_index(std::uint64_t address) const {
        return (offset + (address - start)) / kPageSize;
    }
    // Whether it may be touched: what its authority was is looked at before an entry is made.
    [[nodiscard]] bool is_good() const { return !authority || authority->is_held(); }
    [[nodiscard]] bool is_private() const { return kind == AreaKind::anonymous || kind == AreaKind::pages_private; }
    // Everything but place and offset.
    void copy_nature(const Area& other) {
        pages = other.pages;
        label = other.label;
        cuts = other.cuts;
        authority = other.authority;
        kind = other.kind;
        protection = other.protection;
        maximum = other.maximum;
        at_fork = other.at_fork;
        grows_down = other.grows_down;
        charged_whole = other.charged_whole;
    }
    [[nodiscard]] bool has_rights_of(const Area& other) const {
        return protection == other.protection && maximum == other.maximum && at_fork == other.at_fork;
    }
    [[nodiscard]] bool is_held_as(const Area& other) const {
        return authority == other.authority && cuts == other.cuts && charged_whole == other.charged_whole;
    }
    // `next` starts where this ends and is of the same nature: one area could hold both.
    [[nodiscard]] bool continues_in(const Area& next) const {
        if (end != next.start || kind != next.kind || grows_down || next.grows_down) return false;
        if (!has_rights_of(next) || !is_held_as(next)) return false;
        return kind == AreaKind::anonymous || (pages == next.pages && offset + bytes() == next.offset);
    }
};

using WatchedAreas = IntrusiveList<Area, &Area::watched>;

inline constexpr std::uint64_t kMaxStackGrowth = 8ull << 20; // a grows_down area grows to this size at most
inline constexpr std::uint64_t kStackGap = 16 * kPageSize;   // stays free below it

class AreaSet {
public:
    // The area that contains `address`, or nullptr.
    [[nodiscard]] Area* find(std::uint64_t address) const {
        Area* area = tree_.last_not_after(address);
        return area != nullptr && address < area->end ? area : nullptr;
    }
    // The first area that ends above `address`, or nullptr: where a walk over [address, ...) starts.
    [[nodiscard]] Area* first_from(std::uint64_t address) const {
        Area* area = tree_.last_not_after(address);
        if (area != nullptr && address < area->end) return area;
        return area == nullptr ? tree_.first() : tree_.next(*area);
    }
    [[nodiscard]] Area* next(const Area& area) const { return tree_.next(area); }
    [[nodiscard]] Area* previous(const Area& area) const { return tree_.previous(area); }
    [[nodiscard]] bool is_free(std::uint64_t from, std::uint64_t to) const {
        const Area* area = first_from(from);
        return area == nullptr || area->start >= to;
    }
    void insert(Area& area) { tree_.insert(area); }
    void erase(Area& area) { tree_.erase(area); }
    // The key of a linked element must not change: it leaves the tree for the change.
    void move_start(Area& area, std::uint64_t start) {
        tree_.erase(area);
        area.start = start;
        tree_.insert(area);
    }
    [[nodiscard]] std::size_t size() const { return tree_.size(); }
    [[nodiscard]] bool shape_is_valid() const { return tree_.shape_is_valid(); }

    // The highest free run of `bytes` below `below` and not under `floor`: its start, if there is one. Room for stacks to grow is
    // not given away.
    [[nodiscard]] std::optional<std::uint64_t> find_gap(std::uint64_t bytes, std::uint64_t floor,
                                                        std::uint64_t below) const;
    // Where the area starts once a stack in it has grown as far as it may.
    [[nodiscard]] static std::uint64_t reserved_start(const Area& area);

private:
    IntrusiveTree<Area, &Area::node, &Area::start> tree_;
};

} // namespace aios::mm
