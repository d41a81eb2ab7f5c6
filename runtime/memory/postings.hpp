// Posting lists: for one term, the passages that hold it and how often. A list is a byte run of pairs (difference to
// the previous passage number, count), each an unsigned LEB128 number; the first difference is counted from -1, so that
// none is 0. The reader trusts nothing: a list that ends inside a number or leaves the range of passages just ends.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.hpp"

namespace aios::memory {

inline void append_number(std::vector<std::byte>& out, std::uint32_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<std::byte>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<std::byte>(value));
}

class PostingReader {
public:
    // `passages`: the number of passages; larger numbers in the list are damage.
    PostingReader(Bytes list, std::uint32_t passages) : list_(list), passages_(passages) {}

    // Moves to the next passage; false at the end of the list or where it is damaged.
    [[nodiscard]] bool next() {
        std::uint32_t step = 0;
        if (!number(step) || !number(count_) || step == 0 || step > passages_ - next_) return false;
        next_ += step;
        return true;
    }
    [[nodiscard]] std::uint32_t passage() const { return next_ - 1; }
    [[nodiscard]] std::uint32_t count() const { return count_; }

private:
    bool number(std::uint32_t& value) {
        std::uint64_t sum = 0;
        for (unsigned shift = 0; shift < 35 && at_ < list_.size(); shift += 7) {
            const auto byte = static_cast<std::uint8_t>(list_[at_++]);
            sum |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) {
                value = static_cast<std::uint32_t>(sum);
                return sum <= UINT32_MAX;
            }
        }
        return false;
    }

    Bytes list_;
    std::uint32_t passages_;
    std::size_t at_ = 0;
    std::uint32_t next_ = 0; // one past the current passage; never above passages_
    std::uint32_t count_ = 0;
};

} // namespace aios::memory
