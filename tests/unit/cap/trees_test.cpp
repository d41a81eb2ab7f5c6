// Locks of derivation trees and of the lists of who pays: no two trees share one, whoever drops the last reference to a
// node meets the end of the table that pays for it in any order, and a dead node keeps nobody's charge. Host threads;
// ASan watches that no lock is used when it is gone.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "kernel/cap/table.hpp"
#include "kernel/quota/quota.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/unit/cap/thing.hpp"

namespace aios {
namespace {

using cap::Capability;
using cap::Table;
using test::Thing;

struct Holder {
    explicit Holder(std::uint64_t id)
        : quota(*Quota::create_root({100'000'000, 60'000, 10, 10})), table(*Table::create(*quota, id)) {}
    [[nodiscard]] std::uint64_t memory() const { return quota->used(Resource::memory); }
    void end() {
        table->close_all();
        EXPECT_EQ(quota->used(Resource::handles), 0u);
        table.reset();
    }
    Ref<Quota> quota;
    Ref<Table> table;
};

// Runs `work` on a thread of its own. False: it is still not done after a minute.
struct Worker {
    template <typename F>
    Worker(unsigned cpu, F work)
        : thread([this, cpu, work] {
              test::cpu = cpu;
              work();
              done = true;
          }) {}
    ~Worker() { thread.join(); }
    bool is_done_soon() {
        for (int i = 0; i < 60'000 && !done; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return done;
    }
    std::atomic<bool> done{false};
    std::thread thread;
};

// All that can be done with a tree, with 100 others while one is locked.
TEST(CapTrees, NoTwoShareALock) {
    const long live = test::heap_live;
    {
        Holder one(1), other(2), third(3);
        const Handle root = *one.table->insert_new(Thing::create(), rights::all);
        const Ref<cap::DerivationNode> node = one.table->lookup_any(root, ObjectType::any, rights::none)->node;
        std::set<const void*> locks{&cap::DerivationTree::lock(*node)};
        const auto use_trees = [&] {
            for (unsigned i = 0; i < 100; ++i) {
                const Handle handle = *other.table->insert_new(Thing::create(), rights::all);
                const auto found = other.table->lookup_any(handle, ObjectType::any, rights::none);
                EXPECT_TRUE(locks.insert(&cap::DerivationTree::lock(*found->node)).second) << i;
                const Handle derived = *other.table->derive(handle, rights::all);
                EXPECT_TRUE(third.table->insert(*other.table->derive_out(derived, rights::send, rights::transfer)));
                Capability way = *other.table->derive_out(derived, rights::send, rights::transfer);
                way.count();
                if (i % 2 == 0) EXPECT_TRUE(other.table->revoke(handle));
                if (i % 3 == 0) EXPECT_TRUE(other.table->close(derived));
            }
            other.table->close_all();
        };
        bool done = false;
        std::unique_ptr<Worker> worker;
        {
            cap::DerivationLock::Guard held(cap::DerivationTree::lock(*node));
            worker = std::make_unique<Worker>(1, use_trees);
            done = worker->is_done_soon();
        }
        EXPECT_TRUE(done) << "somebody waits for the lock of a tree that is none of his";
        worker.reset();
        EXPECT_EQ(locks.size(), 101u);
        for (Holder* holder : {&one, &third})
            holder->table->close_all();
    }
    EXPECT_EQ(test::heap_live, live);
}

// A thread has given up the last reference to a node and waits for the lock of its tree, for as long as one likes. The
// table that pays for the node ends, and is gone, before it gets on.
TEST(CapTrees, AnEndWaitsForNobodyWhoDropsANode) {
    const long live = test::heap_live;
    {
        const Ref<Thing> thing = Thing::create();
        Holder owner(1), payer(2);
        const Handle root = *owner.table->insert_new(thing, rights::all);
        const Handle at_payer = *payer.table->insert(*owner.table->derive_out(root, rights::all, rights::transfer));
        Capability way = *payer.table->derive_out(at_payer, rights::send, rights::transfer);
        EXPECT_TRUE(payer.table->close(at_payer)); // what it derived stays
        cap::DerivationNode* const node = way.node.get();
        bool has_ended = false;
        std::unique_ptr<Worker> dropper, ender;
        {
            cap::DerivationLock::Guard held(cap::DerivationTree::lock(*node));
            dropper = std::make_unique<Worker>(1, [&way] { way = {}; });
            while (node->holders() != 0) // the lock that we hold keeps it from being freed
                std::this_thread::yield();
            ender = std::make_unique<Worker>(2, [&payer] { payer.end(); });
            has_ended = ender->is_done_soon();
        }
        EXPECT_TRUE(has_ended);
        ender.reset();
        dropper.reset();
        EXPECT_EQ(payer.memory(), 0u);
        EXPECT_TRUE(owner.table->lookup_any(root, ObjectType::any, rights::none));
        owner.end();
        EXPECT_EQ(owner.memory(), 0u);
        EXPECT_EQ(thing->handles, 0);
    }
    EXPECT_EQ(test::heap_live, live);
}

// A derivation under way meets the end of its table: what it makes after the walk over the list would be charged to the
// dead, and live.
TEST(CapTrees, NothingIsDerivedBehindTheWalk) {
    const long live = test::heap_live;
    {
        Holder owner(1), payer(2);
        const Handle root = *owner.table->insert_new(Thing::create(), rights::all);
        const Handle at_payer = *payer.table->insert(*owner.table->derive_out(root, rights::all, rights::transfer));
        const auto node = payer.table->lookup_any(at_payer, ObjectType::any, rights::none)->node;
        Capability late;
        std::unique_ptr<Worker> deriver, ender;
        {
            cap::DerivationLock::Guard held(cap::DerivationTree::lock(*node));
            const std::uint32_t before = node->holders();
            deriver = std::make_unique<Worker>(1, [&] {
                if (auto made = payer.table->derive_out(at_payer, rights::send, rights::transfer))
                    late = std::move(*made);
            });
            while (node->holders() <
                   before + 2) // it has looked the handle up and made the child: now it needs the lock
                std::this_thread::yield();
            ender = std::make_unique<Worker>(2, [&payer] { payer.table->close_all(); });
            while (payer.table->insert_all({}, {})) // it is closed, and the walk has nothing to walk
                std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        ender.reset();
        deriver.reset();
        EXPECT_FALSE(late.is_live());
        payer.table.reset();
        EXPECT_EQ(payer.memory(), 0u);
        owner.end();
    }
    EXPECT_EQ(test::heap_live, live);
}

// Capabilities of many trees, all paid by one table, are dropped by three threads while it ends.
TEST(CapTrees, DropsMeetTheEndOfThePayer) {
    const long live = test::heap_live;
    for (unsigned round = 0; round < 200; ++round) {
        Holder owner(1);
        auto payer = std::make_unique<Holder>(2);
        std::vector<Capability> ways[3];
        for (unsigned tree = 0; tree < 12; ++tree) {
            const Handle root = *owner.table->insert_new(Thing::create(), rights::all);
            const Handle mine = *payer->table->insert(*owner.table->derive_out(root, rights::all, rights::transfer));
            const Handle own = *payer->table->insert_new(Thing::create(), rights::all);
            for (unsigned i = 0; i < 9; ++i)
                ways[i % 3].push_back(
                    *payer->table->derive_out(i % 2 == 0 ? mine : own, rights::send, rights::transfer));
        }
        std::atomic<unsigned> ready{0};
        std::vector<std::unique_ptr<Worker>> droppers;
        for (unsigned t = 0; t < 3; ++t)
            droppers.push_back(std::make_unique<Worker>(t + 1, [&, t] {
                for (++ready; ready != 4;)
                    std::this_thread::yield();
                ways[t].clear();
            }));
        for (++ready; ready != 4;)
            std::this_thread::yield();
        for (unsigned i = 0; i < round % 8; ++i)
            std::this_thread::yield();
        const Ref<Quota> quota = payer->quota;
        payer->end();
        payer.reset();
        droppers.clear();
        ASSERT_EQ(quota->used(Resource::memory), 0u) << round;
        owner.end();
        ASSERT_EQ(owner.memory(), 0u) << round;
    }
    EXPECT_EQ(test::heap_live, live);
}

// A capability that is dead on its way, in a queue that nobody empties, keeps no charge of those above it: neither its
// payer's nor its tree's owner's. Its lock works for as long as it is there.
TEST(CapTrees, ADeadNodeKeepsNoCharge) {
    const long live = test::heap_live;
    {
        Holder owner(1), middle(2);
        EXPECT_TRUE(owner.table->close(*owner.table->insert_new(Thing::create(), rights::all))); // its slots are there
        const std::uint64_t nothing = owner.memory();
        Capability shallow, deep;
        {
            const Handle root = *owner.table->insert_new(Thing::create(), rights::all);
            const std::uint64_t with_root = owner.memory();
            shallow = *owner.table->derive_out(root, rights::send, rights::transfer);
            Handle at_middle = *middle.table->insert(*owner.table->derive_out(root, rights::all, rights::transfer));
            for (unsigned i = 0; i < 10; ++i)
                at_middle = *middle.table->derive(at_middle, rights::all);
            deep = *middle.table->derive_out(at_middle, rights::send, rights::transfer);
            shallow.count();
            EXPECT_TRUE(owner.table->revoke(root));
            EXPECT_EQ(owner.memory(), with_root);
            EXPECT_FALSE(deep.is_live() || shallow.is_live());
            EXPECT_TRUE(owner.table->close(root));
        }
        EXPECT_EQ(owner.memory(), nothing);
        middle.end();
        owner.end();
        EXPECT_EQ(middle.memory(), 0u);
        EXPECT_EQ(owner.memory(), 0u);
        for (Capability* way : {&shallow, &deep}) {
            EXPECT_FALSE(way->object());
            way->count();
            way->uncount();
            cap::DerivationLock::Guard held(cap::DerivationTree::lock(*way->node));
        }
    }
    EXPECT_EQ(test::heap_live, live);
}

} // namespace
} // namespace aios
