// The storage of one channel: a fixed number of blocks, allocated when the channel is made. A message is a chain of
// blocks: the first holds the header and the first bytes; capabilities lie in a block of their own. Messages stand in
// the order in which they were completed, so a slow sender holds up nobody.
//
// A block is all bytes: which one comes next stands in a table beside them. So blocks that lie behind one another in
// memory are one piece to copy, and they mostly do: a message goes back to the free ones as the chain that it was.
//
// Holds always: free blocks + blocks of messages = block count; a channel that is empty takes any message within its
// capacity. No locks here. Two parts: MessageBlocks is what may be reached without the channel's lock: the contents of a
// message that is not in the queue, which belong to whoever reserved or took it. The rest is under that lock. SAFETY: blocks are raw bytes; headers and parcels are made in them with placement new
// at aligned places.
#pragma once

#include <span>

#include "abi/call_types.hpp"
#include "kernel/cap/in_flight.hpp"
#include "kernel/mm/grant.hpp"

namespace aios::ipc {

struct Call;

// A capability to be sent, with what its receiver is told about it.
struct Parcel {
    cap::Capability capability;
    std::uint32_t role = 0; // HandleGrant.role
};

// The same under way.
struct SentParcel {
    cap::InFlight place;
    std::uint32_t role = 0;
};

struct MessageHeader {
    MessageHeader* next = nullptr;
    MessageHeader* previous = nullptr;
    std::uint32_t block, last_block; // the ends of its chain; the header stands in the first
    std::uint32_t blocks;            // in the chain
    std::uint32_t parcel_block;
    std::uint32_t size = 0;
    std::uint32_t parcels = 0;
    bool queued = false;
    std::uint64_t sender = 0;
    TraceId trace{};
    Call* call = nullptr; // the sender waits for a reply
    mm::GrantPlace pages; // in place of parcels
};

// The contents of messages: of those that are in no queue, by whoever reserved or took them.
class MessageBlocks {
public:
    MessageBlocks(const MessageBlocks&) = delete;

    // Pieces of the message's bytes in order: calls function(offset, MutableBytes) -> Result<>, stops at the first
    // error.
    template <typename F>
    Result<> for_pieces(MessageHeader& message, F&& function) {
        std::uint32_t block = message.block;
        std::byte* place = address(block) + sizeof(MessageHeader);
        std::size_t room = block_bytes() - sizeof(MessageHeader);
        for (std::size_t offset = 0, left = message.size; left != 0;) {
            while (room < left && address(next_[block]) == place + room) {
                block = next_[block];
                room += block_bytes();
            }
            const std::size_t piece = left < room ? left : room;
            TRY(function(offset, MutableBytes(place, piece)));
            offset += piece;
            left -= piece;
            if (left == 0) break;
            block = next_[block];
            place = address(block);
            room = block_bytes();
        }
        return {};
    }
    // The parcels of a message; made by reserve(), empty.
    [[nodiscard]] std::span<SentParcel> parcels(MessageHeader& message);
    void drop_parcels(MessageHeader& message); // with what is in them, and pages; under no lock: may end derivations

protected:
    static constexpr std::uint32_t kNone = ~0u;
    static constexpr unsigned kSmallBlock = 9, kLargeBlock = 12; // shifts
    MessageBlocks() = default;
    ~MessageBlocks();
    [[nodiscard]] std::size_t block_bytes() const { return std::size_t{1} << shift_; }
    [[nodiscard]] std::byte* address(std::uint32_t block) const {
        const unsigned in_page = kLargeBlock - shift_; // bits of a block's number that say where in its page it lies
        return pages_[block >> in_page] + ((block & ((1u << in_page) - 1)) << shift_);
    }

    // All constant from init() on, but for `next_` of the free blocks, which changes under the channel's lock.
    unsigned shift_ = kSmallBlock;
    std::byte** pages_ = nullptr;
    std::uint32_t* next_ = nullptr; // of each block: the one behind it in its message, or among the free ones
    std::uint32_t page_count_ = 0;
};

class MessageStore : public MessageBlocks {
public:
    // Of channels whose messages are small, and of those where a message may have several pages.
    static constexpr unsigned kSmallShift = kSmallBlock, kLargeShift = kLargeBlock;
    static constexpr std::uint64_t kLargeMessage = 16384; // bytes of capacity for each message, from here on

    ~MessageStore() { AIOS_ASSERT(messages_ == 0); }

    // Bytes of kernel memory that init() will take, for the charge.
    [[nodiscard]] static std::uint64_t footprint(std::uint64_t messages, std::uint64_t bytes);
    Result<> init(std::uint32_t messages, std::uint32_t bytes); // once; out_of_memory

    // Reserves room for a message; nullptr: full. The message is not in the queue yet.
    MessageHeader* reserve(std::uint32_t size, std::uint32_t parcels);
    void push_back(MessageHeader& message);
    void push_front(MessageHeader& message); // a message that was taken and could not be delivered
    MessageHeader* pop_front();
    [[nodiscard]] MessageHeader* front() const { return first_; }
    void remove(MessageHeader& message); // from the queue
    void free(MessageHeader& message);   // not queued; its parcels are gone already (drop_parcels)

    [[nodiscard]] std::uint32_t queued() const { return queued_; } // messages in the queue
    [[nodiscard]] std::uint32_t held() const { return messages_; } // those and reserved or taken ones
    [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
    // For a message of one byte without capabilities.
    [[nodiscard]] bool has_room() const {
        return messages_ < capacity_ && bytes_ < capacity_bytes_ && free_blocks_ != 0;
    }
    [[nodiscard]] std::uint32_t capacity_bytes() const { return capacity_bytes_; }

private:
    struct Shape {
        unsigned shift; // of the bytes of a block
        std::uint32_t blocks, pages;
    };
    static Shape shape_for(std::uint64_t messages, std::uint64_t bytes);
    [[nodiscard]] std::uint32_t blocks_of(std::uint32_t size) const;
    std::uint32_t take_block();
    void give_blocks(std::uint32_t first, std::uint32_t last, std::uint32_t count);

    std::uint32_t free_block_ = kNone;
    std::uint32_t free_blocks_ = 0;
    std::uint32_t capacity_ = 0, capacity_bytes_ = 0;
    std::uint32_t messages_ = 0, queued_ = 0;
    std::uint64_t bytes_ = 0;
    MessageHeader* first_ = nullptr;
    MessageHeader* last_ = nullptr;
};

// Small messages lie in one block.
static_assert(sizeof(MessageHeader) + 256 <= 1u << MessageStore::kSmallShift);
static_assert(kMaxMessageHandles * sizeof(SentParcel) <= 1u << MessageStore::kSmallShift);
static_assert(mm::kPageSize == 1u << MessageStore::kLargeShift);

} // namespace aios::ipc
