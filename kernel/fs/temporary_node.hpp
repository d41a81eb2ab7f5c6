// What a temporary tree is made of: nodes (files, directories, links) and the entries that name them. Nodes are
// counted: each entry holds a reference and so does each open file, so an unlinked file lives until it is closed.
//
// A tree may begin with a directory of a section (tree_base.cpp). Then a node is made of a node of the section when
// somebody first asks for its name, and from then on is like any other; a file's contents are Pages over the section's. A
// directory is made whole, with a node for everything in it, before it is listed or an entry leaves it: so what is not
// there in a whole directory is gone, and nothing has to be remembered of it.
//
// All structure is under one lock of the tree (Rank::file_tree), which lies in a Store that tree and nodes share: a
// node may outlive its tree. Everything is charged to the tree's payer: nodes, entries, link targets, contents as they
// grow.
#pragma once

#include <string_view>

#include "base/intrusive_tree.hpp"
#include "kernel/fs/section.hpp"
#include "kernel/fs/tree.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::fs {

class TemporaryNode;

// A file of the section that has several names there, and its node.
struct NamedFile {
    TreeNode by_base;
    std::uint32_t base = 0;
    Ref<TemporaryNode> node;
};

struct Store {
    Store(Ref<Payer> who, Ref<Section> began_with)
        : payer(std::move(who)), section(std::move(began_with)),
          next_id(section ? section->manifest().count() + std::uint64_t{1} : 1) {}
    RefCount references;
    const Ref<Payer> payer;
    const Ref<Section> section; // that the tree began with; null: with nothing
    sync::Mutex<sync::Rank::file_tree> mutex;
    std::uint64_t next_id AIOS_GUARDED_BY(mutex); // those of the section are its nodes' plus 1
    IntrusiveTree<NamedFile, &NamedFile::by_base, &NamedFile::base>
        named AIOS_GUARDED_BY(mutex);              // emptied by the tree, which closes the circle
    bool has_ended AIOS_GUARDED_BY(mutex) = false; // the tree: directories that are still open get no entries any more
    std::uint64_t
        changes AIOS_GUARDED_BY(mutex) = 0; // of the structure: remembered places are good while it stands still
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }
};

// Orders the entries of a directory so that a walk in depth gives all paths in bytewise order: a directory counts as if
// its name ended in '/'.
struct EntryKey {
    std::string_view name;
    bool is_directory;
    bool operator<(const EntryKey& other) const;
};

// A name in a directory. Made by DirectoryEntry::create, with the name behind it in the same piece of memory.
struct DirectoryEntry {
    TreeNode by_name, by_position;
    std::uint64_t position = 0; // in the order of making; what directory reading counts by
    Ref<TemporaryNode> node;
    TemporaryNode* directory = nullptr; // where it stands
    std::uint32_t name_bytes = 0;
    bool is_base = false; // stands where the section has it

    static Result<DirectoryEntry*> create(Store& store, std::string_view name, Ref<TemporaryNode> node);
    static void destroy(Store& store, DirectoryEntry* entry);
    // What one with a name of this length is charged at.
    static std::uint64_t cost(std::size_t name_bytes);
    // SAFETY: create() has put name_bytes bytes behind the object.
    [[nodiscard]] std::string_view name() const { return {reinterpret_cast<const char*>(this + 1), name_bytes}; }
    [[nodiscard]] EntryKey key() const;
};

class TemporaryNode final : public Node {
public:
    // `target` is for links only.
    static Result<Ref<TemporaryNode>> create_locked(const Ref<Store>& store, NodeKind kind, std::uint32_t mode,
                                                    std::string_view target = {}) AIOS_REQUIRES(store->mutex);
    // Of node `base` of the section, which is no further name.
    static Result<Ref<TemporaryNode>> create_of_base(const Ref<Store>& store, std::uint32_t base)
        AIOS_REQUIRES(store->mutex);
    void retain() override { references_.retain(); }
    void release() override;
    NodeInfo info() override;
    Result<Ref<mm::Pages>> pages() override;
    Result<> resize(std::uint64_t bytes) override;
    Result<> set_mode(std::uint32_t mode) override;
    Result<> set_modified(std::uint64_t ns) override;
    Result<> set_accessed(std::uint64_t ns) override;
    Result<> set_owner(std::uint32_t user, std::uint32_t group) override;
    void note_read(std::uint64_t ns) override;
    [[nodiscard]] std::atomic<std::uint32_t>* seals() override { return kind_ == NodeKind::file ? &seals_ : nullptr; }
    Result<> entry(std::uint64_t position, Entry& out) override;
    Result<std::uint64_t> read_link(char* out, std::uint64_t capacity) override;

    // --- for TemporaryTree, under the store's lock: each asserts that, as clang cannot know that two nodes have one store
    [[nodiscard]] NodeKind kind() const { return kind_; }
    [[nodiscard]] bool is_directory() const { return kind_ == NodeKind::directory; }
    // The entry of this name, made of the section's if need be; null: there is none. quota_exceeded, out_of_memory; revoked: the
    // tree has ended.
    Result<DirectoryEntry*> look_up(std::string_view name);
    [[nodiscard]] DirectoryEntry* find(std::string_view name) const; // among those that are made
    [[nodiscard]] bool is_whole() const {
        assert_held();
        return is_whole_;
    }
    // Directories, without the lock: makes all that the section has in it. Some at a time, so that others come between.
    Result<> make_whole();
    static constexpr std::uint32_t kNoBase = ~0u;
    [[nodiscard]] std::uint32_t base() const { return base_; }
    [[nodiscard]] bool is_changed() const; // against what it was made of; new ones are
    [[nodiscard]] bool is_empty() const {
        assert_held();
        return by_name_.is_empty();
    }
    [[nodiscard]] DirectoryEntry* first() const {
        assert_held();
        return by_name_.first();
    }
    [[nodiscard]] DirectoryEntry* after(const DirectoryEntry& entry) const {
        assert_held();
        return by_name_.next(entry);
    }
    void link(DirectoryEntry& entry);                               // its node gets one name more
    [[nodiscard]] Ref<TemporaryNode> unlink(DirectoryEntry& entry); // out of this directory; its node, one name less
    [[nodiscard]] DirectoryEntry* own_entry() const {               // directories: their only name; root: nullptr
        assert_held();
        return own_entry_;
    }
    void touch(std::uint64_t ns) { // its entries have changed
        assert_held();
        modified_ns_ = changed_ns_ = ns;
    }
    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] NodeInfo current_info() const;
    Result<Ref<mm::Pages>> made_pages(); // files

    TemporaryNode(mm::OnHeap, Ref<Store> store, Reservation charge, NodeKind kind, std::uint32_t mode, std::uint64_t id,
                  std::uint32_t base = kNoBase);
    ~TemporaryNode();

private:
    Result<> keep_contents();
    Result<DirectoryEntry*> make_entry(std::string_view name, std::uint32_t index);
    Result<> make_next();
    void assert_held() const AIOS_ASSERT_CAPABILITY(store_->mutex) { store_->mutex.assert_held(); }

    RefCount references_;
    const Ref<Store> store_;
    std::atomic<std::uint32_t> seals_{1}; // F_SEAL_SEAL: none can be added
    Reservation charge_;
    const NodeKind kind_;
    const std::uint64_t id_;
    const std::uint32_t base_; // node of the section; kNoBase: new
    std::uint32_t mode_ AIOS_GUARDED_BY(store_->mutex);
    std::uint32_t links_ AIOS_GUARDED_BY(store_->mutex) = 0;
    std::uint64_t modified_ns_ AIOS_GUARDED_BY(store_->mutex) = 0;
    std::uint64_t accessed_ns_ AIOS_GUARDED_BY(store_->mutex) = 0;
    std::uint64_t changed_ns_ AIOS_GUARDED_BY(store_->mutex) = 0;
    std::uint32_t user_ AIOS_GUARDED_BY(store_->mutex) = 0;
    std::uint32_t group_ AIOS_GUARDED_BY(store_->mutex) = 0;
    bool is_changed_ AIOS_GUARDED_BY(store_->mutex) = false; // in its mode or time
    Ref<mm::Pages> pages_ AIOS_GUARDED_BY(store_->mutex);    // files; of the section's: made when it is asked for
    char* target_ = nullptr;                                 // links that are new; constant
    std::uint32_t target_bytes_ = 0;                         // likewise
    // directories
    IntrusiveTree<DirectoryEntry, &DirectoryEntry::by_name, &DirectoryEntry::key>
        by_name_ AIOS_GUARDED_BY(store_->mutex);
    IntrusiveTree<DirectoryEntry, &DirectoryEntry::by_position, &DirectoryEntry::position>
        by_position_ AIOS_GUARDED_BY(store_->mutex);
    std::uint64_t next_position_ AIOS_GUARDED_BY(store_->mutex) = 0;
    bool is_whole_ AIOS_GUARDED_BY(store_->mutex) = true;
    std::uint32_t next_base_ AIOS_GUARDED_BY(store_->mutex) = 0; // what make_whole() looks at next
    DirectoryEntry* own_entry_ AIOS_GUARDED_BY(store_->mutex) = nullptr;
};

} // namespace aios::fs
