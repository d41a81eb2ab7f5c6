// splice, tee, vmsplice: bytes between a pipe and another file, or two pipes, without a way through the program. They are
// copied, a page at a time; Linux moves pages where it can, which nobody sees.
//
// Out of a pipe the bytes are put where they go while its reading side is held (ipc::Stream), so none is lost if the other
// file takes no more. Into a pipe only as much is put as there is room for, so that a side is not held while one waits;
// who else writes into the same pipe meanwhile may still make it wait, and a signal ends that.
#include "personality/linux/poll_set.hpp"
#include "personality/linux/transfer.hpp"
#include "personality/linux/vectors.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMove = 1, kNonBlocking = 2, kMore = 4, kGift = 8;
constexpr std::uint64_t kKnown = kMove | kNonBlocking | kMore | kGift;
using SpliceFlags = WideFlags<kKnown>;

enum class When : bool { fail, wait };

// Until the file is ready for one of the bits, or has ended.
Errno wait_until(Call& call, const Ref<OpenFile>& file, std::uint32_t bits) {
    PollSet set(call.process);
    if (const Errno error = set.add(file, bits); error != Errno{}) return error;
    if (set.ready(0) != 0) return Errno{};
    if (const Errno error = set.watch(); error != Errno{}) return error;
    while (set.ready(0) == 0) {
        if (set.wait(sched::kNever) == sched::Outcome::interrupted)
            return interrupted_call(call, AfterHandler::restarts).error();
    }
    return Errno{};
}

// How much a pipe takes at once. 0 with kAgain: nothing, and the caller does not wait.
std::expected<std::uint64_t, Errno> room_of(Call& call, const Ref<OpenFile>& out, When when) {
    for (;;) {
        const ipc::Stream& stream = *out->pipe();
        const std::uint64_t capacity = stream.capacity(), waiting = stream.waiting();
        const bool is_over = (out->ready() & kSignalError) != 0;
        if (waiting < capacity || is_over) return std::max<std::uint64_t>(capacity - std::min(waiting, capacity), 1);
        if (when == When::fail) return std::unexpected(kAgain);
        if (const Errno error = wait_until(call, out, kPollOut); error != Errno{}) return std::unexpected(error);
    }
}

// What comes out of a pipe goes to a file: at its position, or at an offset.
class FileOut final : public ipc::StreamOut {
public:
    FileOut(Call& call, OpenFile& to, std::optional<std::uint64_t> offset) : call_(call), to_(to), offset_(offset) {}
    Result<> store(std::uint64_t offset, Bytes from) override {
        while (!from.empty()) {
            const Bytes part = from.first(std::min(from.size(), Bounce::kBytes));
            error_ = offset_ ? to_.put_at(call_, part, *offset_ + offset) : to_.put(call_, part);
            if (error_ != Errno{}) return fail(Error::bad_argument); // error_ says it
            offset += part.size();
            from = from.subspan(part.size());
        }
        return {};
    }
    [[nodiscard]] Errno error() const { return error_; }

private:
    Call& call_;
    OpenFile& to_;
    const std::optional<std::uint64_t> offset_;
    Errno error_{};
};

// What was moved before an error counts; then the call is not made again.
Outcome partly(Call& call, std::uint64_t done, Errno error) {
    if (done != 0) call.data().interrupted.active = false;
    return linux_abi::partly(done, error);
}

struct Way {
    Ref<OpenFile> in, out;
    When when;
    ipc::Take take = ipc::Take::yes;
};

// One piece out of a pipe, of at most a page: what was put is what is taken.
Outcome out_of_pipe(Call& call, const Way& way, std::uint64_t bytes, std::optional<std::uint64_t> offset) {
    if (way.out->pipe() != nullptr) bytes = std::min(bytes, LINUX_TRY(room_of(call, way.out, way.when)));
    FileOut to(call, *way.out, offset);
    const auto when = way.when == When::wait ? ipc::WhenEmpty::wait : ipc::WhenEmpty::fail;
    const auto done = way.in->pipe()->read(to, std::min<std::uint64_t>(bytes, Bounce::kBytes), when, way.take);
    if (done) return *done;
    if (to.error() != Errno{}) return refuse(to.error());
    if (done.error() == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
    return refuse(done.error());
}

Outcome from_pipe(Call& call, Way& way, std::uint64_t bytes, std::optional<std::uint64_t> offset) {
    std::uint64_t done = 0;
    while (done < bytes && !call.thread.is_killed()) {
        const Outcome moved = out_of_pipe(call, way, bytes - done, offset ? std::optional(*offset + done) : offset);
        if (!moved) return partly(call, done, moved.error());
        if (*moved == 0) break;
        done += *moved;
        way.when = When::fail;                // what there is, and no more
        if (way.take == ipc::Take::no) break; // the next look would show the same
    }
    return done;
}

// Contents into a pipe.
Outcome into_pipe(Call& call, const Way& way, std::uint64_t bytes, std::uint64_t from) {
    auto source = way.in->map_source();
    if (!source) return refuse(source.error() == kNoDevice ? kInvalid : source.error());
    const Ref<mm::Pages> pages = std::move(source->pages); // none: zeros without end
    const std::uint64_t size = pages ? pages->bytes() : ~0ull;
    bytes = from >= size ? 0 : std::min(bytes, size - from);
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    if (!pages) std::fill_n(bounce.data(), Bounce::kBytes, std::byte{});
    When when = way.when;
    std::uint64_t done = 0;
    while (done < bytes && !call.thread.is_killed()) {
        const auto room = room_of(call, way.out, when);
        if (!room) return partly(call, done, room.error());
        const std::size_t part = std::min({bytes - done, *room, Bounce::kBytes - (from + done) % Bounce::kBytes});
        if (!way.in->is_live()) return partly(call, done, kAccess);
        if (pages) {
            if (const auto got = pages->read(from + done, bounce.data(), part); !got)
                return partly(call, done, errno_of(got.error()));
        }
        if (const Errno error = way.out->put(call, Bytes(bounce.data(), part)); error != Errno{})
            return partly(call, done, error);
        done += part;
        when = When::fail;
    }
    return done;
}

When when_of(SpliceFlags flags, OpenFile& in, OpenFile& out) {
    const auto waits = [](OpenFile& file) { return file.pipe() == nullptr || !file.non_blocking; };
    return !flags.has(kNonBlocking) && waits(in) && waits(out) ? When::wait : When::fail;
}

std::expected<Way, Errno> way_of(Call& call, Descriptor from, Descriptor to, SpliceFlags flags) {
    Way way{LINUX_TRY(file_of(call, from)), LINUX_TRY(file_of(call, to)), When::wait};
    if (!way.in->readable || !way.out->writable) return std::unexpected(kBadFd);
    way.when = when_of(flags, *way.in, *way.out);
    return way;
}

std::expected<std::optional<std::uint64_t>, Errno> offset_of(OpenFile& file, UserInOut<std::int64_t> user) {
    if (user.is_null()) return std::nullopt;
    if (file.pipe() != nullptr) return std::unexpected(kIllegalSeek);
    if (!file.is_seekable()) return std::unexpected(kIllegalSeek);
    const std::int64_t offset = LINUX_TRY(user.read());
    if (offset < 0) return std::unexpected(kInvalid);
    return static_cast<std::uint64_t>(offset);
}

} // namespace

Outcome call_splice(Call& call, Descriptor from, UserInOut<std::int64_t> from_offset, Descriptor to,
                    UserInOut<std::int64_t> to_offset, std::uint64_t bytes, SpliceFlags flags) {
    if (bytes == 0) return 0;
    Way way = LINUX_TRY(way_of(call, from, to, flags));
    ipc::Stream* const in = way.in->pipe();
    ipc::Stream* const out = way.out->pipe();
    if (in == nullptr && out == nullptr) return refuse(kInvalid);
    const auto in_at = LINUX_TRY(offset_of(*way.in, from_offset));
    const auto out_at = LINUX_TRY(offset_of(*way.out, to_offset));
    if (in == out || way.out->append) return refuse(kInvalid);
    bytes = std::min(bytes, kMaxTransfer);
    if (in != nullptr) {
        const std::uint64_t done = LINUX_TRY(from_pipe(call, way, bytes, out_at));
        if (out_at) LINUX_TRY(to_offset.out().write(static_cast<std::int64_t>(*out_at + done)));
        return done;
    }
    const std::uint64_t start = in_at ? *in_at : LINUX_TRY(way.in->seek(0, kSeekCurrent));
    const std::uint64_t done = LINUX_TRY(into_pipe(call, way, bytes, start));
    if (in_at)
        LINUX_TRY(from_offset.out().write(static_cast<std::int64_t>(start + done)));
    else
        LINUX_TRY(way.in->seek(static_cast<std::int64_t>(start + done), kSeekSet));
    return done;
}

Outcome call_tee(Call& call, Descriptor from, Descriptor to, std::uint64_t bytes, SpliceFlags flags) {
    if (bytes == 0) return 0;
    Way way = LINUX_TRY(way_of(call, from, to, flags));
    if (way.in->pipe() == nullptr || way.out->pipe() == nullptr || way.in->pipe() == way.out->pipe())
        return refuse(kInvalid);
    way.take = ipc::Take::no;
    return from_pipe(call, way, bytes, {});
}

Outcome call_vmsplice(Call& call, Descriptor fd, UserIn<IoVector> user, std::uint64_t count, SpliceFlags flags) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->pipe() == nullptr) return refuse(kBadFd);
    const Vectors vectors = LINUX_TRY(Vectors::fetch(call.process.quota(), user, count));
    if (vectors.bytes() == 0) return 0;
    if (file->readable) {
        if (flags.has(kNonBlocking) && file->pipe()->waiting() == 0 && (file->ready() & kSignalClosed) == 0)
            return refuse(kAgain);
        return file->read_vectors(call, vectors);
    }
    LINUX_TRY(room_of(call, file, flags.has(kNonBlocking) ? When::fail : When::wait));
    return file->write_vectors(call, vectors);
}

} // namespace aios::linux_abi
