// Temporary trees that begin with a directory of a section: what the section has becomes nodes when it is asked for.
// See temporary_node.hpp. Nothing here waits for a page of the section to be checked: only names, modes and sizes are read.
#include <algorithm>
#include <cstring>

#include "base/path.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "kernel/fs/temporary_node.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

using Guard = sync::Mutex<sync::Rank::file_tree>::Guard;

namespace {

constexpr unsigned kInOneHold = 32;

} // namespace

Result<Ref<TemporaryNode>> TemporaryNode::create_of_base(const Ref<Store>& store, std::uint32_t base) {
    store->mutex.assert_held();
    const boot::ManifestNode& of = store->section->manifest().node(base);
    const NodeKind kind = kind_of(of);
    const bool is_named = kind == NodeKind::file && of.names > 1;
    if (is_named) {
        if (const NamedFile* named = store->named.find(base)) return named->node;
    }
    Payer& payer = *store->payer;
    Reservation charge = TRY(Reservation::make(payer, Resource::memory,
                                               mm::cost_of<TemporaryNode> + (is_named ? mm::cost_of<NamedFile> : 0)));
    auto node = Ref<TemporaryNode>::adopt(TRY(
        mm::make<TemporaryNode>(store, std::move(charge), kind, Manifest::mode(of), std::uint64_t{base} + 1, base)));
    node->assert_held();
    node->modified_ns_ = node->accessed_ns_ = node->changed_ns_ = of.modified_ns;
    node->links_ = kind == NodeKind::file ? of.names : 1;
    node->is_whole_ = kind != NodeKind::directory;
    if (is_named) {
        NamedFile* named = TRY(mm::make<NamedFile>());
        named->base = base;
        named->node = node;
        store->named.insert(*named);
    }
    return node;
}

Result<DirectoryEntry*> TemporaryNode::make_entry(std::string_view name, std::uint32_t index) {
    assert_held();
    store_->mutex.assert_held();
    if (store_->has_ended) return fail(Error::revoked);
    Ref<TemporaryNode> node = TRY(create_of_base(store_, store_->section->manifest().resolve(index)));
    DirectoryEntry* entry = TRY(DirectoryEntry::create(*store_, name, std::move(node)));
    entry->is_base = true;
    link(*entry);
    return entry;
}

Result<DirectoryEntry*> TemporaryNode::look_up(std::string_view name) {
    assert_held();
    if (DirectoryEntry* entry = find(name); entry != nullptr || is_whole_) return entry;
    const Manifest& manifest = store_->section->manifest();
    const std::string_view directory = manifest.path(base_);
    const std::size_t slash = directory.empty() ? 0 : 1;
    char path[kMaxPathBytes];
    if (directory.size() + slash + name.size() > sizeof(path)) return nullptr;
    std::memcpy(path, directory.data(), directory.size());
    path[directory.size()] = '/';
    std::memcpy(path + directory.size() + slash, name.data(), name.size());
    const std::string_view whole(path, directory.size() + slash + name.size());
    const std::uint32_t index = manifest.lower_bound(whole);
    if (index >= manifest.count() || manifest.path(index) != whole) return nullptr;
    return make_entry(name, index);
}

// One step of make_whole(). As DirectoryNode::entry (bundle_tree.cpp), what lies deeper is jumped over.
Result<> TemporaryNode::make_next() {
    assert_held();
    const Manifest& manifest = store_->section->manifest();
    const std::string_view directory = manifest.path(base_);
    const Manifest::Range range = manifest.below(directory);
    const std::uint32_t index = std::max(next_base_, range.first);
    if (index >= range.end) {
        is_whole_ = true;
        return {};
    }
    const std::string_view path = manifest.path(index);
    const std::size_t start = directory.empty() ? 0 : directory.size() + 1;
    const std::string_view name = PathWalker(path.substr(start)).next();
    const std::string_view whole = path.substr(0, start + name.size());
    if (whole.size() != path.size()) {
        next_base_ = manifest.below(whole, {index, range.end}).end;
        return {};
    }
    if (find(name) == nullptr) TRY(make_entry(name, index));
    next_base_ = index + 1;
    return {};
}

Result<> TemporaryNode::make_whole() {
    for (;;) {
        Guard guard(store_->mutex);
        for (unsigned i = 0; i < kInOneHold; ++i) {
            if (is_whole_) return {};
            TRY(make_next());
        }
    }
}

bool TemporaryNode::is_changed() const {
    assert_held();
    return base_ == kNoBase || is_changed_ || (pages_ && pages_->has_own());
}

} // namespace aios::fs
