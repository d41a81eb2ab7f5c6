// The log itself: the Merkle tree, the batch that goes to the host next, and what others read of it (the arena and the
// published head). Only the audit thread appends (in a panic: whoever panics), so the tree and the batch need no lock;
// readers copy under Rank::audit_log.
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
    void send_batch(); // what has not been sent yet
    void send_head();
    // The head as it is now for readers, after `position` slots of the queue. True if a root had to be computed.
    bool publish(std::uint64_t position);
    // For a panic: a record is half taken or half appended.
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
    crypto::MerkleFrontier tree_;
    std::byte* batch_ = nullptr; // kBatchHead bytes, then byte strings one after another
    std::size_t batch_bytes_ = 0;
    std::uint32_t batch_count_ = 0;
    std::atomic<std::uint64_t> size_{0}; // of the tree
    sync::Protected<Shown, sync::Rank::audit_log> shown_;
};

} // namespace aios::audit
