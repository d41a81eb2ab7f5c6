// TemporaryTree: an agent's private files. Operations find their places, make what they need, and then change the tree
// without a way to fail. Nothing recurses: trees are as deep as their owner makes them. Lock: Rank::file_tree, in the
// Store.
//
// One that began with a directory of a section (temporary_node.hpp) tells what is other than there. Directories of the
// section keep their places: renaming one is `unsupported`, as nobody could tell what changed below it.
#pragma once

#include "base/path.hpp"
#include "kernel/fs/temporary_node.hpp"
#include "kernel/time/clock.hpp"

namespace aios::fs {

class TemporaryTree final : public Tree {
public:
    static constexpr std::size_t kMaxTargetBytes = 4095;

    TemporaryTree(Reservation charge, Ref<Store> store, Ref<TemporaryNode> root)
        : Tree(ObjectType::tree, std::move(charge)), store_(std::move(store)), root_(std::move(root)) {}
    ~TemporaryTree() override { remove_everything(); }

    [[nodiscard]] bool is_writable() const override { return true; }
    Result<Ref<Node>> open(std::string_view path, Payer&) override { // nodes are charged to the tree's payer
        sync::Mutex<sync::Rank::file_tree>::Guard guard(store_->mutex);
        const Result<Ref<TemporaryNode>> node = find_locked(path);
        if (node) return Ref<Node>(*node);
        // Whatever is wrong with the path: nothing stands there.
        const bool is_path_wrong = node.error() == Error::wrong_type || node.error() == Error::bad_argument;
        return fail(is_path_wrong ? Error::not_found : node.error());
    }
    Result<Ref<Node>> create_file(std::string_view path, std::uint32_t mode) override {
        return Ref<Node>(TRY(create(path, NodeKind::file, mode, {})));
    }
    Result<Ref<Node>> create_socket(std::string_view path, std::uint32_t mode) override {
        return Ref<Node>(TRY(create(path, NodeKind::socket, mode, {})));
    }
    Result<Ref<Node>> create_fifo(std::string_view path, std::uint32_t mode) override {
        return Ref<Node>(TRY(create(path, NodeKind::fifo, mode, {})));
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
    // unsupported: it began with something. Those are told by changes.
    Result<> list(std::uint64_t index, TreeEntry& out, Payer& payer) override;
    Result<> change(std::uint64_t position, TreeChange& out) override;

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
    // The entry behind `entry` (null: before the first) in a walk in depth, a directory before what is in it; null at the end.
    DirectoryEntry* next_locked(DirectoryEntry* entry) AIOS_REQUIRES(store_->mutex);
    DirectoryEntry* next_file_locked(DirectoryEntry* entry) AIOS_REQUIRES(store_->mutex);
    // Writes the path of an entry. too_large: renaming has made it longer than a path may be.
    Result<> write_path(const DirectoryEntry& entry, char (&out)[kMaxPathBytes], std::uint32_t& bytes)
        AIOS_REQUIRES(store_->mutex);
    // Makes whole what an entry is to leave: the directory that it stands in, and what it names.
    Result<> make_whole_at(std::string_view path);
    // tree_changes.cpp
    enum class Look : std::uint8_t { found, goes_on, at_end };
    Result<Look> next_change_locked(std::uint64_t& position, TreeChange& out) AIOS_REQUIRES(store_->mutex);
    Result<Look> next_removed_locked(std::uint64_t& position, TreeChange& out) AIOS_REQUIRES(store_->mutex);
    enum class Fate : std::uint8_t { told, unmade, gone }; // told: there, or seen by what is there
    Fate fate_of_locked(std::uint32_t index) AIOS_REQUIRES(store_->mutex);
    TemporaryNode* changed_by_name_locked(std::uint32_t index) AIOS_REQUIRES(store_->mutex);
    Result<> describe_node(TemporaryNode& node, TreeChange& out) AIOS_REQUIRES(store_->mutex);
    void remove_everything();

    const Ref<Store> store_;
    const Ref<TemporaryNode> root_;
    // Where list() or change() was: the next call mostly wants what comes after it.
    struct Cursor {
        std::uint64_t index = 0, changes = 0;
        DirectoryEntry* entry = nullptr;
    } cursor_ AIOS_GUARDED_BY(store_->mutex);
};

} // namespace aios::fs
