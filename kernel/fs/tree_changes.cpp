// What is other in a temporary tree than in the section that it began with. First all that is new or changed, in a walk over
// the entries that there are: what nobody has asked for has no entry, and is as it was. Then, over the names of the
// section, what is gone: what a whole directory has not, the topmost of each; and names that nobody has asked for, of files
// that were changed by another of their names.
//
// A position is the number of an entry in the walk, or, with kRemovedBit, a node of the section. Both walks take some steps
// in each hold of the lock.
#include <algorithm>
#include <cstring>

#include "kernel/fs/temporary_tree.hpp"

namespace aios::fs {

using Guard = sync::Mutex<sync::Rank::file_tree>::Guard;

namespace {

constexpr std::uint64_t kRemovedBit = 1ull << 63;
constexpr unsigned kInOneHold = 64;

ChangeKind kind_of(NodeKind kind) {
    switch (kind) {
    case NodeKind::directory:
        return ChangeKind::directory;
    case NodeKind::link:
        return ChangeKind::link;
    case NodeKind::file:
        return ChangeKind::file;
    case NodeKind::socket:
    case NodeKind::fifo:
        break; // is not told: it means nothing outside
    }
    AIOS_UNREACHABLE();
}

// The path of a node below `directory`, relative to it.
std::string_view below(std::string_view path, std::string_view directory) {
    return directory.empty() ? path : path.substr(directory.size() + 1);
}

} // namespace

Result<> TemporaryTree::change(std::uint64_t position, TreeChange& out) {
    if (!store_->section) return fail(Error::unsupported);
    constexpr unsigned kMostRestarts = 64; // then others change it faster than it can be walked
    for (std::uint64_t restarts = 0, changes = ~0ull; restarts <= kMostRestarts;) {
        Guard guard(store_->mutex);
        if (std::exchange(changes, store_->changes) != store_->changes) ++restarts;
        const bool is_removed = (position & kRemovedBit) != 0;
        const Look look = TRY(is_removed ? next_removed_locked(position, out) : next_change_locked(position, out));
        if (look == Look::found) return {};
        if (look == Look::at_end && is_removed) return fail(Error::not_found);
        if (look == Look::at_end) position = kRemovedBit;
    }
    return fail(Error::would_block);
}

Result<> TemporaryTree::describe_node(TemporaryNode& node, TreeChange& out) {
    store_->mutex.assert_held();
    const NodeInfo info = node.current_info();
    out.modified_ns = info.modified_ns;
    out.size = info.kind == NodeKind::file ? info.bytes : 0;
    out.kind = static_cast<std::uint32_t>(kind_of(info.kind));
    out.mode = info.mode;
    if (info.kind == NodeKind::link)
        out.target_bytes = static_cast<std::uint32_t>(TRY(node.read_link(out.target, sizeof(out.target))));
    return {};
}

Result<TemporaryTree::Look> TemporaryTree::next_change_locked(std::uint64_t& position, TreeChange& out) {
    store_->mutex.assert_held();
    if (cursor_.entry == nullptr || cursor_.changes != store_->changes || cursor_.index > position)
        cursor_ = {0, store_->changes, next_locked(nullptr)};
    for (unsigned i = 0; i < kInOneHold; ++i) {
        DirectoryEntry* const entry = cursor_.entry;
        if (entry == nullptr) return Look::at_end;
        if (cursor_.index == position) {
            const bool is_told = !is_name_alone(entry->node->kind());
            if (is_told && (!entry->is_base || entry->node->is_changed())) {
                out = {};
                TRY(write_path(*entry, out.path, out.path_bytes));
                TRY(describe_node(*entry->node, out));
                out.next = position + 1;
                return Look::found;
            }
            ++position;
        }
        cursor_.entry = next_locked(entry);
        ++cursor_.index;
    }
    return Look::goes_on;
}

// Where a name of the section is by now.
TemporaryTree::Fate TemporaryTree::fate_of_locked(std::uint32_t index) {
    store_->mutex.assert_held();
    const Manifest& manifest = store_->section->manifest();
    TemporaryNode* directory = root_.get();
    for (PathWalker walker(below(manifest.path(index), manifest.path(root_->base())));;) {
        const DirectoryEntry* entry = directory->find(walker.next());
        if (entry == nullptr && !directory->is_whole()) return Fate::unmade;
        if (entry == nullptr) return walker.at_end() ? Fate::gone : Fate::told; // of what is above it
        // A socket in its place is not told, but that it is gone.
        if (walker.at_end()) return is_name_alone(entry->node->kind()) ? Fate::gone : Fate::told;
        if (!entry->node->is_directory()) return Fate::told;
        directory = entry->node.get();
    }
}

// A name that nobody has asked for, of a file that was changed by another of its names; null: it is none.
TemporaryNode* TemporaryTree::changed_by_name_locked(std::uint32_t index) {
    store_->mutex.assert_held();
    const NamedFile* named = store_->named.find(store_->section->manifest().resolve(index));
    return named != nullptr && named->node->is_changed() ? named->node.get() : nullptr;
}

Result<TemporaryTree::Look> TemporaryTree::next_removed_locked(std::uint64_t& position, TreeChange& out) {
    store_->mutex.assert_held();
    const Manifest& manifest = store_->section->manifest();
    const std::string_view root = manifest.path(root_->base());
    const Manifest::Range range = manifest.below(root);
    for (unsigned i = 0; i < kInOneHold; ++i) {
        const std::uint64_t index = std::max<std::uint64_t>(position & ~kRemovedBit, range.first);
        if (index >= range.end) return Look::at_end;
        position = kRemovedBit | (index + 1);
        const auto node = static_cast<std::uint32_t>(index);
        const Fate fate = fate_of_locked(node);
        if (fate == Fate::told) continue;
        TemporaryNode* const changed = fate == Fate::unmade ? changed_by_name_locked(node) : nullptr;
        if (fate == Fate::unmade && changed == nullptr) continue;
        out = {};
        if (changed != nullptr) {
            TRY(describe_node(*changed, out));
        } else {
            out.kind = static_cast<std::uint32_t>(ChangeKind::removed);
        }
        const std::string_view path = below(manifest.path(node), root);
        out.next = position;
        out.path_bytes = static_cast<std::uint32_t>(path.size());
        std::memcpy(out.path, path.data(), path.size());
        return Look::found;
    }
    return Look::goes_on;
}

} // namespace aios::fs
