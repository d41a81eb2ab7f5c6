// The bytes that wait for the host, as a ring that a device reads in place: each piece of contiguous bytes is one
// buffer with a small number, and comes back in any order. Pure; the caller has the lock. Holds always: pieces are in
// the order of pushing, bytes are reused only when their piece and all before it are done.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/static_vector.hpp"
#include "base/types.hpp"

namespace aios::dev {

template <unsigned kPieces>
class TransmitRing {
public:
    struct Piece {
        std::uint16_t id;
        std::size_t offset, bytes;
    };
    using Pushed = StaticVector<Piece, 2>; // two where the ring's end comes between

    void init(MutableBytes store) { store_ = store; }
    [[nodiscard]] std::size_t capacity() const { return store_.size(); }
    [[nodiscard]] bool is_empty() const { return count_ == 0; }
    // True if a message of this many bytes fits now.
    [[nodiscard]] bool fits(std::size_t bytes) const { return bytes <= store_.size() - used_ && count_ + 2 <= kPieces; }

    // The concatenation of `parts`, of which fits() was true and which is not empty.
    template <typename Parts>
    Pushed push(const Parts& parts) {
        std::size_t total = 0;
        for (const Bytes part : parts) {
            copy_in((head_ + total) % store_.size(), part);
            total += part.size();
        }
        Pushed pushed;
        const std::size_t first = std::min(total, store_.size() - head_);
        add(pushed, head_, first);
        if (total != first) add(pushed, 0, total - first);
        head_ = (head_ + total) % store_.size();
        used_ += total;
        return pushed;
    }

    // The device is done with a piece. False: it names one that is not out (a broken device).
    bool complete(std::uint32_t id) {
        const unsigned index = (id + kPieces - first_) % kPieces;
        if (id >= kPieces || index >= count_ || done_[id]) return false;
        done_[id] = true;
        while (count_ != 0 && done_[first_]) {
            used_ -= bytes_[first_];
            first_ = (first_ + 1) % kPieces;
            --count_;
        }
        return true;
    }

private:
    void copy_in(std::size_t at, Bytes part) {
        const std::size_t first = std::min(part.size(), store_.size() - at);
        if (first != 0) std::memcpy(store_.data() + at, part.data(), first);
        if (part.size() != first) std::memcpy(store_.data(), part.data() + first, part.size() - first);
    }
    void add(Pushed& pushed, std::size_t offset, std::size_t bytes) {
        const auto id = static_cast<std::uint16_t>((first_ + count_) % kPieces);
        bytes_[id] = bytes;
        done_[id] = false;
        ++count_;
        (void)pushed.push_back({id, offset, bytes});
    }

    MutableBytes store_;
    std::size_t head_ = 0, used_ = 0;
    unsigned first_ = 0, count_ = 0; // pieces out: ids first_, first_ + 1, ... modulo kPieces
    std::size_t bytes_[kPieces] = {};
    bool done_[kPieces] = {};
};

} // namespace aios::dev
