// Blocks and the queue of messages. Everything is linked through block numbers and headers inside the blocks: taking
// and giving blocks never allocates, and giving a message's blocks back is one step, however many they are.
#include "kernel/ipc/message_store.hpp"
#include "kernel/mm/size_classes.hpp"

#include <new>

#include "base/bits.hpp"

namespace aios::ipc {

// One block more than whole messages and whole bytes need, for the capabilities of a message in a channel that is full
// otherwise.
MessageStore::Shape MessageStore::shape_for(std::uint64_t messages, std::uint64_t bytes) {
    const unsigned shift = bytes / messages >= kLargeMessage ? kLargeShift : kSmallShift;
    const std::uint64_t blocks =
        messages + div_ceil(messages * sizeof(MessageHeader) + bytes, std::uint64_t{1} << shift) + 1;
    const std::uint64_t pages = div_ceil(blocks << shift, std::uint64_t{mm::kPageSize});
    return {shift, static_cast<std::uint32_t>(pages << (kLargeShift - shift)), static_cast<std::uint32_t>(pages)};
}

std::uint32_t MessageStore::blocks_of(std::uint32_t size) const {
    return static_cast<std::uint32_t>((sizeof(MessageHeader) + size + block_bytes() - 1) >> shift_);
}

std::uint64_t MessageStore::footprint(std::uint64_t messages, std::uint64_t bytes) {
    const Shape shape = shape_for(messages, bytes);
    return shape.pages * mm::heap_cost(mm::kPageSize, mm::kPageSize) + mm::heap_cost(shape.pages * sizeof(*pages_)) +
           mm::heap_cost(shape.blocks * sizeof(*next_));
}

Result<> MessageStore::init(std::uint32_t messages, std::uint32_t bytes) {
    const Shape shape = shape_for(messages, bytes);
    capacity_ = messages;
    capacity_bytes_ = bytes;
    shift_ = shape.shift;
    pages_ = static_cast<std::byte**>(mm::heap_allocate(shape.pages * sizeof(*pages_)));
    next_ = static_cast<std::uint32_t*>(mm::heap_allocate(shape.blocks * sizeof(*next_)));
    if (pages_ == nullptr || next_ == nullptr) return fail(Error::out_of_memory);
    for (page_count_ = 0; page_count_ < shape.pages; ++page_count_) {
        void* page = mm::heap_allocate(mm::kPageSize, mm::kPageSize);
        if (page == nullptr) return fail(Error::out_of_memory); // the destructor frees the ones before
        pages_[page_count_] = static_cast<std::byte*>(page);
    }
    for (std::uint32_t block = 0; block + 1 < shape.blocks; ++block)
        next_[block] = block + 1;
    give_blocks(0, shape.blocks - 1, shape.blocks);
    return {};
}

MessageBlocks::~MessageBlocks() {
    while (page_count_ != 0)
        mm::heap_free(pages_[--page_count_]);
    mm::heap_free(pages_);
    mm::heap_free(next_);
}

std::uint32_t MessageStore::take_block() {
    const std::uint32_t block = free_block_;
    AIOS_ASSERT(block != kNone);
    free_block_ = next_[block];
    --free_blocks_;
    return block;
}

void MessageStore::give_blocks(std::uint32_t first, std::uint32_t last, std::uint32_t count) {
    next_[last] = free_block_;
    free_block_ = first;
    free_blocks_ += count;
}

MessageHeader* MessageStore::reserve(std::uint32_t size, std::uint32_t parcels) {
    const std::uint32_t blocks = blocks_of(size);
    if (messages_ == capacity_ || size > capacity_bytes_ - bytes_ || blocks + (parcels != 0 ? 1 : 0) > free_blocks_)
        return nullptr;
    // The chain is cut off from the free ones, not built: they are linked already.
    const std::uint32_t first = free_block_;
    std::uint32_t last = first;
    for (std::uint32_t more = blocks - 1; more != 0; --more)
        last = next_[last];
    free_block_ = next_[last];
    free_blocks_ -= blocks;
    auto* message = ::new (address(first)) MessageHeader{};
    message->block = first;
    message->last_block = last;
    message->blocks = blocks;
    message->parcel_block = kNone;
    message->size = size;
    message->parcels = parcels;
    if (parcels != 0) {
        message->parcel_block = take_block();
        for (std::uint32_t i = 0; i < parcels; ++i)
            ::new (address(message->parcel_block) + i * sizeof(SentParcel)) SentParcel();
    }
    ++messages_;
    bytes_ += size;
    return message;
}

std::span<SentParcel> MessageBlocks::parcels(MessageHeader& message) {
    if (message.parcel_block == kNone) return {};
    // SAFETY: reserve() made that many parcels there.
    return {std::launder(reinterpret_cast<SentParcel*>(address(message.parcel_block))), message.parcels};
}

void MessageBlocks::drop_parcels(MessageHeader& message) {
    for (SentParcel& parcel : parcels(message))
        parcel.~SentParcel();
    message.parcels = 0;
    static_cast<void>(message.pages.take());
}

void MessageStore::free(MessageHeader& message) {
    AIOS_ASSERT(!message.queued && message.parcels == 0 && message.pages.is_empty());
    --messages_;
    bytes_ -= message.size;
    if (message.parcel_block != kNone) give_blocks(message.parcel_block, message.parcel_block, 1);
    const std::uint32_t first = message.block, last = message.last_block, count = message.blocks;
    message.~MessageHeader();
    give_blocks(first, last, count);
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
