// Budgets of one quota and of parent and child: what is refused, what comes back, what goes home, where numbers end.
#include <gtest/gtest.h>

#include "tests/support/kernel_host.hpp"
#include "tests/unit/quota/support.hpp"

namespace aios {
namespace {

using test::grant_of, test::line_of, test::tokens_left;
constexpr std::uint64_t kMost = Spending::kMost;

TEST(Spending, AHoldTakesAllOrNothing) {
    auto quota = *Quota::create_root(grant_of(100, 50));
    ASSERT_TRUE(quota->hold({{60, 50}}));
    EXPECT_EQ(quota->hold({{41, 0}}).error(), Error::quota_exceeded);
    EXPECT_EQ(quota->hold({{1, 1}}).error(), Error::quota_exceeded); // no money: no tokens are taken either
    EXPECT_EQ(quota->hold({{0, 0, 1}}).error(), Error::quota_exceeded);
    EXPECT_EQ(quota->hold({{~0ull, 0}}).error(), Error::quota_exceeded);
    EXPECT_EQ(tokens_left(*quota), 40);
    ASSERT_TRUE(quota->hold({{40, 0}}));
    EXPECT_EQ(tokens_left(*quota), 0);
    quota->settle({{40, 0}}, {{0, 0}}, {{0, 0}});
    quota->settle({{60, 50}}, {{10, 20}}, {{5, 0}});
    const Spending::Line tokens = line_of(*quota, Resource::tokens), money = line_of(*quota, Resource::money);
    EXPECT_EQ(tokens.spent, 10u);
    EXPECT_EQ(tokens.uncertain, 5u);
    EXPECT_EQ(tokens.balance, 85);
    EXPECT_EQ(tokens.held, 0u);
    EXPECT_EQ(money.spent, 20u);
    EXPECT_EQ(money.balance, 30);
    EXPECT_EQ(quota->used(Resource::tokens), 15u);
    EXPECT_EQ(quota->limit(Resource::tokens), 100u);
}

TEST(Spending, AnOverrunRefusesEveryHoldUntilTheLimitIsRaised) {
    auto root = *Quota::create_root(grant_of(1000, 1000));
    auto quota = *root->split([] {
        QuotaGrant grant;
        grant.tokens = grant.money = 100;
        return grant;
    }());
    EXPECT_TRUE(quota->charge({{90, 0}}).is_nothing());
    EXPECT_EQ(quota->charge({{25, 0}}), (SpentAmounts{{15, 0}}));
    EXPECT_EQ(quota->charge({{5, 1}}), (SpentAmounts{{5, 0}})); // only what this charge adds
    EXPECT_EQ(tokens_left(*quota), -20);
    EXPECT_EQ(line_of(*quota, Resource::tokens).overrun(), 20u);
    EXPECT_EQ(quota->hold({{1, 0}}).error(), Error::quota_exceeded);
    EXPECT_EQ(quota->hold({{0, 1}}).error(), Error::quota_exceeded); // of money there is enough: even so
    QuotaGrant more;
    more.tokens = 20;
    ASSERT_TRUE(root->grant_to(*quota, more));
    EXPECT_EQ(tokens_left(*quota), 0);
    EXPECT_EQ(quota->hold({{1, 0}}).error(), Error::quota_exceeded);
    ASSERT_TRUE(quota->hold({{0, 1}}));
    quota->settle({{0, 1}}, {}, {});
    quota.reset();
    EXPECT_EQ(tokens_left(*root), 880);
    EXPECT_EQ(root->limit(Resource::tokens), 1000u);
    EXPECT_EQ(line_of(*root, Resource::tokens).spent, 120u);
}

// An agent cannot spend beyond its parent's limit by way of children that overrun and die.
TEST(Spending, AnOverrunGoesHomeToo) {
    auto root = *Quota::create_root(grant_of(10, 0));
    for (int i = 0; i < 3; ++i) {
        auto child = *root->split({});
        EXPECT_EQ(child->charge({{5}}), (SpentAmounts{{5}}));
    }
    EXPECT_EQ(tokens_left(*root), -5);
    EXPECT_EQ(root->hold({{1}}).error(), Error::quota_exceeded);
}

TEST(Spending, WhatIsLeftGoesHomeAndNothingElse) {
    auto root = *Quota::create_root(grant_of(1000, 1000));
    QuotaGrant grant{1000, 10, 1, 1};
    grant.tokens = 300;
    grant.money = 200;
    auto child = *root->split(grant);
    EXPECT_EQ(tokens_left(*root), 700);
    EXPECT_EQ(root->limit(Resource::tokens), 700u);
    ASSERT_TRUE(child->hold({{100, 50}}));
    child->settle({{100, 50}}, {{30, 50}}, {{20, 0}});
    (void)child->charge({{7, 0}});
    child->close();
    EXPECT_EQ(child->hold({{1, 0}}).error(), Error::bad_state);
    child.reset();
    EXPECT_EQ(tokens_left(*root), 1000 - 30 - 20 - 7);
    EXPECT_EQ(line_of(*root, Resource::money).balance, 950);
    EXPECT_EQ(root->limit(Resource::money), 1000u);
    EXPECT_EQ(line_of(*root, Resource::tokens).uncertain, 20u);
    EXPECT_EQ(line_of(*root, Resource::tokens).spent, 37u);
}

TEST(Spending, ASplitThatIsRefusedChangesNothing) {
    auto root = *Quota::create_root(grant_of(100, 100));
    ASSERT_TRUE(root->hold({{50, 0}}));
    QuotaGrant grant{1000, 10, 1, 1};
    grant.tokens = 51;
    EXPECT_EQ(root->split(grant).error(), Error::quota_exceeded);
    grant.tokens = 50;
    grant.money = 101;
    EXPECT_EQ(root->split(grant).error(), Error::quota_exceeded);
    grant.money = 100;
    test::heap_failures = 0;
    EXPECT_EQ(root->split(grant).error(), Error::out_of_memory);
    test::heap_failures = -1;
    EXPECT_EQ(root->limit(Resource::memory), 1u << 20);
    EXPECT_EQ(root->limit(Resource::tokens), 100u);
    EXPECT_EQ(tokens_left(*root), 50);
    root->settle({{50, 0}}, {}, {});
}

TEST(Spending, OnlyAParentGrantsAndOnlyToTheLiving) {
    auto root = *Quota::create_root(grant_of(100, 100));
    auto child = *root->split({4000, 0, 0, 0}), grandchild = *child->split({}),
         other = *Quota::create_root(grant_of(1, 1));
    QuotaGrant some{100, 1, 1, 1};
    some.tokens = 10;
    EXPECT_EQ(root->grant_to(*grandchild, some).error(), Error::bad_argument);
    EXPECT_EQ(other->grant_to(*child, some).error(), Error::bad_argument);
    EXPECT_EQ(child->grant_to(*root, some).error(), Error::bad_argument);
    EXPECT_EQ(child->grant_to(*grandchild, some).error(), Error::quota_exceeded);
    ASSERT_TRUE(root->grant_to(*child, some));
    EXPECT_EQ(child->limit(Resource::threads), 1u);
    EXPECT_EQ(root->limit(Resource::threads), 9u);
    EXPECT_EQ(tokens_left(*child), 10);
    ASSERT_TRUE(child->reserve(Resource::threads, 1));
    child->give_back(Resource::threads, 1);
    some.money = 101;
    EXPECT_EQ(root->grant_to(*child, some).error(), Error::quota_exceeded);
    EXPECT_EQ(root->limit(Resource::threads), 9u); // nothing of it has moved
    child->close();
    some.money = 0;
    EXPECT_EQ(root->grant_to(*child, some).error(), Error::bad_state);
    grandchild.reset();
    child.reset();
    EXPECT_EQ(root->limit(Resource::threads), 10u);
    EXPECT_EQ(tokens_left(*root), 100);
    root->close();
}

TEST(Spending, NoNumberWraps) {
    auto root = *Quota::create_root(grant_of(~0ull, kMost));
    EXPECT_EQ(root->limit(Resource::tokens), kMost);
    EXPECT_EQ(root->charge({{~0ull, 1}}), (SpentAmounts{{kMost, 0}})); // from 2^62 to -2^62
    EXPECT_EQ(tokens_left(*root), -static_cast<std::int64_t>(kMost));
    EXPECT_EQ(line_of(*root, Resource::tokens).spent, 2 * kMost);
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(root->charge({{~0ull, 0}}).is_nothing());
        auto child = *root->split({});
        EXPECT_EQ(child->charge({{~0ull, 0}}), (SpentAmounts{{kMost, 0}}));
        (void)child->charge({{kMost, 0}});
        child.reset();
        const Spending::Line line = line_of(*root, Resource::tokens);
        EXPECT_TRUE(line.adds_up());
        EXPECT_EQ(line.overrun(), kMost);
        EXPECT_EQ(line.spent, 2 * kMost);
    }
    EXPECT_EQ(root->hold({{0, 1}}).error(), Error::quota_exceeded);
}

TEST(Spending, HeldResourcesAreNotTouchedByIt) {
    auto root = *Quota::create_root(grant_of(100, 100));
    ASSERT_TRUE(root->hold({{100, 100}}));
    EXPECT_EQ(root->used(Resource::memory), 0u);
    root->settle({{100, 100}}, {{100, 100}}, {});
    auto child = *root->split({1000, 10, 1, 1});
    EXPECT_EQ(child->limit(Resource::tokens), 0u);
    EXPECT_EQ(child->hold({{1}}).error(), Error::quota_exceeded);                 // default: nothing may be held
    EXPECT_EQ(root->reserve(Resource::tokens, 1).error(), Error::quota_exceeded); // what is spent is not reserved
}

} // namespace
} // namespace aios
