// Socket pairs (socketpair of AF_UNIX, SOCK_STREAM): two Streams, one for each direction, with one source for each side.
// A direction ends as a whole, by shutdown of either side or with the last reference to one: then who writes gets EPIPE,
// and who reads the rest and then the end. Both ended is POLLHUP.
//
// Sockets with names, other kinds, and descriptors or credentials that travel in messages are not there: socket() and the
// rest are ENOSYS, other pairs are refused, a message with control data is EINVAL.
#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::int32_t kUnix = 1, kStreamType = 1, kTypeMask = 0xf; // AF_UNIX, SOCK_STREAM
constexpr std::uint32_t kOutOfBand = 1, kPeek = 2, kDontWait = 0x40, kWaitAll = 0x100, kNoSignal = 0x4000;

class Pair {
public:
    Pair(Reservation charge, Payer& payer)
        : charge_(std::move(charge)),
          streams{{payer, sources[1], sources[0], kEnds}, {payer, sources[0], sources[1], kEnds}} {}
    Pair(const Pair&) = delete;
    ~Pair() = default;
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    // Nothing more goes from `side` to the other.
    void end(unsigned side) {
        streams[side].close_writer();
        streams[side].close_reader();
        event::News news;
        {
            sync::SpinLock<sync::Rank::stream>::Guard guard(lock_);
            has_ended_[side] = true;
            if (!has_ended_[1 - side]) return;
            news = sources[0].raise(kSignalClosed);
            static_cast<void>(sources[1].raise(kSignalClosed));
        }
        sources[0].tell(news);
        sources[1].tell(news);
    }

private:
    // The end is something to read, and an event of its own (POLLRDHUP); who may not write any more finds out.
    static constexpr ipc::Stream::Ends kEnds{kSignalReadable | kSignalReadClosed, kSignalWritable};
    RefCount references_;
    Reservation charge_;
    sync::SpinLock<sync::Rank::stream> lock_; // of the two words alone
    bool has_ended_[2] AIOS_GUARDED_BY(lock_) = {false, false};

public:
    event::Source sources[2];
    ipc::Stream streams[2]; // from side i
};

class SocketFile final : public OpenFile {
public:
    SocketFile(Reservation charge, Ref<Pair> pair, unsigned side, std::uint64_t inode)
        : OpenFile(std::move(charge), {}, FileKind::socket), pair_(std::move(pair)), side_(side), inode_(inode) {}
    ~SocketFile() override {
        pair_->end(side_);
        pair_->end(1 - side_);
    }
    [[nodiscard]] bool is_seekable() const override { return false; }
    [[nodiscard]] Stat info() const override { return anonymous_info(kModeSocket | 0777, inode_); }
    [[nodiscard]] event::Source* source() override { return &pair_->sources[side_]; }

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        return receive(call, Vectors(to.address(), bytes), 0);
    }
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        return send(call, Vectors(from.address(), bytes), 0);
    }
    Outcome read_vectors(Call& call, const Vectors& to) override { return receive(call, to, 0); }
    Outcome write_vectors(Call& call, const Vectors& from) override { return send(call, from, 0); }
    Errno put(Call& call, Bytes bytes) override {
        ipc::BytesIn in(bytes);
        const Outcome done = outcome_of(call, mine().write(in, bytes.size(), when_full(0)), 0);
        return done ? Errno{} : done.error();
    }

    Outcome send(Call& call, const Vectors& from, std::uint32_t flags) {
        VectorsIn in(from);
        return outcome_of(call, mine().write(in, from.bytes(), when_full(flags)), flags);
    }
    Outcome receive(Call& call, const Vectors& to, std::uint32_t flags) {
        VectorsOut out(to);
        const bool waits = !non_blocking && (flags & kDontWait) == 0;
        const auto when = waits ? ipc::WhenEmpty::wait : ipc::WhenEmpty::fail;
        const auto take = (flags & kPeek) != 0 ? ipc::Take::no : ipc::Take::yes;
        std::uint64_t done = 0;
        do {
            ipc::OffsetOut rest(out, done);
            const auto part = theirs().read(rest, to.bytes() - done, when, take);
            if (!part && done == 0) return outcome_of(call, part, flags);
            if (!part || *part == 0) break;
            done += *part;
        } while (waits && (flags & kWaitAll) != 0 && (flags & kPeek) == 0 && done < to.bytes());
        return done;
    }
    void shut_down(bool reading, bool writing) {
        if (reading) pair_->end(1 - side_);
        if (writing) pair_->end(side_);
    }
    Outcome control(Call&, std::uint32_t request, std::uint64_t argument) override {
        constexpr std::uint32_t kBytesWaiting = 0x541b; // FIONREAD
        if (request != kBytesWaiting) return refuse(kNotTerminal);
        return answer(UserOut<std::uint32_t>(argument), static_cast<std::uint32_t>(theirs().waiting()));
    }

private:
    [[nodiscard]] ipc::Stream& mine() { return pair_->streams[side_]; }
    [[nodiscard]] ipc::Stream& theirs() { return pair_->streams[1 - side_]; }
    [[nodiscard]] ipc::WhenFull when_full(std::uint32_t flags) const {
        return non_blocking || (flags & kDontWait) != 0 ? ipc::WhenFull::fail : ipc::WhenFull::wait;
    }
    static Outcome outcome_of(Call& call, const Result<std::uint64_t>& done, std::uint32_t flags) {
        if (done) return *done;
        if (done.error() == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
        if (done.error() == Error::peer_closed && (flags & kNoSignal) == 0) send_to_self(call, kSigPipe);
        return refuse(done.error());
    }
    const Ref<Pair> pair_;
    const unsigned side_;
    const std::uint64_t inode_;
};

std::expected<Ref<SocketFile>, Errno> socket_of(Call& call, Descriptor fd) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return std::unexpected(kBadFd);
    if (file->kind() != FileKind::socket) return std::unexpected(kNotSocket);
    return static_ref_cast<SocketFile>(std::move(file)); // its kind says so
}

// The name of a socket without one: its family alone.
Outcome unnamed(UserOut<std::byte> name, UserInOut<std::uint32_t> bytes) {
    constexpr std::uint16_t kFamily = kUnix;
    const auto room = LINUX_TRY(bytes.read());
    if (static_cast<std::int32_t>(room) < 0) return refuse(kInvalid);
    LINUX_TRY(name.write_array(0, std::as_bytes(std::span(&kFamily, 1)).data(), std::min<std::uint64_t>(room, 2)));
    return answer(bytes.out(), 2);
}

} // namespace

Outcome call_socketpair(Call& call, std::int32_t family, std::int32_t type, std::int32_t protocol,
                        UserOut<std::int32_t> out) {
    const auto flags = static_cast<std::uint64_t>(static_cast<std::uint32_t>(type & ~kTypeMask));
    if ((flags & ~kFileFlags) != 0) return refuse(kInvalid);
    if (family != kUnix) return refuse(kNoFamily);
    if (protocol != 0 && protocol != kUnix) return refuse(kNoProtocol);
    if ((type & kTypeMask) != kStreamType) return refuse(kNoSocketType);
    Payer& payer = call.process.quota();
    Reservation charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Pair>));
    auto pair = Ref<Pair>::adopt(LINUX_TRY(mm::make<Pair>(std::move(charge), payer)));
    auto first = LINUX_TRY(make_file<SocketFile>(call, pair, 0u, call.process.family().new_inode()));
    auto second = LINUX_TRY(make_file<SocketFile>(call, pair, 1u, call.process.family().new_inode()));
    return install_pair(call, std::move(first), std::move(second), out, flags);
}

Outcome call_sendto(Call& call, Descriptor fd, UserIn<std::byte> from, std::uint64_t bytes, std::uint32_t flags,
                    UserIn<std::byte> name) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    if ((flags & kOutOfBand) != 0) return refuse(kNotSupported);
    if (!name.is_null()) return refuse(kIsConnected);
    return socket->send(call, Vectors(from.address(), bytes), flags);
}

Outcome call_recvfrom(Call& call, Descriptor fd, UserOut<std::byte> to, std::uint64_t bytes, std::uint32_t flags,
                      UserOut<std::byte> name, UserOut<std::uint32_t> name_bytes) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    if ((flags & kOutOfBand) != 0) return refuse(kNotSupported);
    const auto done = LINUX_TRY(socket->receive(call, Vectors(to.address(), bytes), flags));
    if (!name.is_null()) LINUX_TRY(name_bytes.write(0)); // it has none
    return done;
}

Outcome call_sendmsg(Call& call, Descriptor fd, UserIn<MessageHeader> user, std::uint32_t flags) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    const auto message = LINUX_TRY(user.read());
    if ((flags & kOutOfBand) != 0) return refuse(kNotSupported);
    if (message.count > Vectors::kMaxVectors) return refuse(kMessageTooLong);
    if (message.control_bytes != 0) return refuse(kInvalid);
    if (message.name != 0 && message.name_bytes != 0) return refuse(kIsConnected);
    const Vectors from =
        LINUX_TRY(Vectors::fetch(call.process.quota(), UserIn<IoVector>(message.vectors), message.count));
    return socket->send(call, from, flags);
}

Outcome call_recvmsg(Call& call, Descriptor fd, UserInOut<MessageHeader> user, std::uint32_t flags) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    auto message = LINUX_TRY(user.read());
    if ((flags & kOutOfBand) != 0) return refuse(kNotSupported);
    if (message.count > Vectors::kMaxVectors) return refuse(kMessageTooLong);
    const Vectors to =
        LINUX_TRY(Vectors::fetch(call.process.quota(), UserIn<IoVector>(message.vectors), message.count));
    const auto done = LINUX_TRY(socket->receive(call, to, flags));
    message.name_bytes = 0;
    message.control_bytes = 0;
    message.flags = 0;
    LINUX_TRY(user.out().write(message));
    return done;
}

Outcome call_shutdown(Call& call, Descriptor fd, std::int32_t how) {
    const auto socket = LINUX_TRY(socket_of(call, fd));
    if (how < 0 || how > 2) return refuse(kInvalid);
    socket->shut_down(how != 1, how != 0);
    return 0;
}

Outcome call_getsockname(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes) {
    LINUX_TRY(socket_of(call, fd));
    return unnamed(name, bytes);
}
Outcome call_getpeername(Call& call, Descriptor fd, UserOut<std::byte> name, UserInOut<std::uint32_t> bytes) {
    LINUX_TRY(socket_of(call, fd));
    return unnamed(name, bytes);
}

Outcome call_getsockopt(Call& call, Descriptor fd, std::int32_t level, std::int32_t option, UserOut<std::byte> value,
                        UserInOut<std::uint32_t> bytes) {
    constexpr std::int32_t kSocketLevel = 1, kType = 3, kError = 4, kSendBytes = 7, kReceiveBytes = 8, kPeer = 17,
                           kAccepts = 30, kProtocol = 38, kDomain = 39;
    LINUX_TRY(socket_of(call, fd));
    const auto room = LINUX_TRY(bytes.read());
    if (static_cast<std::int32_t>(room) < 0) return refuse(kInvalid);
    if (level != kSocketLevel) return refuse(kNotSupported);
    std::int32_t words[3] = {0, 0, 0};
    std::uint32_t size = sizeof(words[0]);
    switch (option) {
    case kType:
        words[0] = kStreamType;
        break;
    case kDomain:
        words[0] = kUnix;
        break;
    case kSendBytes:
    case kReceiveBytes:
        words[0] = static_cast<std::int32_t>(ipc::Stream::kDefaultBytes);
        break;
    case kError:
    case kAccepts:
    case kProtocol:
        break;
    case kPeer: // struct ucred: made by the own process
        words[0] = call.process.pid();
        size = sizeof(words);
        break;
    default:
        return refuse(kNoOption);
    }
    const std::uint32_t told = std::min(room, size);
    LINUX_TRY(value.write_array(0, std::as_bytes(std::span(words)).data(), told));
    return answer(bytes.out(), told);
}

} // namespace aios::linux_abi
