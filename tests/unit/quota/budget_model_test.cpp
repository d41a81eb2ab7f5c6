// A random tree of agents with budgets, holds and capabilities on both, against a reference that knows nothing of how the
// kernel does it: it keeps a journal of amounts and a graph of who derived what from what. After every step each line of each
// living agent is compared, adds up, and the limits of all together are what the first one had; a death takes home exactly
// what was not spent.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <vector>

#include "kernel/cap/table.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/unit/quota/support.hpp"

namespace aios {
namespace {

constexpr unsigned kTrees = 300, kSteps = 500, kMostAgents = 14, kMostCapabilities = 160;
constexpr std::uint64_t kAll = 1'000'000; // of each spent resource
constexpr Rights kRights = rights::charge | rights::derive | rights::transfer;

using Amounts = std::array<std::int64_t, kSpentCount>;

struct Line { // as the page says it: nothing is computed from anything else
    std::int64_t limit = 0, held = 0, spent = 0, uncertain = 0;
};

struct ModelAgent {
    std::uint64_t id = 0;
    ModelAgent* parent = nullptr;
    Ref<Quota> quota;
    Ref<cap::Table> table;
    test::AddingWitness witness;
    std::array<Line, kSpentCount> lines;
    std::array<std::int64_t, kSpentCount> told_uncertain{}, told_passed{};
    [[nodiscard]] std::int64_t left(unsigned i) const {
        return lines[i].limit - lines[i].held - lines[i].spent - lines[i].uncertain;
    }
};

struct ModelHold {
    ModelAgent* payer;
    Amounts amounts;
    bool open = true;
};

struct ModelCapability {
    ModelAgent* holder;
    ModelAgent* maker; // whose table pays for the derivation
    Handle handle;
    std::shared_ptr<ModelCapability> parent;
    std::shared_ptr<ModelHold> hold; // empty: on the budget of `payer`
    ModelAgent* payer;
    bool live = true;    // not revoked
    bool closed = false; // its handle is closed; what is derived from it may live on
};
using Capability = std::shared_ptr<ModelCapability>;

struct Done { // what was tried often enough
    unsigned settled = 0, dropped = 0, killed = 0, overran = 0, refused = 0;
};

class BudgetModel {
public:
    BudgetModel(std::uint32_t seed, Done& done) : done_(done), random_(seed) {
        QuotaGrant all{1ull << 40, 1'000'000, 1'000'000, 1'000'000};
        for (const Resource resource : kSpentResources)
            all.set(resource, kAll);
        add_agent(nullptr, *Quota::create_root(all), std::array<std::int64_t, kSpentCount>{kAll, kAll, kAll});
    }
    void run() {
        for (unsigned step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
            const unsigned what = below(100);
            if (what < 4)
                spawn();
            else if (what < 6)
                kill();
            else if (what < 9)
                grant();
            else if (what < 20)
                lend();
            else if (what < 50)
                place();
            else if (what < 72)
                settle();
            else if (what < 82)
                close();
            else if (what < 86)
                revoke();
            else if (what < 92)
                charge();
            else
                share_hold();
            check();
        }
        while (agents_.size() > 1)
            end(*agents_.back());
        check();
        end(*agents_.front());
    }

private:
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }
    ModelAgent& any_agent() { return *agents_[below(agents_.size())]; }
    static SpentAmounts as_spent(const Amounts& amounts) {
        SpentAmounts spent;
        std::ranges::copy(amounts, spent.of);
        return spent;
    }
    static QuotaGrant as_grant(const Amounts& amounts) {
        QuotaGrant grant;
        for (unsigned i = 0; i < kSpentCount; ++i)
            grant.set(kSpentResources[i], static_cast<std::uint64_t>(amounts[i]));
        return grant;
    }
    Amounts random_amounts(std::uint64_t bound) {
        Amounts amounts;
        for (auto& amount : amounts)
            amount = below(3) == 0 ? 0 : static_cast<std::int64_t>(below(bound));
        return amounts;
    }

    void add_agent(ModelAgent* parent, Ref<Quota> quota, const std::array<std::int64_t, kSpentCount>& limits) {
        auto agent = std::make_unique<ModelAgent>();
        agent->id = ++last_id_;
        agent->parent = parent;
        agent->quota = std::move(quota);
        agent->table = *cap::Table::create(*agent->quota, agent->id);
        for (unsigned i = 0; i < kSpentCount; ++i)
            agent->lines[i].limit = limits[i];
        Ref<Budget> budget = *Budget::create(*agent->quota, agent->witness, agent->id);
        const Handle handle = *agent->table->insert_new(std::move(budget), kRights);
        add_capability({agent.get(), agent.get(), handle, {}, {}, agent.get()});
        agents_.push_back(std::move(agent));
    }
    void add_capability(ModelCapability capability) {
        capabilities_.push_back(std::make_shared<ModelCapability>(std::move(capability)));
    }
    static bool has(const ModelAgent& agent, const Amounts& amounts) {
        for (unsigned i = 0; i < kSpentCount; ++i)
            if (amounts[i] > 0 && agent.left(i) < amounts[i]) return false;
        return true;
    }

    void spawn() {
        ModelAgent& parent = any_agent();
        if (agents_.size() >= kMostAgents) return;
        const Amounts amounts = random_amounts(kAll / 4);
        QuotaGrant grant = as_grant(amounts);
        grant.memory_bytes = 10 << 20;
        grant.handles = 10'000;
        auto quota = parent.quota->split(grant);
        if (!quota) {
            const bool lacks_others =
                parent.quota->limit(Resource::memory) - parent.quota->used(Resource::memory) <= 11 << 20 ||
                parent.quota->limit(Resource::handles) - parent.quota->used(Resource::handles) < 10'000;
            ASSERT_TRUE(lacks_others || !has(parent, amounts));
            ++done_.refused;
            return;
        }
        ASSERT_TRUE(has(parent, amounts));
        for (unsigned i = 0; i < kSpentCount; ++i)
            parent.lines[i].limit -= amounts[i];
        add_agent(&parent, std::move(*quota), amounts);
    }
    void grant() {
        ModelAgent& child = any_agent();
        if (child.parent == nullptr) return;
        const Amounts amounts = random_amounts(kAll / 8);
        const auto granted = child.parent->quota->grant_to(*child.quota, as_grant(amounts));
        ASSERT_EQ(granted.has_value(), has(*child.parent, amounts));
        if (!granted) return;
        for (unsigned i = 0; i < kSpentCount; ++i) {
            child.parent->lines[i].limit -= amounts[i];
            child.lines[i].limit += amounts[i];
        }
    }

    // A live capability that somebody holds, on a budget or on a hold; empty: none was met.
    Capability any_capability(bool on_hold) {
        for (int tries = 0; tries < 20 && !capabilities_.empty(); ++tries) {
            const Capability& found = capabilities_[below(capabilities_.size())];
            if (found->live && !found->closed && (found->hold != nullptr) == on_hold) return found;
        }
        return {};
    }
    void derive_to(const Capability& from, ModelAgent& to) {
        if (capabilities_.size() >= kMostCapabilities) return;
        auto given = from->holder->table->derive_out(from->handle, kRights, rights::transfer);
        if (!given) {
            ASSERT_EQ(Error(given.error()), Error::too_large);
            return;
        }
        const Handle handle = *to.table->insert(std::move(*given));
        add_capability({&to, from->holder, handle, from, from->hold, from->payer});
    }
    void lend() {
        if (const Capability from = any_capability(false)) derive_to(from, any_agent());
    }
    void share_hold() {
        if (const Capability from = any_capability(true)) derive_to(from, any_agent());
    }
    void place() {
        const Capability through = any_capability(false);
        if (!through || capabilities_.size() >= kMostCapabilities) return;
        ModelAgent& payer = *through->payer;
        const Amounts amounts = random_amounts(below(4) == 0 ? kAll / 2 : 2'000);
        const auto found = through->holder->table->lookup<Budget>(through->handle, rights::charge);
        ASSERT_TRUE(found);
        auto hold = *Hold::create(*through->holder->quota);
        const auto handle = through->holder->table->insert_new(hold, kRights, found->node);
        if (!handle) {
            ASSERT_EQ(handle.error(), Error::too_large);
            return;
        }
        const auto opened = hold->open(*found->object, as_spent(amounts));
        bool fits = has(payer, amounts);
        for (unsigned i = 0; i < kSpentCount; ++i)
            fits = fits && payer.left(i) >= 0;
        ASSERT_EQ(opened.has_value(), fits);
        if (!opened) {
            ASSERT_EQ(opened.error(), Error::quota_exceeded);
            ASSERT_TRUE(through->holder->table->close(*handle));
            ++done_.refused;
            return;
        }
        for (unsigned i = 0; i < kSpentCount; ++i)
            payer.lines[i].held += amounts[i];
        auto model = std::make_shared<ModelHold>(ModelHold{&payer, amounts});
        add_capability({through->holder, through->holder, *handle, through, std::move(model), &payer});
    }
    void settle() {
        const Capability at = any_capability(true);
        if (!at) return;
        ModelHold& hold = *at->hold;
        Amounts settled, uncertain;
        bool fits = true;
        for (unsigned i = 0; i < kSpentCount; ++i) {
            const auto held = static_cast<std::uint64_t>(hold.amounts[i]);
            const std::uint64_t slack = below(20) == 0 ? 3 : 0; // sometimes too much
            settled[i] = static_cast<std::int64_t>(below(held + 1 + slack));
            uncertain[i] = below(2) == 0
                               ? 0
                               : static_cast<std::int64_t>(
                                     below(held + 1 - std::min(held, static_cast<std::uint64_t>(settled[i])) + slack));
            fits = fits && settled[i] + uncertain[i] <= hold.amounts[i];
        }
        const auto found = at->holder->table->lookup<Hold>(at->handle, rights::charge);
        ASSERT_TRUE(found);
        const auto result = found->object->settle(as_spent(settled), as_spent(uncertain));
        ASSERT_EQ(result.has_value(), hold.open && fits);
        if (!result) {
            ASSERT_EQ(result.error(), hold.open ? Error::bad_argument : Error::bad_state);
            return;
        }
        hold.open = false;
        ++done_.settled;
        for (unsigned i = 0; i < kSpentCount; ++i) {
            hold.payer->lines[i].held -= hold.amounts[i];
            hold.payer->lines[i].spent += settled[i];
            hold.payer->lines[i].uncertain += uncertain[i];
            hold.payer->told_uncertain[i] += uncertain[i];
        }
    }
    void charge() {
        const Capability at = any_capability(false);
        if (!at) return;
        const Amounts amounts = random_amounts(below(30) == 0 ? kAll : 500);
        const auto found = at->holder->table->lookup<Budget>(at->handle, rights::charge);
        ASSERT_TRUE(found);
        found->object->charge(as_spent(amounts));
        for (unsigned i = 0; i < kSpentCount; ++i) {
            const std::int64_t before = std::max<std::int64_t>(0, -at->payer->left(i));
            at->payer->lines[i].spent += amounts[i];
            const std::int64_t by = std::max<std::int64_t>(0, -at->payer->left(i)) - before;
            at->payer->told_passed[i] += by;
            done_.overran += by != 0;
        }
    }

    void close() {
        const Capability at = any_capability(below(2) == 0);
        if (!at || at->parent == nullptr) return; // everybody keeps the first handle on his own budget
        ASSERT_TRUE(at->holder->table->close(at->handle));
        at->closed = true;
        drop_what_nobody_holds();
    }
    void revoke() {
        const Capability at = any_capability(below(2) == 0);
        if (!at) return;
        ASSERT_TRUE(at->holder->table->revoke(at->handle));
        for (const Capability& other : capabilities_)
            if (other != at && is_below(*other, *at)) other->live = false;
        drop_what_nobody_holds();
    }
    static bool is_below(const ModelCapability& one, const ModelCapability& top) {
        for (const ModelCapability* at = one.parent.get(); at != nullptr; at = at->parent.get())
            if (at == &top) return true;
        return false;
    }
    // A dead handle is closed; a hold that has no live handle is uncertain in full.
    void drop_what_nobody_holds() {
        for (const Capability& one : capabilities_)
            if (!one->live && !std::exchange(one->closed, true)) ASSERT_TRUE(one->holder->table->close(one->handle));
        for (const Capability& one : capabilities_) {
            if (one->hold == nullptr || !one->hold->open) continue;
            const bool is_held = std::ranges::any_of(capabilities_, [&](const Capability& other) {
                return other->hold == one->hold && other->live && !other->closed;
            });
            if (is_held) continue;
            ModelHold& hold = *one->hold;
            hold.open = false;
            ++done_.dropped;
            for (unsigned i = 0; i < kSpentCount; ++i) {
                hold.payer->lines[i].held -= hold.amounts[i];
                hold.payer->lines[i].uncertain += hold.amounts[i];
                hold.payer->told_uncertain[i] += hold.amounts[i];
            }
        }
        std::erase_if(capabilities_, [](const Capability& one) { return one->closed; });
    }

    void kill() {
        ModelAgent& agent = any_agent();
        if (agent.parent == nullptr) return;
        ++done_.killed;
        end(agent);
    }
    // As the reaper does it: closed, its descendants first, then its table, then its quota.
    void end(ModelAgent& agent) {
        agent.quota->close();
        for (;;) {
            const auto child =
                std::ranges::find_if(agents_, [&](const auto& other) { return other->parent == &agent; });
            if (child == agents_.end()) break;
            end(**child);
        }
        agent.table->close_all();
        for (const Capability& one : capabilities_) {
            const auto is_made_by_it = [&](const ModelCapability& at) { return at.maker == &agent; };
            bool dies = is_made_by_it(*one);
            for (const ModelCapability* at = one->parent.get(); at != nullptr && !dies; at = at->parent.get())
                dies = is_made_by_it(*at);
            if (dies) one->live = false;
            if (one->holder == &agent) one->closed = true;
        }
        drop_what_nobody_holds();
        // What it leaves over is what it was not spending, whatever the kernel says of itself.
        ModelAgent* const home = agent.parent;
        std::array<std::int64_t, kSpentCount> before{}, left{};
        for (unsigned i = 0; i < kSpentCount; ++i) {
            ASSERT_EQ(agent.lines[i].held, 0); // no hold on it is open, whoever placed it
            ASSERT_EQ(static_cast<std::int64_t>(agent.witness.uncertain.of[i]), agent.told_uncertain[i]);
            ASSERT_EQ(static_cast<std::int64_t>(agent.witness.passed.of[i]), agent.told_passed[i]);
            left[i] = agent.left(i);
            if (home == nullptr) continue;
            before[i] = home->quota->spending().line(i).balance;
            home->lines[i].limit += agent.lines[i].limit;
            home->lines[i].spent += agent.lines[i].spent;
            home->lines[i].uncertain += agent.lines[i].uncertain;
        }
        agent.table.reset();
        agent.quota.reset();
        EXPECT_EQ(agent.witness.references, 0);
        for (unsigned i = 0; i < kSpentCount && home != nullptr; ++i)
            ASSERT_EQ(home->quota->spending().line(i).balance - before[i], left[i]);
        std::erase_if(agents_, [&](const auto& one) { return one.get() == &agent; });
    }

    void check() {
        for (unsigned i = 0; i < kSpentCount; ++i) {
            std::uint64_t limits = 0;
            for (const auto& agent : agents_) {
                const Spending::Line line = agent->quota->spending().line(i);
                const Line& wanted = agent->lines[i];
                ASSERT_EQ(line.limit, static_cast<std::uint64_t>(wanted.limit));
                ASSERT_EQ(line.held, static_cast<std::uint64_t>(wanted.held));
                ASSERT_EQ(line.spent, static_cast<std::uint64_t>(wanted.spent));
                ASSERT_EQ(line.uncertain, static_cast<std::uint64_t>(wanted.uncertain));
                ASSERT_EQ(line.balance, agent->left(i));
                ASSERT_TRUE(line.adds_up());
                limits += line.limit;
            }
            ASSERT_EQ(limits, kAll);
        }
    }

    Done& done_;
    std::mt19937 random_;
    std::uint64_t last_id_ = 0;
    std::vector<std::unique_ptr<ModelAgent>> agents_;
    std::vector<Capability> capabilities_; // those that somebody holds; others live on as parents
};

TEST(BudgetModel, EveryLineIsWhatTheReferenceSays) {
    const long live = test::heap_live;
    Done done;
    for (unsigned tree = 0; tree < kTrees && !HasFailure(); ++tree)
        BudgetModel(tree + 1, done).run();
    EXPECT_EQ(test::heap_live, live);
    EXPECT_GT(done.settled, 10'000u);
    EXPECT_GT(done.dropped, 10'000u);
    EXPECT_GT(done.killed, 1'000u);
    EXPECT_GT(done.overran, 1'000u);
    EXPECT_GT(done.refused, 1'000u);
}

} // namespace
} // namespace aios
