// Who keeps a node pays for it when it is dead: to the byte what the heap has handed out for it.
#include <gtest/gtest.h>

#include "kernel/cap/table.hpp"
#include "kernel/quota/quota.hpp"
#include "tests/support/heap_tally.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/unit/cap/thing.hpp"

namespace aios {
namespace {

using cap::KeptNode;

TEST(KeptNode, a_dead_one_is_paid_by_its_keeper) {
    const Ref<Quota> keeper = *Quota::create_root({1'000'000, 10, 10, 10});
    const std::uint64_t before = test::heap_taken();
    {
        KeptNode kept;
        {
            const Ref<Quota> holder = *Quota::create_root({1'000'000, 10, 10, 10});
            const Ref<cap::Table> table = *cap::Table::create(*holder, 1);
            const Handle handle = *table->insert_new(test::Thing::create(), rights::all);
            kept = *KeptNode::keep(*keeper, table->lookup_any(handle, ObjectType::any, rights::none)->node);
            EXPECT_TRUE(kept.node()->is_live());
            table->close_all();
            EXPECT_EQ(holder->used(Resource::handles), 0u);
        }
        EXPECT_FALSE(kept.node()->is_live());
        EXPECT_EQ(test::heap_taken() - before, keeper->used(Resource::memory)); // nobody else pays for anything here
    }
    EXPECT_EQ(keeper->used(Resource::memory), 0u);
    EXPECT_EQ(test::heap_taken(), before);
}

TEST(KeptNode, who_cannot_pay_keeps_none) {
    const Ref<Quota> poor = *Quota::create_root({KeptNode::kCost - 1, 10, 10, 10});
    const Ref<Quota> holder = *Quota::create_root({1'000'000, 10, 10, 10});
    const Ref<cap::Table> table = *cap::Table::create(*holder, 1);
    const Handle handle = *table->insert_new(test::Thing::create(), rights::all);
    auto kept = KeptNode::keep(*poor, table->lookup_any(handle, ObjectType::any, rights::none)->node);
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error(), Error::quota_exceeded);
    EXPECT_TRUE(KeptNode::keep(*poor, {})); // none costs nothing
    EXPECT_EQ(poor->used(Resource::memory), 0u);
    table->close_all();
}

} // namespace
} // namespace aios
