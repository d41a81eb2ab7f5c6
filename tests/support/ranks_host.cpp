// Lock order in host tests: each thread's locks must ascend in rank, as on a CPU. Mutexes and spinlocks are one list.
#include "kernel/sync/lock.hpp"

namespace aios::sync {

namespace {
thread_local HeldLocks t_held;
} // namespace

void rank_acquire(Rank rank, const void* lock, Peers peers) {
    AIOS_ASSERT(t_held.acquire(rank, lock, peers) == RankResult::fine);
}
void rank_release(Rank rank, const void* lock) { AIOS_ASSERT(t_held.release(rank, lock) == RankResult::fine); }
void rank_assert_held(Rank rank, const void* lock) { AIOS_ASSERT(t_held.holds(rank, lock)); }

} // namespace aios::sync
