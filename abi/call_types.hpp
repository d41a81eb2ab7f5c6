// Structures of the native call table, shared by the kernel and userland. Plain data without padding: copied byte by
// byte across the border. All addresses and sizes are 64-bit; sizes are in bytes, times in nanoseconds, deadlines
// absolute on the monotonic clock (kNoDeadline waits for ever, 0 polls).
#pragma once

#include <cstdint>

#include "abi/resources.hpp"

namespace aios {

// slot in the low 32 bits, generation (never 0) in the upper 31 bits; never negative, never 0 when valid.
using Handle = std::uint64_t;
inline constexpr Handle kNoHandle = 0;
inline constexpr std::uint64_t kNoDeadline = ~0ull;

inline constexpr std::uint64_t kPageBytes = 4096;
inline constexpr std::uint64_t kMaxMessageBytes = 65536;
inline constexpr std::uint64_t kMaxMessageHandles = 8;
inline constexpr std::uint64_t kMaxGrantPages = 16;          // of a message: 64 KiB
inline constexpr std::uint64_t kMaxMemoryBytes = 1ull << 30; // AgentMemAlloc, AgentPoolAlloc
inline constexpr std::uint64_t kMaxStartupHandles = 32;
inline constexpr std::uint64_t kMaxNameBytes = 32;
inline constexpr std::uint64_t kMaxPathBytes = 1024;
inline constexpr std::uint64_t kMaxDerivationDepth = 64;
inline constexpr std::uint64_t kMaxAgentDepth = 64; // ancestors of an agent: a deeper AgentSpawn answers too_large

enum class Clock : std::uint64_t { monotonic = 0, wall = 1, thread_cpu = 2, agent_cpu = 3 };

struct HandleInfo {
    std::uint32_t type; // ObjectType
    std::uint32_t rights;
    std::uint64_t object; // kernel object id, unique for the boot
    std::uint64_t
        size; // bytes of a memory object or file; messages waiting in and calls unanswered by a channel; else 0
    std::uint64_t depth; // derivation depth
};

// --- agents ----------------------------------------------------------------------------------------------------------

// An amount of each resource of abi/resources.def, in its unit: what a parent transfers to a child, what a hold takes. A
// versioned array with room for kMaxResources: `count` says how many of the values, which stand by resource number, the
// writer knows. The kernel takes a shorter one for one with zeros behind it, whatever lies there. It refuses a longer one
// that asks for something it does not know, and another version (unsupported); too_large: a count above kMaxResources.
struct QuotaGrant {
#define RESOURCE(name, number, field, kind, unit, sentence) std::uint64_t field = 0;
#include "abi/resources.def"
#undef RESOURCE
    std::uint64_t unknown[kMaxResources - kResourceCount] = {}; // of resources that came after this header
    std::uint32_t version = kVersion;
    std::uint32_t count = kResourceCount;

    static constexpr std::uint32_t kVersion = 1;
    // By resource number, below kMaxResources.
    [[nodiscard]] constexpr std::uint64_t value(unsigned number) const {
        switch (number) {
#define RESOURCE(name, number, field, kind, unit, sentence)                                                            \
    case number:                                                                                                       \
        return field;
#include "abi/resources.def"
#undef RESOURCE
        default:
            return unknown[number - kResourceCount];
        }
    }
    [[nodiscard]] constexpr std::uint64_t value(Resource resource) const {
        return value(static_cast<unsigned>(resource));
    }
    constexpr void set(Resource resource, std::uint64_t amount) {
        switch (resource) {
#define RESOURCE(name, number, field, kind, unit, sentence)                                                            \
    case Resource::name:                                                                                               \
        field = amount;                                                                                                \
        return;
#include "abi/resources.def"
#undef RESOURCE
        }
    }
    bool operator==(const QuotaGrant&) const = default;
};
using ResourceAmounts = QuotaGrant;

struct HandleGrant { // a handle given to a child or sent in a message
    Handle handle;
    std::uint32_t rights; // subset of the source's rights; the receiver's handle is derived from the sender's
    std::uint32_t role;   // StartupRole at a spawn; free for use in a message
};

enum class PersonalityKind : std::uint32_t { native = 0, linux_abi = 1 };

inline constexpr std::uint32_t kSpawnAwaitIdentity = 1; // stay `created` until AgentRegister
inline constexpr std::uint32_t kSpawnWithoutHints = 2;  // its self handle has no right `hint`
inline constexpr std::uint32_t kSpawnTemporary =
    4;                                        // with a temporary tree of its own, which it pays (role `temporary`)
inline constexpr std::uint32_t kSpawnJit = 8; // its self handle has the right `jit`; the caller's needs it

// A tree in the name space of a Linux program. As it is, or as a private one: then the program gets a writable tree of its
// own that begins with what is there, and pays for what it looks at and changes; with kMountShown its parent gets a handle
// (read, inspect) to see what it did with it (tree_change), which outlives the program.
struct MountGrant {
    Handle tree;              // needs read and transfer; for a private one, a tree that nobody can change
    std::uint32_t rights;     // of the child, among those of the handle; a private one has write beside them
    std::uint32_t flags;      // kMount...
    std::uint64_t path;       // address of where it is, absolute; "/" is the root
    std::uint64_t path_bytes; // no two are the same
    std::uint64_t from;       // address of the path of a directory in the tree; none is the tree itself
    std::uint64_t from_bytes;
    Handle shown; // written by the call
};
inline constexpr std::uint32_t kMountPrivate = 1, kMountShown = 2;
inline constexpr std::uint64_t kMaxMounts = 16;

struct SpawnRequest {
    Handle tree;        // program comes from here: needs read and execute
    std::uint64_t path; // address of the path's bytes, relative to the tree
    std::uint64_t path_bytes;
    std::uint64_t arguments;         // address of argv strings, each ended by NUL
    std::uint64_t argument_bytes;    // at most 16384
    std::uint64_t environment;       // address of environment strings, each ended by NUL
    std::uint64_t environment_bytes; // at most 16384
    std::uint64_t handles;           // address of HandleGrant[handle_count]
    std::uint32_t handle_count;
    std::uint32_t personality; // PersonalityKind
    std::uint32_t flags;       // kSpawn...
    std::uint32_t cpu_weight;  // 1..10000, 100 is usual
    QuotaGrant quota;
    // Printable ASCII, padded with NUL; all NUL: unnamed. No two living children of an agent have the same name
    // (already_exists; one that is ending does not count). Unnamed children of one program share one identity.
    char name[kMaxNameBytes];
    // A limit beside the weight: the agent and its descendants together run at most cpu_quota_us on all CPUs in each
    // cpu_period_us. Both 0: none. Period 1,000 to 10,000,000; quota 100 to 1,000,000,000.
    std::uint64_t cpu_quota_us;
    std::uint64_t cpu_period_us;
    std::uint64_t directory; // address of the path in which a Linux program starts, absolute; none is "/"
    std::uint64_t directory_bytes;
    std::uint64_t mounts; // address of MountGrant[mount_count]; Linux programs only
    std::uint64_t mount_count;
};

// stream_create.
struct StreamHandles {
    Handle reader; // right read
    Handle writer; // right write
};
inline constexpr std::uint64_t kStreamNoWait = 1; // stream_read, stream_write: would_block rather than wait

// What AgentRegister puts on record beside the identity that the kernel measured; nothing of that can be changed by it.
struct IdentityRecord {
    std::uint8_t digest[32];   // SHA-256 of the identity record that identityd keeps
    std::uint8_t manifest[32]; // hash of the manifest that the agent comes from
};

enum class AgentState : std::uint32_t { created, running, waiting, suspended, frozen, stopping, dead };
enum class AgentAction : std::uint64_t { pause, resume }; // agent_control
// What an agent says of its use of the CPU (agent_hint). Who runs when depends on it, never how much who gets.
//   interactive: sleeps much and is waited for: goes before its turn, by little, and runs in short slices.
//   batch:       nobody waits for it: takes nobody's place when it wakes, and runs in long slices where only such ones wait.
//   deadline:    wants so much CPU time by then: the nearer the deadline, the further before its turn it goes.
//   waiting:     sleeps long, for a model's answer: its place on a CPU is not kept.
enum class AgentHint : std::uint64_t { none, interactive, batch, deadline, waiting };
enum class EndReason : std::uint32_t { none, exited, killed, fault, quota, integrity, parent_ended };

struct AgentInfo {
    std::uint64_t id;
    std::uint64_t parent;
    std::uint32_t state;      // AgentState
    std::uint32_t end_reason; // EndReason
    std::uint64_t end_status; // exit status, signal or fault vector
    std::uint64_t fault_address;
    std::uint64_t cpu_ns;
    std::uint64_t memory_bytes;
    std::uint64_t memory_peak_bytes;
    QuotaGrant quota;
    std::uint64_t messages_sent;
    std::uint64_t messages_received;
    std::uint64_t checks_granted;
    std::uint64_t checks_refused;
    // Measured by the kernel at the spawn; nobody can claim or change them. `identity` is the SHA-256 of the
    // deterministic CBOR { 0: name (text), 1: program, 2: parent_identity } (byte strings of 32). As the parent's
    // identity is made the same way it stands for the whole path of names and programs up to the first agent, whose
    // parent_identity is all zeros; it holds no number of this boot, so it is the same on every boot. It is the digest
    // of the agent's agent_start and agent_end records in the audit log.
    std::uint8_t identity[32];
    std::uint8_t program[32]; // root of the hash tree over the program's pages, as in the bundle's manifest
    std::uint8_t parent_identity[32];
    std::uint8_t registered[32]; // IdentityRecord.digest given with AgentRegister; zeros until then
    char name[kMaxNameBytes];
    // What is in use of `quota`: of held resources what is taken now, of spent ones what is spent, held or uncertain (it
    // can be more than the limit, see budget_charge).
    ResourceAmounts used;
};

// --- budgets ---------------------------------------------------------------------------------------------------------

// One resource of a budget. What can still be held: limit - held - spent - uncertain, or nothing while `overrun` is not 0.
// Always: limit + overrun = held + spent + uncertain + what can be held.
struct BudgetLine {
    std::uint64_t limit;     // given to this agent, without what it gave to its children that live
    std::uint64_t held;      // in holds that are open; of a held resource: in use
    std::uint64_t spent;     // settled and charged, by this agent and by descendants that have ended; never comes back
    std::uint64_t uncertain; // of holds that were dropped, or settled as uncertain; counts as spent
    std::uint64_t overrun;   // how far spending has passed the limit
};

struct BudgetInfo {
    std::uint32_t version;           // QuotaGrant::kVersion
    std::uint32_t count;             // lines that mean something: kResourceCount
    std::uint64_t payer;             // id of the agent whose budget it is
    BudgetLine lines[kMaxResources]; // by resource number
};

// --- memory ----------------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t kProtectRead = 1;
inline constexpr std::uint64_t kProtectWrite = 2;
inline constexpr std::uint64_t kProtectExecute = 4;

struct MapRequest {
    std::uint64_t offset;     // bytes, page aligned
    std::uint64_t bytes;      // rounded up to pages
    std::uint64_t address;    // wanted address, or 0 for any
    std::uint64_t protection; // kProtect...; never write and execute at once
};

// --- traces ----------------------------------------------------------------------------------------------------------

// What a piece of work belongs to, as a number of 16 bytes (the size of a trace-id in W3C Trace Context); zeros: none. Each
// thread has one: that of the message that it took last, or else of the thread that made it. Messages carry it, and it
// stands in every audit record that the thread causes. Who acted is the kernel's knowledge; what for, is the agents' word.
struct TraceId {
    std::uint64_t high, low;
};

inline constexpr std::uint64_t kMaxAuditText = 96; // bytes of text in an audit record

struct TraceRequest {
    TraceId id;         // zeros: the kernel makes one
    std::uint64_t text; // address: the request that the trace begins with, as it stands in the log; not empty
    std::uint64_t text_bytes;
};

// --- messages --------------------------------------------------------------------------------------------------------

// For sending: bytes/handles say what goes. For receiving: capacities in, filled sizes and sender out. A message that
// does not fit the buffer stays in the queue, needed sizes are written, and the call answers buffer_small.
// What a message does with the pages that it brings; the receiver has them for itself either way.
enum class PageMode : std::uint32_t {
    moved,  // they leave the sender, whose range reads as zeros from then on
    frozen, // both have them, read-only until either writes: who does gets a copy of his own
};

struct Message {
    std::uint64_t bytes;   // address
    std::uint64_t size;    // in: size or capacity; out: size
    std::uint64_t handles; // address of HandleGrant[]: in a received message, `handle` is the receiver's own new handle
    std::uint64_t handle_count; // in: count or capacity; out: count
    std::uint64_t sender;       // out: agent id of the sender, set by the kernel
    std::uint64_t reply_to;     // out: not 0 if the sender waits in ipc_call; answer it with ipc_reply_wait
    TraceId trace;              // in: of what is sent, zeros for the thread's own; out: of what came
    // Pages, instead of capabilities. In: the first of what is sent, or of where it is to stand; on a page boundary, in
    // anonymous memory of the caller's own.
    std::uint64_t pages;
    std::uint32_t page_count; // in: count, or capacity (0: without pages, whatever was sent); out: count
    std::uint32_t page_mode;  // in: PageMode of what is sent
};

// --- events ----------------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t kSignalReadable = 1; // channel: a message waits; stream: bytes; queue: it has packets
inline constexpr std::uint64_t kSignalWritable = 2; // channel: room for a message of one byte; stream: for 4,096
inline constexpr std::uint64_t kSignalClosed =
    4; // channel: no receiver, or no sender, is left; stream: nobody writes any more
inline constexpr std::uint64_t kSignalFired = 8;        // timer
inline constexpr std::uint64_t kSignalDone = 16;        // operation finished
inline constexpr std::uint64_t kSignalEnded = 32;       // agent or thread ended
inline constexpr std::uint64_t kSignalFault = 64;       // agent faulted (supervisor)
inline constexpr std::uint64_t kSignalReadClosed = 128; // channel: no sender is left; what was sent may still wait
inline constexpr std::uint64_t kSignalError = 256;      // stream: nobody will read what is written

// How a registration tells: event_register takes at most one of these with the signals.
//   none:  `readable` in each wait while it is set; everything else once a post. `writable` is posted when room comes
//          after a send was refused.
//   level: each signal in each wait while it is set. `fired` and `fault`, which are never set, once a post.
//   edge:  each signal once a post. One that is no longer set when somebody looks is not told.
//   once:  as level, but for one packet; then nothing until event_register is called again with the same key, object,
//          handle and mode, which may name other signals.
// What is set when a registration is made, or armed again, is told at once (but `writable` with none of them).
inline constexpr std::uint64_t kModeLevel = 1ull << 32;
inline constexpr std::uint64_t kModeEdge = 1ull << 33;
inline constexpr std::uint64_t kModeOnce = 1ull << 34;

struct EventPacket {
    std::uint64_t key;
    std::uint64_t signals; // those that were raised since the last packet of this registration
    std::uint64_t count;   // how many posts were coalesced
};

// --- asynchronous operations -----------------------------------------------------------------------------------------

struct AsyncResult {
    std::uint64_t error;  // 0, or an Error number
    std::uint64_t value;  // AgentSpawn: handle of the child (all agent rights); PQCOperation: output size
    std::uint64_t output; // in: address of the output buffer (PQCOperation), or 0
    std::uint64_t capacity;
};

enum class PqcAlgorithm : std::uint32_t { sha2_256 = 1, sha2_512 = 2, sha3_256 = 3, sha3_512 = 4 };

struct PqcRequest {
    std::uint32_t algorithm;   // PqcAlgorithm; others answer unsupported until the crypto library is wired in
    std::uint32_t flags;       // 0
    std::uint64_t input;       // address
    std::uint64_t input_bytes; // at most 1 MiB
};

// --- trees, log, power -----------------------------------------------------------------------------------------------

struct TreeEntry {
    std::uint64_t size;
    std::uint32_t name_bytes;
    std::uint32_t reserved;
    char name[kMaxPathBytes]; // full path relative to the tree, not ended by NUL
};

// What is other in a tree than in what it began with (tree_change). Of a directory that is gone, what was below it is not
// told. `removed` is told after all others.
enum class ChangeKind : std::uint32_t { file, directory, link, removed };
struct TreeChange {
    std::uint64_t next; // position of what follows
    std::uint64_t modified_ns;
    std::uint64_t size; // of a file, in bytes
    std::uint32_t kind; // ChangeKind
    std::uint32_t mode; // permission bits
    std::uint32_t path_bytes, target_bytes;
    char path[kMaxPathBytes]; // relative to the tree, not ended by NUL
    char target[4096];        // of a link, likewise
};

struct LogInfo {
    std::uint64_t records;
    std::uint8_t root[32]; // RFC 9162 Merkle tree head over `records`
};

// What a service tells the log of a request that it refused. The record names the caller as the one who says so; whom it
// refused, and what, is its word. Calls within a second about one agent may become one record with their count.
struct ServiceRefusal {
    std::uint64_t agent; // who was refused; not 0
    char what
        [kMaxNameBytes]; // what it asked for, in short ("question.answer"); ends at a NUL or with the array, not empty
};

enum class PowerAction : std::uint64_t { off = 0, reset = 1 };

// --- start of a program ----------------------------------------------------------------------------------------------

// What a started program finds: a native program gets the block's address in rdi; a Linux program in auxiliary vector
// entry kAuxStartup. Entry 0 is always the self handle.
inline constexpr std::uint64_t kAuxStartup = 0x41494f53;

enum class StartupRole : std::uint32_t {
#define ROLE(name, number, sentence) name = number,
#include "abi/roles.def"
#undef ROLE
};

struct StartupEntry {
    Handle handle;
    std::uint32_t role;
    std::uint32_t rights;
};

struct StartupBlock {
    std::uint32_t version; // 1
    std::uint32_t count;
    std::uint64_t arguments; // address of argv strings, each ended by NUL (native programs)
    std::uint64_t argument_count;
    std::uint64_t random; // address of 16 random bytes
    StartupEntry entries[kMaxStartupHandles];
};

} // namespace aios
