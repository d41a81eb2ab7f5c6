// Rank checks: the list of held locks against a model, and the real checks, which panic (die, here) with both names.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "kernel/arch/log.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {

void panic_line(std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    std::abort();
}

namespace sync {

static HeldLocks g_mutexes;
HeldLocks* upcall::current_thread_locks() { return &g_mutexes; }

TEST(HeldLocks, ranks_ascend_and_any_order_of_release) {
    HeldLocks held;
    int a, b, c;
    EXPECT_EQ(held.acquire(Rank::channel, &a), RankResult::fine);
    EXPECT_EQ(held.acquire(Rank::channel, &b), RankResult::not_ascending);
    EXPECT_EQ(held.acquire(Rank::agent, &b), RankResult::not_ascending);
    EXPECT_EQ(held.acquire(Rank::wait_queue, &b), RankResult::fine);
    EXPECT_EQ(held.acquire(Rank::heap, &c), RankResult::fine);
    EXPECT_EQ(held.release(Rank::wait_queue, &b), RankResult::fine);
    EXPECT_EQ(held.release(Rank::wait_queue, &b), RankResult::not_held);
    EXPECT_EQ(held.release(Rank::heap, &a), RankResult::not_held);
    EXPECT_EQ(held.depth(), 2u);
    EXPECT_EQ(held.release(Rank::channel, &a), RankResult::fine);
    EXPECT_EQ(held.release(Rank::heap, &c), RankResult::fine);
    EXPECT_EQ(held.depth(), 0u);
}

TEST(HeldLocks, a_peer_follows_its_like_and_nothing_else) {
    HeldLocks held;
    char a, b;
    EXPECT_EQ(held.acquire(Rank::lending, &a, Peers::allowed), RankResult::fine);
    EXPECT_EQ(held.acquire(Rank::lending, &a, Peers::allowed), RankResult::not_ascending); // not recursive
    EXPECT_EQ(held.acquire(Rank::channel, &b, Peers::allowed), RankResult::not_ascending);
    EXPECT_EQ(held.acquire(Rank::lending, &b, Peers::allowed), RankResult::fine);
    EXPECT_EQ(held.release(Rank::lending, &a), RankResult::fine);
    EXPECT_EQ(held.release(Rank::lending, &b), RankResult::fine);
}

TEST(HeldLocks, agrees_with_a_model) {
    std::mt19937 random(7);
    HeldLocks held;
    std::vector<std::pair<Rank, const void*>> model;
    char locks[64];
    for (int step = 0; step < 20000; ++step) {
        const auto rank = static_cast<Rank>(random() % 30);
        const void* lock = &locks[random() % 64];
        if (random() % 2 == 0) {
            const bool ascends = model.empty() || model.back().first < rank;
            const RankResult expected = !ascends                               ? RankResult::not_ascending
                                        : model.size() == HeldLocks::kCapacity ? RankResult::too_deep
                                                                               : RankResult::fine;
            ASSERT_EQ(held.acquire(rank, lock), expected);
            if (expected == RankResult::fine) model.emplace_back(rank, lock);
        } else if (!model.empty()) {
            const auto which = model.begin() + static_cast<long>(random() % model.size());
            ASSERT_EQ(held.release(which->first, which->second), RankResult::fine);
            model.erase(which);
        }
        ASSERT_EQ(held.depth(), model.size());
    }
}

SpinLock<Rank::channel> g_channel;
SpinLock<Rank::wait_queue> g_wait;
SpinLock<Rank::agent> g_agent;

TEST(LockOrder, right_order_passes) {
    SpinLock<Rank::channel>::Guard first(g_channel);
    SpinLock<Rank::wait_queue>::Guard second(g_wait);
    EXPECT_TRUE(g_channel.is_held() && g_wait.is_held());
}

TEST(LockOrder, wrong_order_panics_with_both_names) {
    if (!kRankChecks) GTEST_SKIP() << "rank checks are for debug builds";
    EXPECT_DEATH(
        {
            SpinLock<Rank::wait_queue>::Guard first(g_wait);
            SpinLock<Rank::channel>::Guard second(g_channel);
        },
        "channel is taken while wait_queue is held");
    EXPECT_DEATH(
        {
            SpinLock<Rank::channel>::Guard first(g_channel);
            SpinLock<Rank::channel>::Guard second(g_channel);
        },
        "channel is taken while channel is held");
}

TEST(LockOrder, blocking_under_a_spinlock_panics) {
    if (!kRankChecks) GTEST_SKIP() << "rank checks are for debug builds";
    assert_may_block();
    EXPECT_DEATH(
        {
            SpinLock<Rank::agent>::Guard guard(g_agent);
            assert_may_block();
        },
        "blocks while it holds agent");
    EXPECT_DEATH(
        {
            SpinLock<Rank::agent>::Guard guard(g_agent);
            rank_acquire(Rank::process, &g_agent);
        },
        "process is taken while agent is held");
}

TEST(LockOrder, what_needs_a_lock_finds_it_held_here) {
    if (!kRankChecks) GTEST_SKIP() << "rank checks are for debug builds";
    {
        SpinLock<Rank::channel>::Guard first(g_channel);
        SpinLock<Rank::wait_queue>::Guard second(g_wait);
        g_channel.assert_held();
        g_wait.assert_held();
    }
    EXPECT_DEATH(g_channel.assert_held(), "channel is needed and not held here");
    // Another lock of the same rank is not it, nor is one that another CPU holds.
    SpinLock<Rank::channel> other;
    SpinLock<Rank::channel>::Guard guard(other);
    EXPECT_DEATH(g_channel.assert_held(), "channel is needed and not held here");
}

TEST(LockOrder, a_mutex_is_held_by_a_thread) {
    if (!kRankChecks) GTEST_SKIP() << "rank checks are for debug builds";
    Mutex<Rank::process> mutex;
    EXPECT_DEATH(mutex.assert_held(), "process is needed and not held here");
    rank_acquire(Rank::process, &mutex); // the half of acquire() that needs no scheduler
    mutex.assert_held();
    rank_release(Rank::process, &mutex);
}

TEST(LockOrder, dump_names_what_is_held) {
    if (!kRankChecks) GTEST_SKIP() << "rank checks are for debug builds";
    SpinLock<Rank::agent>::Guard guard(g_agent);
    rank_acquire(Rank::heap, &g_mutexes);
    std::string text;
    dump_held_locks([](void* to, std::string_view line) { static_cast<std::string*>(to)->append(line).append("\n"); },
                    &text);
    rank_release(Rank::heap, &g_mutexes);
    EXPECT_NE(text.find("holds agent at"), std::string::npos);
    EXPECT_NE(text.find("holds heap at"), std::string::npos);
}

TEST(Protected, owns_its_data) {
    Protected<int, Rank::channel> value(41);
    value.with([](int& v) { ++v; });
    EXPECT_EQ(value.with([](int& v) { return v; }), 42);
}

} // namespace sync
} // namespace aios
