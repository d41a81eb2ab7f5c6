// Open files, the descriptor table and the name space of a Linux process. The name space is built from the agent's tree
// capabilities: bundle at "/", job at "/job", temporary at "/tmp"; without them it is an empty root. Every open looks
// the capability up again, so a revoked tree is gone at once for new opens. Locks: Rank::process guards the table; an
// OpenFile's offset has its own mutex-free rule: it is changed under Rank::process too.
#pragma once

#include <string_view>

#include "base/ref.hpp"
#include "kernel/cap/table.hpp"
#include "kernel/fs/tree.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

class LinuxProcess;
inline constexpr std::size_t kMaxFiles = 256; // descriptors of a process
inline constexpr std::size_t kMaxLinks = 40;  // symbolic links followed in one look-up
inline constexpr std::size_t kPathRoom = kMaxPathBytes + 1;

// An absolute path without ".", "..", doubled or trailing slashes; "/" is empty text here: the root is "".
struct Path {
    char text[kPathRoom]{};
    std::size_t bytes = 0;
    [[nodiscard]] std::string_view view() const { return {text, bytes}; }
};

enum class FileKind : std::uint8_t { node, console, end_of_file, empty_root };

class OpenFile {
public:
    static Result<Ref<OpenFile>> create(Payer& payer, FileKind kind);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    FileKind kind = FileKind::node;
    Ref<fs::Node> node;
    Path path; // of directories: base of *at calls; of files: for messages
    Handle console = kNoHandle;
    bool readable = false, writable = false, append = false, path_only = false;
    bool is_directory = false;
    std::uint64_t offset = 0; // under Rank::process

    ~OpenFile() = default;

private:
    explicit OpenFile(Reservation charge) : charge_(std::move(charge)) {}
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    RefCount references_;
    Reservation charge_;
};

class FileTable {
public:
    void set_up(const StartupBlock& startup); // 0: end of file; 1 and 2: the console, if there is one
    Result<> open_standard(Payer& payer);
    [[nodiscard]] std::expected<Ref<OpenFile>, Errno> get(std::uint64_t fd) const; // kBadFd
    std::expected<std::uint64_t, Errno> add(Ref<OpenFile> file, bool close_on_exec, std::uint64_t lowest = 0);
    Errno set(std::uint64_t fd, Ref<OpenFile> file, bool close_on_exec);
    bool remove(std::uint64_t fd);
    [[nodiscard]] bool close_on_exec(std::uint64_t fd) const { return entries_[fd].close_on_exec; }
    void set_close_on_exec(std::uint64_t fd, bool on) { entries_[fd].close_on_exec = on; }

private:
    struct Entry {
        Ref<OpenFile> file;
        bool close_on_exec = false;
    };
    Entry entries_[kMaxFiles];
    Handle console_ = kNoHandle;
};

// Where a path leads: a tree that was checked for the needed right, and the path in it.
struct Place {
    Ref<fs::Tree> tree;   // empty: the empty root
    Path path;            // absolute
    std::size_t skip = 0; // bytes of `path` that name the mount
    [[nodiscard]] std::string_view relative() const { return path.view().substr(skip); }
};

class Namespace {
public:
    void set_up(const StartupBlock& startup);
    // Resolves `text` from `base` (absolute; both as the program gave them). Follows symbolic links, the last one only
    // if asked.
    std::expected<Place, Errno> resolve(cap::Table& table, std::string_view base, std::string_view text,
                                        bool follow_last, Rights needed) const;
    Path working_directory; // under Rank::process

private:
    struct Mount {
        std::string_view prefix; // "", "job", "tmp"
        Handle tree = kNoHandle;
    };
    std::expected<Place, Errno> place_of(cap::Table& table, const Path& path, Rights needed) const;
    Mount mounts_[3];
    std::size_t mount_count_ = 0;
};

// For mmap of a file.
struct MappableFile {
    Ref<mm::Pages> pages;
    bool readable, writable;
};
std::expected<MappableFile, Errno> mappable_file(LinuxProcess& process, std::uint64_t fd, bool for_shared_writing);

} // namespace aios::linux_abi
