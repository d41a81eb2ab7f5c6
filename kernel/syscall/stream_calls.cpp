// Calls about streams. See call.hpp; what they promise is in docs/design/stream.md.
#include "kernel/ipc/stream_end.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

namespace {

using ipc::StreamEnd;
using Side = StreamEnd::Side;

constexpr Rights kEndRights = rights::wait | rights::inspect | rights::derive | rights::transfer;

class UserBytesIn final : public ipc::StreamIn {
public:
    explicit UserBytesIn(UserIn<std::byte> from) : from_(from) {}
    Result<> fetch(std::uint64_t offset, MutableBytes to) override {
        return from_.read_array(offset, to.data(), to.size());
    }

private:
    const UserIn<std::byte> from_;
};
class UserBytesOut final : public ipc::StreamOut {
public:
    explicit UserBytesOut(UserOut<std::byte> to) : to_(to) {}
    Result<> store(std::uint64_t offset, Bytes from) override {
        return to_.write_array(offset, from.data(), from.size());
    }

private:
    const UserOut<std::byte> to_;
};

sched::Through through(const Call& call) { return {call.agent.id(), call.first.node.get()}; }

// The right says it already, unless the handle is one that nobody can have.
Result<StreamEnd*> end_of(Call& call, Side side, std::uint64_t flags) {
    if ((flags & ~kStreamNoWait) != 0) return fail(Error::bad_argument);
    auto& end = call.object<StreamEnd>();
    return end.side() == side ? Result<StreamEnd*>(&end) : fail(Error::missing_right);
}

} // namespace

Answer stream_create(Call& call, Handle, UserInOut<StreamHandles> out) {
    TRY(call.check_self());
    StreamEnd::Pair pair = TRY(StreamEnd::create(call.quota()));
    StreamHandles handles{};
    handles.reader = TRY(call.give(std::move(pair.reader), kEndRights | rights::read));
    const auto writer = call.give(std::move(pair.writer), kEndRights | rights::write);
    if (!writer) {
        (void)call.agent.table().close(handles.reader);
        return fail(writer.error());
    }
    handles.writer = *writer;
    if (const auto written = out.out().write(handles); !written) {
        (void)call.agent.table().close(handles.reader);
        (void)call.agent.table().close(handles.writer);
        return fail(written.error());
    }
    return 0;
}

Answer stream_read(Call& call, Handle, UserOut<std::byte> to, std::uint64_t size, std::uint64_t flags) {
    StreamEnd& end = *TRY(end_of(call, Side::reader, flags));
    UserBytesOut out(to);
    const auto when = (flags & kStreamNoWait) != 0 ? ipc::WhenEmpty::fail : ipc::WhenEmpty::wait;
    return TRY(end.stream().read(out, size, when, ipc::Take::yes, through(call)));
}

Answer stream_write(Call& call, Handle, UserIn<std::byte> from, std::uint64_t size, std::uint64_t flags) {
    StreamEnd& end = *TRY(end_of(call, Side::writer, flags));
    UserBytesIn in(from);
    const auto when = (flags & kStreamNoWait) != 0 ? ipc::WhenFull::fail : ipc::WhenFull::wait;
    return TRY(end.stream().write(in, size, when, through(call)));
}

} // namespace aios::syscall::calls
