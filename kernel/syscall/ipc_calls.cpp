// Calls about channels and messages. The channel does the work (kernel/ipc); here messages are decoded and handles
// derived.
#include "base/static_vector.hpp"
#include "kernel/ipc/channel.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

namespace {

constexpr Rights kChannelRights =
    rights::send | rights::receive | rights::wait | rights::inspect | rights::derive | rights::transfer;

// A message to send: bytes stay with the user until the channel copies them, handles become capabilities under way, pages
// leave his memory. Pages that nobody took on go back to where they were.
struct Outgoing {
    StaticVector<ipc::Parcel, kMaxMessageHandles> parcels;
    ipc::OutMessage message;
    mm::AddressSpace* came_from = nullptr; // the pages, if they were moved
    std::uint64_t came_from_address = 0;

    Outgoing() = default;
    Outgoing(const Outgoing&) = delete;
    // If the range is gone meanwhile, by another thread of the sender, they go too.
    ~Outgoing() {
        if (message.pages && came_from != nullptr) (void)came_from->accept(*message.pages, came_from_address);
    }

    cap::Permitted<> decode(Call& call, const Message& from) {
        if (from.size > kMaxMessageBytes || from.handle_count > kMaxMessageHandles) return fail(Error::too_large);
        if (!UserSpan(from.bytes, from.size).is_plausible()) return fail(Error::bad_address);
        message.bytes = ipc::Buffer::user(from.bytes, from.size);
        message.trace = from.trace;
        if (from.handle_count != 0) [[unlikely]]
            TRY(decode_handles(call, from));
        if (from.page_count != 0) [[unlikely]]
            TRY(decode_pages(call, from));
        return {};
    }

private:
    // Last of all: it changes the sender's memory.
    [[gnu::noinline]] Result<> decode_pages(Call& call, const Message& from) {
        if (from.page_count > kMaxGrantPages) return fail(Error::too_large);
        if (from.handle_count != 0) return fail(Error::bad_argument);
        if (from.page_mode > static_cast<std::uint32_t>(PageMode::frozen)) return fail(Error::bad_argument);
        const auto mode = static_cast<PageMode>(from.page_mode);
        message.pages = TRY(call.memory().grant(from.pages, from.page_count, mode));
        if (mode == PageMode::moved) {
            came_from = &call.memory();
            came_from_address = from.pages;
        }
        return {};
    }
    [[gnu::noinline]] cap::Permitted<> decode_handles(Call& call, const Message& from) {
        HandleGrant grants[kMaxMessageHandles];
        TRY(UserIn<HandleGrant>(from.handles).read_array(0, grants, from.handle_count));
        for (std::uint64_t i = 0; i < from.handle_count; ++i) {
            if ((grants[i].rights & ~rights::all.bits()) != 0) return fail(Error::bad_argument);
            ipc::Parcel parcel;
            parcel.capability =
                TRY(call.agent.table().derive_out(grants[i].handle, Rights(grants[i].rights), rights::transfer));
            parcel.role = grants[i].role;
            TRY(parcels.push_back(std::move(parcel)));
        }
        message.handles = parcels.span();
        return {};
    }
};

Result<ipc::InMessage> room_of(const Message& to) {
    const std::uint64_t handles = to.handle_count < kMaxMessageHandles ? to.handle_count : kMaxMessageHandles;
    const std::uint64_t size = to.size < kMaxMessageBytes ? to.size : kMaxMessageBytes;
    if (!UserSpan(to.bytes, size).is_plausible() || !UserOut<HandleGrant>(to.handles).is_plausible(handles))
        return fail(Error::bad_address);
    ipc::InMessage message;
    message.bytes = ipc::Buffer::user(to.bytes, size);
    message.handles = ipc::Buffer::user(to.handles, handles * sizeof(HandleGrant));
    message.pages = to.pages;
    message.page_room = to.page_count;
    return message;
}

// What came, or on buffer_small what is needed.
Result<> tell(const UserInOut<Message>& user, Message header, const ipc::InMessage& message, const Result<>& result) {
    if (!result && result.error() != Error::buffer_small) return result;
    header.size = message.size;
    header.handle_count = message.handle_count;
    header.page_count = message.page_count;
    header.sender = message.sender;
    header.reply_to = message.reply_to;
    header.trace = message.trace;
    TRY(user.out().write(header));
    return result;
}

} // namespace

Answer channel_create(Call& call, Handle, std::uint64_t messages, std::uint64_t bytes) {
    TRY(call.check_self());
    return call.give(TRY(ipc::Channel::create(call.quota(), messages, bytes)), kChannelRights);
}

Answer ipc_send(Call& call, Handle, UserIn<Message> user) {
    Outgoing outgoing;
    const Message header = TRY(user.read());
    TRY(outgoing.decode(call, header));
    TRY(call.object<ipc::Channel>().send(call.agent, outgoing.message));
    return 0;
}

Answer ipc_recv(Call& call, Handle, UserInOut<Message> user) {
    const Message header = TRY(user.read());
    if (!user.out().is_plausible()) return fail(Error::bad_address);
    ipc::InMessage message = TRY(room_of(header));
    TRY(tell(user, header, message, call.object<ipc::Channel>().receive(call.agent, message)));
    return 0;
}

Answer ipc_call(Call& call, Handle, UserIn<Message> user_request, UserInOut<Message> user_reply,
                std::uint64_t deadline) {
    const Message request_header = TRY(user_request.read());
    const Message reply_header = TRY(user_reply.read());
    Outgoing outgoing;
    TRY(outgoing.decode(call, request_header));
    ipc::InMessage reply = TRY(room_of(reply_header));
    const Result<> done =
        call.object<ipc::Channel>().call(call.agent, outgoing.message, reply, deadline, call.first.node.get());
    TRY(tell(user_reply, reply_header, reply, done));
    return 0;
}

Answer ipc_reply_wait(Call& call, Handle, std::uint64_t reply_to, UserIn<Message> user_reply,
                      UserInOut<Message> user_next, std::uint64_t deadline) {
    Outgoing outgoing;
    if (reply_to != 0) {
        const Message reply_header = TRY(user_reply.read());
        TRY(outgoing.decode(call, reply_header));
    }
    if (user_next.address() == 0) { // answers only
        if (reply_to == 0) return fail(Error::bad_argument);
        TRY(call.object<ipc::Channel>().reply(call.agent, reply_to, outgoing.message));
        return 0;
    }
    const Message next_header = TRY(user_next.read());
    ipc::InMessage next = TRY(room_of(next_header));
    const Result<> done = call.object<ipc::Channel>().reply_wait(call.agent, reply_to, outgoing.message, next, deadline,
                                                                 call.first.node.get());
    TRY(tell(user_next, next_header, next, done));
    return 0;
}

} // namespace aios::syscall::calls
