// Open files and the descriptor table of a Linux process. An OpenFile remembers the capability that it was opened
// under: once that is revoked or closed, every later use answers EACCES, and its mappings are gone. All of it is
// charged to the agent. Locks: Rank::process guards the table; an open file's position has a lock of its own
// (Rank::open_file), which is held while user memory is copied, so that two threads never read the same bytes. Sizes
// change under the lock of the file's own Pages.
#pragma once

#include <string_view>

#include "base/ref.hpp"
#include "kernel/cap/table.hpp"
#include "kernel/fs/tree.hpp"
#include "personality/linux/arguments.hpp"

namespace aios::linux_abi {

class LinuxProcess;
struct Call;

inline constexpr std::size_t kMaxFiles = 1024; // descriptors of a process

// A piece of text on the heap, charged to whoever holds it.
class HeldText {
public:
    HeldText() = default;
    static Result<HeldText> copy(Payer& payer, std::string_view text);
    HeldText(HeldText&& other) noexcept
        : charge_(std::move(other.charge_)), text_(std::exchange(other.text_, nullptr)),
          bytes_(std::exchange(other.bytes_, 0)) {}
    HeldText& operator=(HeldText&& other) noexcept {
        std::swap(charge_, other.charge_);
        std::swap(text_, other.text_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~HeldText() { mm::heap_free(text_); }
    [[nodiscard]] std::string_view view() const { return {text_, bytes_}; }

private:
    Reservation charge_;
    char* text_ = nullptr;
    std::size_t bytes_ = 0;
};

// What an open file is. `root` is "/" where no tree is mounted there, `self_link` the link /proc/self/exe; the rest
// grant nothing.
enum class FileKind : std::uint8_t { node, console, root, self_link, null, zero, random };

class OpenFile {
public:
    static Result<Ref<OpenFile>> create(Payer& payer, FileKind kind);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    [[nodiscard]] bool is_live() const { return !authority || authority->is_held(); }
    [[nodiscard]] bool may(Rights rights) const { return tree_rights.contains(rights); }

    const FileKind kind;
    Ref<fs::Node> node;
    std::uint64_t device = 0;           // st_dev: the tree's object id
    Rights tree_rights;                 // of the tree's capability when it was opened
    Ref<cap::DerivationNode> authority; // of that capability; empty where nothing was needed
    HeldText path;                      // of directories: absolute, the base of *at calls
    Handle console = kNoHandle;
    bool readable = false, writable = false, path_only = false, is_directory = false;
    std::atomic<bool> append{false};
    sync::Mutex<sync::Rank::open_file> position_lock;
    std::atomic<std::uint64_t> position{0}; // changed under position_lock

    ~OpenFile() = default;

private:
    OpenFile(Reservation charge, FileKind file_kind) : kind(file_kind), charge_(std::move(charge)) {}
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    RefCount references_;
    Reservation charge_;
};

// Descriptors. The caller holds the process's lock; what leaves the table is handed out, to be let go outside it.
class FileTable {
public:
    FileTable() = default;
    FileTable(const FileTable&) = delete;
    ~FileTable();
    [[nodiscard]] std::expected<Ref<OpenFile>, Errno> get(Descriptor fd) const; // kBadFd
    std::expected<std::uint64_t, Errno> add(Payer& payer, Ref<OpenFile> file, bool close_on_exec,
                                            std::uint32_t lowest = 0);
    // Puts `file` at `fd`; answers what was there.
    std::expected<Ref<OpenFile>, Errno> set(Payer& payer, Descriptor fd, Ref<OpenFile> file, bool close_on_exec);
    Ref<OpenFile> remove(Descriptor fd); // empty: nothing was there
    [[nodiscard]] bool close_on_exec(Descriptor fd) const;
    void set_close_on_exec(Descriptor fd, bool on);

private:
    static constexpr std::size_t kChunkFiles = 32;
    struct Entry {
        Ref<OpenFile> file;
        bool close_on_exec = false;
    };
    struct Chunk {
        Reservation charge;
        Entry entries[kChunkFiles];
        ~Chunk() = default;
    };
    [[nodiscard]] Entry* find(std::uint32_t fd) const; // nullptr: no chunk there
    std::expected<Entry*, Errno> make(Payer& payer, std::uint32_t fd);
    Chunk* chunks_[kMaxFiles / kChunkFiles]{};
};

// The file behind a descriptor; kBadFd, or kAccess when its capability is gone. Any use but close and dup.
std::expected<Ref<OpenFile>, Errno> file_of(Call& call, Descriptor fd);

// Sizes of files change only here. grow: at least `bytes` afterwards.
Result<> grow_file(fs::Node& node, std::uint64_t bytes);
Result<> truncate_file(fs::Node& node, std::uint64_t bytes);
// Grows by `bytes`; answers the old size: where an append goes.
Result<std::uint64_t> extend_file(fs::Node& node, std::uint64_t bytes);

} // namespace aios::linux_abi
