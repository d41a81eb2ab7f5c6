// What is other in a temporary tree than in the section that it began with. First all that is new or changed, in a walk over
// the entries that there are: what nobody has asked for has no entry, and is as it was. Then what is gone: names of the
// section that a whole directory has not.
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
    for (;;) {
        Guard guard(store_->mutex);
        const bool is_removed = (position & kRemovedBit) != 0;
        const Look look = TRY(is_removed ? next_removed_locked(position, out) : next_change_locked(position, out));
        if (look == Look::found) return {};
        if (look == Look::at_end && is_removed) return fail(Error::not_found);
        if (look == Look::at_end) position = kRemovedBit;
    }
}

Result<> TemporaryTree::describe_change(DirectoryEntry& entry, TreeChange& out) {
    store_->mutex.assert_held();
    const NodeInfo info = entry.node->info_locked();
    out = {};
    TRY(write_path(entry, out.path, out.path_bytes));
    out.modified_ns = info.modified_ns;
    out.size = info.kind == NodeKind::file ? info.bytes : 0;
    out.kind = static_cast<std::uint32_t>(kind_of(info.kind));
    out.mode = info.mode;
    if (info.kind == NodeKind::link)
        out.target_bytes = static_cast<std::uint32_t>(TRY(entry.node->read_link(out.target, sizeof(out.target))));
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
            const bool is_told = entry->node->kind() != NodeKind::socket;
            if (is_told && (!entry->is_base || entry->node->is_changed())) {
                TRY(describe_change(*entry, out));
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

// Whether this node of the section is not there any more, though the directory is that it was in.
bool TemporaryTree::is_gone_locked(std::uint32_t index) {
    store_->mutex.assert_held();
    const Manifest& manifest = store_->section->manifest();
    TemporaryNode* directory = root_.get();
    for (PathWalker walker(below(manifest.path(index), manifest.path(root_->base())));;) {
        const DirectoryEntry* entry = directory->find(walker.next());
        if (entry == nullptr) return walker.at_end() && directory->is_whole();
        if (walker.at_end() || !entry->is_base || !entry->node->is_directory()) return false;
        directory = entry->node.get();
    }
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
        if (!is_gone_locked(node)) continue;
        const std::string_view path = below(manifest.path(node), root);
        out = {};
        out.next = position;
        out.kind = static_cast<std::uint32_t>(ChangeKind::removed);
        out.path_bytes = static_cast<std::uint32_t>(path.size());
        std::memcpy(out.path, path.data(), path.size());
        return Look::found;
    }
    return Look::goes_on;
}

} // namespace aios::fs
