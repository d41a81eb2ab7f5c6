// The audit log's engine: slots in, one thread that encodes, hashes, keeps and streams. See audit.hpp.
#include "kernel/audit/audit.hpp"

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "crypto/merkle.hpp"
#include "kernel/audit/encode.hpp"
#include "kernel/audit/log_arena.hpp"
#include "kernel/audit/output.hpp"
#include "kernel/audit/record_queue.hpp"
#include "kernel/audit/refusals.hpp"
#include "kernel/sched/thread.hpp"

namespace aios {

namespace {
constinit FrameSink g_sink = nullptr;
}

void set_frame_sink(FrameSink sink) { g_sink = sink; }
void send_frame(FrameKind kind, std::uint64_t agent, const char* name, Bytes body) {
    if (g_sink != nullptr) g_sink(static_cast<std::uint32_t>(kind), agent, name, body);
}

} // namespace aios

namespace aios::audit {

namespace {

constexpr std::size_t kArenaBytes = 512 * 1024;
constexpr std::size_t kPlaces = 8192;
constexpr std::size_t kBatchBytes = 16 * 1024;
constexpr std::size_t kBatchHead = 8; // room in front for the array's head
constexpr std::uint64_t kTickNs = 1'000'000'000;

// What only the holder of the log's mutex touches.
struct Log {
    crypto::MerkleFrontier tree;
    LogArena arena;
    std::byte* batch = nullptr; // kBatchHead bytes, then byte strings one after another
    std::size_t batch_bytes = 0;
    std::uint32_t batch_count = 0;
    bool busy = false;     // for drain_in_panic: somebody was in the middle
    bool finished = false; // the head was sent: nothing may follow it
};

constinit RecordQueue* g_queue = nullptr;
constinit Log* g_log = nullptr;
constinit sync::Mutex<sync::Rank::audit_log> g_log_mutex;
constinit sync::Protected<Refusals*, sync::Rank::audit> g_refusals(nullptr);
constinit sched::WaitQueue g_work; // the audit thread
constinit sched::WaitQueue g_room; // callers that wait for a slot

// One CBOR array of byte strings, its head written last: the items' number is known only now.
void send_batch(Log& log) {
    if (log.batch_count == 0) return;
    std::byte head[kBatchHead];
    std::size_t head_bytes = 0;
    const std::uint32_t n = log.batch_count;
    if (n < 24) {
        head[head_bytes++] = static_cast<std::byte>(0x80 | n);
    } else if (n < 256) {
        head[head_bytes++] = std::byte{0x98};
        head[head_bytes++] = static_cast<std::byte>(n);
    } else {
        head[head_bytes++] = std::byte{0x99};
        head[head_bytes++] = static_cast<std::byte>(n >> 8);
        head[head_bytes++] = static_cast<std::byte>(n & 0xff);
    }
    std::byte* start = log.batch + kBatchHead - head_bytes;
    std::copy_n(head, head_bytes, start);
    send_frame(FrameKind::audit_records, 0, "kernel", {start, head_bytes + log.batch_bytes});
    log.batch_bytes = 0;
    log.batch_count = 0;
}

void append(Log& log, const Record& record, std::uint64_t time_ns) {
    std::byte buffer[kMaxEncodedRecord];
    const auto encoded = encode_record(record, log.tree.size(), time_ns, buffer);
    AIOS_ASSERT(encoded.has_value()); // the template fits; names are ASCII
    log.tree.append(crypto::merkle_leaf(*encoded));
    log.arena.append(*encoded);
    if (kBatchBytes - log.batch_bytes < encoded->size() + 4) send_batch(log);
    cbor::Encoder item(MutableBytes(log.batch + kBatchHead + log.batch_bytes, kBatchBytes - log.batch_bytes));
    item.bytes(*encoded);
    log.batch_bytes += item.size();
    log.batch_count++;
}

void append_all(Log& log) {
    if (log.finished) return;
    log.busy = true;
    Record record;
    std::uint64_t time_ns;
    while (g_queue->take(record, time_ns)) {
        append(log, record, time_ns);
        if (g_room.has_waiters()) g_room.wake_all();
    }
    log.busy = false;
}

void append_counts(Log& log, bool all) {
    Record record;
    const std::uint64_t now = sched::now_ns();
    while (g_refusals.with([&](Refusals* refusals) { return refusals->expire(now, all, record); }))
        append(log, record, now);
}

void send_head(Log& log) {
    const crypto::MerkleHash root = log.tree.root();
    std::byte buffer[64];
    cbor::Encoder out(buffer);
    out.map(2).key(0).uint(log.tree.size()).key(1).bytes(root);
    if (const auto body = out.finish()) send_frame(FrameKind::audit_head, 0, "kernel", *body);
}

void run(void*) {
    std::uint64_t tick = sched::now_ns() + kTickNs;
    for (;;) {
        // Records are hashed as they come; a batch leaves when it is full or a second old.
        (void)g_work.wait(tick, [] { return g_queue->has_records(); }, sched::Interruptible::no);
        sync::Mutex<sync::Rank::audit_log>::Guard guard(g_log_mutex);
        if (g_log->finished) return;
        append_all(*g_log);
        if (const std::uint64_t now = sched::now_ns(); now >= tick) {
            append_counts(*g_log, false);
            send_batch(*g_log);
            tick = now + kTickNs;
        }
    }
}

std::optional<std::uint32_t> try_reserve(bool emergency) {
    arch::InterruptGuard off;
    return g_queue->reserve(arch::cpu_index(), emergency);
}

template <typename T, typename... A>
T* must_make(A&&... arguments) {
    auto made = mm::make<T>(std::forward<A>(arguments)...);
    AIOS_ASSERT(made.has_value()); // at boot, with all memory free
    return *made;
}

} // namespace

Slot& Slot::operator=(Slot&& other) noexcept {
    if (this != &other) {
        if (held_) g_queue->abandon(index_);
        index_ = other.index_;
        held_ = std::exchange(other.held_, false);
    }
    return *this;
}

Slot::~Slot() {
    if (!held_) return;
    g_queue->abandon(index_);
    if (g_room.has_waiters()) g_room.wake_all();
}

void Slot::commit(const Record& record) {
    AIOS_ASSERT(held_);
    held_ = false;
    g_queue->commit(index_, record, sched::now_ns());
    if (g_work.has_waiters()) g_work.wake_one();
}

Result<Slot> reserve() {
    std::optional<std::uint32_t> index = try_reserve(false);
    if (!index) {
        const auto outcome = g_room.wait(sched::kNever, [&] { return (index = try_reserve(false)).has_value(); });
        if (outcome != sched::Outcome::ready) return fail(Error::interrupted);
    }
    return Slot(*index);
}

Slot reserve_emergency() {
    std::optional<std::uint32_t> index = try_reserve(true);
    if (!index) {
        (void)g_room.wait(
            sched::kNever, [&] { return (index = try_reserve(true)).has_value(); }, sched::Interruptible::no);
    }
    return Slot(*index);
}

void refused(const Record& record) {
    Refusals::Due due;
    const std::uint64_t now = sched::now_ns();
    g_refusals.with([&](Refusals* refusals) { refusals->refused(record, now, due); });
    for (unsigned i = 0; i < due.count; i++)
        reserve_emergency().commit(due.records[i]);
}

void start() {
    g_queue = must_make<RecordQueue>();
    AIOS_ASSERT(g_queue->init(arch::cpu_count()).has_value());
    Log* log = must_make<Log>();
    auto* arena = static_cast<std::byte*>(mm::heap_allocate(kArenaBytes));
    auto* places = static_cast<LogArena::Place*>(mm::heap_allocate(kPlaces * sizeof(LogArena::Place)));
    log->batch = static_cast<std::byte*>(mm::heap_allocate(kBatchHead + kBatchBytes));
    AIOS_ASSERT(arena != nullptr && places != nullptr && log->batch != nullptr);
    log->arena = LogArena({arena, kArenaBytes}, {places, kPlaces});
    g_log = log;
    Refusals* refusals = must_make<Refusals>();
    g_refusals.with([&](Refusals*& place) { place = refusals; });
    auto thread = Thread::create_kernel("audit", run, nullptr);
    AIOS_ASSERT(thread.has_value());
    (*thread)->start();
}

void drain() {
    if (g_log == nullptr) return;
    sync::Mutex<sync::Rank::audit_log>::Guard guard(g_log_mutex);
    append_all(*g_log);
    append_counts(*g_log, true);
    append_all(*g_log);
    send_batch(*g_log);
    send_head(*g_log);
    g_log->finished = true;
}

void drain_in_panic() {
    if (g_log == nullptr || g_log->busy || g_log->finished) return; // a half-appended record cannot be mended here
    append_all(*g_log);
    send_batch(*g_log);
    send_head(*g_log);
}

LogInfo info() {
    sync::Mutex<sync::Rank::audit_log>::Guard guard(g_log_mutex);
    append_all(*g_log); // what the caller has done is in the answer
    LogInfo answer{};
    answer.records = g_log->tree.size();
    const crypto::MerkleHash root = g_log->tree.root();
    std::copy_n(reinterpret_cast<const std::uint8_t*>(root.data()), root.size(), answer.root); // SAFETY: bytes as bytes
    return answer;
}

Result<ReadResult> read(std::uint64_t index, MutableBytes out) {
    sync::Mutex<sync::Rank::audit_log>::Guard guard(g_log_mutex);
    append_all(*g_log);
    const Bytes record = TRY(g_log->arena.read(index));
    if (record.size() > out.size()) return ReadResult{record.size(), false};
    std::copy(record.begin(), record.end(), out.begin());
    return ReadResult{record.size(), true};
}

} // namespace aios::audit
