// Rank checks: the spinlocks that each CPU holds, the mutexes that each thread holds, and the panic when the order is
// broken. No locks of its own: a CPU changes only its own list, with interrupts off.
#include "kernel/sync/lock.hpp"

#include "base/format.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/sync/rank_names.hpp"

namespace aios::sync {

namespace {
constinit arch::PerCpu<HeldLocks> g_spinlocks;

void require(RankResult result, const HeldLocks& held, Rank rank) {
    switch (result) {
    case RankResult::fine:
        return;
    case RankResult::not_ascending:
        panic("lock order: {} is taken while {} is held", rank_name(rank), rank_name(held.at(held.depth() - 1).rank));
    case RankResult::too_deep:
        panic("lock order: {} is taken while {} locks are held", rank_name(rank), held.depth());
    case RankResult::not_held:
        panic("lock order: {} is released and is not held here", rank_name(rank));
    }
}
} // namespace

void rank_acquire(Rank rank, const void* lock, Peers peers) {
    arch::InterruptGuard guard;
    HeldLocks& spinlocks = g_spinlocks.mine();
    if (rank > Rank::last_mutex) {
        require(spinlocks.acquire(rank, lock, peers), spinlocks, rank);
        return;
    }
    // A mutex below a spinlock would block under it.
    if (spinlocks.depth() != 0) require(RankResult::not_ascending, spinlocks, rank);
    if (HeldLocks* mutexes = upcall::current_thread_locks()) require(mutexes->acquire(rank, lock), *mutexes, rank);
}

void rank_release(Rank rank, const void* lock) {
    arch::InterruptGuard guard;
    if (rank > Rank::last_mutex) {
        HeldLocks& spinlocks = g_spinlocks.mine();
        require(spinlocks.release(rank, lock), spinlocks, rank);
    } else if (HeldLocks* mutexes = upcall::current_thread_locks()) {
        require(mutexes->release(rank, lock), *mutexes, rank);
    }
}

void rank_assert_held(Rank rank, const void* lock) {
    arch::InterruptGuard guard;
    const HeldLocks* held = rank > Rank::last_mutex ? &g_spinlocks.mine() : upcall::current_thread_locks();
    // Before there are threads nobody keeps the mutexes, and one CPU runs.
    if (held != nullptr && !held->holds(rank, lock))
        panic("lock order: {} is needed and not held here", rank_name(rank));
}

void assert_may_block() {
    if constexpr (!kRankChecks) return;
    arch::InterruptGuard guard;
    const HeldLocks& spinlocks = g_spinlocks.mine();
    if (spinlocks.depth() != 0)
        panic("a thread blocks while it holds {}", rank_name(spinlocks.at(spinlocks.depth() - 1).rank));
}

void dump_held_locks(void (*line)(void* context, std::string_view text), void* context) {
    if constexpr (!kRankChecks) return;
    char buffer[96];
    for (unsigned cpu = 0; cpu < arch::cpu_count() && cpu < arch::kMaxCpus; ++cpu) {
        const HeldLocks& held = g_spinlocks.of(cpu);
        for (unsigned i = 0; i < held.depth() && i < HeldLocks::kCapacity; ++i)
            line(context, format_to(buffer, "cpu {} holds {} at {}", cpu, rank_name(held.at(i).rank), held.at(i).lock));
    }
    const HeldLocks* mutexes = upcall::current_thread_locks();
    for (unsigned i = 0; mutexes != nullptr && i < mutexes->depth() && i < HeldLocks::kCapacity; ++i)
        line(context,
             format_to(buffer, "this thread holds {} at {}", rank_name(mutexes->at(i).rank), mutexes->at(i).lock));
}

} // namespace aios::sync
