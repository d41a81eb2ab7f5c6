// TemporaryTree: an agent's private files. Operations find their places, make what they need, and then change the tree
// without a way to fail. Nothing recurses: trees are as deep as their owner makes them. Lock: Rank::file_tree, in the
// Store.
#include <cstring>

#include "base/path.hpp"
#include "kernel/fs/temporary_node.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"

namespace aios::fs {

namespace {

using Guard = sync::Mutex<sync::Rank::file_tree>::Guard;

class TemporaryTree final : public Tree {
public:
    static constexpr std::size_t kMaxTargetBytes = 4095;

    TemporaryTree(Reservation charge, Ref<Store> store, Ref<TemporaryNode> root)
        : Tree(ObjectType::tree, std::move(charge)), store_(std::move(store)), root_(std::move(root)) {}
    ~TemporaryTree() override { remove_everything(); }

    [[nodiscard]] bool is_writable() const override { return true; }
    Result<Ref<Node>> open(std::string_view path, Payer&) override { // nodes are charged to the tree's payer
        Guard guard(store_->mutex);
        const Result<Ref<TemporaryNode>> node = find_locked(path);
        if (!node) return fail(Error::not_found); // whatever is wrong with the path: nothing stands there
        return Ref<Node>(*node);
    }
    Result<Ref<Node>> create_file(std::string_view path, std::uint32_t mode) override {
        return Ref<Node>(TRY(create(path, NodeKind::file, mode, {})));
    }
    Result<Ref<Node>> create_socket(std::string_view path, std::uint32_t mode) override {
        return Ref<Node>(TRY(create(path, NodeKind::socket, mode, {})));
    }
    Result<> create_directory(std::string_view path, std::uint32_t mode) override {
        TRY(create(path, NodeKind::directory, mode, {}));
        return {};
    }
    Result<> create_link(std::string_view path, std::string_view target) override {
        if (target.empty() || target.size() > kMaxTargetBytes) return fail(Error::bad_argument);
        TRY(create(path, NodeKind::link, 0777, target));
        return {};
    }
    Result<> create_hard_link(std::string_view path, std::string_view existing) override;
    Result<> remove(std::string_view path, NodeKind kind) override;
    Result<> rename(std::string_view from, std::string_view to, IfPresent if_present) override;
    Result<> list(std::uint64_t index, TreeEntry& out, Payer& payer) override;

private:
    // Where something stands or could stand: a directory, and the entry if there is one.
    struct Place {
        TemporaryNode* directory;
        DirectoryEntry* entry;
        std::string_view name;
    };
    Result<Ref<TemporaryNode>> find_locked(std::string_view path) AIOS_REQUIRES(store_->mutex);
    Result<Place> place_locked(std::string_view path) AIOS_REQUIRES(store_->mutex);
    Result<Ref<TemporaryNode>> create(std::string_view path, NodeKind kind, std::uint32_t mode,
                                      std::string_view target);
    static void touch(TemporaryNode& directory) { directory.touch(time::wall_ns()); }
    DirectoryEntry* next_file_locked(DirectoryEntry* entry) AIOS_REQUIRES(store_->mutex);
    Result<> describe(const DirectoryEntry& entry, TreeEntry& out) AIOS_REQUIRES(store_->mutex);
    void remove_everything();

    const Ref<Store> store_;
    const Ref<TemporaryNode> root_;
    // Where list() was: the next call mostly wants the file after it.
    struct Cursor {
        std::uint64_t index = 0, changes = 0;
        DirectoryEntry* entry = nullptr;
    } cursor_ AIOS_GUARDED_BY(store_->mutex);
};

Result<Ref<TemporaryNode>> TemporaryTree::find_locked(std::string_view path) {
    store_->mutex.assert_held();
    if (path.empty()) return root_;
    const Place place = TRY(place_locked(path));
    if (place.entry == nullptr) return fail(Error::not_found);
    return place.entry->node;
}

// not_found: no such directory; wrong_type: something on the way is no directory; bad_argument: not a path.
Result<TemporaryTree::Place> TemporaryTree::place_locked(std::string_view path) {
    store_->mutex.assert_held();
    if (!is_path(path)) return fail(Error::bad_argument);
    TemporaryNode* directory = root_.get();
    for (PathWalker walker(path);;) {
        const std::string_view name = walker.next();
        DirectoryEntry* entry = directory->find(name);
        if (walker.at_end()) return Place{directory, entry, name};
        if (entry == nullptr) return fail(Error::not_found);
        if (!entry->node->is_directory()) return fail(Error::wrong_type);
        directory = entry->node.get();
    }
}

Result<Ref<TemporaryNode>> TemporaryTree::create(std::string_view path, NodeKind kind, std::uint32_t mode,
                                                 std::string_view target) {
    Guard guard(store_->mutex);
    const Place place = TRY(place_locked(path));
    if (place.entry != nullptr) return fail(Error::already_exists);
    Ref<TemporaryNode> node = TRY(TemporaryNode::create_locked(store_, kind, mode, target));
    DirectoryEntry* entry = TRY(DirectoryEntry::create(*store_, place.name, node));
    place.directory->link(*entry);
    touch(*place.directory);
    return node;
}

Result<> TemporaryTree::create_hard_link(std::string_view path, std::string_view existing) {
    Guard guard(store_->mutex);
    Ref<TemporaryNode> node = TRY(find_locked(existing));
    if (node->is_directory()) return fail(Error::wrong_type);
    const Place place = TRY(place_locked(path));
    if (place.entry != nullptr) return fail(Error::already_exists);
    DirectoryEntry* entry = TRY(DirectoryEntry::create(*store_, place.name, std::move(node)));
    place.directory->link(*entry);
    touch(*place.directory);
    return {};
}

Result<> TemporaryTree::remove(std::string_view path, NodeKind kind) {
    Ref<TemporaryNode> gone; // its contents are freed without the lock
    Guard guard(store_->mutex);
    const Place place = TRY(place_locked(path));
    if (place.entry == nullptr) return fail(Error::not_found);
    const TemporaryNode& node = *place.entry->node;
    if (node.is_directory() != (kind == NodeKind::directory)) return fail(Error::wrong_type);
    if (!node.is_empty()) return fail(Error::busy);
    gone = place.directory->unlink(*place.entry);
    touch(*place.directory);
    return {};
}

Result<> TemporaryTree::rename(std::string_view from, std::string_view to, IfPresent if_present) {
    Ref<TemporaryNode> gone;
    Guard guard(store_->mutex);
    const Place source = TRY(place_locked(from));
    const Place target = TRY(place_locked(to));
    if (source.entry == nullptr) return fail(Error::not_found);
    Ref<TemporaryNode> node = source.entry->node;
    // A directory cannot go below itself.
    for (const TemporaryNode* above = target.directory; above != nullptr;
         above = above->own_entry() == nullptr ? nullptr : above->own_entry()->directory)
        if (above == node.get()) return fail(Error::bad_argument);
    if (target.entry != nullptr) {
        const TemporaryNode& old = *target.entry->node;
        if (if_present == IfPresent::refuse) return fail(Error::already_exists);
        if (&old == node.get()) return {}; // two names of one file: both stay
        if (old.is_directory() != node->is_directory()) return fail(Error::wrong_type);
        if (!old.is_empty()) return fail(Error::busy);
    }
    DirectoryEntry* entry = TRY(DirectoryEntry::create(*store_, target.name, node));
    // From here on nothing fails.
    if (target.entry != nullptr) gone = target.directory->unlink(*target.entry);
    (void)source.directory->unlink(*source.entry);
    target.directory->link(*entry);
    touch(*source.directory);
    touch(*target.directory);
    return {};
}

// --- walking ---------------------------------------------------------------------------------------------------------

// The first file or link behind `entry` in the order of paths; from the start for nullptr.
DirectoryEntry* TemporaryTree::next_file_locked(DirectoryEntry* entry) {
    store_->mutex.assert_held();
    bool is_new = entry != nullptr; // an entry that was answered before is not entered again: files are not directories
    DirectoryEntry* at = entry == nullptr ? root_->first() : entry;
    TemporaryNode* directory = entry == nullptr ? root_.get() : entry->directory;
    for (;;) {
        if (is_new) {
            at = directory->after(*at);
            is_new = false;
        }
        if (at == nullptr) { // up, to what follows this directory
            at = directory->own_entry();
            if (at == nullptr) return nullptr;
            directory = at->directory;
            is_new = true;
        } else if (at->node->is_directory()) {
            directory = at->node.get();
            at = directory->first();
        } else {
            return at;
        }
    }
}

Result<> TemporaryTree::list(std::uint64_t index, TreeEntry& out, Payer&) {
    Guard guard(store_->mutex);
    if (cursor_.entry == nullptr || cursor_.changes != store_->changes || cursor_.index > index)
        cursor_ = {0, store_->changes, next_file_locked(nullptr)};
    while (cursor_.entry != nullptr && cursor_.index < index) {
        cursor_.entry = next_file_locked(cursor_.entry);
        ++cursor_.index;
    }
    if (cursor_.entry == nullptr) return fail(Error::not_found);
    return describe(*cursor_.entry, out);
}

// Writes the path from its end to its start. too_large: renaming has made it longer than a path may be.
Result<> TemporaryTree::describe(const DirectoryEntry& entry, TreeEntry& out) {
    std::size_t start = kMaxPathBytes;
    for (const DirectoryEntry* at = &entry; at != nullptr; at = at->directory->own_entry()) {
        const std::size_t slash = at == &entry ? 0 : 1;
        if (start < at->name_bytes + slash) return fail(Error::too_large);
        start -= at->name_bytes + slash;
        std::memcpy(out.name + start, at->name().data(), at->name_bytes);
        if (slash != 0) out.name[start + at->name_bytes] = '/';
    }
    out.name_bytes = static_cast<std::uint32_t>(kMaxPathBytes - start);
    std::memmove(out.name, out.name + start, out.name_bytes);
    std::memset(out.name + out.name_bytes, 0, start); // nothing of the kernel's stack or an earlier answer
    out.size = entry.node->bytes();
    out.reserved = 0;
    return {};
}

// Takes every entry out, the deepest first. Nodes that are open live on, directories among them empty.
void TemporaryTree::remove_everything() {
    Guard guard(store_->mutex);
    TemporaryNode* directory = root_.get();
    for (;;) {
        DirectoryEntry* entry = directory->first();
        if (entry != nullptr && entry->node->is_directory() && !entry->node->is_empty()) {
            directory = entry->node.get();
        } else if (entry != nullptr) {
            (void)directory->unlink(*entry);
        } else if (directory->own_entry() != nullptr) {
            directory = directory->own_entry()->directory;
        } else {
            return;
        }
    }
}

} // namespace

Result<Ref<Tree>> create_temporary_tree(Payer& payer) {
    Reservation charge =
        TRY(Reservation::make(payer, Resource::memory, mm::cost_of<TemporaryTree> + mm::cost_of<Store>));
    auto store = Ref<Store>::adopt(TRY(mm::make<Store>(Ref<Payer>::share(payer))));
    Ref<TemporaryNode> root;
    {
        Guard guard(store->mutex);
        root = TRY(TemporaryNode::create_locked(store, NodeKind::directory, 0755));
    }
    auto* tree = TRY(mm::make<TemporaryTree>(std::move(charge), std::move(store), std::move(root)));
    return Ref<Tree>::adopt(tree);
}

} // namespace aios::fs
