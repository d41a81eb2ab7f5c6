// Capability tables: generations, type before rights, derivation, revocation, charges; and a random run against a
// model.
#include "kernel/cap/table.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "kernel/cap/counters.hpp"
#include "kernel/quota/quota.hpp"
#include "tests/support/kernel_host.hpp"

namespace aios {
namespace {

using cap::Capability;
using cap::Table;

class FakeChannel final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::channel;
    static Ref<FakeChannel> create() { return Ref<FakeChannel>::adopt(*mm::make<FakeChannel>()); }
    FakeChannel() : Object(kType, {}) {}
    void handle_added(Rights) override { ++handles; }
    void handle_removed(Rights) override { --handles; }
    void revoked_for(std::uint64_t holder) override {
        revoked.push_back(holder);
        if (at_revocation) std::exchange(at_revocation, {})();
    }
    int handles = 0;
    std::function<void()> at_revocation; // once
    std::vector<std::uint64_t> revoked;
};
class FakeTimer final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::timer;
    FakeTimer() : Object(kType, {}) {}
};

constexpr QuotaGrant kLimits{10'000'000, 2000, 10, 10};

struct Agent {
    explicit Agent(std::uint64_t id) : quota(*Quota::create_root(kLimits)), table(*Table::create(*quota, id)) {}
    ~Agent() {
        if (table) end();
    }
    void end() {
        table->close_all();
        EXPECT_EQ(quota->used(Resource::handles), 0u);
        table.reset();
        EXPECT_EQ(quota->used(Resource::memory), 0u);
    }
    Ref<Quota> quota;
    Ref<Table> table;
};

Error lookup_error(Agent& a, Handle h, Rights needed = rights::none) {
    auto found = a.table->lookup<FakeChannel>(h, needed);
    EXPECT_FALSE(found);
    return found ? Error::device : Error(found.error());
}

TEST(Cap, TypeBeforeRightsAndStaleGenerations) {
    Agent a(1);
    auto object = FakeChannel::create();
    const Handle h = *a.table->insert_new(object, rights::send);
    EXPECT_EQ(object->handles, 1);
    EXPECT_TRUE(a.table->lookup<FakeChannel>(h, rights::send));
    EXPECT_EQ(lookup_error(a, h, rights::receive), Error::missing_right);
    auto wrong = a.table->lookup<FakeTimer>(h, rights::receive); // both wrong: the type is told
    EXPECT_EQ(wrong.error(), Error::wrong_type);
    for (Handle bad :
         std::initializer_list<Handle>{kNoHandle, h ^ (1ull << 32), h + 1, h + 100'000, ~0ull, h | (1ull << 63)})
        EXPECT_EQ(lookup_error(a, bad), Error::bad_handle) << bad;
    EXPECT_TRUE(a.table->close(h));
    EXPECT_EQ(object->handles, 0);
    EXPECT_EQ(lookup_error(a, h), Error::bad_handle);
    EXPECT_EQ(a.table->close(h).error(), Error::bad_handle);
    const Handle again = *a.table->insert_new(object, rights::send);
    EXPECT_EQ(static_cast<std::uint32_t>(again), static_cast<std::uint32_t>(h)); // same slot, new generation
    EXPECT_NE(again, h);
    EXPECT_EQ(lookup_error(a, h), Error::bad_handle);
}

TEST(Cap, RightsOnlyShrink) {
    Agent a(1);
    const Handle h = *a.table->insert_new(FakeChannel::create(), rights::send | rights::derive);
    EXPECT_EQ(a.table->derive(h, rights::send | rights::receive).error(), Error::missing_right);
    const Handle d = *a.table->derive(h, rights::send);
    EXPECT_EQ(a.table->derive(d, rights::send).error(), Error::missing_right);
    EXPECT_EQ(a.table->derive_out(h, rights::send, rights::transfer).error(), Error::missing_right);
    EXPECT_EQ(a.table->lookup<FakeChannel>(d, rights::send)->rights, rights::send);
}

TEST(Cap, DepthEndsAt64) {
    Agent a(1);
    Handle h = *a.table->insert_new(FakeChannel::create(), rights::derive | rights::send);
    const Handle root = h;
    for (unsigned i = 1; i <= kMaxDerivationDepth; ++i) {
        auto next = a.table->derive(h, rights::derive | rights::send);
        ASSERT_TRUE(next) << i;
        h = *next;
    }
    EXPECT_EQ(a.table->lookup<FakeChannel>(h, rights::send)->node->depth(), kMaxDerivationDepth);
    EXPECT_EQ(a.table->derive(h, rights::send).error(), Error::too_large);
    EXPECT_TRUE(a.table->revoke(root));
    EXPECT_EQ(lookup_error(a, h), Error::revoked);
    EXPECT_TRUE(a.table->lookup<FakeChannel>(root, rights::send));
}

TEST(Cap, RevocationReachesOtherTablesAndQueues) {
    Agent a(1), b(2);
    auto object = FakeChannel::create();
    const Handle h = *a.table->insert_new(object, rights::all);
    Capability sent = *a.table->derive_out(h, rights::send | rights::transfer, rights::transfer);
    Capability queued = *a.table->derive_out(h, rights::send, rights::transfer);
    const Handle at_b = *b.table->insert(std::move(sent));
    EXPECT_EQ(object->handles, 2);
    Capability onward = *b.table->derive_out(at_b, rights::send, rights::transfer);
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(lookup_error(b, at_b), Error::revoked);
    EXPECT_FALSE(queued.is_live());
    EXPECT_FALSE(onward.is_live());
    EXPECT_FALSE(queued.object());
    EXPECT_EQ(b.table->insert(std::move(queued)).error(), Error::revoked);
    EXPECT_EQ(object->handles, 1);
    EXPECT_EQ(object->revoked, std::vector<std::uint64_t>{2});
    EXPECT_TRUE(b.table->close(at_b)); // the tombstone is still the holder's to close
    EXPECT_EQ(object->handles, 1);
    EXPECT_TRUE(a.table->lookup<FakeChannel>(h, rights::send)); // the root stays, and can be used again
    EXPECT_TRUE(a.table->derive(h, rights::send));
}

TEST(Cap, EndsTellTheSpacesOfWhoeverMapped) {
    Agent a(1), b(2);
    auto object = FakeChannel::create();
    const Handle h = *a.table->insert_new(object, rights::all);
    const auto node_of = [](Agent& agent, Handle handle) {
        return agent.table->lookup_any(handle, ObjectType::any, rights::none)->node;
    };
    const long before = test::space_notices;
    // Nothing was mapped: nobody is told.
    ASSERT_TRUE(b.table->insert(*a.table->derive_out(h, rights::read, rights::transfer)));
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(test::space_notices, before);
    // Mapped: the end is visible before it is told, and told once for siblings of one table.
    Ref<cap::DerivationNode> mapped[3];
    for (auto& node : mapped) {
        const Handle at_b = *b.table->insert(*a.table->derive_out(h, rights::read, rights::transfer));
        node = node_of(b, at_b);
        EXPECT_TRUE(node->admit_mapping());
    }
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(test::space_notices, before + 1);
    for (auto& node : mapped)
        EXPECT_TRUE(!node->is_held() && !node->admit_mapping());
    // A close ends what was mapped through the handle, though another handle allows as much; what was derived stays.
    const Handle d = *a.table->derive(h, rights::all);
    const Ref<cap::DerivationNode> closed = node_of(a, d);
    const Handle below = *a.table->derive(d, rights::read);
    EXPECT_TRUE(closed->admit_mapping() && node_of(a, below)->admit_mapping());
    EXPECT_TRUE(a.table->close(d));
    EXPECT_EQ(test::space_notices, before + 2);
    EXPECT_TRUE(!closed->is_held() && closed->is_live());
    EXPECT_TRUE(node_of(a, below)->is_held());
    EXPECT_TRUE(a.table->revoke(h)); // reaches through the closed one
    EXPECT_FALSE(closed->is_live());
    EXPECT_EQ(test::space_notices, before + 3);
    EXPECT_EQ(lookup_error(a, below), Error::revoked);
}

// Revocations that meet do not wait for each other, and each is whole when it returns.
TEST(Cap, RevocationsOverlap) {
    Agent a(1), b(2);
    auto object = FakeChannel::create();
    const Handle h = *a.table->insert_new(object, rights::all);
    const Handle at_b = *b.table->insert(*a.table->derive_out(h, rights::all, rights::transfer));
    std::vector<Handle> leaves;
    for (int i = 0; i < 100; ++i)
        leaves.push_back(*b.table->derive(at_b, rights::all));
    // The first tells its first chunk when the second comes, over the same tree, and goes through.
    object->at_revocation = [&] {
        EXPECT_EQ(b.table->revoke(at_b).error(), Error::revoked); // marked on the way down
        EXPECT_TRUE(a.table->revoke(h));
        for (const Handle leaf : leaves)
            EXPECT_EQ(lookup_error(b, leaf), Error::revoked);
        EXPECT_EQ(lookup_error(b, at_b), Error::revoked);
        EXPECT_GE(object->revoked.size(), leaves.size());
    };
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(object->handles, 1); // each was counted once
    for (const Handle leaf : leaves)
        EXPECT_TRUE(b.table->close(leaf));
    EXPECT_TRUE(b.table->close(at_b));
    EXPECT_EQ(object->handles, 1);
}

TEST(Cap, WhatIsDerivedDuringARevocationStays) {
    Agent a(1);
    auto object = FakeChannel::create();
    const Handle h = *a.table->insert_new(object, rights::all);
    for (int i = 0; i < 40; ++i)
        ASSERT_TRUE(a.table->derive(h, rights::send));
    std::vector<Handle> late;
    object->at_revocation = [&] { late.push_back(*a.table->derive(h, rights::send)); };
    EXPECT_TRUE(a.table->revoke(h));
    ASSERT_EQ(late.size(), 1u);
    EXPECT_TRUE(a.table->lookup<FakeChannel>(late[0], rights::send));
    EXPECT_EQ(object->handles, 2);
}

// A file's handle stands below its tree's: another object, the same fate.
TEST(Cap, APartEndsWithTheWhole) {
    Agent a(1), b(2);
    auto whole = FakeChannel::create(), part = FakeChannel::create();
    const Handle h = *a.table->insert_new(whole, rights::all);
    const Handle at_b = *b.table->insert(*a.table->derive_out(h, rights::send, rights::transfer));
    const auto found = *b.table->lookup_any(at_b, ObjectType::any, rights::none);
    const Handle opened = *b.table->insert_new(part, rights::read | rights::derive, found.node);
    const Handle further = *b.table->derive(opened, rights::read);
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(lookup_error(b, opened), Error::revoked);
    EXPECT_EQ(lookup_error(b, further), Error::revoked);
    EXPECT_EQ(part->handles, 0);
    EXPECT_EQ(b.table->insert_new(part, rights::read, found.node).error(), Error::revoked);
    EXPECT_EQ(part->handles, 0);
    EXPECT_EQ(b.quota->used(Resource::handles), 3u); // dead ones stay until they are closed
}

TEST(Cap, UnderWayItCountsUntilItIsDroppedRevokedOrTakenBack) {
    Agent a(1), b(2);
    auto object = FakeChannel::create();
    const Handle h = *a.table->insert_new(object, rights::all);
    const auto out = [&] { return *a.table->derive_out(h, rights::send, rights::transfer); };
    {
        Capability dropped = out(), taken_back = out();
        dropped.count();
        taken_back.count();
        EXPECT_EQ(object->handles, 3);
        taken_back.uncount();
        EXPECT_EQ(object->handles, 2);
    }
    EXPECT_EQ(object->handles, 1);
    Capability received = out(), queued = out();
    received.count();
    queued.count();
    ASSERT_TRUE(b.table->insert(std::move(received)));
    EXPECT_EQ(object->handles, 3); // in the table it goes on counting
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(object->handles, 1);
    queued.count();
    EXPECT_EQ(object->handles, 1); // what is dead does not count
}

TEST(Cap, EndOfThePayerRevokesEverywhereAndReturnsAll) {
    auto a = std::make_unique<Agent>(1);
    Agent b(2), c(3);
    auto object = FakeChannel::create();
    const Handle h = *a->table->insert_new(object, rights::all);
    const Handle at_b = *b.table->insert(*a->table->derive_out(h, rights::all, rights::transfer));
    const Handle at_c = *c.table->insert(*b.table->derive_out(at_b, rights::send, rights::transfer));
    Capability stuck = *b.table->derive_out(at_b, rights::send, rights::transfer);
    a->end(); // checks that its quota is whole, while others still hold dead handles
    EXPECT_EQ(lookup_error(b, at_b), Error::revoked);
    EXPECT_EQ(lookup_error(c, at_c), Error::revoked);
    EXPECT_FALSE(stuck.is_live());
    EXPECT_EQ(a->table.get(), nullptr);
    EXPECT_EQ(object->handles, 0);
}

TEST(Cap, EndOfTheMiddleManEndsWhatItDerived) {
    Agent a(1);
    auto b = std::make_unique<Agent>(2);
    Agent c(3);
    const Handle h = *a.table->insert_new(FakeChannel::create(), rights::all);
    const Handle at_b = *b->table->insert(*a.table->derive_out(h, rights::all, rights::transfer));
    const Handle at_c = *c.table->insert(*b->table->derive_out(at_b, rights::send, rights::transfer));
    b->end();
    EXPECT_EQ(lookup_error(c, at_c), Error::revoked);
    EXPECT_TRUE(a.table->lookup<FakeChannel>(h, rights::send));
}

TEST(Cap, ClosingTheSourceKeepsWhatWasDerivedRevocable) {
    Agent a(1), b(2);
    const Handle h = *a.table->insert_new(FakeChannel::create(), rights::all);
    const Handle middle = *a.table->derive(h, rights::all);
    const Handle at_b = *b.table->insert(*a.table->derive_out(middle, rights::send, rights::transfer));
    EXPECT_TRUE(a.table->close(middle));
    EXPECT_TRUE(b.table->lookup<FakeChannel>(at_b, rights::send));
    EXPECT_TRUE(a.table->revoke(h));
    EXPECT_EQ(lookup_error(b, at_b), Error::revoked);
}

TEST(Cap, InsertAllIsAllOrNothing) {
    Agent a(1);
    const Handle h = *a.table->insert_new(FakeChannel::create(), rights::all);
    auto quota = *Quota::create_root({1'000'000, 2, 1, 1});
    auto small = *Table::create(*quota, 9);
    Capability three[3];
    for (auto& one : three)
        one = *a.table->derive_out(h, rights::send, rights::transfer);
    Handle out[3];
    EXPECT_EQ(small->insert_all(three, out).error(), Error::quota_exceeded);
    for (auto& one : three)
        EXPECT_TRUE(one.is_live());
    EXPECT_EQ(quota->used(Resource::handles), 0u);
    EXPECT_TRUE(small->insert_all(std::span(three).first(2), std::span(out).first(2)));
    EXPECT_EQ(small->insert(std::move(three[2])).error(), Error::quota_exceeded);
    EXPECT_TRUE(three[2].is_live());
    small->close_all();
}

TEST(Cap, FailedAllocationsLeaveNoTrace) {
    Agent a(1);
    const Handle h = *a.table->insert_new(FakeChannel::create(), rights::all);
    const auto before = a.quota->used(Resource::memory);
    test::heap_failures = 0;
    EXPECT_EQ(a.table->derive(h, rights::send).error(), Error::out_of_memory);
    EXPECT_EQ(a.table->derive_out(h, rights::send, rights::transfer).error(), Error::out_of_memory);
    test::heap_failures = -1;
    EXPECT_EQ(a.quota->used(Resource::memory), before);
    EXPECT_EQ(a.quota->used(Resource::handles), 1u);
}

TEST(Cap, HandleQuotaAndGrowth) {
    Agent a(1);
    auto object = FakeChannel::create();
    std::set<Handle> seen;
    for (unsigned i = 0; i < 2000; ++i) {
        auto h = a.table->insert_new(object, rights::send);
        ASSERT_TRUE(h);
        ASSERT_TRUE(seen.insert(*h).second);
    }
    EXPECT_EQ(a.table->insert_new(object, rights::send).error(), Error::quota_exceeded);
    EXPECT_TRUE(a.table->close(*seen.begin()));
    EXPECT_TRUE(a.table->insert_new(object, rights::send));
}

TEST(Cap, ChecksAreCountedByKind) {
    const auto kind = static_cast<unsigned>(ObjectType::channel);
    const auto before = cap::checks_of(kind, 4), before_other = cap::checks_of(kind, 5);
    Agent a(1);
    const Handle h = *a.table->insert_new(FakeChannel::create(), rights::send);
    for (int i = 0; i < 5; ++i)
        (void)a.table->lookup<FakeChannel>(h, rights::send);
    (void)a.table->lookup<FakeChannel>(h, rights::receive);
    EXPECT_EQ(cap::checks_of(kind, 4).granted, before.granted + 5);
    EXPECT_EQ(cap::checks_of(kind, 4).refused, before.refused);
    EXPECT_EQ(cap::checks_of(kind, 5).refused, before_other.refused + 1);
    EXPECT_EQ(a.table->checks().granted, 5u);
    EXPECT_EQ(a.table->checks().refused, 1u);
    EXPECT_EQ(cap::checks_of(99, 99).granted, 0u);
}

// Random operations of four agents against a model that knows for each handle its ancestors and whether it should be
// live.
TEST(Cap, RandomRunAgreesWithTheModel) {
    std::mt19937 random(11);
    struct Model {
        unsigned agent;
        Handle handle;
        long parent; // index, -1 for a root
        unsigned payer;
        bool live, open;
    };
    for (int round = 0; round < 20; ++round) {
        std::vector<std::unique_ptr<Agent>> agents;
        for (unsigned i = 0; i < 4; ++i)
            agents.push_back(std::make_unique<Agent>(i + 1));
        std::vector<Model> all;
        auto kill_below = [&](auto& self, long index) -> void {
            for (std::size_t i = 0; i < all.size(); ++i)
                if (all[i].parent == index && all[i].live) {
                    all[i].live = false;
                    self(self, static_cast<long>(i));
                }
        };
        for (int step = 0; step < 400; ++step) {
            const unsigned who = random() % 4;
            if (!agents[who]) continue;
            std::vector<long> mine;
            for (std::size_t i = 0; i < all.size(); ++i)
                if (all[i].agent == who && all[i].open) mine.push_back(static_cast<long>(i));
            const long one = mine.empty() ? -1 : mine[random() % mine.size()];
            switch (one < 0 ? 0 : random() % 12) {
            case 0:
            case 1:
                all.push_back(
                    {who, *agents[who]->table->insert_new(FakeChannel::create(), rights::all), -1, who, true, true});
                break;
            case 2:
            case 3:
            case 4: {
                auto h = agents[who]->table->derive(all[one].handle, rights::all);
                ASSERT_EQ(h.has_value(), all[one].live);
                if (h) all.push_back({who, *h, one, who, true, true});
                break;
            }
            case 5:
            case 6:
            case 7: {
                const unsigned to = random() % 4;
                auto c = agents[who]->table->derive_out(all[one].handle, rights::all, rights::transfer);
                ASSERT_EQ(c.has_value(), all[one].live);
                if (!c || !agents[to]) break;
                all.push_back({to, *agents[to]->table->insert(std::move(*c)), one, who, true, true});
                break;
            }
            case 8:
            case 9: {
                auto done = agents[who]->table->revoke(all[one].handle);
                ASSERT_EQ(done.has_value(), all[one].live);
                if (done) kill_below(kill_below, one);
                break;
            }
            case 10:
                ASSERT_TRUE(agents[who]->table->close(all[one].handle));
                all[one].open = false;
                break;
            case 11:
                if (random() % 20 != 0) break;
                agents[who]->end();
                agents[who].reset();
                for (std::size_t i = 0; i < all.size(); ++i) {
                    if (all[i].payer == who && all[i].live) {
                        all[i].live = false;
                        kill_below(kill_below, static_cast<long>(i));
                    }
                    if (all[i].agent == who) all[i].open = false;
                }
                break;
            }
            for (Model& m : all)
                if (m.open) {
                    auto found = agents[m.agent]->table->lookup<FakeChannel>(m.handle, rights::send);
                    ASSERT_EQ(found.has_value(), m.live);
                    if (!found) {
                        ASSERT_EQ(found.error(), Error::revoked);
                    }
                }
        }
    }
    EXPECT_EQ(test::heap_live, 0);
}

TEST(Cap, ConcurrentUseDeriveAndRevoke) {
    Agent a(1), b(2);
    auto shared = Ref<FakeTimer>::adopt(*mm::make<FakeTimer>());
    const Handle root = *a.table->insert_new(shared, rights::all);
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            test::cpu = t;
            while (!stop) {
                auto c = a.table->derive_out(root, rights::all, rights::transfer);
                if (!c) continue;
                auto h = b.table->insert(std::move(*c));
                if (!h) continue;
                if (auto d = b.table->derive(*h, rights::send)) (void)b.table->close(*d);
                (void)b.table->lookup_any(*h, ObjectType::timer, rights::send);
                (void)b.table->close(*h);
            }
        });
    for (int i = 0; i < 300; ++i)
        ASSERT_TRUE(a.table->revoke(root));
    stop = true;
    for (auto& t : threads)
        t.join();
    EXPECT_EQ(b.table->used(), 0u);
    EXPECT_EQ(a.table->used(), 1u);
}

} // namespace
} // namespace aios
