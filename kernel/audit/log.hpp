// The log itself: the Merkle tree, the batch that goes to the host next, and what others read of it (the arena and the
// published head). Only the audit thread appends (in a panic: whoever panics), so the tree and the batch need no lock;
// readers copy under Rank::audit_log.
//
// Records are hashed many at once (kernel/arch/hash_lanes.hpp), which costs a fraction of one by one:
//   (1) append() encodes a record into the batch for the host, where it stays, and makes a job of it.
//   (2) hash_waiting() hashes those that wait, and puts their leaves into the tree. That is done when there are
//       kMostWaiting, before the batch is sent, and before anybody gets a head. So nobody waits for other records to come,
//       and a record waits for its hash at most as long as for its way to the host, a second.
#pragma once

#include "crypto/merkle.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/audit/log_arena.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::audit {

class Log {
public:
    // out_of_memory
    static Result<Log*> create();

    // --- the audit thread's
    enum class Keep : std::uint8_t { no, yes }; // for readers; a panic takes no lock
    void append(const Record& record, std::uint64_t time_ns, Keep keep);
    void hash_waiting();
    [[nodiscard]] bool has_waiting() const { return waiting_ != 0; }
    void send_batch(); // what has not been sent yet
    void send_head();
    // The head as it is now for readers, after `position` slots of the queue. True if a root had to be computed.
    bool publish(std::uint64_t position);
    // For a panic: a record is half taken or half appended, or the tree is being changed.
    bool busy = false;

    // --- anybody's
    [[nodiscard]] std::uint64_t size() const { return size_.load(std::memory_order_acquire); }
    // The published head, if it has these records and slots.
    [[nodiscard]] bool look(std::uint64_t size, std::uint64_t position, LogInfo& out);
    Result<ReadResult> read(std::uint64_t index, MutableBytes out);

    Log() = default;
    Log(const Log&) = delete;

private:
    struct Shown {
        LogArena arena;
        crypto::MerkleHash root = crypto::merkle_empty_root();
        std::uint64_t size = 0;     // records under `root`
        std::uint64_t position = 0; // slots popped before `root` was computed
    };
    static constexpr std::size_t kMostWaiting = 64;
    crypto::MerkleFrontier tree_;
    crypto::MerkleFrontier next_tree_;         // being made: a panic finds `tree_` whole
    std::size_t waiting_ = 0;                  // records that are in the batch and not in the tree
    crypto::Sha256Job jobs_[kMostWaiting];     // theirs
    crypto::MerkleHash row_[1 + kMostWaiting]; // as MerkleFrontier::append_row takes it
    crypto::Sha256BatchWorkspace workspace_;
    std::byte* batch_ = nullptr; // kBatchHead bytes, then byte strings one after another
    std::size_t batch_bytes_ = 0;
    std::uint32_t batch_count_ = 0;
    std::atomic<std::uint64_t> size_{0}; // of the tree, with those that wait
    sync::Protected<Shown, sync::Rank::audit_log> shown_;
};

} // namespace aios::audit
