// BundleTree and its nodes; see bundle_tree.hpp.
#include "kernel/fs/bundle_tree.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "boot/container.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios::fs {

namespace {

constexpr std::uint32_t kFileMode = 0444, kProgramMode = 0555, kDirectoryMode = 0555;

// Inode numbers: a file is its index + 1; a directory is its depth + 1 above 2^32 and the index of its first entry + 1.
// Two directories that start with the same entry differ in depth.
std::uint64_t file_id(std::uint32_t index) { return std::uint64_t{index} + 1; }
std::uint64_t directory_id(std::uint32_t first, std::uint64_t depth) {
    return (depth + 1) << 32 | (std::uint64_t{first} + 1);
}
std::uint64_t depth_of(std::string_view directory) {
    return directory.empty() ? 0 : 1 + static_cast<std::uint64_t>(std::ranges::count(directory, '/'));
}

// What is the same for files and directories: nothing can be changed.
class BundleNode : public Node {
public:
    void retain() override { references_.retain(); }
    Result<> resize(std::uint64_t) override { return fail(Error::missing_right); }
    Result<> set_mode(std::uint32_t) override { return fail(Error::missing_right); }
    Result<> set_modified(std::uint64_t) override { return fail(Error::missing_right); }
    Result<std::uint64_t> read_link(char*, std::uint64_t) override { return fail(Error::bad_argument); }

protected:
    BundleNode(Reservation charge, Ref<Section> section) : charge_(std::move(charge)), section_(std::move(section)) {}
    ~BundleNode() = default;
    RefCount references_;
    const Reservation charge_;
    const Ref<Section> section_;
};

class FileNode final : public BundleNode {
public:
    FileNode(Reservation charge, Ref<Section> section, std::uint32_t index)
        : BundleNode(std::move(charge), std::move(section)), index_(index) {}
    ~FileNode() {
        if (mm::Pages* made = pages_.load(std::memory_order_relaxed)) made->release();
    }
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    NodeInfo info() override {
        const ManifestEntry entry = section_->manifest().entry(index_);
        const std::uint32_t mode = (entry.flags & boot::kEntryExecutable) != 0 ? kProgramMode : kFileMode;
        return {NodeKind::file, file_id(index_), entry.bytes, mode, 0, 1};
    }
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
        const crypto::MerkleHash recorded = section_->manifest().entry(index_).root;
        std::memcpy(root, recorded.data(), sizeof(root));
        return true;
    }
    Result<> entry(std::uint64_t, Entry&) override { return fail(Error::bad_argument); }

private:
    const std::uint32_t index_;
    std::atomic<mm::Pages*> pages_{nullptr}; // counted
};

class DirectoryNode final : public BundleNode {
public:
    // The directory's path is the first `path_bytes` bytes of the path of entry `range.first`.
    DirectoryNode(Reservation charge, Ref<Section> section, Manifest::Range range, std::size_t path_bytes)
        : BundleNode(std::move(charge), std::move(section)), range_(range), path_bytes_(path_bytes) {}
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    NodeInfo info() override { return {NodeKind::directory, id(), 0, kDirectoryMode, 0, 2}; }
    Result<Ref<mm::Pages>> pages() override { return fail(Error::bad_argument); }
    // Positions are indices of entries; a directory below stands for all its entries.
    Result<> entry(std::uint64_t position, Entry& out) override {
        const Manifest& manifest = section_->manifest();
        if (position > manifest.count()) return fail(Error::not_found);
        const std::uint32_t index = std::max(static_cast<std::uint32_t>(position), range_.first);
        if (index >= range_.end) return fail(Error::not_found);
        const std::string_view path = manifest.path(index);
        const std::string_view name = PathWalker(path.substr(name_start())).next();
        const std::string_view whole = path.substr(0, name_start() + name.size());
        if (whole.size() == path.size()) {
            out.kind = NodeKind::file;
            out.id = file_id(index);
            out.next_position = index + 1;
        } else {
            const Manifest::Range below = manifest.below(whole, {index, range_.end});
            out.kind = NodeKind::directory;
            out.id = directory_id(index, depth_of(whole));
            out.next_position = below.end;
        }
        out.name_bytes = static_cast<std::uint32_t>(name.size());
        std::memcpy(out.name, name.data(), name.size());
        out.name[name.size()] = '\0';
        return {};
    }

private:
    [[nodiscard]] std::size_t name_start() const { return path_bytes_ == 0 ? 0 : path_bytes_ + 1; }
    [[nodiscard]] std::uint64_t id() const {
        const std::string_view path =
            path_bytes_ == 0 ? std::string_view{} : section_->manifest().path(range_.first).substr(0, path_bytes_);
        return directory_id(range_.first, depth_of(path));
    }
    const Manifest::Range range_;
    const std::size_t path_bytes_;
};

template <typename T, typename... Arguments>
Result<Ref<Node>> make_node(Payer& payer, Arguments&&... arguments) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>));
    T* node = TRY(mm::make<T>(std::move(charge), std::forward<Arguments>(arguments)...));
    return Ref<Node>::adopt(node);
}

} // namespace

Result<Ref<Node>> BundleTree::open(std::string_view path, Payer& payer) {
    const Manifest& manifest = section_->manifest();
    if (path.empty()) return make_node<DirectoryNode>(payer, section_, manifest.below(path), 0u);
    if (!is_path(path)) return fail(Error::not_found);
    const std::uint32_t index = manifest.lower_bound(path);
    if (index < manifest.count() && manifest.path(index) == path) return make_node<FileNode>(payer, section_, index);
    const Manifest::Range range = manifest.below(path, {index, manifest.count()});
    if (range.is_empty()) return fail(Error::not_found);
    return make_node<DirectoryNode>(payer, section_, range, path.size());
}

Result<> BundleTree::list(std::uint64_t index, TreeEntry& out) {
    const Manifest& manifest = section_->manifest();
    if (index >= manifest.count()) return fail(Error::not_found);
    const ManifestEntry entry = manifest.entry(static_cast<std::uint32_t>(index));
    out = {};
    out.size = entry.bytes;
    out.name_bytes = static_cast<std::uint32_t>(entry.path.size());
    std::memcpy(out.name, entry.path.data(), entry.path.size());
    return {};
}

} // namespace aios::fs
