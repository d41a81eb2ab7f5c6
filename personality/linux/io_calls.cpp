// Reading and writing of open files: read, write, their vector and positioned forms, lseek, sendfile, truncate. What a
// kind of file does is its own (open_file.hpp); here is what Linux asks of all.
#include "personality/linux/transfer.hpp"

namespace aios::linux_abi {
namespace {

std::expected<Ref<OpenFile>, Errno> file_with_positions(Call& call, Descriptor fd, std::int64_t offset,
                                                        bool OpenFile::* allowed) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (!file->is_seekable()) return std::unexpected(kIllegalSeek);
    if (!((*file).*allowed)) return std::unexpected(kBadFd);
    if (offset < 0) return std::unexpected(kInvalid);
    return file;
}

// For calls that read or write by the file's position.
std::expected<Ref<OpenFile>, Errno> file_for(Call& call, Descriptor fd, bool OpenFile::* allowed) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (!((*file).*allowed)) return std::unexpected(kBadFd);
    return file;
}

} // namespace

Outcome call_read(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes) {
    const auto file = LINUX_TRY(file_for(call, fd, &OpenFile::readable));
    if (!is_below_kernel(to.address(), bytes)) return refuse(kFault);
    return file->read(call, to, bytes);
}

Outcome call_write(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes) {
    const auto file = LINUX_TRY(file_for(call, fd, &OpenFile::writable));
    if (!is_below_kernel(from.address(), bytes)) return refuse(kFault);
    return file->write(call, from, bytes);
}

Outcome call_readv(Call& call, Descriptor fd, UserIn<IoVector> vectors, std::uint64_t count) {
    const auto file = LINUX_TRY(file_for(call, fd, &OpenFile::readable));
    const Vectors to = LINUX_TRY(Vectors::fetch(call.process.quota(), vectors, count));
    return file->read_vectors(call, to);
}

Outcome call_writev(Call& call, Descriptor fd, UserIn<IoVector> vectors, std::uint64_t count) {
    const auto file = LINUX_TRY(file_for(call, fd, &OpenFile::writable));
    const Vectors from = LINUX_TRY(Vectors::fetch(call.process.quota(), vectors, count));
    return file->write_vectors(call, from);
}

Outcome call_pread64(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes, std::int64_t offset) {
    const auto file = LINUX_TRY(file_with_positions(call, fd, offset, &OpenFile::readable));
    return file->read_at(call, to, bytes, static_cast<std::uint64_t>(offset));
}

Outcome call_pwrite64(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes, std::int64_t offset) {
    const auto file = LINUX_TRY(file_with_positions(call, fd, offset, &OpenFile::writable));
    return file->write_at(call, from, bytes, static_cast<std::uint64_t>(offset));
}

Outcome call_lseek(Call& call, Descriptor fd, std::int64_t offset, std::uint32_t whence) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (!file->is_seekable()) return refuse(kIllegalSeek);
    if (whence > kSeekHole) return refuse(kInvalid);
    return file->seek(offset, whence);
}

// The positions of both files are the caller's to keep apart: two threads that send from one descriptor at once may
// send the same bytes twice, as on Linux.
Outcome call_sendfile(Call& call, Descriptor to, Descriptor from, UserInOut<std::uint64_t> offset,
                      std::uint64_t bytes) {
    const auto out = LINUX_TRY(file_of(call, to));
    const auto in = LINUX_TRY(file_of(call, from));
    if (!in->readable || !out->writable) return refuse(kBadFd);
    auto source = in->map_source();
    if (!source && source.error() == kNoDevice) return refuse(kInvalid); // not a file with contents
    auto pages = LINUX_TRY(std::move(source)).pages;                     // none: zeros without end
    if (out->append) return refuse(kInvalid);
    const bool from_position = offset.is_null();
    std::uint64_t at = from_position ? LINUX_TRY(in->seek(0, kSeekCurrent)) : LINUX_TRY(offset.read());
    if (static_cast<std::int64_t>(at) < 0) return refuse(kInvalid);
    const std::uint64_t size = pages ? pages->bytes() : ~0ull;
    const std::uint64_t wanted = at >= size ? 0 : std::min(std::min(bytes, size - at), kMaxTransfer);
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    if (!pages) std::memset(bounce.data(), 0, kConsolePiece);
    std::uint64_t done = 0;
    Errno error{};
    while (done < wanted && error == Errno{} && !call.thread.is_killed()) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, kConsolePiece);
        if (!in->is_live()) { // its capability ended meanwhile
            error = kAccess;
        } else if (!pages) {
            error = out->put(call, Bytes(bounce.data(), part));
        } else if (const auto got = pages->read(at, bounce.data(), part); !got) {
            error = errno_of(got.error());
        } else {
            error = out->put(call, Bytes(bounce.data(), part));
        }
        if (error != Errno{}) break;
        done += part;
        at += part;
    }
    if (done == 0 && error != Errno{}) return refuse(error);
    if (error != Errno{}) call.data().interrupted.active = false; // what was moved counts
    if (from_position) {
        LINUX_TRY(in->seek(static_cast<std::int64_t>(at), kSeekSet));
    } else {
        LINUX_TRY(offset.out().write(at));
    }
    return done;
}

Outcome call_ftruncate(Call& call, Descriptor fd, std::int64_t bytes) {
    if (bytes < 0) return refuse(kInvalid);
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (!file->writable) return refuse(kInvalid);
    return file->resize(call, static_cast<std::uint64_t>(bytes));
}

Outcome call_fallocate(Call& call, Descriptor fd, Flags<kFallocateKeepSize, kNotSupported> mode, std::int64_t offset,
                       std::int64_t bytes) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (offset < 0 || bytes <= 0) return refuse(kInvalid);
    if (!file->writable) return refuse(kBadFd);
    // Two positive numbers: their sum fits.
    const std::uint64_t end = static_cast<std::uint64_t>(offset) + static_cast<std::uint64_t>(bytes);
    return file->reserve(call, end, mode.has(kFallocateKeepSize) ? FileSize::kept : FileSize::grown);
}

Outcome call_fsync(Call& call, Descriptor fd) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    return file->node() != nullptr || file->is_directory() ? Outcome(0) : refuse(kInvalid); // nothing is behind it
}
Outcome call_fdatasync(Call& call, Descriptor fd) { return call_fsync(call, fd); }

Outcome call_fadvise64(Call& call, Descriptor fd, std::int64_t, std::int64_t bytes, std::int32_t advice) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (advice < 0 || advice > 5 || bytes < 0) return refuse(kInvalid);
    if (file->path_only) return refuse(kBadFd);
    return file->is_seekable() ? Outcome(0) : refuse(kIllegalSeek);
}

Outcome call_ioctl(Call& call, Descriptor fd, std::uint32_t request, std::uint64_t argument) {
    constexpr std::uint32_t kCloseOnExecSet = 0x5451, kCloseOnExecClear = 0x5450; // FIOCLEX, FIONCLEX
    constexpr std::uint32_t kNonBlocking = 0x5421, kAsync = 0x5452;               // FIONBIO, FIOASYNC
    constexpr std::uint32_t kOpenAsync = 020000;                                  // O_ASYNC
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (request == kCloseOnExecSet || request == kCloseOnExecClear) {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        call.process.files.set_on_exec(fd, request == kCloseOnExecSet ? OnExec::close : OnExec::keep);
        return 0;
    }
    if (request == kNonBlocking) {
        const auto on = LINUX_TRY(UserIn<std::int32_t>(argument).read());
        file->non_blocking = on != 0;
        return 0;
    }
    if (request == kAsync && file->source() != nullptr) { // kept, as F_SETFL keeps it; the signals never come
        const auto on = LINUX_TRY(UserIn<std::int32_t>(argument).read());
        if (on != 0)
            file->kept_flags |= kOpenAsync;
        else
            file->kept_flags &= ~kOpenAsync;
        return 0;
    }
    return file->control(call, request, argument);
}

} // namespace aios::linux_abi
