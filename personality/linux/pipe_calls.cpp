// Pipes: two open files over one Stream (kernel/ipc/stream.hpp). An end closes with its last reference, be that a
// descriptor or a call under way. Writing without a reader is SIGPIPE and EPIPE.
#include "kernel/ipc/stream.hpp"
#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

// What both ends share, charged to whoever made the pipe.
class Pipe {
public:
    Pipe(Reservation charge, Payer& payer, std::uint64_t number)
        : inode(number), charge_(std::move(charge)),
          stream(payer, for_reader, for_writer, {kSignalClosed, kSignalError}) {}
    Pipe(const Pipe&) = delete;
    ~Pipe() = default;
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    const std::uint64_t inode;

private:
    RefCount references_;
    Reservation charge_;

public:
    event::Source for_reader, for_writer;
    ipc::Stream stream;
};

Outcome outcome_of(Call& call, const Result<std::uint64_t>& done) {
    if (done) return *done;
    if (done.error() == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
    if (done.error() == Error::peer_closed) send_to_self(call, kSigPipe);
    return refuse(done.error());
}

class PipeEnd : public OpenFile {
public:
    [[nodiscard]] bool is_seekable() const override { return false; }
    [[nodiscard]] Stat info() const override { return anonymous_info(kModeFifo | 0600, pipe_->inode); }
    [[nodiscard]] ipc::Stream* pipe() override { return &pipe_->stream; }
    Outcome control(Call&, std::uint32_t request, std::uint64_t argument) override {
        constexpr std::uint32_t kBytesWaiting = 0x541b; // FIONREAD
        if (request != kBytesWaiting) return refuse(kNotTerminal);
        return answer(UserOut<std::uint32_t>(argument), static_cast<std::uint32_t>(pipe_->stream.waiting()));
    }

protected:
    PipeEnd(Reservation charge, Ref<Pipe> pipe) : OpenFile(std::move(charge)), pipe_(std::move(pipe)) {}
    const Ref<Pipe> pipe_;
};

class ReadEnd final : public PipeEnd {
public:
    ReadEnd(Reservation charge, Ref<Pipe> pipe) : PipeEnd(std::move(charge), std::move(pipe)) {}
    ~ReadEnd() override { pipe_->stream.close_reader(); }
    [[nodiscard]] event::Source* source() override { return &pipe_->for_reader; }
    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        return read_vectors(call, Vectors(to.address(), bytes));
    }
    Outcome read_vectors(Call& call, const Vectors& to) override {
        VectorsOut out(to);
        const auto when = non_blocking ? ipc::WhenEmpty::fail : ipc::WhenEmpty::wait;
        return outcome_of(call, pipe_->stream.read(out, to.bytes(), when));
    }
};

class WriteEnd final : public PipeEnd {
public:
    WriteEnd(Reservation charge, Ref<Pipe> pipe) : PipeEnd(std::move(charge), std::move(pipe)) {}
    ~WriteEnd() override { pipe_->stream.close_writer(); }
    [[nodiscard]] event::Source* source() override { return &pipe_->for_writer; }
    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        return write_vectors(call, Vectors(from.address(), bytes));
    }
    Outcome write_vectors(Call& call, const Vectors& from) override {
        VectorsIn in(from);
        return send(call, in, from.bytes());
    }
    Errno put(Call& call, Bytes bytes) override { // at most a page: as a whole
        ipc::BytesIn in(bytes);
        const Outcome done = send(call, in, bytes.size());
        return done ? Errno{} : done.error();
    }

private:
    Outcome send(Call& call, ipc::StreamIn& from, std::uint64_t bytes) {
        const auto when = non_blocking ? ipc::WhenFull::fail : ipc::WhenFull::wait;
        return outcome_of(call, pipe_->stream.write(from, bytes, when));
    }
};

std::expected<Ref<Pipe>, Errno> make_pipe(LinuxProcess& process) {
    Reservation charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<Pipe>));
    return Ref<Pipe>::adopt(
        LINUX_TRY(mm::make<Pipe>(std::move(charge), process.quota(), process.family().new_inode())));
}

Outcome create(Call& call, UserOut<std::int32_t> out, std::uint64_t flags) {
    Ref<Pipe> pipe = LINUX_TRY(make_pipe(call.process));
    auto reader = LINUX_TRY(make_file<ReadEnd>(call, pipe)); // one of the two alone closes its end alone: nobody has it
    auto writer = LINUX_TRY(make_file<WriteEnd>(call, pipe));
    reader->writable = writer->readable = false;
    return install_pair(call, std::move(reader), std::move(writer), out, flags);
}

} // namespace

Outcome call_pipe(Call& call, UserOut<std::int32_t> out) { return create(call, out, 0); }

// O_DIRECT, pipes of packets, is refused: a Stream is bytes.
Outcome call_pipe2(Call& call, UserOut<std::int32_t> out, Flags<kFileFlags> flags) {
    return create(call, out, flags.bits);
}

// F_GETPIPE_SZ, F_SETPIPE_SZ.
Outcome pipe_capacity(Call& call, OpenFile& file, std::uint32_t command, std::uint64_t argument) {
    ipc::Stream* const stream = file.pipe();
    if (stream == nullptr) return refuse(kBadFd);
    if (command == kFcntlGetPipeBytes) return stream->capacity();
    const auto bytes = static_cast<std::uint32_t>(argument);
    if (bytes > 1u << 31) return refuse(kInvalid); // 0 is the least there is
    const auto done = stream->resize(bytes);
    if (!done && done.error() == Error::too_large) return refuse(kPerm);
    if (!done && done.error() == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
    return done ? Outcome(*done) : refuse(done.error());
}

} // namespace aios::linux_abi
