// How bytes and capabilities cross the border: between the buffers of users or the kernel and the kernel's storage.
// Under no lock: user memory may fault and block, and capabilities touch other objects. Only kernel/ipc.
#pragma once

#include "kernel/ipc/channel.hpp"

namespace aios::ipc {

Result<> copy_in(const Buffer& from, std::uint64_t offset, MutableBytes to);
Result<> copy_out(const Buffer& to, std::uint64_t offset, Bytes from);

// Moves the sender's capabilities into parcels that travel; what they name is told as of a handle.
void pack(std::span<Parcel> from, std::span<SentParcel> to);
// Takes that back: the sender has its capabilities again.
void unpack(std::span<SentParcel> from, std::span<Parcel> to);
// Turns parcels into handles of `to` and writes them to message.handles. All or nothing: on failure the parcels are
// whole, but for bad_address when the memory vanishes in the very moment, which loses them.
Result<> deliver(Party& to, std::span<SentParcel> parcels, const InMessage& message);

// The pages of a grant come to where the message says; the grant is gone then. Else it is whole. What died under way brings
// none. Who gives no room for pages takes none, and they end: nobody is stopped by what he never asked for.
Result<> deliver_pages(Party& to, mm::Owned<mm::Grant>& grant, InMessage& message);

// What is sent belongs to the trace that the sender names, or else to that of its thread.
inline void set_trace(OutMessage& message) {
    if (message.trace.high == 0 && message.trace.low == 0) message.trace = Thread::current().trace;
}
// The current thread has taken a message: from here on it works on what that belongs to.
inline void take_trace(const TraceId& trace, InMessage& message) { message.trace = Thread::current().trace = trace; }

// too_large and bad_argument (a channel's own receive right into itself; pages and handles).
Result<> check_outgoing(const Object& channel, const OutMessage& message);
// buffer_small with the needed sizes, or fine.
Result<> check_room(std::uint64_t size, std::uint64_t handles, std::uint32_t pages, InMessage& message);

} // namespace aios::ipc
