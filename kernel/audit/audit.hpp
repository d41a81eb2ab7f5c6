// The audit log: what changes authority, recorded before it commits. Each CPU has a pool of slots (record_queue.hpp); a
// kernel thread takes records in the order of their commits, encodes them (deterministic CBOR from one template,
// abi/messages.cddl), hashes them into an RFC 9162 tree, keeps them in a fixed arena and streams them to the host in
// batches. A full ring makes the caller wait and never drops; faults and kills have reserved slots. Equal refusals
// become one counted record a second. Locks: Rank::audit (refusals), Rank::audit_log (a mutex: tree, arena, batch).
#pragma once

#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::audit {

enum class Kind : std::uint8_t {
    boot = 1,        // first record: boot path, seed fixed or not, CPUs; digest of the boot manifest
    call = 2,        // a call of class `always` that was granted; details by call: rights, other object, value
    refusal = 3,     // a check that failed: object type asked for, rights asked for, error
    agent_start = 4, // subject = the new agent, agent = its parent; details: personality, memory quota, flags
    agent_end = 5,   // details: end reason, status, fault address
    fault = 6,       // details: vector, address, instruction pointer
    integrity = 7,   // a page did not match its hash: page index; name = end of the entry's path
    power = 8,       // details: action, status
};

struct Record {
    Kind kind = Kind::call;
    std::uint64_t agent = 0;   // who did it (0 = kernel)
    std::uint64_t subject = 0; // agent or object id that it is about
    std::uint64_t call = 0;    // call number
    std::uint64_t detail[3] = {0, 0, 0};
    std::uint64_t count = 1;       // how many equal refusals this stands for
    std::uint8_t digest[32] = {};  // identity, manifest; zeros where there is none
    char name[kMaxNameBytes] = {}; // printable ASCII
};

// Reserve before the change, commit after: decode, reserve, commit. A Slot that is dropped uncommitted leaves no
// record.
class [[nodiscard]] Slot {
public:
    Slot() = default;
    Slot(Slot&& other) noexcept : index_(other.index_), held_(std::exchange(other.held_, false)) {}
    Slot& operator=(Slot&& other) noexcept;
    ~Slot();
    void commit(const Record& record); // at most once

private:
    friend Result<Slot> reserve();
    friend Slot reserve_emergency();
    explicit Slot(std::uint32_t index) : index_(index), held_(true) {}
    std::uint32_t index_ = 0;
    bool held_ = false;
};
// Waits for room; interrupted if the thread is being killed. Thread context, no locks held.
Result<Slot> reserve();
// Faults and kills: from the reserved slots, waiting only when even those are in use, and through interrupts. Thread
// context.
Slot reserve_emergency();
void refused(const Record& record); // coalesced; thread context, no locks held

void start();          // once the scheduler runs; nothing is recorded before
void drain();          // power-off: everything recorded is hashed and sent, then the head. Thread context.
void drain_in_panic(); // the same without locks or waiting, as far as it can be done; other CPUs are stopped
LogInfo info();
// Encoded record `index`, as hashed. not_found; buffer_small (answer: see needed). Older records may be gone from
// memory.
struct ReadResult {
    std::size_t bytes;
    bool fits; // false: nothing was copied, `bytes` are needed
};
Result<ReadResult> read(std::uint64_t index, MutableBytes out);

} // namespace aios::audit
