// Bytes and capabilities between senders, storage and receivers. See transfer.hpp.
#include "kernel/ipc/transfer.hpp"

#include <cstring>

#include "kernel/mm/user_memory.hpp"

namespace aios::ipc {

// SAFETY: kernel buffers carry the address of memory that the caller keeps until the call has returned.
Buffer Buffer::kernel(Bytes bytes) { return {reinterpret_cast<std::uintptr_t>(bytes.data()), bytes.size(), true}; }
Buffer Buffer::kernel(MutableBytes bytes) {
    return {reinterpret_cast<std::uintptr_t>(bytes.data()), bytes.size(), true};
}

Result<> copy_in(const Buffer& from, std::uint64_t offset, MutableBytes to) {
    if (!from.of_kernel) return UserSpan(from.address, from.size).read(offset, to);
    std::memcpy(to.data(), reinterpret_cast<const std::byte*>(from.address) + offset, to.size());
    return {};
}

Result<> copy_out(const Buffer& to, std::uint64_t offset, Bytes from) {
    if (from.empty()) return {};
    if (!to.of_kernel) return UserSpan(to.address, to.size).write(offset, from);
    // SAFETY: a kernel buffer: built from a span by Buffer::kernel().
    std::memcpy(reinterpret_cast<std::byte*>(to.address) + offset, from.data(), from.size());
    return {};
}

void pack(std::span<Parcel> from, std::span<SentParcel> to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        to[i].role = from[i].role;
        to[i].place.put(std::move(from[i].capability));
    }
}

void unpack(std::span<SentParcel> from, std::span<Parcel> to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        to[i].capability = from[i].place.take();
        to[i].capability.uncount();
    }
}

Result<> deliver(Party& to, std::span<SentParcel> parcels, const InMessage& message) {
    if (parcels.empty()) return {};
    cap::Table* table = to.handle_table();
    if (table == nullptr) return fail(Error::unsupported);
    HandleGrant grants[kMaxMessageHandles] = {};
    const Bytes bytes = std::as_bytes(std::span(grants, parcels.size()));
    TRY(copy_out(message.handles, 0, bytes)); // the memory is there: so the message can still stay where it is

    cap::Capability capabilities[kMaxMessageHandles];
    Handle handles[kMaxMessageHandles] = {};
    for (std::size_t i = 0; i < parcels.size(); ++i) {
        capabilities[i] = parcels[i].place.take();
        grants[i].rights = capabilities[i].rights().bits();
        grants[i].role = parcels[i].role;
    }
    if (auto inserted = table->insert_all({capabilities, parcels.size()}, {handles, parcels.size()}); !inserted) {
        for (std::size_t i = 0; i < parcels.size(); ++i)
            parcels[i].place.put(std::move(capabilities[i]));
        return inserted;
    }
    for (std::size_t i = 0; i < parcels.size(); ++i) {
        grants[i].handle = handles[i];
        if (handles[i] == kNoHandle) grants[i].rights = 0; // died under way
    }
    auto written = copy_out(message.handles, 0, bytes);
    for (std::size_t i = 0; !written && i < parcels.size(); ++i) {
        if (handles[i] != kNoHandle) static_cast<void>(table->close(handles[i]));
    }
    return written;
}

Result<> deliver_pages(Party& to, mm::Owned<mm::Grant>& grant, InMessage& message) {
    message.page_count = 0;
    if (!grant) return {};
    if (message.page_room != 0) {
        TRY(to.accept(*grant, message.pages));
        message.page_count = grant->pages();
    }
    grant = mm::Owned<mm::Grant>();
    return {};
}

Result<> check_outgoing(const Object& channel, const OutMessage& message) {
    if (message.bytes.size > kMaxMessageBytes || message.handles.size() > kMaxMessageHandles)
        return fail(Error::too_large);
    if (message.pages && !message.handles.empty()) return fail(Error::bad_argument);
    for (const Parcel& parcel : message.handles) {
        // It would keep itself alive for ever.
        if (parcel.capability.rights().contains(rights::receive) && parcel.capability.object() == &channel)
            return fail(Error::bad_argument);
    }
    return {};
}

Result<> check_room(std::uint64_t size, std::uint64_t handles, std::uint32_t pages, InMessage& message) {
    if (size <= message.bytes.size && handles * sizeof(HandleGrant) <= message.handles.size &&
        (pages <= message.page_room || message.page_room == 0))
        return {};
    message.size = size;
    message.handle_count = handles;
    message.page_count = pages;
    return fail(Error::buffer_small);
}

} // namespace aios::ipc
