// The audit log: what changes authority, recorded before it commits. Each CPU has a ring; a kernel thread takes records in
// order, encodes them (deterministic CBOR from fixed templates, abi/messages.cddl), hashes them into an RFC 9162 tree and
// streams them to the host port. A full ring makes the caller wait; faults and kills have reserved slots. Lock: Rank::audit.
#pragma once

#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::audit {

enum class Kind : std::uint8_t {
    boot = 1,       // first record: boot path, kernel hash, manifest hash, seed fixed or not
    call = 2,       // a call of class `always` that was granted
    refusal = 3,    // a check that failed: call, object type, right, error; equal ones are counted, one record a second
    agent_start = 4,
    agent_end = 5,
    fault = 6,
    integrity = 7,  // a page did not match its hash: entry and page
    power = 8,
};

struct Record {
    Kind kind;
    std::uint64_t agent = 0;   // who did it (0 = kernel)
    std::uint64_t subject = 0; // agent or object id that it is about
    std::uint64_t call = 0;    // call number
    std::uint64_t detail[3] = {0, 0, 0}; // by kind: rights, error, status, address ...
    std::uint8_t digest[32] = {};        // identity, manifest; zeros where there is none
    char name[kMaxNameBytes] = {};
};

// Reserve before the change, commit after: decode, reserve, commit. A Slot that is dropped uncommitted leaves no record.
class [[nodiscard]] Slot {
public:
    Slot() = default;
    Slot(Slot&&) noexcept;
    Slot& operator=(Slot&&) noexcept;
    ~Slot();
    void commit(const Record& record);

private:
    friend Result<Slot> reserve();
    friend Slot reserve_emergency();
    std::uint32_t cpu_ = 0;
    bool held_ = false;
    bool emergency_ = false;
};
Result<Slot> reserve();       // waits for room; interrupted if the thread is being killed
Slot reserve_emergency();     // faults and kills: never waits
void refused(const Record& record); // coalesced

void start();                 // once the scheduler runs
void drain();                 // power-off: everything recorded is hashed and sent; also from panic, polled
LogInfo info();
// Encoded record `index`, as hashed. not_found; buffer_small. The log keeps a fixed arena: older records may be gone from memory.
Result<std::size_t> read(std::uint64_t index, MutableBytes out);

} // namespace aios::audit
