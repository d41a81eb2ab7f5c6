// Memory map conversion; see memory_map.hpp. A sweep over the address space: at each boundary the kind in force is
// looked up anew. That is quadratic in the number of ranges (about a hundred in practice), and simple enough to be seen
// right.
#include "boot/memory_map.hpp"

#include <algorithm>
#include <limits>

namespace aios::boot {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max() & ~(kMapPage - 1);

std::uint64_t end_of(const MemoryRange& range) { return range.base + range.bytes; }
bool holds(const MemoryRange& range, std::uint64_t at) { return at >= range.base && at < end_of(range); }

// The range in whole pages, without wrapping around; empty if nothing is left of it.
MemoryRange whole_pages(const MemoryRange& range) {
    std::uint64_t base = std::min(range.base, kTop);
    std::uint64_t end = range.bytes > kTop - base ? kTop : base + range.bytes;
    if (range.kind == MemoryKind::usable) {
        base = std::min((base + kMapPage - 1) & ~(kMapPage - 1), kTop);
        end &= ~(kMapPage - 1);
    } else if (range.bytes != 0) {
        base &= ~(kMapPage - 1);
        end = end > kTop - kMapPage ? kTop : (end + kMapPage - 1) & ~(kMapPage - 1);
    }
    return {base, end > base ? end - base : 0, range.kind, 0};
}

// Higher wins where firmware ranges overlap.
int restriction(MemoryKind kind) {
    switch (kind) {
    case MemoryKind::usable:
        return 0;
    case MemoryKind::acpi:
        return 1;
    case MemoryKind::boot:
    case MemoryKind::kernel:
    case MemoryKind::container:
        return 2;
    case MemoryKind::reserved:
        return 3;
    }
    return 3;
}

// Lower is left out first when there are too many ranges.
int worth(MemoryKind kind) {
    switch (kind) {
    case MemoryKind::reserved:
        return 0;
    case MemoryKind::usable:
        return 1;
    case MemoryKind::acpi:
        return 2;
    case MemoryKind::boot:
    case MemoryKind::kernel:
    case MemoryKind::container:
        return 3;
    }
    return 0;
}

bool less_worth(const MemoryRange& a, const MemoryRange& b) {
    if (worth(a.kind) != worth(b.kind)) return worth(a.kind) < worth(b.kind);
    return a.bytes < b.bytes;
}

// Collects ranges in ascending order, merging neighbours of one kind, and keeps the worthiest when `out` is full.
class Sink {
public:
    explicit Sink(std::span<MemoryRange> out) : out_(out) {}

    void add(const MemoryRange& range) {
        if (pending_.bytes != 0 && pending_.kind == range.kind && end_of(pending_) == range.base) {
            pending_.bytes += range.bytes;
            return;
        }
        flush();
        pending_ = range;
    }

    std::uint32_t finish() {
        flush();
        return count_;
    }

private:
    void flush() {
        if (pending_.bytes == 0) return;
        MemoryRange range = pending_;
        pending_.bytes = 0;
        if (count_ == out_.size()) {
            auto least = std::min_element(out_.begin(), out_.end(), less_worth);
            if (least == out_.end() || !less_worth(*least, range)) return;
            std::move(least + 1, out_.end(), least);
            --count_;
        }
        out_[count_++] = range;
    }

    std::span<MemoryRange> out_;
    std::uint32_t count_ = 0;
    MemoryRange pending_{};
};

Result<> check_claims(std::span<const MemoryRange> claims) {
    for (std::size_t i = 0; i < claims.size(); ++i) {
        const MemoryRange& claim = claims[i];
        if (claim.bytes == 0 || claim.base % kMapPage != 0 || claim.bytes % kMapPage != 0)
            return fail(Error::bad_argument);
        if (claim.base >= kTop || claim.bytes > kTop - claim.base) return fail(Error::bad_argument);
        for (std::size_t j = 0; j < i; ++j)
            if (claim.base < end_of(claims[j]) && claims[j].base < end_of(claim)) return fail(Error::bad_argument);
    }
    return {};
}

// The first boundary behind `at`.
std::uint64_t next_boundary(std::span<const MemoryRange> ranges, std::uint64_t at, std::uint64_t nearest) {
    for (const MemoryRange& range : ranges) {
        if (range.bytes == 0) continue;
        if (range.base > at) nearest = std::min(nearest, range.base);
        if (end_of(range) > at) nearest = std::min(nearest, end_of(range));
    }
    return nearest;
}

} // namespace

Result<std::uint32_t> memory_map_build(std::span<MemoryRange> firmware, std::span<const MemoryRange> claims,
                                       std::span<MemoryRange> out) {
    TRY(check_claims(claims));
    if (claims.size() > out.size()) return fail(Error::no_space);
    for (MemoryRange& range : firmware)
        range = whole_pages(range);
    std::sort(firmware.begin(), firmware.end(),
              [](const MemoryRange& a, const MemoryRange& b) { return a.base < b.base; });

    Sink sink(out);
    for (std::uint64_t at = 0; at < kTop;) {
        std::uint64_t next = next_boundary(firmware, at, next_boundary(claims, at, kTop));
        const MemoryRange* winner = nullptr;
        for (const MemoryRange& claim : claims)
            if (holds(claim, at)) winner = &claim;
        if (winner == nullptr)
            for (const MemoryRange& range : firmware)
                if (holds(range, at) && (winner == nullptr || restriction(range.kind) > restriction(winner->kind)))
                    winner = &range;
        if (winner != nullptr) sink.add({at, next - at, winner->kind, 0});
        at = next;
    }
    return sink.finish();
}

Result<std::uint64_t> memory_map_find(std::span<const MemoryRange> ranges, std::uint64_t bytes, std::uint64_t alignment,
                                      std::uint64_t limit) {
    std::uint64_t best = limit;
    bool found = false;
    for (const MemoryRange& range : ranges) {
        MemoryRange pages = whole_pages(range);
        if (pages.kind != MemoryKind::usable || pages.bytes == 0 || pages.base > kTop - alignment) continue;
        std::uint64_t base = (pages.base + alignment - 1) & ~(alignment - 1);
        std::uint64_t end = std::min(end_of(pages), limit);
        if (base >= end || end - base < bytes) continue;
        if (!found || base < best) best = base;
        found = true;
    }
    if (!found) return fail(Error::out_of_memory);
    return best;
}

} // namespace aios::boot
