// Appending, sending and showing the log. See log.hpp.
#include "kernel/audit/log.hpp"

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "kernel/arch/hash_lanes.hpp"
#include "kernel/audit/encode.hpp"
#include "kernel/host/output.hpp"
#include "kernel/mm/mm.hpp"
#include "messages/view.hpp"

namespace aios::audit {

namespace {
constexpr std::size_t kArenaBytes = 512 * 1024;
constexpr std::size_t kPlaces = 8192;
constexpr std::size_t kBatchBytes = 16 * 1024;
constexpr std::size_t kBatchHead = 8; // room in front for the array's head
} // namespace

Result<Log*> Log::create() { // at boot: what fails here is not given back
    Log* log = TRY(mm::make<Log>());
    auto* arena = static_cast<std::byte*>(mm::heap_allocate(kArenaBytes));
    auto* places = static_cast<LogArena::Place*>(mm::heap_allocate(kPlaces * sizeof(LogArena::Place)));
    log->batch_ = static_cast<std::byte*>(mm::heap_allocate(kBatchHead + kBatchBytes));
    if (arena == nullptr || places == nullptr || log->batch_ == nullptr) return fail(Error::out_of_memory);
    log->shown_.with([&](Shown& shown) { shown.arena = LogArena({arena, kArenaBytes}, {places, kPlaces}); });
    return log;
}

// One CBOR array of byte strings, its head written last: the items' number is known only now.
void Log::send_batch() {
    if (batch_count_ == 0) return;
    hash_waiting(); // they lie in the batch
    std::byte head[kBatchHead];
    std::size_t head_bytes = 0;
    const std::uint32_t n = batch_count_;
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
    std::byte* start = batch_ + kBatchHead - head_bytes;
    std::copy_n(head, head_bytes, start);
    upcall::send_frame(FrameKind::audit_records, 0, "kernel", {start, head_bytes + batch_bytes_});
    batch_bytes_ = 0;
    batch_count_ = 0;
}

void Log::send_head() {
    hash_waiting();
    std::byte buffer[64];
    const messages::view::AuditHead head{.records = tree_.size(), .root = tree_.root()};
    if (const auto body = messages::encode(buffer, head)) upcall::send_frame(FrameKind::audit_head, 0, "kernel", *body);
}

void Log::append(const Record& record, std::uint64_t time_ns, Keep keep) {
    busy = true;
    const std::uint64_t index = size_.load(std::memory_order_relaxed);
    std::byte buffer[kMaxEncodedRecord];
    const auto encoded = encode_record(record, index, time_ns, buffer);
    AIOS_ASSERT(encoded.has_value()); // the template fits; names are ASCII
    if (keep == Keep::yes) shown_.with([&](Shown& shown) { shown.arena.append(*encoded); });
    if (kBatchBytes - batch_bytes_ < encoded->size() + 4) send_batch();
    cbor::Encoder item(MutableBytes(batch_ + kBatchHead + batch_bytes_, kBatchBytes - batch_bytes_));
    item.bytes(*encoded);
    batch_bytes_ += item.size();
    ++batch_count_;
    jobs_[waiting_] = {.prefix = crypto::kMerkleLeafPrefix,
                       .message = Bytes(batch_ + kBatchHead + batch_bytes_ - encoded->size(), encoded->size()),
                       .digest = &row_[1 + waiting_]};
    ++waiting_;
    size_.store(index + 1, std::memory_order_release); // pairs with the acquire in size()
    busy = false;
    if (waiting_ == kMostWaiting) hash_waiting();
}

void Log::hash_waiting() {
    if (waiting_ == 0) return;
    const crypto::BatchHasher hash{arch::sha256_batch, workspace_};
    hash(std::span(jobs_).first(waiting_));
    next_tree_ = tree_;
    next_tree_.append_row(std::span(row_).first(1 + waiting_), hash);
    const bool was_busy = std::exchange(busy, true);
    tree_ = next_tree_;
    waiting_ = 0;
    busy = was_busy;
}

bool Log::publish(std::uint64_t position) {
    hash_waiting();
    const std::uint64_t size = tree_.size();
    const bool changed = shown_.with([&](Shown& shown) { return shown.size != size; });
    crypto::MerkleHash root;
    if (changed) root = tree_.root(); // many hashes: not under the lock
    shown_.with([&](Shown& shown) {
        if (changed) shown.root = root;
        shown.size = size;
        shown.position = position;
    });
    return changed;
}

bool Log::look(std::uint64_t size, std::uint64_t position, LogInfo& out) {
    return shown_.with([&](Shown& shown) {
        if (shown.size < size || shown.position < position) return false;
        out.records = shown.size;
        // SAFETY: bytes as bytes.
        std::copy_n(reinterpret_cast<const std::uint8_t*>(shown.root.data()), shown.root.size(), out.root);
        return true;
    });
}

Result<ReadResult> Log::read(std::uint64_t index, MutableBytes out) {
    return shown_.with([&](Shown& shown) -> Result<ReadResult> {
        const Bytes record = TRY(shown.arena.read(index));
        if (record.size() > out.size()) return ReadResult{record.size(), false};
        std::copy(record.begin(), record.end(), out.begin());
        return ReadResult{record.size(), true};
    });
}

} // namespace aios::audit
