// Blocks and the queue of messages. Everything is linked through block numbers and headers inside the blocks: taking
// and giving blocks never allocates.
#include "kernel/ipc/message_store.hpp"
#include "kernel/mm/size_classes.hpp"

#include <new>

#include "base/bits.hpp"

namespace aios::ipc {

// One block more than whole messages and whole bytes need, for the capabilities of a message in a channel that is full
// otherwise.
std::uint64_t MessageStore::blocks_for(std::uint64_t messages, std::uint64_t bytes) {
    return messages + div_ceil(messages * sizeof(MessageHeader) + bytes, kNextBytes) + 1;
}

std::uint32_t MessageStore::blocks_of(std::uint32_t size, std::uint32_t parcels) {
    std::uint32_t blocks = 1;
    if (size > kFirstBytes) blocks += div_ceil(static_cast<std::uint32_t>(size - kFirstBytes), kNextBytes);
    return blocks + (parcels != 0 ? 1 : 0);
}

std::uint64_t MessageStore::footprint(std::uint64_t messages, std::uint64_t bytes) {
    const std::uint64_t pages = div_ceil(blocks_for(messages, bytes), kBlocksPerPage);
    return pages * mm::heap_cost(mm::kPageSize, mm::kPageSize) + mm::heap_cost(pages * sizeof(std::byte*));
}

Result<> MessageStore::init(std::uint32_t messages, std::uint32_t bytes) {
    capacity_ = messages;
    capacity_bytes_ = bytes;
    const auto pages = static_cast<std::uint32_t>(div_ceil(blocks_for(messages, bytes), kBlocksPerPage));
    pages_ = static_cast<std::byte**>(mm::heap_allocate(pages * sizeof(std::byte*)));
    if (pages_ == nullptr) return fail(Error::out_of_memory);
    for (page_count_ = 0; page_count_ < pages; ++page_count_) {
        void* page = mm::heap_allocate(mm::kPageSize, mm::kPageSize);
        if (page == nullptr) return fail(Error::out_of_memory); // the destructor frees the ones before
        pages_[page_count_] = static_cast<std::byte*>(page);
    }
    for (std::uint32_t block = page_count_ * kBlocksPerPage; block-- > 0;)
        give_block(block);
    return {};
}

MessageStore::~MessageStore() {
    AIOS_ASSERT(messages_ == 0);
    while (page_count_ != 0)
        mm::heap_free(pages_[--page_count_]);
    mm::heap_free(pages_);
}

std::uint32_t MessageStore::take_block() {
    const std::uint32_t block = free_block_;
    AIOS_ASSERT(block != kNone);
    free_block_ = *next_of(block);
    --free_blocks_;
    return block;
}

void MessageStore::give_block(std::uint32_t block) {
    *next_of(block) = free_block_;
    free_block_ = block;
    ++free_blocks_;
}

MessageHeader* MessageStore::reserve(std::uint32_t size, std::uint32_t parcels) {
    const std::uint32_t needed = blocks_of(size, parcels);
    if (messages_ == capacity_ || size > capacity_bytes_ - bytes_ || needed > free_blocks_) return nullptr;
    const std::uint32_t first = take_block();
    auto* message = ::new (address(first)) MessageHeader{};
    message->block = first;
    message->next_block = message->parcel_block = kNone;
    message->size = size;
    message->parcels = parcels;
    for (std::uint32_t more = needed - 1 - (parcels != 0 ? 1 : 0); more != 0; --more) {
        const std::uint32_t block = take_block();
        *next_of(block) = message->next_block;
        message->next_block = block;
    }
    if (parcels != 0) {
        message->parcel_block = take_block();
        for (std::uint32_t i = 0; i < parcels; ++i)
            ::new (address(message->parcel_block) + i * sizeof(Parcel)) Parcel();
    }
    ++messages_;
    bytes_ += size;
    return message;
}

std::span<Parcel> MessageStore::parcels(MessageHeader& message) {
    if (message.parcel_block == kNone) return {};
    // SAFETY: reserve() made that many parcels there.
    return {std::launder(reinterpret_cast<Parcel*>(address(message.parcel_block))), message.parcels};
}

void MessageStore::drop_parcels(MessageHeader& message) {
    for (Parcel& parcel : parcels(message))
        parcel.~Parcel();
    message.parcels = 0;
}

void MessageStore::free(MessageHeader& message) {
    AIOS_ASSERT(!message.queued && message.parcels == 0);
    --messages_;
    bytes_ -= message.size;
    if (message.parcel_block != kNone) give_block(message.parcel_block);
    for (std::uint32_t block = message.next_block; block != kNone;) {
        const std::uint32_t next = *next_of(block);
        give_block(block);
        block = next;
    }
    const std::uint32_t first = message.block;
    message.~MessageHeader();
    give_block(first);
}

void MessageStore::push_back(MessageHeader& message) {
    AIOS_ASSERT(!message.queued);
    message.queued = true;
    message.next = nullptr;
    message.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &message;
    last_ = &message;
    ++queued_;
}

void MessageStore::push_front(MessageHeader& message) {
    AIOS_ASSERT(!message.queued);
    message.queued = true;
    message.previous = nullptr;
    message.next = first_;
    (first_ != nullptr ? first_->previous : last_) = &message;
    first_ = &message;
    ++queued_;
}

void MessageStore::remove(MessageHeader& message) {
    AIOS_ASSERT(message.queued);
    message.queued = false;
    (message.previous != nullptr ? message.previous->next : first_) = message.next;
    (message.next != nullptr ? message.next->previous : last_) = message.previous;
    message.next = message.previous = nullptr;
    --queued_;
}

MessageHeader* MessageStore::pop_front() {
    MessageHeader* message = first_;
    if (message != nullptr) remove(*message);
    return message;
}

} // namespace aios::ipc
