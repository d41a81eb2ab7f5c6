// BundleTree and its nodes; see bundle_tree.hpp.
#include "kernel/fs/bundle_tree.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/path.hpp"
#include "boot/container.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

NodeKind kind_of(const boot::ManifestNode& node) {
    switch (Manifest::kind(node)) {
    case boot::ManifestKind::directory:
        return NodeKind::directory;
    case boot::ManifestKind::link:
        return NodeKind::link;
    case boot::ManifestKind::file:
    case boot::ManifestKind::name:
        return NodeKind::file;
    }
    AIOS_UNREACHABLE();
}

namespace {

std::uint64_t id_of(std::uint32_t node) { return std::uint64_t{node} + 1; } // inode number

// What is the same for all nodes: nothing can be changed.
class BundleNode : public Node {
public:
    void retain() override { references_.retain(); }
    Result<> resize(std::uint64_t) override { return fail(Error::missing_right); }
    Result<> set_mode(std::uint32_t) override { return fail(Error::missing_right); }
    Result<> set_modified(std::uint64_t) override { return fail(Error::missing_right); }
    Result<> set_accessed(std::uint64_t) override { return fail(Error::missing_right); }
    Result<> set_owner(std::uint32_t, std::uint32_t) override { return fail(Error::missing_right); }
    Result<std::uint64_t> read_link(char*, std::uint64_t) override { return fail(Error::bad_argument); }

protected:
    BundleNode(Reservation charge, Ref<Section> section, std::uint32_t index)
        : charge_(std::move(charge)), section_(std::move(section)), index_(index) {}
    ~BundleNode() = default;
    [[nodiscard]] const boot::ManifestNode& node() const { return section_->manifest().node(index_); }
    [[nodiscard]] NodeInfo info_with(std::uint64_t bytes, std::uint32_t links) const {
        return {kind_of(node()), id_of(index_), bytes, Manifest::mode(node()), node().modified_ns, links};
    }
    RefCount references_;
    const Reservation charge_;
    const Ref<Section> section_;
    const std::uint32_t index_;
};

class FileNode final : public BundleNode {
public:
    FileNode(Reservation charge, Ref<Section> section, std::uint32_t index)
        : BundleNode(std::move(charge), std::move(section), index) {}
    ~FileNode() {
        if (mm::Pages* made = pages_.load(std::memory_order_relaxed)) made->release();
    }
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    NodeInfo info() override { return info_with(node().bytes, node().names); }
    // The first that are made stay, so that all mappings of an open file are windows on the same Pages. Nobody waits for
    // whoever is just making some: it makes its own, and drops them if it comes second.
    Result<Ref<mm::Pages>> pages() override {
        if (mm::Pages* made = pages_.load(std::memory_order_acquire)) return Ref<mm::Pages>::share(*made);
        Ref<mm::Pages> mine = TRY(section_->pages_of(index_, *charge_.payer()));
        mm::Pages* first = nullptr;
        if (!pages_.compare_exchange_strong(first, mine.get(), std::memory_order_acq_rel, std::memory_order_acquire))
            return Ref<mm::Pages>::share(*first);
        mine->retain(); // the node's
        return mine;
    }
    bool content_root(std::uint8_t (&root)[32]) override {
        std::memcpy(root, node().root, sizeof(root));
        return true;
    }
    Result<> entry(std::uint64_t, Entry&) override { return fail(Error::bad_argument); }

private:
    std::atomic<mm::Pages*> pages_{nullptr}; // counted
};

class LinkNode final : public BundleNode {
public:
    LinkNode(Reservation charge, Ref<Section> section, std::uint32_t index)
        : BundleNode(std::move(charge), std::move(section), index) {}
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    NodeInfo info() override { return info_with(node().bytes, 1); }
    Result<Ref<mm::Pages>> pages() override { return fail(Error::bad_argument); }
    Result<> entry(std::uint64_t, Entry&) override { return fail(Error::bad_argument); }
    Result<std::uint64_t> read_link(char* out, std::uint64_t capacity) override {
        return section_->manifest().target(index_).copy(out, capacity);
    }
};

class DirectoryNode final : public BundleNode {
public:
    DirectoryNode(Reservation charge, Ref<Section> section, std::uint32_t index)
        : BundleNode(std::move(charge), std::move(section), index),
          range_(section_->manifest().below(section_->manifest().path(index))) {}
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    NodeInfo info() override { return info_with(0, 2); }
    Result<Ref<mm::Pages>> pages() override { return fail(Error::bad_argument); }
    // Positions are nodes. What lies deeper than the entries of this directory is a run below each of its directories,
    // which stand before their runs, but not always right before: "a", "a-b" and "a/c" come in this order.
    Result<> entry(std::uint64_t position, Entry& out) override {
        const Manifest& manifest = section_->manifest();
        if (position > manifest.count()) return fail(Error::not_found);
        const std::size_t path_bytes = manifest.path(index_).size(), start = path_bytes == 0 ? 0 : path_bytes + 1;
        std::uint32_t index = std::max(static_cast<std::uint32_t>(position), range_.first);
        for (; index < range_.end;) {
            const std::string_view path = manifest.path(index);
            const std::string_view name = PathWalker(path.substr(start)).next();
            const std::string_view whole = path.substr(0, start + name.size());
            if (whole.size() != path.size()) {
                index = manifest.below(whole, {index, range_.end}).end;
                continue;
            }
            out.kind = kind_of(manifest.node(index));
            out.id = id_of(manifest.resolve(index));
            out.next_position = std::uint64_t{index} + 1;
            out.name_bytes = static_cast<std::uint32_t>(name.size());
            std::memcpy(out.name, name.data(), name.size());
            out.name[name.size()] = '\0';
            return {};
        }
        return fail(Error::not_found);
    }

private:
    const Manifest::Range range_;
};

template <typename T, typename... Arguments>
Result<Ref<Node>> make_node(Payer& payer, Arguments&&... arguments) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>));
    T* node = TRY(mm::make<T>(std::move(charge), std::forward<Arguments>(arguments)...));
    return Ref<Node>::adopt(node);
}

Result<std::uint32_t> node_at(const Manifest& manifest, std::string_view path) {
    if (!path.empty() && !is_path(path)) return fail(Error::not_found);
    const std::uint32_t index = manifest.lower_bound(path);
    if (index >= manifest.count() || manifest.path(index) != path) return fail(Error::not_found);
    return index;
}

} // namespace

Result<Ref<Node>> BundleTree::open(std::string_view path, Payer& payer) {
    const Ref<Section> section = TRY(this->section(&payer));
    const Manifest& manifest = section->manifest();
    const std::uint32_t index = manifest.resolve(TRY(node_at(manifest, path)));
    switch (kind_of(manifest.node(index))) {
    case NodeKind::directory:
        return make_node<DirectoryNode>(payer, section, index);
    case NodeKind::link:
        return make_node<LinkNode>(payer, section, index);
    case NodeKind::file:
        return make_node<FileNode>(payer, section, index);
    case NodeKind::socket:
    case NodeKind::fifo:
        break; // no manifest has one
    }
    AIOS_UNREACHABLE();
}

Result<SectionPlace> BundleTree::place_of(std::string_view path, Payer& payer) {
    Ref<Section> section = TRY(this->section(&payer));
    const std::uint32_t node = TRY(node_at(section->manifest(), path));
    if (kind_of(section->manifest().node(node)) != NodeKind::directory) return fail(Error::wrong_type);
    return SectionPlace{std::move(section), node};
}

Result<> BundleTree::list(std::uint64_t index, TreeEntry& out, Payer& payer) {
    const Ref<Section> section = TRY(this->section(&payer));
    const Manifest& manifest = section->manifest();
    if (index >= manifest.file_count()) return fail(Error::not_found);
    const std::uint32_t found = manifest.file(static_cast<std::uint32_t>(index));
    const std::string_view path = manifest.path(found);
    out = {};
    out.size = manifest.node(manifest.resolve(found)).bytes;
    out.name_bytes = static_cast<std::uint32_t>(path.size());
    std::memcpy(out.name, path.data(), path.size());
    return {};
}

Result<Ref<Section>> BundleTree::section(Payer* payer) {
    if (Section* opened = section_.load(std::memory_order_acquire)) return Ref<Section>::share(*opened);
    if (const std::uint64_t error = refused_.load(std::memory_order_relaxed); error != 0)
        return fail(static_cast<Error>(error));
    Reservation room; // of many who open at once each pays for his own
    if (payer != nullptr) room = TRY(Reservation::make(*payer, Resource::memory, Section::cost_of_opening(header_)));
    Result<Ref<Section>> mine = Section::open(base_, header_);
    if (!mine) {
        if (mine.error() == Error::out_of_memory) return mine;
        std::uint64_t none = 0;
        const bool is_first = refused_.compare_exchange_strong(none, static_cast<std::uint64_t>(mine.error()));
        if (is_first && mine.error() == Error::integrity) report_integrity("manifest", 0);
        return mine;
    }
    Section* first = nullptr;
    if (!section_.compare_exchange_strong(first, mine->get(), std::memory_order_acq_rel, std::memory_order_acquire))
        return Ref<Section>::share(*first);
    (*mine)->retain(); // the tree's
    return mine;
}

BundleTree::~BundleTree() {
    if (Section* opened = section_.load(std::memory_order_relaxed)) opened->release();
}

} // namespace aios::fs
