// The locks that a CPU or thread holds, in the order of acquisition. Kept in debug builds for rank checks, and printed
// by panic.
#pragma once

#include <cstdint>

#include "kernel/sync/rank.hpp"

namespace aios::sync {

#ifdef AIOS_DEBUG
inline constexpr bool kRankChecks = true;
#else
inline constexpr bool kRankChecks = false;
#endif

// Whether the lock taken last may be of the same rank.
enum class Peers : std::uint8_t { refused, allowed };

// What became of an acquisition or release: the caller panics on all but `fine`.
enum class RankResult : std::uint8_t { fine, not_ascending, too_deep, not_held };

class HeldLocks {
public:
    static constexpr unsigned kCapacity = kRankChecks ? 16 : 1;
    struct Held {
        Rank rank;
        const void* lock;
    };

    RankResult acquire(Rank rank, const void* lock, Peers peers = Peers::refused) {
        if (depth_ != 0 && held_[depth_ - 1].rank >= rank) {
            const bool is_peer = held_[depth_ - 1].rank == rank && held_[depth_ - 1].lock != lock;
            if (!is_peer || peers == Peers::refused) return RankResult::not_ascending;
        }
        if (depth_ == kCapacity) return RankResult::too_deep;
        held_[depth_++] = {rank, lock};
        return RankResult::fine;
    }
    // Locks may be released in any order.
    RankResult release(Rank rank, const void* lock) {
        for (unsigned i = depth_; i != 0; --i) {
            if (held_[i - 1].lock != lock || held_[i - 1].rank != rank) continue;
            for (unsigned k = i; k < depth_; ++k)
                held_[k - 1] = held_[k];
            --depth_;
            return RankResult::fine;
        }
        return RankResult::not_held;
    }
    [[nodiscard]] bool holds(Rank rank, const void* lock) const {
        for (unsigned i = 0; i < depth_; ++i)
            if (held_[i].lock == lock && held_[i].rank == rank) return true;
        return false;
    }
    [[nodiscard]] unsigned depth() const { return depth_; }
    [[nodiscard]] const Held& at(unsigned index) const { return held_[index]; }

private:
    Held held_[kCapacity] = {};
    unsigned depth_ = 0;
};

} // namespace aios::sync
