// One hold through its life, and what races over it: settle, drop, revocation before it is open. Host threads; ASan watches.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "kernel/cap/table.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/unit/quota/support.hpp"

namespace aios {
namespace {

using test::grant_of, test::line_of, test::tokens_left;

class HoldTest : public testing::Test {
protected:
    Ref<Hold> open_hold(const SpentAmounts& amounts) {
        auto hold = *Hold::create(*holder);
        EXPECT_TRUE(hold->open(*budget, amounts));
        return hold;
    }
    void TearDown() override {
        budget.reset();
        EXPECT_EQ(holder->used(Resource::memory), 0u);
        EXPECT_EQ(witness.references, 0);
    }
    test::AddingWitness witness;
    Ref<Quota> payer = *Quota::create_root(grant_of(100, 100));
    Ref<Quota> holder = *Quota::create_root(grant_of(0, 0));
    Ref<Budget> budget = *Budget::create(*payer, witness, 7);
};

TEST_F(HoldTest, IsSettledOnce) {
    const Ref<Hold> hold = open_hold({{60, 10}});
    EXPECT_EQ(tokens_left(*payer), 40);
    EXPECT_GT(holder->used(Resource::memory), 0u); // the holder pays for the object, and nothing else
    EXPECT_EQ(hold->settle({{61, 0}}, {}).error(), Error::bad_argument);
    EXPECT_EQ(hold->settle({{60, 0}}, {{1, 0}}).error(), Error::bad_argument);
    EXPECT_EQ(hold->settle({{1, 0}}, {{~0ull, 0}}).error(), Error::bad_argument);
    EXPECT_EQ(hold->settle({{0, 0, 1}}, {}).error(), Error::bad_argument);
    EXPECT_EQ(line_of(*payer, Resource::tokens).held, 60u); // refused: nothing has happened
    ASSERT_TRUE(hold->settle({{20, 10}}, {{3, 0}}));
    EXPECT_EQ(tokens_left(*payer), 77);
    EXPECT_EQ(hold->settle({{0, 0}}, {}).error(), Error::bad_state);
    EXPECT_EQ(tokens_left(*payer), 77);
    EXPECT_EQ(witness.uncertain.count, 1u);
    EXPECT_EQ(witness.uncertain.of[0], 3u);
    EXPECT_EQ(witness.references, 1); // the budget's: what has ended keeps nothing of the payer
}

TEST_F(HoldTest, DroppedIsUncertainInFull) {
    Ref<Hold> hold = open_hold({{60, 10}});
    hold->handle_added(rights::charge);
    hold->handle_added(rights::charge);
    hold->handle_removed(rights::charge);
    EXPECT_EQ(witness.uncertain.count, 0u);
    hold->handle_removed(rights::charge); // the last one
    EXPECT_EQ(line_of(*payer, Resource::tokens).uncertain, 60u);
    EXPECT_EQ(line_of(*payer, Resource::money).uncertain, 10u);
    EXPECT_EQ(hold->settle({{1, 0}}, {}).error(), Error::bad_state);
    hold.reset();
    EXPECT_EQ(witness.uncertain.count, 1u);
    EXPECT_EQ(tokens_left(*payer), 40);
}

TEST_F(HoldTest, WhatIsSettledWithoutDoubtIsToldToNobody) {
    Ref<Hold> hold = open_hold({{60, 10}});
    hold->handle_added(rights::charge);
    ASSERT_TRUE(hold->settle({{60, 1}}, {}));
    hold->handle_removed(rights::charge);
    hold.reset();
    EXPECT_EQ(witness.uncertain.count, 0u);
    budget->charge({{40, 0}});
    EXPECT_EQ(witness.passed.count, 0u);
    budget->charge({{1, 0}});
    EXPECT_EQ(witness.passed.count, 1u);
    EXPECT_EQ(witness.passed.of[0], 1u);
}

TEST_F(HoldTest, RefusedOrDroppedBeforeItIsOpenHoldsNothing) {
    auto hold = *Hold::create(*holder);
    EXPECT_EQ(hold->settle({}, {}).error(), Error::bad_state); // its handle was guessed
    EXPECT_EQ(hold->open(*budget, {{101, 0}}).error(), Error::quota_exceeded);
    hold->handle_added(rights::charge);
    hold->handle_removed(rights::charge);
    EXPECT_EQ(hold->open(*budget, {{60, 0}}).error(), Error::revoked);
    EXPECT_EQ(tokens_left(*payer), 100);
    EXPECT_EQ(witness.uncertain.count, 0u);
    payer->close();
    EXPECT_EQ((*Hold::create(*holder))->open(*budget, {{1, 0}}).error(), Error::bad_state);
}

TEST_F(HoldTest, KeepsThePayersQuotaExactlyUntilItHasEnded) {
    struct Listener final : QuotaListener {
        void quota_is_home() override { ++told; }
        int told = 0;
    } listener;
    QuotaGrant grant{1000, 10, 1, 1};
    grant.tokens = 50;
    auto child = *payer->split(grant);
    auto of_child = *Budget::create(*child, witness, 8);
    auto settled = *Hold::create(*holder), dropped = *Hold::create(*holder);
    ASSERT_TRUE(settled->open(*of_child, {{10, 0}}));
    ASSERT_TRUE(dropped->open(*of_child, {{20, 0}}));
    child->close();
    of_child.reset(); // revoked with the agent's table
    child->tell_when_home(listener);
    child.reset();
    ASSERT_TRUE(settled->settle({{10, 0}}, {})); // also of an agent that is ending
    EXPECT_EQ(listener.told, 0);
    dropped->handle_added(rights::charge);
    dropped->handle_removed(rights::charge);
    EXPECT_EQ(listener.told, 1); // although both objects are still there
    EXPECT_EQ(settled->settle({}, {}).error(), Error::bad_state);
    EXPECT_EQ(tokens_left(*payer), 70);
}

TEST_F(HoldTest, ABudgetTellsWhatThereIs) {
    const Ref<Hold> hold = open_hold({{60, 10}});
    budget->charge({{45, 0}});
    const BudgetInfo info = budget->info();
    EXPECT_EQ(info.payer, 7u);
    EXPECT_EQ(info.count, kResourceCount);
    const BudgetLine& tokens = info.lines[static_cast<unsigned>(Resource::tokens)];
    EXPECT_EQ(tokens.limit, 100u);
    EXPECT_EQ(tokens.held, 60u);
    EXPECT_EQ(tokens.spent, 45u);
    EXPECT_EQ(tokens.overrun, 5u);
    const BudgetLine& memory = info.lines[static_cast<unsigned>(Resource::memory)];
    EXPECT_EQ(memory.limit, 1u << 20);
    EXPECT_EQ(memory.held, mm::cost_of<Budget>);
    ASSERT_TRUE(hold->settle({{10, 10}}, {}));
    EXPECT_EQ(tokens_left(*payer), 45); // what came back has paid for the overrun
}

// A hold is derived from the budget's handle: whoever revokes that ends it, whoever closes it does not.
TEST_F(HoldTest, EndsWithTheBudgetItWasPlacedThrough) {
    auto service = *Quota::create_root(grant_of(0, 0));
    auto payers = *cap::Table::create(*payer, 1), services = *cap::Table::create(*service, 2);
    constexpr Rights kLent = rights::charge | rights::derive | rights::transfer;
    const Handle root = *payers->insert_new(budget, kLent);
    const auto lend = [&] { return *services->insert(*payers->derive_out(root, kLent, rights::transfer)); };
    const auto place = [&](Handle through) {
        auto found = *services->lookup<Budget>(through, rights::charge);
        auto hold = *Hold::create(*service);
        const Handle handle = *services->insert_new(hold, rights::charge, found.node);
        EXPECT_TRUE(hold->open(*found.object, {{10, 0}}));
        return std::pair(std::move(hold), handle);
    };
    const Handle closed = lend(), kept = lend();
    const auto one = place(closed), two = place(kept);
    EXPECT_TRUE(services->close(closed));
    EXPECT_EQ(witness.uncertain.count, 0u);
    EXPECT_TRUE(two.first->settle({{4, 0}}, {}));
    EXPECT_TRUE(payers->revoke(root));
    EXPECT_EQ(witness.uncertain.count, 1u); // the other was settled
    EXPECT_EQ(one.first->settle({}, {}).error(), Error::bad_state);
    EXPECT_EQ(services->lookup<Hold>(one.second, rights::charge).error(), Error::revoked);
    EXPECT_EQ(tokens_left(*payer), 86);
    services->close_all();
    payers->close_all();
}

// --- threads -----------------------------------------------------------------------------------------------------------

constexpr unsigned kThreads = 8;

// However many hold, settle and drop at once: never more than the limit is held, spent and uncertain together.
TEST(HoldThreads, NobodyOverspends) {
    constexpr std::uint64_t kLimit = 100'000;
    test::AddingWitness witness;
    auto payer = *Quota::create_root(grant_of(kLimit, kLimit / 2));
    std::atomic<std::uint64_t> tokens{0}, money{0}, uncertain{0};
    std::atomic<bool> over{false}, torn{false};
    {
        const Ref<Budget> budget = *Budget::create(*payer, witness, 1);
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < kThreads; ++t)
            threads.emplace_back([&, t] {
                test::cpu = t + 1;
                auto holder = *Quota::create_root(grant_of(0, 0));
                for (unsigned i = 0; i < 20'000; ++i) {
                    const SpentAmounts amounts{{1 + i % 7, i % 3}};
                    auto hold = *Hold::create(*holder);
                    if (!hold->open(*budget, amounts)) continue;
                    // What is taken is added after it was granted, and taken off before it goes back.
                    if (tokens.fetch_add(amounts.of[0]) + amounts.of[0] > kLimit) over = true;
                    if (money.fetch_add(amounts.of[1]) + amounts.of[1] > kLimit / 2) over = true;
                    if (i % 4 == 0) {
                        uncertain += amounts.of[0];
                        continue; // dropped
                    }
                    const std::uint64_t back = i % 4 == 1 ? amounts.of[0] : 0;
                    tokens -= back;
                    if (!hold->settle({{amounts.of[0] - back, amounts.of[1]}}, {})) torn = true;
                    const Spending seen = payer->spending();
                    for (unsigned line = 0; line < kSpentCount; ++line)
                        if (!seen.line(line).adds_up() || seen.line(line).balance < 0) torn = true;
                }
            });
        for (auto& thread : threads)
            thread.join();
    }
    EXPECT_FALSE(over);
    EXPECT_FALSE(torn);
    const Spending::Line line = line_of(*payer, Resource::tokens);
    EXPECT_EQ(line.held, 0u);
    EXPECT_EQ(line.spent + line.uncertain, tokens);
    EXPECT_EQ(line.uncertain, uncertain);
    EXPECT_EQ(witness.uncertain.of[0], uncertain);
    EXPECT_EQ(line_of(*payer, Resource::money).spent + line_of(*payer, Resource::money).uncertain, money);
    EXPECT_LT(line.balance, 7); // it was used up
}

// Two threads that do something at the same moment, again and again: they spin, as who sleeps comes too late.
class Together {
public:
    // `late`: turns of a loop that the caller comes later, so that all ways of meeting come up.
    void meet(unsigned late = 0) {
        const unsigned round = arrived_.fetch_add(1) / 2;
        while (arrived_.load() < (round + 1) * 2)
            if (++spins_ % 4096 == 0) std::this_thread::yield(); // the other one has lost its CPU
        for (volatile unsigned left = late; left != 0; left = left - 1) {
        }
    }

private:
    std::atomic<unsigned> arrived_{0}, spins_{0};
};

// A hold a round, which another thread drops between the two meetings that `round(hold, meet)` calls for; each of both is
// late by up to `lateness` turns, in every combination.
template <typename F>
void drop_beside(unsigned rounds, unsigned lateness, Payer& holder, F&& round) {
    Ref<Hold> hold;
    Together together;
    std::thread dropper([&] {
        test::cpu = 1;
        for (unsigned i = 0; i < rounds; ++i) {
            together.meet(i % lateness);
            hold->handle_removed(rights::charge);
            together.meet();
        }
    });
    for (unsigned i = 0; i < rounds; ++i) {
        hold = *Hold::create(holder);
        hold->handle_added(rights::charge);
        bool is_first = true;
        round(*hold, [&] { together.meet(std::exchange(is_first, false) ? i / lateness % lateness : 0); });
    }
    dropper.join();
}

// Of those who settle one hold and drop it at the same moment, one decides.
TEST(HoldThreads, OneEndsIt) {
    constexpr unsigned kRounds = 60'000;
    test::AddingWitness witness;
    auto payer = *Quota::create_root(grant_of(kRounds * 10, 0)), holder = *Quota::create_root(grant_of(0, 0));
    {
        const Ref<Budget> budget = *Budget::create(*payer, witness, 1);
        std::uint64_t settled = 0, open = 0;
        drop_beside(kRounds, 30, *holder, [&](Hold& hold, auto&& meet) {
            EXPECT_TRUE(hold.open(*budget, {{10}}));
            meet();
            if (hold.settle({{3}}, {})) settled += 3;
            meet();
            open += line_of(*payer, Resource::tokens).held;
        });
        EXPECT_EQ(open, 0u); // each round ended the hold
        const Spending::Line line = line_of(*payer, Resource::tokens);
        EXPECT_EQ(line.spent, settled);
        EXPECT_EQ(line.uncertain, witness.uncertain.count * 10);
        EXPECT_EQ(settled / 3 + witness.uncertain.count, kRounds);
        EXPECT_TRUE(line.adds_up());
    }
}

// What is charged meanwhile is not lost, and no hold takes what has just been charged.
TEST(HoldThreads, ChargesAndHoldsAddUp) {
    constexpr unsigned kRounds = 200'000;
    std::atomic<unsigned> started{0};
    auto payer = *Quota::create_root(grant_of(1'000'000'000, 0));
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            test::cpu = t + 1;
            ++started;
            while (started != 4)
                std::this_thread::yield();
            for (unsigned i = 0; i < kRounds; ++i) {
                if (t % 2 == 0) {
                    (void)payer->charge({{1}});
                } else if (payer->hold({{2}})) {
                    payer->settle({{2}}, {{1}}, {});
                }
            }
        });
    for (auto& thread : threads)
        thread.join();
    const Spending::Line line = line_of(*payer, Resource::tokens);
    EXPECT_EQ(line.spent, 4 * kRounds);
    EXPECT_EQ(line.held, 0u);
    EXPECT_TRUE(line.adds_up());
}

// Step (3) against step (5): opened or dropped first, nothing is lost or counted twice.
TEST(HoldThreads, ADropMeetsTheOpening) {
    constexpr unsigned kRounds = 20'000;
    test::AddingWitness witness;
    auto payer = *Quota::create_root(grant_of(kRounds * 10, 0)), holder = *Quota::create_root(grant_of(0, 0));
    {
        const Ref<Budget> budget = *Budget::create(*payer, witness, 1);
        std::uint64_t opened = 0;
        drop_beside(kRounds, 1, *holder, [&](Hold& hold, auto&& meet) {
            meet();
            opened += hold.open(*budget, {{10}}).has_value();
            meet();
        });
        const Spending::Line line = line_of(*payer, Resource::tokens);
        EXPECT_EQ(line.uncertain, opened * 10);
        EXPECT_EQ(line.held, 0u);
        EXPECT_EQ(line.balance, static_cast<std::int64_t>((kRounds - opened) * 10));
    }
}

} // namespace
} // namespace aios
