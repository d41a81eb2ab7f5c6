// Which event queue stands in which: one Nesting is part of each queue. A queue stands in at most one other, and a chain
// of queues has at most kMaxDepth, so what is told to a queue goes on to at most kMaxDepth - 1 others: a post costs no
// more however an agent builds. (If a queue could stand in several, five levels of 64 would make a thousand million.)
//
// Holds always, under the lock: the queues make a forest, no tree of which is deeper than kMaxDepth; below_[h] counts
// the queues that stand in this one and have trees of height h below them. Lock: Rank::nesting, one for all queues; it
// is taken only where a queue begins or ceases to stand in another, and no walk under it is longer than kMaxDepth.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::event {

class Nesting : Pinned {
public:
    static constexpr unsigned kMaxDepth = 5; // queues of a chain

    ~Nesting() { AIOS_ASSERT(outer_ == nullptr); }

    // This one stands in `outer` from here on. busy: it stands in one already; too_deep: a circle, or a chain of more
    // than kMaxDepth.
    Result<> enter(Nesting& outer) {
        Lock::Guard guard(g_lock);
        if (outer_ != nullptr) return fail(Error::busy);
        const unsigned height = height_locked();
        unsigned depth = height + 1; // queues from the lowest one below to this one
        for (const Nesting* above = &outer; above != nullptr; above = above->outer_) {
            if (above == this || ++depth > kMaxDepth) return fail(Error::too_deep);
        }
        outer_ = &outer;
        count_locked(outer_, kNone, height);
        return {};
    }
    // It stands in no other any more. It stood in one.
    void leave() {
        Lock::Guard guard(g_lock);
        AIOS_ASSERT(outer_ != nullptr);
        count_locked(outer_, height_locked(), kNone);
        outer_ = nullptr;
    }

private:
    using Lock = sync::SpinLock<sync::Rank::nesting>;
    static constexpr unsigned kNone = kMaxDepth; // in place of a height: does not stand there
    static inline constinit Lock g_lock;

    // Of the tree below it: 0 if no queue stands in it.
    [[nodiscard]] unsigned height_locked() const AIOS_REQUIRES(g_lock) {
        g_lock.assert_held();
        for (unsigned height = kMaxDepth - 1; height != 0; --height)
            if (below_[height - 1] != 0) return height;
        return 0;
    }
    // A queue in `outer` changed its height. That may change the height of `outer`, and so on upwards.
    static void count_locked(Nesting* outer, unsigned before, unsigned after) AIOS_REQUIRES(g_lock) {
        g_lock.assert_held();
        while (outer != nullptr && before != after) {
            const unsigned height = outer->height_locked();
            if (before != kNone) --outer->below_[before];
            if (after != kNone) ++outer->below_[after];
            before = height;
            after = outer->height_locked();
            outer = outer->outer_;
        }
    }

    Nesting* outer_ AIOS_GUARDED_BY(g_lock) = nullptr; // ceases to be so before that one ends
    std::uint32_t below_[kMaxDepth - 1] AIOS_GUARDED_BY(g_lock) = {};
};

} // namespace aios::event
