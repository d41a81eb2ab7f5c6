// Quotas: transfers are exact, refusals change nothing, and a random tree of quotas returns every unit to the root.
#include "kernel/mm/size_classes.hpp"
#include "kernel/quota/quota.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "tests/support/kernel_host.hpp"

namespace aios {
namespace {

constexpr QuotaGrant kRoot{1'000'000, 1000, 100, 50};

TEST(Quota, ReservesUpToTheLimitExactly) {
    auto q = *Quota::create_root(kRoot);
    EXPECT_TRUE(q->reserve(Resource::handles, 999));
    EXPECT_TRUE(q->reserve(Resource::handles, 1));
    EXPECT_EQ(q->reserve(Resource::handles, 1).error(), Error::quota_exceeded);
    EXPECT_EQ(q->reserve(Resource::handles, ~0ull).error(), Error::quota_exceeded);
    EXPECT_EQ(q->used(Resource::handles), 1000u);
    q->give_back(Resource::handles, 400);
    EXPECT_EQ(q->used(Resource::handles), 600u);
    EXPECT_EQ(q->peak(Resource::handles), 1000u);
    q->give_back(Resource::handles, 600);
}

TEST(Quota, SplitMovesTheLimitAndTheEndMovesItBack) {
    auto parent = *Quota::create_root(kRoot);
    {
        auto child = *parent->split({1000, 10, 5, 2});
        EXPECT_EQ(parent->limit(Resource::memory), 999'000u);
        EXPECT_EQ(parent->used(Resource::memory), mm::cost_of<Quota>);
        EXPECT_EQ(child->limit(Resource::threads), 5u);
        EXPECT_TRUE(child->reserve(Resource::threads, 5));
        EXPECT_EQ(child->reserve(Resource::threads, 1).error(), Error::quota_exceeded);
        child->give_back(Resource::threads, 5);
    }
    EXPECT_EQ(parent->limit(Resource::memory), kRoot.memory_bytes);
    EXPECT_EQ(parent->used(Resource::memory), 0u);
    EXPECT_EQ(parent->limit(Resource::agents), kRoot.agents);
}

TEST(Quota, RefusedSplitChangesNothing) {
    auto parent = *Quota::create_root(kRoot);
    EXPECT_EQ(parent->split({1000, 10, 5, 51}).error(), Error::quota_exceeded);
    EXPECT_EQ(parent->split({~0ull, 0, 0, 0}).error(), Error::quota_exceeded);
    EXPECT_EQ(parent->split({1'000'000, 0, 0, 0}).error(), Error::quota_exceeded); // its own bytes are missing
    test::heap_failures = 0;
    EXPECT_EQ(parent->split({1000, 1, 1, 1}).error(), Error::out_of_memory);
    test::heap_failures = -1;
    for (unsigned r = 0; r < kResourceCount; ++r) {
        EXPECT_EQ(parent->used(static_cast<Resource>(r)), 0u);
    }
    EXPECT_EQ(parent->limit(Resource::memory), kRoot.memory_bytes);
}

TEST(Quota, ClosedRefusesButTakesBack) {
    auto q = *Quota::create_root(kRoot);
    EXPECT_TRUE(q->reserve(Resource::agents, 3));
    q->close();
    EXPECT_EQ(q->reserve(Resource::agents, 1).error(), Error::killed);
    EXPECT_EQ(q->split({1, 1, 1, 1}).error(), Error::killed);
    q->give_back(Resource::agents, 3);
    EXPECT_EQ(q->used(Resource::agents), 0u);
}

TEST(Quota, ReservationGivesBackOnceWhereverItMoves) {
    auto q = *Quota::create_root(kRoot);
    {
        Reservation a = *Reservation::make(*q, Resource::memory, 100);
        Reservation b = std::move(a);
        EXPECT_EQ(q->used(Resource::memory), 100u);
        a = std::move(b);
        b.reset();
        EXPECT_EQ(q->used(Resource::memory), 100u);
    }
    EXPECT_EQ(q->used(Resource::memory), 0u);
}

// Random splits, reservations and ends in a tree: sums are kept at every step, nothing leaks at the end.
TEST(Quota, RandomTreeReturnsEverything) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        auto root = *Quota::create_root(kRoot);
        struct Live {
            Ref<Quota> quota;
            std::vector<Reservation> held;
        };
        std::vector<Live> all;
        all.push_back({root, {}});
        for (int step = 0; step < 300; ++step) {
            Live& one = all[random() % all.size()];
            switch (random() % 4) {
            case 0: {
                auto child = one.quota->split({random() % 50'000, random() % 50, random() % 10, random() % 5});
                if (child) all.push_back({*child, {}});
                break;
            }
            case 1:
            case 2: {
                auto r =
                    Reservation::make(*one.quota, static_cast<Resource>(random() % kResourceCount), random() % 1000);
                if (r) one.held.push_back(std::move(*r));
                break;
            }
            case 3:
                if (all.size() > 1 && &one != &all[0]) all.erase(all.begin() + (&one - all.data()));
                break;
            }
            for (Live& l : all)
                for (unsigned r = 0; r < kResourceCount; ++r) {
                    const auto resource = static_cast<Resource>(r);
                    ASSERT_LE(l.quota->used(resource), l.quota->limit(resource));
                    ASSERT_LE(l.quota->used(resource), l.quota->peak(resource));
                }
        }
        all.clear();
        for (unsigned r = 0; r < kResourceCount; ++r)
            ASSERT_EQ(root->used(static_cast<Resource>(r)), 0u);
        ASSERT_EQ(root->limit(Resource::memory), kRoot.memory_bytes);
    }
    EXPECT_EQ(test::heap_live, 0);
}

// Each keeps its parent: the last reference to the deepest ends them all, which a recursion would need a stack for.
TEST(Quota, AsManyLevelsAsOneLikesGoHomeInALoop) {
    constexpr std::uint64_t kLevels = 200'000;
    auto root = *Quota::create_root({1ull << 40, 10, 10, 10});
    Ref<Quota> deepest = root;
    for (std::uint64_t i = 0; i < kLevels; ++i)
        deepest = *deepest->split({(1ull << 40) - (i + 1) * (1 << 12), 10, 10, 10});
    EXPECT_GT(root->used(Resource::memory), 0u);
    deepest.reset();
    EXPECT_EQ(root->limit(Resource::memory), 1ull << 40);
    EXPECT_EQ(root->used(Resource::memory), 0u);
    root.reset();
    EXPECT_EQ(test::heap_live, 0);
}

TEST(Quota, TellsWhenItIsHomeAndNotBefore) {
    struct Listener final : QuotaListener {
        explicit Listener(Quota& of) : parent(of) {}
        void quota_is_home() override {
            ++told;
            limit = parent.limit(Resource::memory); // whoever is told finds it all
        }
        Quota& parent;
        int told = 0;
        std::uint64_t limit = 0;
    };
    auto root = *Quota::create_root(kRoot);
    auto child = *root->split({1000, 1, 1, 1});
    Listener listener(*root);
    auto held = *Reservation::make(*child, Resource::memory, 10);
    child->close();
    child->tell_when_home(listener);
    child.reset();
    EXPECT_EQ(listener.told, 0);
    held.reset();
    EXPECT_EQ(listener.told, 1);
    EXPECT_EQ(listener.limit, kRoot.memory_bytes);
}

TEST(Quota, ConcurrentChargingNeverPassesTheLimit) {
    auto q = *Quota::create_root(kRoot);
    std::atomic<std::uint64_t> held{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                if (!q->reserve(Resource::handles, 300)) continue;
                if (held.fetch_add(300) + 300 > 1000) over = true;
                held.fetch_sub(300);
                q->give_back(Resource::handles, 300);
            }
        });
    for (auto& t : threads)
        t.join();
    EXPECT_FALSE(over);
    EXPECT_EQ(q->used(Resource::handles), 0u);
}

} // namespace
} // namespace aios
