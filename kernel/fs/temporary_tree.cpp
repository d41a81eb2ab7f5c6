// TemporaryTree: names; see temporary_tree.hpp.
#include "kernel/fs/temporary_tree.hpp"

#include <cstring>

#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

using Guard = sync::Mutex<sync::Rank::file_tree>::Guard;

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
        DirectoryEntry* entry = TRY(directory->look_up(name));
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
    if (node->kind() == NodeKind::file) TRY(node->made_pages());
    DirectoryEntry* entry = TRY(DirectoryEntry::create(*store_, place.name, std::move(node)));
    place.directory->link(*entry);
    touch(*place.directory);
    return {};
}

// Once whole, a directory stays so; and one that is not keeps its place, so the path means the same when this returns.
Result<> TemporaryTree::make_whole_at(std::string_view path) {
    if (!store_->section) return {};
    Ref<TemporaryNode> directory, node;
    {
        Guard guard(store_->mutex);
        const Place place = TRY(place_locked(path));
        directory = Ref<TemporaryNode>::share(*place.directory);
        if (place.entry != nullptr) node = place.entry->node;
    }
    TRY(directory->make_whole());
    return node && node->is_directory() ? node->make_whole() : Result<>();
}

Result<> TemporaryTree::remove(std::string_view path, NodeKind kind) {
    TRY(make_whole_at(path));
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
    TRY(make_whole_at(from));
    TRY(make_whole_at(to));
    Ref<TemporaryNode> gone;
    Guard guard(store_->mutex);
    const Place source = TRY(place_locked(from));
    const Place target = TRY(place_locked(to));
    if (source.entry == nullptr) return fail(Error::not_found);
    Ref<TemporaryNode> node = source.entry->node;
    if (node->is_directory() && node->base() != TemporaryNode::kNoBase) return fail(Error::unsupported);
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
    if (node->kind() == NodeKind::file) TRY(node->made_pages());
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

DirectoryEntry* TemporaryTree::next_locked(DirectoryEntry* entry) {
    store_->mutex.assert_held();
    if (entry == nullptr) return root_->first();
    if (entry->node->is_directory()) {
        if (DirectoryEntry* inside = entry->node->first(); inside != nullptr) return inside;
    }
    for (DirectoryEntry* at = entry; at != nullptr; at = at->directory->own_entry()) // up, to what follows
        if (DirectoryEntry* next = at->directory->after(*at); next != nullptr) return next;
    return nullptr;
}

// The first file or link behind `entry` in the order of paths.
DirectoryEntry* TemporaryTree::next_file_locked(DirectoryEntry* entry) {
    store_->mutex.assert_held();
    do
        entry = next_locked(entry);
    while (entry != nullptr && entry->node->is_directory());
    return entry;
}

Result<> TemporaryTree::list(std::uint64_t index, TreeEntry& out, Payer&) {
    if (store_->section) return fail(Error::unsupported);
    Guard guard(store_->mutex);
    if (cursor_.entry == nullptr || cursor_.changes != store_->changes || cursor_.index > index)
        cursor_ = {0, store_->changes, next_file_locked(nullptr)};
    while (cursor_.entry != nullptr && cursor_.index < index) {
        cursor_.entry = next_file_locked(cursor_.entry);
        ++cursor_.index;
    }
    if (cursor_.entry == nullptr) return fail(Error::not_found);
    TRY(write_path(*cursor_.entry, out.name, out.name_bytes));
    out.size = cursor_.entry->node->bytes();
    out.reserved = 0;
    return {};
}

// From its end to its start.
Result<> TemporaryTree::write_path(const DirectoryEntry& entry, char (&out)[kMaxPathBytes], std::uint32_t& bytes) {
    store_->mutex.assert_held();
    std::size_t start = kMaxPathBytes;
    for (const DirectoryEntry* at = &entry; at != nullptr; at = at->directory->own_entry()) {
        const std::size_t slash = at == &entry ? 0 : 1;
        if (start < at->name_bytes + slash) return fail(Error::too_large);
        start -= at->name_bytes + slash;
        std::memcpy(out + start, at->name().data(), at->name_bytes);
        if (slash != 0) out[start + at->name_bytes] = '/';
    }
    bytes = static_cast<std::uint32_t>(kMaxPathBytes - start);
    std::memmove(out, out + start, bytes);
    std::memset(out + bytes, 0, start); // nothing of the kernel's stack or an earlier answer
    return {};
}

// Takes every entry out, the deepest first. Nodes that are open live on, directories among them empty.
void TemporaryTree::remove_everything() {
    Guard guard(store_->mutex);
    store_->has_ended = true;
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
            break;
        }
    }
    while (NamedFile* named = store_->named.first()) {
        store_->named.erase(*named);
        mm::destroy(named);
    }
}

namespace {

Result<Ref<Tree>> create_with(Payer& payer, Ref<Section> section, std::uint32_t directory) {
    Reservation charge =
        TRY(Reservation::make(payer, Resource::memory, mm::cost_of<TemporaryTree> + mm::cost_of<Store>));
    auto store = Ref<Store>::adopt(TRY(mm::make<Store>(Ref<Payer>::share(payer), std::move(section))));
    Ref<TemporaryNode> root;
    {
        Guard guard(store->mutex);
        root = store->section ? TRY(TemporaryNode::create_of_base(store, directory))
                              : TRY(TemporaryNode::create_locked(store, NodeKind::directory, 01777));
    }
    auto* tree = TRY(mm::make<TemporaryTree>(std::move(charge), std::move(store), std::move(root)));
    return Ref<Tree>::adopt(tree);
}

} // namespace

Result<Ref<Tree>> create_temporary_tree(Payer& payer) { return create_with(payer, {}, 0); }

Result<Ref<Tree>> create_private_tree(Payer& payer, SectionPlace place) {
    return create_with(payer, std::move(place.section), place.node);
}

} // namespace aios::fs
