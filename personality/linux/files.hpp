// The descriptor table of a Linux process, charged to the agent. Lock: Rank::process guards it.
#pragma once

#include "personality/linux/arguments.hpp"
#include "personality/linux/limits.hpp"
#include "personality/linux/open_file.hpp"

namespace aios::linux_abi {

// What happens to a descriptor when another program is loaded.
enum class OnExec : bool { keep, close };

// Descriptors. The caller holds the process's lock; what leaves the table is handed out, to be let go outside it.
class FileTable {
public:
    FileTable() = default;
    FileTable(const FileTable&) = delete;
    ~FileTable();
    [[nodiscard]] std::expected<Ref<OpenFile>, Errno> get(Descriptor fd) const; // kBadFd
    // The first descriptor from `fd` on that names a file.
    [[nodiscard]] std::optional<std::uint32_t> next(std::uint32_t fd) const;
    // Descriptors from `limit` on are not given out any more; those that are there stay (RLIMIT_NOFILE).
    void limit_to(std::uint64_t limit) { limit_ = static_cast<std::uint32_t>(limit < kMaxFiles ? limit : kMaxFiles); }
    [[nodiscard]] std::uint32_t limit() const { return limit_; }
    std::expected<std::uint64_t, Errno> add(Payer& payer, Ref<OpenFile> file, OnExec on_exec, std::uint32_t lowest = 0);
    // Puts `file` at `fd`; answers what was there.
    std::expected<Ref<OpenFile>, Errno> set(Payer& payer, Descriptor fd, Ref<OpenFile> file, OnExec on_exec);
    Ref<OpenFile> remove(Descriptor fd); // empty: nothing was there
    enum class Which : bool { all, close_on_exec };
    // Takes out the first from `fd` on, and moves `fd` behind it; empty, with kMaxFiles: there is none.
    Ref<OpenFile> remove_next(std::uint32_t& fd, Which which);
    // fork: the same files at the same numbers. This table is empty. kNoMemory: some are there.
    std::expected<void, Errno> copy(Payer& payer, const FileTable& from);
    void swap(FileTable& other) {
        std::swap(chunks_, other.chunks_);
        std::swap(limit_, other.limit_);
    }
    [[nodiscard]] OnExec on_exec(Descriptor fd) const;
    void set_on_exec(Descriptor fd, OnExec on_exec);

private:
    static constexpr std::size_t kChunkFiles = 32;
    struct Entry {
        Ref<OpenFile> file;
        OnExec on_exec = OnExec::keep;
    };
    struct Chunk {
        Reservation charge;
        Entry entries[kChunkFiles];
        ~Chunk() = default;
    };
    [[nodiscard]] Entry* find(std::uint32_t fd) const; // nullptr: no chunk there
    std::expected<Entry*, Errno> make(Payer& payer, std::uint32_t fd);
    Chunk* chunks_[kMaxFiles / kChunkFiles]{};
    std::uint32_t limit_ = kMaxFiles;
};

// The file behind a descriptor; kBadFd, or kAccess when its capability is gone. Any use but close and dup.
std::expected<Ref<OpenFile>, Errno> file_of(Call& call, Descriptor fd);
// A new descriptor for a new file, with what O_CLOEXEC and O_NONBLOCK of `flags` ask for. kTooManyFiles, kNoMemory.
std::expected<std::uint64_t, Errno> install(Call& call, Ref<OpenFile> file, std::uint64_t flags);
// Two, whose numbers go to `out`, or none. kFault besides.
Outcome install_pair(Call& call, Ref<OpenFile> first, Ref<OpenFile> second, UserOut<std::int32_t> out,
                     std::uint64_t flags);

} // namespace aios::linux_abi
