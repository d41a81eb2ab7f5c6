// The encoded records that stay in memory for log_read: a fixed arena, in which a new record takes the place of the
// oldest. The log itself goes on: what has left the arena has been streamed to the host. No lock of its own.
#pragma once

#include <cstring>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::audit {

class LogArena {
public:
    struct Place {
        std::uint32_t offset;
        std::uint32_t bytes;
    };

    LogArena() = default;
    // `arena` holds the bytes, `places` one entry a record kept; both outlive this object.
    LogArena(MutableBytes arena, std::span<Place> places) : arena_(arena), places_(places) {}

    // The record with the next index. Records larger than the arena are not kept.
    void append(Bytes record) {
        const std::uint64_t index = next_++;
        if (record.size() > arena_.size() || places_.empty()) {
            first_ = next_;
            return;
        }
        if (arena_.size() - end_ < record.size()) { // the tail end stays unused: a record is never split
            while (first_ < index && place(first_).offset >= end_)
                ++first_;
            end_ = 0;
        }
        while (first_ < index && overlaps(place(first_), end_, record.size()))
            ++first_;
        if (index - first_ >= places_.size()) first_ = index - places_.size() + 1;
        std::memcpy(arena_.data() + end_, record.data(), record.size());
        place(index) = {static_cast<std::uint32_t>(end_), static_cast<std::uint32_t>(record.size())};
        end_ += record.size();
    }

    // not_found: never written, or gone from memory.
    [[nodiscard]] Result<Bytes> read(std::uint64_t index) const {
        if (index < first_ || index >= next_) return fail(Error::not_found);
        const Place& at = places_[index % places_.size()];
        return Bytes(arena_).subspan(at.offset, at.bytes);
    }
    [[nodiscard]] std::uint64_t first() const { return first_; }
    [[nodiscard]] std::uint64_t next() const { return next_; }

private:
    [[nodiscard]] Place& place(std::uint64_t index) { return places_[index % places_.size()]; }
    static bool overlaps(const Place& place, std::size_t offset, std::size_t bytes) {
        return place.offset < offset + bytes && offset < place.offset + place.bytes;
    }
    MutableBytes arena_;
    std::span<Place> places_;
    std::size_t end_ = 0;
    std::uint64_t first_ = 0, next_ = 0;
};

} // namespace aios::audit
