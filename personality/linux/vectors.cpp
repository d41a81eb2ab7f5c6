#include "personality/linux/vectors.hpp"

#include <algorithm>

namespace aios::linux_abi {

Vectors::Vectors(std::uint64_t address, std::uint64_t bytes) : count_(1), bytes_(std::min(bytes, kMaxTransfer)) {
    few_[0] = {address, bytes_};
}

std::span<const IoVector> Vectors::ranges() const {
    // SAFETY: the bytes were filled with whole vectors by fetch(), and the heap aligns to 16.
    const auto* const first = many_.data() != nullptr ? reinterpret_cast<const IoVector*>(many_.data()) : few_;
    return {first, count_};
}

std::expected<Vectors, Errno> Vectors::fetch(Payer& payer, UserIn<IoVector> user, std::uint64_t count) {
    if (count > kMaxVectors) return std::unexpected(kInvalid);
    Vectors made;
    made.count_ = count;
    IoVector* vectors = made.few_;
    if (count > kInline) {
        auto room = mm::OwnedBytes::make(payer, count * sizeof(IoVector));
        if (!room) return std::unexpected(kNoMemory);
        made.many_ = std::move(*room);
        vectors = reinterpret_cast<IoVector*>(made.many_.data()); // SAFETY: as in ranges()
    }
    if (!user.read_array(0, vectors, count)) return std::unexpected(kFault);
    for (std::uint64_t i = 0; i < count; ++i) {
        IoVector& vector = vectors[i];
        if (static_cast<std::int64_t>(vector.bytes) < 0) return std::unexpected(kInvalid);
        if (!is_below_kernel(vector.base, vector.bytes)) return std::unexpected(kFault);
        vector.bytes = std::min(vector.bytes, kMaxTransfer - made.bytes_);
        made.bytes_ += vector.bytes;
    }
    return made;
}

namespace {

// Calls `one(range, offset in it, offset in the data, bytes)` for each range that [offset, offset + bytes) touches.
template <typename F>
Result<> for_part(std::span<const IoVector> ranges, std::uint64_t offset, std::uint64_t bytes, F&& one) {
    std::uint64_t done = 0;
    for (const IoVector& range : ranges) {
        if (done == bytes) break;
        if (offset >= range.bytes) {
            offset -= range.bytes;
            continue;
        }
        const std::uint64_t part = std::min(range.bytes - offset, bytes - done);
        TRY(one(range, offset, done, part));
        done += part;
        offset = 0;
    }
    return {};
}

} // namespace

Result<> Vectors::fetch(std::uint64_t offset, MutableBytes to) const {
    return for_part(ranges(), offset, to.size(),
                    [&](const IoVector& range, std::uint64_t within, std::uint64_t at, std::uint64_t part) {
                        return UserSpan(range.base, range.bytes).read(within, to.subspan(at, part));
                    });
}

Result<> Vectors::store(std::uint64_t offset, Bytes from) const {
    return for_part(ranges(), offset, from.size(),
                    [&](const IoVector& range, std::uint64_t within, std::uint64_t at, std::uint64_t part) {
                        return UserSpan(range.base, range.bytes).write(within, from.subspan(at, part));
                    });
}

} // namespace aios::linux_abi
