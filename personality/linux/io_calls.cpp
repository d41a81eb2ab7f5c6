// Reading and writing of open files: read, write, their vector and positioned forms, lseek, sendfile, truncate. Data
// goes through a buffer, at most a page at a time, so that no lock of a file's pages is held while user memory faults.
// A thread that is being killed stops between two pieces.
#include <algorithm>
#include <cstring>
#include <optional>

#include "base/checked.hpp"
#include "kernel/dev/entropy.hpp"
#include "kernel/dev/resource.hpp"
#include "kernel/host/output.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMaxTransfer = 0x7fff'f000;
constexpr std::uint64_t kMaxVectors = 1024;
constexpr std::uint64_t kMaxFileBytes = kMaxMemoryBytes; // a file is one memory object
constexpr std::uint64_t kConsolePiece = 1024;

// Small transfers stay on the stack, others take a page.
class Buffer {
public:
    Errno prepare(LinuxProcess& process, std::uint64_t bytes) {
        if (bytes <= sizeof(small_)) return Errno{};
        auto page = Bounce::make(process);
        if (!page) return page.error();
        page_.emplace(std::move(*page));
        return Errno{};
    }
    [[nodiscard]] std::byte* data() { return page_ ? page_->data() : small_; }
    // How much of `left` goes next; file pieces end at page borders.
    [[nodiscard]] std::size_t piece(std::uint64_t left, std::uint64_t offset = 0) const {
        const std::uint64_t room = page_ ? Bounce::kBytes - offset % Bounce::kBytes : sizeof(small_);
        return std::min(left, room);
    }

private:
    std::byte small_[256];
    std::optional<Bounce> page_;
};

Outcome partly(std::uint64_t done, Errno error) { return done != 0 ? Outcome(done) : refuse(error); }

Outcome read_at(Call& call, OpenFile& file, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset) {
    auto pages = LINUX_TRY(file.node->pages());
    const std::uint64_t size = pages->bytes();
    if (offset >= size) return 0;
    const std::uint64_t wanted = std::min(std::min(bytes, size - offset), kMaxTransfer);
    Buffer buffer;
    if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
    std::uint64_t done = 0;
    while (done < wanted && !call.thread.is_killed()) {
        if (!file.is_live()) return partly(done, kAccess); // its capability ended meanwhile
        const std::size_t part = buffer.piece(wanted - done, offset + done);
        if (const auto got = pages->read(offset + done, buffer.data(), part); !got) {
            if (got.error() == Error::bad_argument) return done; // cut off meanwhile
            return partly(done, errno_of(got.error()));
        }
        if (!to.write_array(done, buffer.data(), part)) return partly(done, kFault);
        done += part;
    }
    return done;
}

Outcome write_at(Call& call, OpenFile& file, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t offset) {
    if (bytes == 0) return 0;
    if (offset >= kMaxFileBytes) return refuse(kFileTooBig);
    const std::uint64_t wanted = std::min(std::min(bytes, kMaxFileBytes - offset), kMaxTransfer);
    Buffer buffer;
    if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
    auto pages = LINUX_TRY(file.node->pages());
    std::uint64_t done = 0;
    Errno error{};
    while (done < wanted && !call.thread.is_killed()) {
        const std::size_t part = buffer.piece(wanted - done, offset + done);
        if (!from.read_array(done, buffer.data(), part)) {
            error = kFault;
            break;
        }
        if (!file.is_live()) { // its capability ended meanwhile
            error = kAccess;
            break;
        }
        const auto grown = grow_file(*file.node, offset + done + part);
        const auto put = grown ? pages->write(offset + done, buffer.data(), part) : grown;
        if (!put) {
            error = change_errno(put.error());
            break;
        }
        done += part;
    }
    if (done != 0) (void)file.node->set_modified(time::wall_ns());
    return error == Errno{} ? Outcome(done) : partly(done, error);
}

// The place is taken in one step, so that appends of several threads do not mix.
Outcome append_to(Call& call, OpenFile& file, UserIn<std::byte> from, std::uint64_t bytes) {
    const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
    if (wanted == 0) return 0;
    const auto at = extend_file(*file.node, wanted);
    if (!at) return refuse(change_errno(at.error()));
    const Outcome done = write_at(call, file, from, wanted, *at);
    const std::uint64_t kept = done ? *done : 0;
    if (kept < wanted && file.node->info().bytes == *at + wanted) (void)truncate_file(*file.node, *at + kept);
    file.position = *at + kept;
    return done;
}

// One piece of text to the agent's console, as fast as the agent's rate allows.
Errno put_on_console(Call& call, const OpenFile& file, Bytes text) {
    Agent& agent = call.process.agent();
    const auto device = call.process.table().lookup<DeviceResource>(file.console, rights::write);
    if (!device || device->object->kind() != DeviceKind::console) return kAccess;
    while (const std::uint64_t delay = agent.console_delay(text.size())) {
        if (sched::sleep_until(time::deadline_after(delay)) == sched::Outcome::interrupted) return kInterrupted;
    }
    if (!device->node->is_held()) return kAccess; // it ended meanwhile
    send_frame(FrameKind::console, agent.id(), agent.name(), text);
    return Errno{};
}

Outcome write_console(Call& call, OpenFile& file, UserIn<std::byte> from, std::uint64_t bytes) {
    const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
    Buffer buffer;
    if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
    std::uint64_t done = 0;
    while (done < wanted && !call.thread.is_killed()) {
        const std::size_t part = std::min<std::size_t>(buffer.piece(wanted - done), kConsolePiece);
        if (!from.read_array(done, buffer.data(), part)) return partly(done, kFault);
        const Errno error = put_on_console(call, file, Bytes(buffer.data(), part));
        if (error == kInterrupted && done == 0) return interrupted_call(call, true);
        if (error != Errno{}) return partly(done, error);
        done += part;
    }
    return done;
}

Outcome read_generated(Call& call, FileKind kind, UserOut<std::byte> to, std::uint64_t bytes) {
    const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
    Buffer buffer;
    if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
    std::uint64_t done = 0;
    while (done < wanted && !call.thread.is_killed()) {
        const std::size_t part = buffer.piece(wanted - done);
        if (kind == FileKind::random) {
            if (!dev::random_bytes(MutableBytes(buffer.data(), part))) return partly(done, kAgain);
        } else {
            std::memset(buffer.data(), 0, part);
        }
        if (!to.write_array(done, buffer.data(), part)) return partly(done, kFault);
        done += part;
    }
    std::memset(buffer.data(), 0, buffer.piece(wanted));
    return done;
}

Outcome read_file(Call& call, OpenFile& file, UserOut<std::byte> to, std::uint64_t bytes) {
    if (!file.readable) return refuse(kBadFd);
    switch (file.kind) {
    case FileKind::node: {
        if (file.is_directory) return refuse(kIsDirectory);
        sync::Mutex<sync::Rank::open_file>::Guard guard(file.position_lock);
        const std::uint64_t done = LINUX_TRY(read_at(call, file, to, bytes, file.position));
        file.position += done;
        return done;
    }
    case FileKind::root:
        return refuse(kIsDirectory);
    case FileKind::null:
        return 0;
    case FileKind::zero:
    case FileKind::random:
        return read_generated(call, file.kind, to, bytes);
    case FileKind::console:
    case FileKind::self_link:
        break;
    }
    return refuse(kBadFd);
}

Outcome write_file(Call& call, OpenFile& file, UserIn<std::byte> from, std::uint64_t bytes) {
    if (!file.writable) return refuse(kBadFd);
    switch (file.kind) {
    case FileKind::node: {
        sync::Mutex<sync::Rank::open_file>::Guard guard(file.position_lock);
        if (file.append) return append_to(call, file, from, bytes);
        const std::uint64_t done = LINUX_TRY(write_at(call, file, from, bytes, file.position));
        file.position += done;
        return done;
    }
    case FileKind::console:
        return write_console(call, file, from, bytes);
    case FileKind::null:
    case FileKind::zero:
    case FileKind::random:
        return std::min(bytes, kMaxTransfer);
    case FileKind::root:
    case FileKind::self_link:
        break;
    }
    return refuse(kBadFd);
}

// Runs `one(address, bytes)` over the vectors until one is short.
template <typename F>
Outcome for_vectors(UserIn<IoVector> vectors, std::uint64_t count, F&& one) {
    if (count > kMaxVectors) return refuse(kInvalid);
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto vector = vectors.read(i);
        if (!vector) return partly(total, kFault);
        if (static_cast<std::int64_t>(vector->bytes) < 0) return partly(total, kInvalid);
        if (vector->bytes == 0) continue;
        const Outcome done = one(vector->base, std::min(vector->bytes, kMaxTransfer - total));
        if (!done) return partly(total, done.error());
        total += *done;
        if (*done < vector->bytes) break;
    }
    return total;
}

std::expected<Ref<OpenFile>, Errno> file_with_positions(Call& call, Descriptor fd, std::int64_t offset,
                                                        bool OpenFile::* allowed) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (file->kind == FileKind::console) return std::unexpected(kIllegalSeek);
    if (!((*file).*allowed)) return std::unexpected(kBadFd);
    if (offset < 0) return std::unexpected(kInvalid);
    if (file->is_directory) return std::unexpected(kIsDirectory);
    return file;
}

} // namespace

Outcome call_read(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes) {
    const auto file = LINUX_TRY(file_of(call, fd));
    return read_file(call, *file, to, bytes);
}

Outcome call_write(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes) {
    const auto file = LINUX_TRY(file_of(call, fd));
    return write_file(call, *file, from, bytes);
}

Outcome call_readv(Call& call, Descriptor fd, UserIn<IoVector> vectors, std::uint64_t count) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (!file->readable) return refuse(kBadFd);
    return for_vectors(vectors, count, [&](std::uint64_t at, std::uint64_t bytes) {
        return read_file(call, *file, UserOut<std::byte>(at), bytes);
    });
}

Outcome call_writev(Call& call, Descriptor fd, UserIn<IoVector> vectors, std::uint64_t count) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (!file->writable) return refuse(kBadFd);
    return for_vectors(vectors, count, [&](std::uint64_t at, std::uint64_t bytes) {
        return write_file(call, *file, UserIn<std::byte>(at), bytes);
    });
}

Outcome call_pread64(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes, std::int64_t offset) {
    const auto file = LINUX_TRY(file_with_positions(call, fd, offset, &OpenFile::readable));
    if (file->kind != FileKind::node) return read_file(call, *file, to, bytes);
    return read_at(call, *file, to, bytes, static_cast<std::uint64_t>(offset));
}

Outcome call_pwrite64(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes, std::int64_t offset) {
    const auto file = LINUX_TRY(file_with_positions(call, fd, offset, &OpenFile::writable));
    if (file->kind != FileKind::node) return write_file(call, *file, from, bytes);
    if (file->append) return write_file(call, *file, from, bytes); // as Linux does it, against POSIX
    return write_at(call, *file, from, bytes, static_cast<std::uint64_t>(offset));
}

Outcome call_lseek(Call& call, Descriptor fd, std::int64_t offset, std::uint32_t whence) {
    constexpr std::uint32_t kSeekData = 3, kSeekHole = 4;
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (file->kind == FileKind::console) return refuse(kIllegalSeek);
    if (whence > kSeekHole) return refuse(kInvalid);
    if (file->kind != FileKind::node && file->kind != FileKind::root) return 0;
    const std::uint64_t size = file->kind == FileKind::node ? file->node->info().bytes : 0;
    OpenFile& target = *file;
    sync::Mutex<sync::Rank::open_file>::Guard guard(target.position_lock);
    std::uint64_t base = 0;
    if (whence == kSeekCurrent) base = target.position;
    if (whence == kSeekEnd) base = size;
    if (whence == kSeekData || whence == kSeekHole) { // all of a file is data
        const auto at = static_cast<std::uint64_t>(offset);
        if (at >= size) return refuse(kNoDeviceAddress);
        target.position = whence == kSeekData ? at : size;
        return target.position.load();
    }
    std::int64_t result = 0;
    if (__builtin_add_overflow(static_cast<std::int64_t>(base), offset, &result)) return refuse(kOverflow);
    if (result < 0) return refuse(kInvalid);
    target.position = static_cast<std::uint64_t>(result);
    return static_cast<std::uint64_t>(result);
}

// The positions of both files are the caller's to keep apart: two threads that send from one descriptor at once may
// send the same bytes twice, as on Linux.
Outcome call_sendfile(Call& call, Descriptor to, Descriptor from, UserInOut<std::uint64_t> offset,
                      std::uint64_t bytes) {
    const auto out = LINUX_TRY(file_of(call, to));
    const auto in = LINUX_TRY(file_of(call, from));
    if (!in->readable || !out->writable) return refuse(kBadFd);
    if (in->kind != FileKind::node || in->is_directory || out->append) return refuse(kInvalid);
    std::uint64_t at = offset.is_null() ? in->position.load() : LINUX_TRY(offset.read());
    if (static_cast<std::int64_t>(at) < 0) return refuse(kInvalid);
    auto pages = LINUX_TRY(in->node->pages());
    const std::uint64_t size = pages->bytes();
    const std::uint64_t wanted = at >= size ? 0 : std::min(std::min(bytes, size - at), kMaxTransfer);
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    std::uint64_t done = 0;
    Errno error{};
    while (done < wanted && error == Errno{} && !call.thread.is_killed()) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, kConsolePiece);
        if (const auto got = pages->read(at, bounce.data(), part); !got) {
            error = errno_of(got.error());
            break;
        }
        if (out->kind == FileKind::console) {
            error = put_on_console(call, *out, Bytes(bounce.data(), part));
        } else if (out->kind == FileKind::node) {
            OpenFile& target = *out;
            sync::Mutex<sync::Rank::open_file>::Guard guard(target.position_lock);
            const std::uint64_t end = target.position;
            auto contents = LINUX_TRY(target.node->pages());
            const auto grown =
                end > kMaxFileBytes - part ? fail(Error::too_large) : grow_file(*target.node, end + part);
            const auto put = grown ? contents->write(end, bounce.data(), part) : grown;
            if (put) {
                target.position = end + part;
            } else {
                error = change_errno(put.error());
            }
        } else if (out->kind != FileKind::null && out->kind != FileKind::zero) {
            return refuse(kInvalid);
        }
        if (error != Errno{}) break;
        done += part;
        at += part;
    }
    if (done != 0 && out->kind == FileKind::node) (void)out->node->set_modified(time::wall_ns());
    if (done == 0 && error != Errno{}) return refuse(error);
    if (offset.is_null()) {
        in->position = at;
    } else {
        LINUX_TRY(offset.out().write(at));
    }
    return done;
}

Outcome call_ftruncate(Call& call, Descriptor fd, std::int64_t bytes) {
    if (bytes < 0) return refuse(kInvalid);
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (file->kind != FileKind::node || !file->writable || file->is_directory) return refuse(kInvalid);
    const auto size = static_cast<std::uint64_t>(bytes);
    if (size > kMaxFileBytes) return refuse(kFileTooBig);
    if (const auto done = truncate_file(*file->node, size); !done) return refuse(change_errno(done.error()));
    (void)file->node->set_modified(time::wall_ns());
    return 0;
}

Outcome call_fallocate(Call& call, Descriptor fd, Flags<kFallocateKeepSize, kNotSupported> mode, std::int64_t offset,
                       std::int64_t bytes) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (offset < 0 || bytes <= 0) return refuse(kInvalid);
    if (!file->writable) return refuse(kBadFd);
    if (file->kind != FileKind::node) return refuse(kNoDevice);
    const auto start = static_cast<std::uint64_t>(offset), size = static_cast<std::uint64_t>(bytes);
    if (!range_fits(start, size, kMaxFileBytes)) return refuse(kFileTooBig);
    if (mode.has(kFallocateKeepSize)) return 0; // a promise of room; writes tell when the quota is used up
    if (const auto done = grow_file(*file->node, start + size); !done) return refuse(change_errno(done.error()));
    return 0;
}

Outcome call_fsync(Call& call, Descriptor fd) {
    if (LINUX_TRY(file_of(call, fd))->path_only) return refuse(kBadFd);
    return 0;
}
Outcome call_fdatasync(Call& call, Descriptor fd) { return call_fsync(call, fd); }

Outcome call_fadvise64(Call& call, Descriptor fd, std::int64_t, std::int64_t, std::int32_t advice) {
    if (advice < 0 || advice > 5) return refuse(kInvalid);
    const auto file = LINUX_TRY(file_of(call, fd));
    return file->path_only ? refuse(kBadFd) : Outcome(0);
}

namespace {

// The console is a terminal, so that C libraries write it line by line, and a killed program takes no line with it.
struct Terminal { // struct termios of the kernel's ABI
    std::uint32_t input, output, control, local;
    std::uint8_t line, characters[19];
};
struct WindowSize {
    std::uint16_t rows, columns, width, height;
};
constexpr Terminal kTerminal = {
    0,         // nothing to read
    1 | 4,     // OPOST ONLCR
    0xf | 060, // B38400 CS8
    0,         // no echo, no editing
    0,         {},
};
constexpr WindowSize kWindow = {24, 80, 0, 0};

} // namespace

Outcome call_ioctl(Call& call, Descriptor fd, std::uint32_t request, std::uint64_t argument) {
    constexpr std::uint32_t kGetTerminal = 0x5401, kGetWindow = 0x5413;           // TCGETS, TIOCGWINSZ
    constexpr std::uint32_t kCloseOnExecSet = 0x5451, kCloseOnExecClear = 0x5450; // FIOCLEX, FIONCLEX
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    if (request == kCloseOnExecSet || request == kCloseOnExecClear) {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        call.process.files.set_close_on_exec(fd, request == kCloseOnExecSet);
        return 0;
    }
    if (file->kind == FileKind::console && request == kGetTerminal)
        return answer(UserOut<Terminal>(argument), kTerminal);
    if (file->kind == FileKind::console && request == kGetWindow) return answer(UserOut<WindowSize>(argument), kWindow);
    return refuse(kNotTerminal);
}

} // namespace aios::linux_abi
