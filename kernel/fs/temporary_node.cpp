// Nodes and entries of a temporary tree; see temporary_node.hpp.
#include "kernel/fs/temporary_node.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"

namespace aios::fs {

using Guard = sync::Mutex<sync::Rank::file_tree>::Guard;

// --- entries ---------------------------------------------------------------------------------------------------------

bool EntryKey::operator<(const EntryKey& other) const {
    const std::size_t shared = std::min(name.size(), other.name.size());
    if (const int order = name.substr(0, shared).compare(other.name.substr(0, shared)); order != 0) return order < 0;
    // One is the start of the other: compare what follows, where a directory has a slash at its end.
    const auto next = [&](const EntryKey& key) {
        if (key.name.size() > shared) return static_cast<int>(static_cast<unsigned char>(key.name[shared]));
        return key.is_directory ? int{'/'} : -1;
    };
    return next(*this) < next(other);
}

EntryKey DirectoryEntry::key() const { return {name(), node->is_directory()}; }

std::uint64_t DirectoryEntry::cost(std::size_t name_bytes) {
    return mm::heap_cost(sizeof(DirectoryEntry) + name_bytes, alignof(DirectoryEntry));
}

Result<DirectoryEntry*> DirectoryEntry::create(Store& store, std::string_view name, Ref<TemporaryNode> node) {
    const std::size_t bytes = sizeof(DirectoryEntry) + name.size();
    Reservation charge = TRY(Reservation::make(*store.payer, Resource::memory, cost(name.size())));
    void* place = mm::heap_allocate(bytes, alignof(DirectoryEntry));
    if (place == nullptr) return fail(Error::out_of_memory);
    auto* entry = ::new (place) DirectoryEntry;
    entry->node = std::move(node);
    entry->name_bytes = static_cast<std::uint32_t>(name.size());
    std::memcpy(static_cast<void*>(entry + 1), name.data(), name.size());
    charge.keep();
    return entry;
}

void DirectoryEntry::destroy(Store& store, DirectoryEntry* entry) {
    const std::uint64_t charged = cost(entry->name_bytes);
    mm::destroy(entry);
    store.payer->give_back(Resource::memory, charged);
}

// --- nodes -----------------------------------------------------------------------------------------------------------

TemporaryNode::TemporaryNode(mm::OnHeap, Ref<Store> store, Reservation charge, NodeKind kind, std::uint32_t mode,
                             std::uint64_t id, std::uint32_t base)
    : store_(std::move(store)), charge_(std::move(charge)), kind_(kind), id_(id), base_(base), mode_(mode & 07777),
      modified_ns_(time::wall_ns()), accessed_ns_(modified_ns_), changed_ns_(modified_ns_) {}

TemporaryNode::~TemporaryNode() { mm::heap_free(target_); }

Result<Ref<TemporaryNode>> TemporaryNode::create_locked(const Ref<Store>& store, NodeKind kind, std::uint32_t mode,
                                                        std::string_view target) {
    store->mutex.assert_held();
    Payer& payer = *store->payer;
    const std::uint64_t target_cost = kind == NodeKind::link ? mm::heap_cost(target.size()) : 0;
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<TemporaryNode> + target_cost));
    const std::uint64_t id = store->next_id++;
    auto node = Ref<TemporaryNode>::adopt(TRY(mm::make<TemporaryNode>(store, std::move(charge), kind, mode, id)));
    node->assert_held();
    if (kind == NodeKind::file) node->pages_ = TRY(mm::Pages::create(payer, 0, mm::ChargeWhen::at_touch));
    if (kind == NodeKind::link) {
        node->target_ = static_cast<char*>(mm::heap_allocate(target.size()));
        if (node->target_ == nullptr) return fail(Error::out_of_memory);
        std::memcpy(node->target_, target.data(), target.size());
        node->target_bytes_ = static_cast<std::uint32_t>(target.size());
    }
    return node;
}

void TemporaryNode::release() {
    if (references_.release()) mm::destroy(this);
}

std::uint64_t TemporaryNode::bytes() const {
    assert_held();
    if (pages_) return pages_->bytes();
    if (base_ == kNoBase || kind_ == NodeKind::directory) return target_bytes_;
    return store_->section->manifest().node(base_).bytes;
}

NodeInfo TemporaryNode::info() {
    Guard guard(store_->mutex);
    return current_info();
}

NodeInfo TemporaryNode::current_info() const {
    assert_held();
    // A directory has one name. (Two and one for each subdirectory, as elsewhere, would only invite programs to count.)
    return {kind_,        id_,         bytes(), mode_, modified_ns_, is_directory() ? 1 : links_,
            accessed_ns_, changed_ns_, user_,   group_};
}

// So that who looks at it when its payer has gone finds it all the same.
Result<> TemporaryNode::keep_contents() {
    if (kind_ != NodeKind::file) return {};
    TRY(pages());
    return {};
}

Result<Ref<mm::Pages>> TemporaryNode::pages() {
    if (kind_ != NodeKind::file) return fail(Error::bad_argument);
    Guard guard(store_->mutex);
    return made_pages();
}

Result<Ref<mm::Pages>> TemporaryNode::made_pages() {
    assert_held();
    if (!pages_) {
        Payer& payer = *store_->payer;
        Ref<mm::PageSource> source = TRY(store_->section->source_of(base_, payer));
        pages_ = TRY(mm::Pages::create_over(payer, std::move(source), store_->section->manifest().node(base_).bytes));
    }
    return pages_;
}

Result<> TemporaryNode::resize(std::uint64_t bytes) {
    const Ref<mm::Pages> pages = TRY(this->pages());
    return pages->resize(bytes); // without the tree's lock: it may wait for address spaces
}

Result<> TemporaryNode::set_mode(std::uint32_t mode) {
    TRY(keep_contents());
    Guard guard(store_->mutex);
    mode_ = mode & 07777;
    changed_ns_ = time::wall_ns();
    is_changed_ = true;
    return {};
}

Result<> TemporaryNode::set_modified(std::uint64_t ns) {
    TRY(keep_contents());
    Guard guard(store_->mutex);
    modified_ns_ = ns;
    changed_ns_ = time::wall_ns();
    is_changed_ = true;
    return {};
}

Result<> TemporaryNode::set_accessed(std::uint64_t ns) {
    Guard guard(store_->mutex);
    accessed_ns_ = ns;
    changed_ns_ = time::wall_ns();
    return {};
}

Result<> TemporaryNode::set_owner(std::uint32_t user, std::uint32_t group) {
    Guard guard(store_->mutex);
    user_ = user;
    group_ = group;
    changed_ns_ = time::wall_ns();
    return {};
}

void TemporaryNode::note_read(std::uint64_t ns) {
    constexpr std::uint64_t kDay = 86'400'000'000'000;
    Guard guard(store_->mutex);
    const bool is_behind = accessed_ns_ <= modified_ns_ || accessed_ns_ <= changed_ns_;
    if (is_behind || (ns > accessed_ns_ && ns - accessed_ns_ >= kDay)) accessed_ns_ = ns;
}

Result<> TemporaryNode::entry(std::uint64_t position, Entry& out) {
    if (!is_directory()) return fail(Error::bad_argument);
    if (base_ != kNoBase) TRY(make_whole());
    Guard guard(store_->mutex);
    const DirectoryEntry* found = by_position_.lower_bound(position);
    if (found == nullptr) return fail(Error::not_found);
    out.kind = found->node->kind_;
    out.id = found->node->id_;
    out.next_position = found->position + 1;
    out.name_bytes = found->name_bytes;
    std::memcpy(out.name, found->name().data(), found->name_bytes);
    out.name[found->name_bytes] = '\0';
    return {};
}

Result<std::uint64_t> TemporaryNode::read_link(char* out, std::uint64_t capacity) {
    if (kind_ != NodeKind::link) return fail(Error::bad_argument);
    if (base_ != kNoBase) return store_->section->manifest().target(base_).copy(out, capacity);
    const std::uint64_t bytes = std::min<std::uint64_t>(capacity, target_bytes_);
    std::memcpy(out, target_, bytes);
    return bytes;
}

DirectoryEntry* TemporaryNode::find(std::string_view name) const {
    assert_held();
    DirectoryEntry* entry = by_name_.find(EntryKey{name, false});
    return entry != nullptr ? entry : by_name_.find(EntryKey{name, true});
}

void TemporaryNode::link(DirectoryEntry& entry) {
    assert_held();
    TemporaryNode& node = *entry.node;
    node.assert_held(); // the same lock
    entry.directory = this;
    entry.position = next_position_++;
    by_name_.insert(entry);
    by_position_.insert(entry);
    if (!entry.is_base) { // those that the section has are counted already
        ++node.links_;
        node.changed_ns_ = time::wall_ns();
    }
    if (node.is_directory()) node.own_entry_ = &entry;
    ++store_->changes;
}

Ref<TemporaryNode> TemporaryNode::unlink(DirectoryEntry& entry) {
    assert_held();
    Ref<TemporaryNode> node = entry.node;
    node->assert_held(); // the same lock
    by_name_.erase(entry);
    by_position_.erase(entry);
    --node->links_;
    node->changed_ns_ = time::wall_ns();
    node->own_entry_ = nullptr;
    ++store_->changes;
    DirectoryEntry::destroy(*store_, &entry);
    if (node->base_ != kNoBase && node->links_ == 0) { // nobody can ask for it by a name again
        store_->mutex.assert_held();
        if (NamedFile* named = store_->named.find(node->base_)) {
            store_->named.erase(*named);
            mm::destroy(named);
        }
    }
    return node;
}

} // namespace aios::fs
