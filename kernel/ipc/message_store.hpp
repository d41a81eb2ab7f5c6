// The storage of one channel: a fixed number of blocks, allocated when the channel is made. A message is a chain of
// blocks: the first holds the header and the first bytes; capabilities lie in a block of their own. Messages stand in
// the order in which they were completed, so a slow sender holds up nobody.
//
// Holds always: free blocks + blocks of messages = block count; a channel that is empty takes any message within its
// capacity. No locks: the channel's lock owns the structure; the contents of a message that is not in the queue belong
// to whoever reserved or took it. SAFETY: blocks are raw bytes; headers and parcels are made in them with placement new
// at aligned places.
#pragma once

#include <span>

#include "abi/call_types.hpp"
#include "kernel/cap/derivation.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::ipc {

struct Call;

// A capability under way, with what its receiver is told about it.
struct Parcel {
    cap::Capability capability;
    std::uint32_t role = 0; // HandleGrant.role
};

struct MessageHeader {
    MessageHeader* next = nullptr;
    MessageHeader* previous = nullptr;
    std::uint32_t next_block; // of this message; the chain starts behind the header
    std::uint32_t parcel_block;
    std::uint32_t block; // this one's own number
    std::uint32_t size = 0;
    std::uint32_t parcels = 0;
    bool queued = false;
    std::uint64_t sender = 0;
    Call* call = nullptr; // the sender waits for a reply
};

class MessageStore {
public:
    static constexpr std::size_t kBlockBytes = 512;
    static constexpr std::size_t kFirstBytes = kBlockBytes - sizeof(MessageHeader);
    static constexpr std::size_t kNextBytes = kBlockBytes - sizeof(std::uint32_t);

    MessageStore() = default;
    MessageStore(const MessageStore&) = delete;
    ~MessageStore();

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
    [[nodiscard]] std::uint32_t capacity_bytes() const { return capacity_bytes_; }

    // Pieces of the message's bytes in order: calls function(offset, MutableBytes) -> Result<>, stops at the first
    // error.
    template <typename F>
    Result<> for_pieces(MessageHeader& message, F&& function) {
        std::size_t offset = 0;
        std::uint32_t block = message.next_block;
        for (std::size_t left = message.size; left != 0;) {
            std::byte* place;
            std::size_t room;
            if (offset == 0) {
                place = address(message.block) + sizeof(MessageHeader);
                room = kFirstBytes;
            } else {
                place = address(block) + sizeof(std::uint32_t);
                room = kNextBytes;
                block = *next_of(block);
            }
            const std::size_t piece = left < room ? left : room;
            TRY(function(offset, MutableBytes(place, piece)));
            offset += piece;
            left -= piece;
        }
        return {};
    }
    // The parcels of a message; made by reserve(), empty.
    [[nodiscard]] std::span<Parcel> parcels(MessageHeader& message);
    void drop_parcels(MessageHeader& message); // under no lock: may end derivations

private:
    static constexpr std::uint32_t kNone = ~0u;
    static constexpr std::size_t kBlocksPerPage = mm::kPageSize / kBlockBytes;
    static std::uint64_t blocks_for(std::uint64_t messages, std::uint64_t bytes);
    static std::uint32_t blocks_of(std::uint32_t size, std::uint32_t parcels);
    [[nodiscard]] std::byte* address(std::uint32_t block) const {
        return pages_[block / kBlocksPerPage] + block % kBlocksPerPage * kBlockBytes;
    }
    // SAFETY: every block starts 512-aligned; a block that is free or continues a message starts with the next one's
    // number.
    [[nodiscard]] std::uint32_t* next_of(std::uint32_t block) const {
        return reinterpret_cast<std::uint32_t*>(address(block));
    }
    std::uint32_t take_block();
    void give_block(std::uint32_t block);

    std::byte** pages_ = nullptr;
    std::uint32_t page_count_ = 0;
    std::uint32_t free_block_ = kNone;
    std::uint32_t free_blocks_ = 0;
    std::uint32_t capacity_ = 0, capacity_bytes_ = 0;
    std::uint32_t messages_ = 0, queued_ = 0;
    std::uint64_t bytes_ = 0;
    MessageHeader* first_ = nullptr;
    MessageHeader* last_ = nullptr;
};

static_assert(kMaxMessageHandles * sizeof(Parcel) <= MessageStore::kBlockBytes);

} // namespace aios::ipc
