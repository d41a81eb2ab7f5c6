// Reading and writing of open files: read, write, their vector and positioned forms, lseek, sendfile, truncate. Data
// goes through the thread's bounce buffer, a page at a time, so that no file page is held while user memory faults.
#include <algorithm>

#include "kernel/audit/output.hpp"
#include "kernel/dev/resource.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMaxTransfer = 0x7fff'f000;
constexpr std::uint64_t kMaxVectors = 1024;
constexpr std::uint64_t kConsolePiece = 1024;
constexpr std::uint64_t kMaxFileBytes = kMaxMemoryBytes; // a file is one memory object

std::expected<Ref<OpenFile>, Errno> file_of(Call& call, std::uint64_t fd) {
    sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
    return call.process.files.get(fd);
}

Outcome read_at(Call& call, OpenFile& file, std::uint64_t to, std::uint64_t bytes, std::uint64_t offset) {
    auto pages = LINUX_TRY(file.node->pages());
    const std::uint64_t size = pages->bytes();
    if (offset >= size) return 0;
    const std::uint64_t wanted = std::min(std::min(bytes, size - offset), kMaxTransfer);
    std::byte* bounce = data_of(call.thread).bounce;
    std::uint64_t done = 0;
    while (done < wanted) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, kBounceBytes - (offset + done) % kBounceBytes);
        const auto got = pages->read(offset + done, bounce, part);
        if (!got) return done != 0 ? Outcome(done) : refuse(errno_of(got.error()));
        if (!arch::copy_to_user(to + done, bounce, part)) return done != 0 ? Outcome(done) : refuse(kFault);
        done += part;
    }
    return done;
}

Outcome write_at(Call& call, OpenFile& file, std::uint64_t from, std::uint64_t bytes, std::uint64_t offset) {
    if (bytes == 0) return 0;
    if (offset >= kMaxFileBytes) return refuse(kFileTooBig);
    const std::uint64_t wanted = std::min(std::min(bytes, kMaxFileBytes - offset), kMaxTransfer);
    std::byte* bounce = data_of(call.thread).bounce;
    std::uint64_t done = 0;
    while (done < wanted) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, kBounceBytes - (offset + done) % kBounceBytes);
        if (!arch::copy_from_user(bounce, from + done, part)) return done != 0 ? Outcome(done) : refuse(kFault);
        auto pages = LINUX_TRY(file.node->pages());
        if (pages->bytes() < offset + done + part) {
            if (const auto grown = file.node->resize(offset + done + part); !grown) {
                return done != 0 ? Outcome(done)
                                 : refuse(grown.error() == Error::quota_exceeded ? kNoSpace : errno_of(grown.error()));
            }
        }
        if (const auto put = pages->write(offset + done, bounce, part); !put) {
            return done != 0 ? Outcome(done)
                             : refuse(put.error() == Error::quota_exceeded ? kNoSpace : errno_of(put.error()));
        }
        done += part;
    }
    (void)file.node->set_modified(time::wall_ns());
    return done;
}

// One piece of text to the agent's console, as fast as the agent's rate allows.
Outcome put_on_console(Call& call, const OpenFile& file, Bytes text) {
    Agent& agent = call.process.process().agent();
    const auto device = call.process.table().lookup<DeviceResource>(file.console, rights::write);
    if (!device || device->object->kind() != DeviceKind::console) return refuse(kAccess);
    while (const std::uint64_t delay = agent.console_delay(text.size())) {
        if (sched::sleep_until(time::deadline_after(delay)) == sched::Outcome::interrupted) return refuse(kInterrupted);
    }
    send_frame(FrameKind::console, agent.id(), agent.name(), text);
    return text.size();
}

Outcome write_console(Call& call, OpenFile& file, std::uint64_t from, std::uint64_t bytes) {
    std::byte* bounce = data_of(call.thread).bounce;
    const std::uint64_t wanted = std::min(bytes, kMaxTransfer);
    std::uint64_t done = 0;
    while (done < wanted) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, kConsolePiece);
        if (!arch::copy_from_user(bounce, from + done, part)) return done != 0 ? Outcome(done) : refuse(kFault);
        if (const Outcome put = put_on_console(call, file, Bytes(bounce, part)); !put)
            return done != 0 ? Outcome(done) : put;
        done += part;
    }
    return done;
}

Outcome read_file(Call& call, OpenFile& file, std::uint64_t to, std::uint64_t bytes) {
    if (!file.readable || file.path_only) return refuse(kBadFd);
    if (file.kind == FileKind::end_of_file) return 0;
    if (file.kind != FileKind::node || file.is_directory)
        return refuse(file.kind == FileKind::console ? kBadFd : kIsDirectory);
    const std::uint64_t offset = std::atomic_ref(file.offset).load(std::memory_order_relaxed);
    const std::uint64_t done = LINUX_TRY(read_at(call, file, to, bytes, offset));
    std::atomic_ref(file.offset).fetch_add(done, std::memory_order_relaxed);
    return done;
}

Outcome write_file(Call& call, OpenFile& file, std::uint64_t from, std::uint64_t bytes) {
    if (!file.writable || file.path_only) return refuse(kBadFd);
    if (file.kind == FileKind::console) return write_console(call, file, from, bytes);
    if (file.kind != FileKind::node) return refuse(kBadFd);
    std::uint64_t offset = std::atomic_ref(file.offset).load(std::memory_order_relaxed);
    if (file.append) offset = file.node->info().bytes;
    const std::uint64_t done = LINUX_TRY(write_at(call, file, from, bytes, offset));
    std::atomic_ref(file.offset).store(offset + done, std::memory_order_relaxed);
    return done;
}

// Runs `one(address, bytes)` over the vectors until one is short.
template <typename F>
Outcome for_vectors(std::uint64_t vectors, std::uint64_t count, F&& one) {
    if (count > kMaxVectors) return refuse(kInvalid);
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto vector = load_user<IoVector>(vectors + i * sizeof(IoVector));
        if (!vector) return total != 0 ? Outcome(total) : refuse(kFault);
        if (vector->bytes == 0) continue;
        const Outcome done = one(vector->base, vector->bytes);
        if (!done) return total != 0 ? Outcome(total) : done;
        total += *done;
        if (*done < vector->bytes) break;
    }
    return total;
}

} // namespace

Outcome call_read(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    return read_file(call, *file, call.a[1], call.a[2]);
}

Outcome call_write(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    return write_file(call, *file, call.a[1], call.a[2]);
}

Outcome call_readv(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    return for_vectors(call.a[1], call.a[2],
                       [&](std::uint64_t at, std::uint64_t bytes) { return read_file(call, *file, at, bytes); });
}

Outcome call_writev(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    return for_vectors(call.a[1], call.a[2],
                       [&](std::uint64_t at, std::uint64_t bytes) { return write_file(call, *file, at, bytes); });
}

Outcome call_pread64(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    if (file->kind != FileKind::node) return refuse(kIllegalSeek);
    if (!file->readable || file->path_only) return refuse(kBadFd);
    if (file->is_directory) return refuse(kIsDirectory);
    if (static_cast<std::int64_t>(call.a[3]) < 0) return refuse(kInvalid);
    return read_at(call, *file, call.a[1], call.a[2], call.a[3]);
}

Outcome call_pwrite64(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    if (file->kind != FileKind::node) return refuse(kIllegalSeek);
    if (!file->writable || file->path_only) return refuse(kBadFd);
    if (static_cast<std::int64_t>(call.a[3]) < 0) return refuse(kInvalid);
    return write_at(call, *file, call.a[1], call.a[2], file->append ? file->node->info().bytes : call.a[3]);
}

Outcome call_lseek(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    if (file->kind == FileKind::console || file->kind == FileKind::end_of_file) return refuse(kIllegalSeek);
    std::uint64_t base = 0;
    switch (call.a[2]) {
    case kSeekSet:
        break;
    case kSeekCurrent:
        base = file->offset;
        break;
    case kSeekEnd:
        base = file->node ? file->node->info().bytes : 0;
        break;
    default:
        return refuse(kInvalid);
    }
    std::int64_t result = 0;
    if (__builtin_add_overflow(static_cast<std::int64_t>(base), static_cast<std::int64_t>(call.a[1]), &result)) {
        return refuse(kOverflow);
    }
    if (result < 0) return refuse(kInvalid);
    std::atomic_ref(file->offset).store(static_cast<std::uint64_t>(result), std::memory_order_relaxed);
    return static_cast<std::uint64_t>(result);
}

Outcome call_sendfile(Call& call) {
    const auto out = LINUX_TRY(file_of(call, call.a[0]));
    const auto in = LINUX_TRY(file_of(call, call.a[1]));
    if (!in->readable || in->kind != FileKind::node || in->is_directory) return refuse(kInvalid);
    if (!out->writable || (out->kind == FileKind::node && out->append)) return refuse(kBadFd);
    const std::uint64_t offset_at = call.a[2];
    std::uint64_t offset = offset_at != 0 ? LINUX_TRY(load_user<std::uint64_t>(offset_at)) : in->offset;
    const std::uint64_t size = in->node->info().bytes;
    const std::uint64_t wanted = offset >= size ? 0 : std::min(std::min(call.a[3], size - offset), kMaxTransfer);
    auto pages = LINUX_TRY(in->node->pages());
    std::byte* bounce = data_of(call.thread).bounce;
    std::uint64_t done = 0;
    while (done < wanted) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, kBounceBytes);
        if (!pages->read(offset, bounce, part)) break;
        if (out->kind == FileKind::console) {
            if (!put_on_console(call, *out, Bytes(bounce, part))) break;
        } else if (out->kind == FileKind::node) {
            if (out->node->info().bytes < out->offset + part) {
                if (!out->node->resize(out->offset + part)) return done != 0 ? Outcome(done) : refuse(kNoSpace);
            }
            auto target = LINUX_TRY(out->node->pages());
            if (!target->write(out->offset, bounce, part)) return done != 0 ? Outcome(done) : refuse(kNoSpace);
            out->offset += part;
        } else {
            return refuse(kBadFd);
        }
        done += part;
        offset += part;
    }
    if (offset_at != 0) {
        LINUX_TRY(store_user(offset_at, offset));
    } else {
        in->offset = offset;
    }
    return done;
}

Outcome call_ftruncate(Call& call) {
    const auto file = LINUX_TRY(file_of(call, call.a[0]));
    if (file->kind != FileKind::node || !file->writable || file->is_directory) return refuse(kInvalid);
    if (static_cast<std::int64_t>(call.a[1]) < 0) return refuse(kInvalid);
    if (call.a[1] > kMaxFileBytes) return refuse(kFileTooBig);
    LINUX_TRY(file->node->resize(call.a[1]));
    (void)file->node->set_modified(time::wall_ns());
    return 0;
}

Outcome call_fsync(Call& call) {
    LINUX_TRY(file_of(call, call.a[0]));
    return 0;
}
Outcome call_fdatasync(Call& call) { return call_fsync(call); }

Outcome call_ioctl(Call& call) {
    LINUX_TRY(file_of(call, call.a[0]));
    return refuse(kNotTerminal);
}

} // namespace aios::linux_abi
