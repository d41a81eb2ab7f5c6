// The audit log: what changes authority, recorded in an append-only Merkle tree (RFC 9162) that is streamed to the
// host. Each agent has an Account (account.hpp) with a few slots of its own, so a full account makes its own agent wait
// and nobody else. One kernel thread owns the log: it takes records in the order of their commits, encodes them
// (deterministic CBOR from one template, abi/messages.cddl), hashes, keeps and streams them; whoever caused a record is
// charged with the time that this takes.
//
// How a call of class `always` is recorded:
//   (1) wait_for_room(): the caller waits until its account has a free slot. It takes none: nothing is held while the
//       call waits for something else. A killed thread leaves here, and nothing has happened yet.
//   (2) The handle is looked up, after that wait: a capability that died in it is not used. What is refused takes no
//       slot; see refused().
//   (3) The call decodes, reserves and makes its change. It may wait for whatever it needs.
//   (4) record(): takes a slot. Other threads of the same agent may have taken the free ones since (1); then it waits,
//       through interrupts, for the audit thread to get one step further. It cannot fail, and the thread cannot leave
//       the kernel before: no change goes unrecorded.
//   (5) The record goes into the one queue (record_queue.hpp), and the caller is charged.
//
// Locks: Rank::audit (one account's refusals), Rank::audit_log (arena and published head; for the copy of one record).
#pragma once

#include "abi/audit_kinds.hpp"
#include "abi/call_types.hpp"
#include "abi/rights.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "kernel/cap/refusal.hpp"

namespace aios::audit {

class Account;

using Kind = AuditKind;

struct Record {
    Kind kind = Kind::call;
    std::uint64_t agent = 0;             // who did it (0 = kernel)
    std::uint64_t subject = 0;           // agent or object id that it is about
    std::uint64_t call = 0;              // call number
    std::uint64_t detail[3] = {0, 0, 0}; // by kind: abi/audit_kinds.def
    std::uint64_t count = 1;             // how many refusals this stands for
    std::uint8_t digest[32] = {};        // identity, manifest; zeros where there is none
    TraceId trace = {};                  // of the current thread; filled in when it is recorded
    char name[kMaxAuditText] = {};       // printable ASCII
};

// As much of `text` as there is room for; what is not printable ASCII becomes '?'.
void set_name(Record& record, std::string_view text);

// The first detail of agent_start.
inline std::uint64_t start_detail(PersonalityKind personality, std::uint32_t spawn_flags) {
    return static_cast<std::uint64_t>(personality) | std::uint64_t{spawn_flags} << 8;
}

// What a slot is wanted for. A kill or fault may use one slot more than a call, so that calls never stand in its way.
enum class Use : std::uint8_t { call, urgent };

// Step (1). interrupted if the thread is being killed. Thread context, no locks held.
Result<> wait_for_room(Account& account, Use use);
// Steps (4) and (5). Thread context, no locks held. Charges the current thread.
void record(Account& account, const Record& record, Use use);
// A refusal: who made which call, and what that call asks for by itself, where the refusal is not of another check. Never
// waits and takes no slot but a free one: counts where there is none. See refusals.hpp.
struct Refused {
    std::uint64_t agent, call;
    cap::Asked asked;
    std::string_view what = {}; // what was asked for, where a capability does not say it; printable ASCII
};
void refused(Account& account, const Refused& by, const cap::Refusal& refusal);
// The same of a refusal that a service made and tells of; `account` and `record.agent` are the service's. Who lends his
// time to the service pays: whoever asked for what it refuses.
void service_refused(Account& account, const Record& record);
// The agent is settled, no thread of it exists: the counts of its refusals that are still open become records, and the
// audit thread lets go of the account as soon as it has seen them. By the reaper.
void close(Account& account);
// For what the kernel does of itself, ends of agents among it. Its records are charged to nobody.
[[nodiscard]] Account& kernel_account();

void start();          // once the scheduler runs; nothing is recorded before
void drain();          // power-off: everything recorded is hashed and sent, then the head. Thread context.
void drain_in_panic(); // the same without locks or waiting, as far as it can be done; other CPUs are stopped
// Number of records and root, with all that was recorded before the call. Waits for the audit thread, which computes a
// root at most once for each state of the log. interrupted.
Result<LogInfo> info();
// Encoded record `index`, as hashed. not_found (older records may be gone from memory); interrupted.
struct ReadResult {
    std::size_t bytes;
    bool fits; // false: nothing was copied, `bytes` are needed
};
Result<ReadResult> read(std::uint64_t index, MutableBytes out);

} // namespace aios::audit
