// Lock order in host tests: each thread's locks must ascend in rank, as on a CPU.
#include "kernel/sync/lock.hpp"
#include "tests/support/kernel_host.hpp"

namespace aios::test {
void ranks_taken(unsigned rank, bool taken, bool may_be_equal) {
    static thread_local unsigned held[32];
    static thread_local unsigned depth = 0;
    if (!taken) {
        AIOS_ASSERT(depth != 0);
        --depth;
        return;
    }
    AIOS_ASSERT(depth == 0 || held[depth - 1] < rank || (may_be_equal && held[depth - 1] == rank));
    held[depth++] = rank;
}
} // namespace aios::test

namespace aios::sync {
void rank_acquire(Rank rank, const void*, Peers peers) {
    test::ranks_taken(static_cast<unsigned>(rank), true, peers == Peers::allowed);
}
void rank_release(Rank rank, const void*) { test::ranks_taken(static_cast<unsigned>(rank), false); }
} // namespace aios::sync
