// Capabilities that come into a table while it ends: insert_all sets slots aside and fills them one by one, close_all
// may come anywhere in between. Whatever the order, no slot stays taken, no node and no charge is left, and the object
// has heard of as many ends as beginnings. Host threads; ASan and TSan watch.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "kernel/cap/table.hpp"
#include "kernel/quota/quota.hpp"
#include "tests/support/kernel_host.hpp"

namespace aios {
namespace {

using cap::Capability;
using cap::Table;

class Counted final : public Object {
public:
    static Ref<Counted> create() { return Ref<Counted>::adopt(*mm::make<Counted>()); }
    Counted() : Object(ObjectType::timer, {}) {}
    void handle_added(Rights) override {
        ++handles;
        while (held)
            std::this_thread::yield();
    }
    void handle_removed(Rights) override { --handles; }
    std::atomic<int> handles{0};
    std::atomic<bool> held{false}; // whoever adds a handle stays there
};

struct Holder {
    explicit Holder(std::uint64_t id)
        : quota(*Quota::create_root({100'000'000, 60'000, 10, 10})), table(*Table::create(*quota, id)) {}
    // Nothing is in the table, and nothing is charged but the table itself.
    void expect_empty() const {
        EXPECT_EQ(table->used(), 0u);
        EXPECT_EQ(quota->used(Resource::handles), 0u);
    }
    Ref<Quota> quota;
    Ref<Table> table;
};

bool is_closed(Holder& holder) {
    const auto nothing = holder.table->insert_all({}, {});
    return !nothing && nothing.error() == Error::bad_state;
}

// The end comes between the promise of both slots and the second's filling.
TEST(CapInsertEnd, AnEndInTheMiddleLeavesNothing) {
    const long live = test::heap_live;
    {
        Holder giver(1), taker(2);
        const Ref<Counted> objects[2] = {Counted::create(), Counted::create()};
        Capability given[2];
        for (unsigned i = 0; i < 2; ++i) { // of trees of their own, with different locks
            const Handle root = *giver.table->insert_new(objects[i], rights::all);
            given[i] = *giver.table->derive_out(root, rights::send, rights::transfer);
        }
        Handle out[2] = {1, 1};
        std::thread inserter, ender;
        Result<> result = fail(Error::device);
        objects[1]->held = true;
        inserter = std::thread([&] {
            test::cpu = 1;
            result = taker.table->insert_all(given, out);
        });
        while (objects[1]->handles != 2) // announced; what follows are the slots
            std::this_thread::yield();
        {
            cap::DerivationLock::Guard held(cap::DerivationTree::lock(*given[1].node));
            objects[1]->held = false;
            while (taker.table->used() != 2)
                std::this_thread::yield();
            ender = std::thread([&] {
                test::cpu = 2;
                taker.table->close_all();
            });
            while (!is_closed(taker))
                std::this_thread::yield();
        }
        inserter.join();
        ender.join();
        EXPECT_TRUE(result);
        EXPECT_EQ(out[1], kNoHandle);
        EXPECT_FALSE(given[0].node || given[1].node); // consumed
        taker.expect_empty();
        for (const auto& object : objects)
            EXPECT_EQ(object->handles, 1); // the giver's
        giver.table->close_all();
        for (const auto& object : objects)
            EXPECT_EQ(object->handles, 0);
    }
    EXPECT_EQ(test::heap_live, live);
}

// Many at once, in any order: two threads insert, one ends the table, one revokes what is given.
TEST(CapInsertEnd, Stress) {
    const long live = test::heap_live;
    {
        Holder giver(1);
        const Ref<Counted> object = Counted::create();
        Handle roots[4];
        for (Handle& root : roots)
            root = *giver.table->insert_new(object, rights::all);
        const std::uint64_t memory = giver.quota->used(Resource::memory);
        for (unsigned round = 0; round < 100; ++round) {
            Holder taker(2);
            std::atomic<unsigned> inserted{0};
            std::atomic<bool> revoking{true};
            const auto insert = [&](unsigned cpu) {
                test::cpu = cpu;
                while (!is_closed(taker)) {
                    Capability batch[8];
                    Handle out[8];
                    for (unsigned i = 0; i < 8; ++i)
                        if (auto made = giver.table->derive_out(roots[i % 4], rights::send, rights::transfer))
                            batch[i] = std::move(*made);
                    if (cpu == 1)
                        for (Capability& one : batch)
                            one.count(); // as under way in a message
                    (void)taker.table->insert_all(batch, out);
                    ++inserted;
                    for (unsigned i = 0; i < 4; ++i)
                        (void)taker.table->close(out[i]);
                }
            };
            std::thread first(insert, 1u), second(insert, 2u);
            std::thread revoker([&] {
                test::cpu = 3;
                for (unsigned i = 0; revoking; ++i)
                    (void)giver.table->revoke(roots[i % 4]);
            });
            while (inserted < 1 + round % 7)
                std::this_thread::yield();
            taker.table->close_all();
            first.join();
            second.join();
            revoking = false;
            revoker.join();
            taker.expect_empty();
            ASSERT_EQ(object->handles, 4) << round; // the roots
        }
        for (const Handle root : roots)
            ASSERT_TRUE(giver.table->revoke(root));
        EXPECT_EQ(giver.quota->used(Resource::memory), memory); // every node is gone
        giver.table->close_all();
        EXPECT_EQ(object->handles, 0);
    }
    EXPECT_EQ(test::heap_live, live);
}

} // namespace
} // namespace aios
