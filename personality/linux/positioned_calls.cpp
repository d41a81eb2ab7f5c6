// preadv, pwritev and their kin, copy_file_range, and the calls that ask for data to be on disk or near.
#include "personality/linux/transfer.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint32_t kHighPriority = 1, kDataSync = 2, kSync = 4; // RWF_..., which change nothing here

std::expected<Ref<OpenFile>, Errno> file_with_position(Call& call, Descriptor fd, std::int64_t offset,
                                                       bool OpenFile::* allowed) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (offset < 0) return std::unexpected(kInvalid);
    if (!file->is_seekable()) return std::unexpected(kIllegalSeek);
    if (!((*file).*allowed)) return std::unexpected(kBadFd);
    return file;
}

// One range after the other, until one is short.
template <typename F>
Outcome each_range(const Vectors& vectors, std::int64_t offset, F&& one) {
    std::uint64_t done = 0;
    for (const IoVector& range : vectors.ranges()) {
        if (range.bytes == 0) continue;
        const Outcome part = one(range, static_cast<std::uint64_t>(offset) + done);
        if (!part) return done != 0 ? Outcome(done) : part;
        done += *part;
        if (*part < range.bytes) break;
    }
    return done;
}

Outcome read_at(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, std::int64_t offset) {
    const auto file = LINUX_TRY(file_with_position(call, fd, offset, &OpenFile::readable));
    const Vectors to = LINUX_TRY(Vectors::fetch(call.process.quota(), user, count));
    return each_range(to, offset, [&](const IoVector& range, std::uint64_t at) {
        return file->read_at(call, UserOut<std::byte>(range.base), range.bytes, at);
    });
}

Outcome write_at(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, std::int64_t offset) {
    const auto file = LINUX_TRY(file_with_position(call, fd, offset, &OpenFile::writable));
    const Vectors from = LINUX_TRY(Vectors::fetch(call.process.quota(), user, count));
    return each_range(from, offset, [&](const IoVector& range, std::uint64_t at) {
        return file->write_at(call, UserIn<std::byte>(range.base), range.bytes, at);
    });
}

constexpr std::int64_t kFromPosition = -1; // of preadv2 and pwritev2

bool is_file(OpenFile& file) { return file.node() != nullptr && file.node()->info().kind == fs::NodeKind::file; }

// Where one side of copy_file_range begins: at `offset`, or at the file's position.
std::expected<std::uint64_t, Errno> start_of(OpenFile& file, UserInOut<std::int64_t> offset) {
    const std::int64_t at =
        offset.is_null() ? static_cast<std::int64_t>(LINUX_TRY(file.seek(0, kSeekCurrent))) : LINUX_TRY(offset.read());
    if (at < 0) return std::unexpected(kInvalid);
    return static_cast<std::uint64_t>(at);
}
Errno move_on(OpenFile& file, UserInOut<std::int64_t> offset, std::uint64_t to) {
    const auto at = static_cast<std::int64_t>(to);
    if (!offset.is_null()) return offset.out().write(at) ? Errno{} : kFault;
    return file.seek(at, kSeekSet) ? Errno{} : kInvalid;
}

} // namespace

Outcome call_preadv(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, std::int64_t offset) {
    return read_at(call, fd, user, count, offset);
}
Outcome call_pwritev(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, std::int64_t offset) {
    return write_at(call, fd, user, count, offset);
}
Outcome call_preadv2(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, std::int64_t offset,
                     std::uint64_t, Flags<kHighPriority | kDataSync | kSync, kNotSupported> flags) {
    static_cast<void>(flags);
    return offset == kFromPosition ? call_readv(call, fd, user, count) : read_at(call, fd, user, count, offset);
}
Outcome call_pwritev2(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, std::int64_t offset,
                      std::uint64_t, Flags<kHighPriority | kDataSync | kSync, kNotSupported> flags) {
    static_cast<void>(flags);
    return offset == kFromPosition ? call_writev(call, fd, user, count) : write_at(call, fd, user, count, offset);
}

// From contents to contents, a page at a time. What is behind the end of the first is not there to be copied.
Outcome call_copy_file_range(Call& call, Descriptor from, UserInOut<std::int64_t> from_offset, Descriptor to,
                             UserInOut<std::int64_t> to_offset, std::uint64_t bytes, Flags<0> flags) {
    static_cast<void>(flags);
    const auto in = LINUX_TRY(file_of(call, from));
    const auto out = LINUX_TRY(file_of(call, to));
    if (!in->readable || !out->writable || out->append) return refuse(kBadFd);
    if (in->is_directory() || out->is_directory()) return refuse(kIsDirectory);
    if (!is_file(*in) || !is_file(*out)) return refuse(kInvalid);
    const std::uint64_t start = LINUX_TRY(start_of(*in, from_offset));
    const std::uint64_t target = LINUX_TRY(start_of(*out, to_offset));
    if (bytes > INT64_MAX - start || bytes > INT64_MAX - target) return refuse(kOverflow);
    const auto pages = LINUX_TRY(in->map_source()).pages;
    const std::uint64_t size = pages->bytes();
    const std::uint64_t wanted = start >= size ? 0 : std::min(std::min(bytes, size - start), kMaxTransfer);
    if (in->node() == out->node() && start < target + wanted && target < start + wanted) return refuse(kInvalid);
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    std::uint64_t done = 0;
    Errno error{};
    while (done < wanted && error == Errno{} && !call.thread.is_killed()) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, Bounce::kBytes);
        if (!in->is_live()) { // its capability ended meanwhile
            error = kAccess;
        } else if (const auto got = pages->read(start + done, bounce.data(), part); !got) {
            error = errno_of(got.error());
        } else {
            error = out->put_at(call, Bytes(bounce.data(), part), target + done);
        }
        if (error == Errno{}) done += part;
    }
    if (done == 0 && error != Errno{}) return refuse(error);
    if (const Errno moved = move_on(*in, from_offset, start + done); moved != Errno{}) return refuse(moved);
    if (const Errno moved = move_on(*out, to_offset, target + done); moved != Errno{}) return refuse(moved);
    return done;
}

Outcome call_sync(Call&) { return 0; } // files live in memory: nothing to do
Outcome call_syncfs(Call& call, Descriptor fd) { return call_fsync(call, fd); }

Outcome call_sync_file_range(Call& call, Descriptor fd, std::int64_t offset, std::int64_t bytes, Flags<7> flags) {
    static_cast<void>(flags);
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (offset < 0 || bytes < 0 || bytes > INT64_MAX - offset) return refuse(kInvalid);
    return file->is_seekable() ? Outcome(0) : refuse(kIllegalSeek);
}

Outcome call_readahead(Call& call, Descriptor fd, std::int64_t offset, std::uint64_t) {
    static_cast<void>(offset);
    const auto file = LINUX_TRY(file_of(call, fd));
    if (!file->readable) return refuse(kBadFd);
    return is_file(*file) ? Outcome(0) : refuse(kInvalid);
}

} // namespace aios::linux_abi
