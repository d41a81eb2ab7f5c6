// What a descriptor names: one interface for every kind of file, so that no call asks which kind it has. Files of trees
// are in tree_file.hpp, the console and the generated ones in device_file.hpp.
//
// An open file remembers the capability that it was opened under: once that is revoked or closed, every later use
// answers EACCES (file_of), and its mappings are gone. It is charged to the agent, and ends with its last descriptor
// and the last call that uses it.
//
// The calls check what was asked for at open (`readable`, `writable`, `path_only`) before they come here. Whatever
// touches user memory holds no lock of a file's pages meanwhile.
#pragma once

#include "abi/call_types.hpp"
#include "base/ref.hpp"
#include "kernel/cap/table.hpp"
#include "kernel/mm/label.hpp"
#include "kernel/mm/pages.hpp"
#include "kernel/object/source.hpp"
#include "personality/linux/epoll_item.hpp"
#include "personality/linux/file_label.hpp"
#include "personality/linux/file_locks.hpp"
#include "personality/linux/outcome.hpp"
#include "personality/linux/vectors.hpp"

namespace aios::fs {
class Node;
}
namespace aios::ipc {
class Stream;
}

namespace aios::linux_abi {

struct Call;
class DirectoryFile;
class LinuxProcess;

// What a mapping of a file is made of.
struct MapSource {
    Ref<mm::Pages> pages;               // empty: zeros, as of anonymous memory
    Ref<cap::DerivationNode> authority; // the mapping ends with it
    bool may_execute = false;
    bool may_write = true;        // false: sealed against it
    Ref<mm::Label> label;         // may be empty
    Ref<FileLabel> writing_label; // in its place for shared mappings that may change it; may be empty
};

// Which of the kinds that have calls of their own a file is.
enum class FileKind : std::uint8_t { other, epoll, timer, signals, socket, process };

// Whether a file becomes as large as what is reserved for it.
enum class FileSize : bool { kept, grown };

class OpenFile {
public:
    OpenFile(const OpenFile&) = delete;
    void retain() { references_.retain(); }
    [[nodiscard]] bool try_retain() { return references_.try_retain(); } // false: it is ending
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    [[nodiscard]] FileKind kind() const { return kind_; }
    [[nodiscard]] bool has_authority() const { return static_cast<bool>(authority_.node()); }
    [[nodiscard]] bool is_live() const { return !authority_.node() || authority_.node()->is_held(); }

    // Data at the file's position, which moves on. Answers how many bytes; less than asked for is no error.
    virtual Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes);
    virtual Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes);
    // The same over several ranges, which count as one: by default one after the other until one is short.
    virtual Outcome read_vectors(Call& call, const Vectors& to);
    virtual Outcome write_vectors(Call& call, const Vectors& from);
    // Data at `offset`; the position stays. Files without positions take it as read and write.
    virtual Outcome read_at(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset);
    virtual Outcome write_at(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t offset);
    // The kernel's own bytes, at the position: all of them, or an errno. At most a page.
    virtual Errno put(Call& call, Bytes bytes);
    virtual Errno put_at(Call& call, Bytes bytes, std::uint64_t offset); // the same at `offset`; files with contents

    [[nodiscard]] virtual bool is_seekable() const { return true; } // false: ESPIPE for offsets and seek
    virtual Outcome seek(std::int64_t offset, std::uint32_t whence);
    virtual Outcome resize(Call& call, std::uint64_t bytes);               // ftruncate
    virtual Outcome reserve(Call& call, std::uint64_t end, FileSize size); // fallocate

    [[nodiscard]] virtual Stat info() const = 0;
    // Whose levels say what it is ready for, of which poll_calls.cpp has the poll bits; nullptr: always for everything.
    // Lives as long as the file.
    [[nodiscard]] virtual event::Source* source() { return nullptr; }
    // What it is ready for. Some kinds look before they answer (a queue whose entries may be over).
    [[nodiscard]] virtual std::uint64_t ready() {
        event::Source* const own = source();
        return own != nullptr ? own->levels() : kSignalReadable | kSignalWritable;
    }
    [[nodiscard]] virtual ipc::Stream* pipe() { return nullptr; }                       // of a pipe
    virtual Outcome control(Call& call, std::uint32_t request, std::uint64_t argument); // ioctl
    [[nodiscard]] virtual std::expected<MapSource, Errno> map_source();                 // kNoDevice: cannot be mapped

    // The file, directory or link of a tree that this is; nullptr for what lies in none.
    [[nodiscard]] virtual fs::Node* node() const { return nullptr; }
    [[nodiscard]] virtual DirectoryFile* directory() { return nullptr; }
    [[nodiscard]] bool is_directory() { return directory() != nullptr; }
    [[nodiscard]] virtual bool is_link() const { return false; }
    // What it was opened as, absolute, in the form of Path; empty: it has no name.
    [[nodiscard]] virtual std::string_view path() const { return {}; }
    // Another open file of the same thing, with a position and flags of its own: what opening /proc/PID/fd/N makes.
    // kNoDeviceAddress: kinds that cannot be opened by a name.
    [[nodiscard]] virtual std::expected<Ref<OpenFile>, Errno> reopen(LinuxProcess& caller);
    // open() has made it, with these flags: a terminal may become that of its session.
    virtual void opened(Call&, std::uint64_t flags) { (void)flags; }
    // Whether the capability that it was opened under grants this; what needs none grants everything.
    [[nodiscard]] virtual bool may(Rights) const { return true; }

    // What open asked for. Set before anybody else sees the file.
    bool readable = false, writable = false, path_only = false;
    std::atomic<bool> append{false};
    std::atomic<bool> non_blocking{false}; // O_NONBLOCK, of every kind, whether it ever waits or not
    // What else was asked for (O_SYNC, O_NOATIME ...), kept to be told; and F_SETOWN and F_SETSIG, for signals that never come.
    std::atomic<std::uint32_t> kept_flags{0};
    std::atomic<std::int32_t> signal_owner{0}, signal_number{0};
    WatchedFile watched; // by epoll files
    // Before it takes locks of its own (flock, F_OFD_SETLK): they end with it. kNoMemory. lock_calls.cpp
    Errno keep_locks(Payer& payer, FileLocks& table);
    virtual ~OpenFile();

protected:
    explicit OpenFile(Reservation charge, cap::KeptNode authority = {}, FileKind kind = FileKind::other)
        : authority_(std::move(authority)), charge_(std::move(charge)), kind_(kind) {}

    const cap::KeptNode authority_;

private:
    void drop_locks();
    RefCount references_;
    Reservation charge_;
    std::atomic<LocksOfFile*> locks_{nullptr}; // set once
    const FileKind kind_;
};

} // namespace aios::linux_abi
