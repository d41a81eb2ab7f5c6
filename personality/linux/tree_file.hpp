// Open files and directories of trees. A position has a lock of its own (Rank::open_file), which is held while user
// memory is copied, so that two threads never read the same bytes. Sizes change under the lock of the file's own Pages.
#pragma once

#include "kernel/fs/tree.hpp"
#include "personality/linux/file_label.hpp"
#include "personality/linux/generated_tree.hpp"
#include "personality/linux/held_text.hpp"
#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

class LinuxProcess;

// st_dev of what lies in no tree; trees follow, in the order of NameSpace.
inline constexpr std::uint64_t kNoTreeDevice = 1;

// What they are opened with, of their tree.
struct TreePlace {
    std::uint64_t device = kNoTreeDevice; // st_dev
    Rights rights;                        // of the tree's capability when the file was opened
    Ref<cap::DerivationNode> authority;   // of that capability
};

class TreeFile : public OpenFile {
public:
    Outcome seek(std::int64_t offset, std::uint32_t whence) override;
    [[nodiscard]] Stat info() const override;
    [[nodiscard]] fs::Node* node() const override { return node_.get(); }
    [[nodiscard]] bool may(Rights rights) const override { return rights_.contains(rights); }

protected:
    TreeFile(Reservation charge, cap::KeptNode authority, Ref<fs::Node> node, const TreePlace& place)
        : OpenFile(std::move(charge), std::move(authority)), node_(std::move(node)), device_(place.device),
          rights_(place.rights) {}

    using PositionLock = sync::Mutex<sync::Rank::open_file>;
    const Ref<fs::Node> node_; // empty: the empty root
    const std::uint64_t device_;
    const Rights rights_;
    // PROTOCOL: a read and the step of the position are one. The position itself is a word that anybody may look at.
    PositionLock position_lock_;
    std::atomic<std::uint64_t> position_{0}; // changed under position_lock_
};

// A regular file, or a link opened as itself (O_PATH).
class RegularFile final : public TreeFile {
public:
    // `path` is what it is opened as.
    static Result<Ref<OpenFile>> create(Payer& payer, Ref<fs::Node> node, TreePlace place, std::string_view path);
    static Result<Ref<OpenFile>> create(Payer& payer, Ref<fs::Node> node, TreePlace place, Ref<FileLabel> label);

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override;
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override;
    Outcome read_at(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset) override;
    Outcome write_at(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t offset) override;
    Errno put(Call& call, Bytes bytes) override;
    Errno put_at(Call& call, Bytes bytes, std::uint64_t offset) override;
    Outcome resize(Call& call, std::uint64_t bytes) override;
    Outcome reserve(Call& call, std::uint64_t end, FileSize size) override;
    Outcome control(Call& call, std::uint32_t request, std::uint64_t argument) override; // FIONREAD
    [[nodiscard]] std::expected<MapSource, Errno> map_source() override;
    [[nodiscard]] bool is_link() const override { return node_->info().kind == fs::NodeKind::link; }
    [[nodiscard]] std::string_view path() const override { return label_->path(); }
    std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller) override;

    RegularFile(mm::OnHeap, Reservation charge, cap::KeptNode authority, Ref<fs::Node> node, const TreePlace& place,
                Ref<FileLabel> label)
        : TreeFile(std::move(charge), std::move(authority), std::move(node), place), label_(std::move(label)) {}

private:
    Outcome read_pages(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset);
    Outcome write_pages(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t offset);
    // `end`: where the file ends with it.
    Outcome append_pages(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t& end);
    const Ref<FileLabel> label_;
};

class DirectoryFile : public TreeFile {
public:
    // `path` is absolute, in the form of Path: the base of *at calls.
    static Result<Ref<OpenFile>> create(Payer& payer, Ref<fs::Node> node, TreePlace place, std::string_view path);

    Outcome read(Call&, UserOut<std::byte>, std::uint64_t) override { return refuse(kIsDirectory); }
    Outcome read_at(Call&, UserOut<std::byte>, std::uint64_t, std::uint64_t) override { return refuse(kIsDirectory); }
    [[nodiscard]] DirectoryFile* directory() override { return this; }

    [[nodiscard]] std::string_view path() const override { return path_.view(); }
    // Entries from the position on, each into `entry` and then to `take`, until it answers false or the directory ends.
    // What `take` refused comes again.
    template <typename F>
    std::expected<void, Errno> read_entries(LinuxProcess& process, ListedEntry& entry, F&& take) {
        if (is_listed_under_lock()) {
            PositionLock::Guard guard(position_lock_);
            for (;;) {
                if (!LINUX_TRY(entry_at(process, position_, entry)) || !take()) return {};
                position_ = entry.next_position;
            }
        }
        for (;;) { // two threads at once may both see an entry; none is left out
            const std::uint64_t at = position_;
            if (!LINUX_TRY(entry_at(process, at, entry)) || !take()) return {};
            PositionLock::Guard guard(position_lock_);
            if (position_ == at) position_ = entry.next_position;
        }
    }
    // False: its entries are found under locks of a lower rank than the position's.
    [[nodiscard]] virtual bool is_listed_under_lock() const { return true; }

    DirectoryFile(mm::OnHeap, Reservation charge, cap::KeptNode authority, Ref<fs::Node> node, const TreePlace& place,
                  HeldText path)
        : TreeFile(std::move(charge), std::move(authority), std::move(node), place), path_(std::move(path)) {}

protected:
    static constexpr std::uint64_t kFirstPosition = 2; // behind "." and ".."
    static bool dots_at(std::uint64_t position, std::uint64_t inode, ListedEntry& out);
    // False: the end.
    virtual std::expected<bool, Errno> entry_at(LinuxProcess& process, std::uint64_t position, ListedEntry& out) const;

private:
    const HeldText path_;
};

} // namespace aios::linux_abi
