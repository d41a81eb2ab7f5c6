// See pipe_file.hpp.
#include "personality/linux/pipe_file.hpp"

#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

Outcome outcome_of(Call& call, const Result<std::uint64_t>& done) {
    if (done) return *done;
    if (done.error() == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
    if (done.error() == Error::peer_closed) send_to_self(call, kSigPipe);
    return refuse(done.error());
}

class PipeEnd : public OpenFile {
public:
    [[nodiscard]] bool is_seekable() const override { return false; }
    [[nodiscard]] Stat info() const override { return anonymous_info(kModeFifo | 0600, inode_); }
    [[nodiscard]] ipc::Stream* pipe() override { return &end_->stream(); }
    [[nodiscard]] event::Source* source() override { return &end_->source(); }
    Outcome control(Call&, std::uint32_t request, std::uint64_t argument) override {
        constexpr std::uint32_t kBytesWaiting = 0x541b; // FIONREAD
        if (request != kBytesWaiting) return refuse(kNotTerminal);
        return answer(UserOut<std::uint32_t>(argument), static_cast<std::uint32_t>(end_->stream().waiting()));
    }

protected:
    PipeEnd(Reservation charge, cap::KeptNode authority, Ref<ipc::StreamEnd> end, std::uint64_t inode)
        : OpenFile(std::move(charge), std::move(authority)), end_(std::move(end)), inode_(inode) {}
    [[nodiscard]] ipc::Stream& stream() const { return end_->stream(); }
    [[nodiscard]] sched::Through through(const Call& call) const {
        return {call.process.agent().id(), authority_.node().get()};
    }

private:
    const Ref<ipc::StreamEnd> end_;
    const std::uint64_t inode_;
};

class ReadEnd final : public PipeEnd {
public:
    ReadEnd(Reservation charge, cap::KeptNode authority, Ref<ipc::StreamEnd> end, std::uint64_t inode)
        : PipeEnd(std::move(charge), std::move(authority), std::move(end), inode) {
        readable = true;
    }
    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        return read_vectors(call, Vectors(to.address(), bytes));
    }
    Outcome read_vectors(Call& call, const Vectors& to) override {
        VectorsOut out(to);
        const auto when = non_blocking ? ipc::WhenEmpty::fail : ipc::WhenEmpty::wait;
        return outcome_of(call, stream().read(out, to.bytes(), when, ipc::Take::yes, through(call)));
    }
};

class WriteEnd final : public PipeEnd {
public:
    WriteEnd(Reservation charge, cap::KeptNode authority, Ref<ipc::StreamEnd> end, std::uint64_t inode)
        : PipeEnd(std::move(charge), std::move(authority), std::move(end), inode) {
        writable = true;
    }
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
        return outcome_of(call, stream().write(from, bytes, when, through(call)));
    }
};

template <typename T>
Result<Ref<OpenFile>> make(Payer& payer, cap::KeptNode authority, Ref<ipc::StreamEnd> end, std::uint64_t inode) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>));
    return Ref<OpenFile>::adopt(TRY(mm::make<T>(std::move(charge), std::move(authority), std::move(end), inode)));
}

} // namespace

Result<Ref<OpenFile>> open_stream_end(Payer& payer, Ref<ipc::StreamEnd> end, Ref<cap::DerivationNode> authority,
                                      std::uint64_t inode) {
    cap::KeptNode kept = TRY(cap::KeptNode::keep(payer, std::move(authority)));
    if (end->side() == ipc::StreamEnd::Side::reader)
        return make<ReadEnd>(payer, std::move(kept), std::move(end), inode);
    return make<WriteEnd>(payer, std::move(kept), std::move(end), inode);
}

} // namespace aios::linux_abi
