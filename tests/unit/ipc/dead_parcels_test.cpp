// Capabilities that die in messages nobody takes: what the kernel keeps of them is nothing, to the byte, so that no agent
// holds memory that nobody is charged with.
#include "tests/support/heap_tally.hpp"
#include "tests/unit/ipc/support.hpp"

namespace aios {
namespace {

using namespace test;

// What is taken of the heap and charged to neither of the two.
std::uint64_t uncharged(const Actor& one, const Actor& other) {
    return heap_taken() - one.quota->used(Resource::memory) - other.quota->used(Resource::memory);
}

Made make_gift(Actor& giver) { return make_channel(giver, 1, 1); }

TEST(DeadParcels, keep_nothing_that_is_not_charged) {
    AsThread me;
    Actor owner(1), giver(2);
    const Made made = make_channel(owner, 64, 4096);
    const Handle to = *owner.table->derive(made.handle, rights::send);
    const std::uint64_t before = uncharged(owner, giver);
    for (int round = 0; round < 3; ++round) {
        // Each capability of a tree of its own, so that the states of the trees count too; as many as there is room for.
        std::vector<Made> gifts;
        for (bool full = false; !full;) {
            ipc::Parcel parcels[kMaxMessageHandles];
            for (ipc::Parcel& parcel : parcels) {
                gifts.push_back(make_gift(giver));
                parcel.capability = *giver.table->derive_out(gifts.back().handle, rights::send, rights::transfer);
            }
            ipc::OutMessage out{text_buffer("x"), parcels};
            full = !made.channel->send(giver, out).has_value();
        }
        ASSERT_GT(gifts.size(), 100u);
        EXPECT_EQ(uncharged(owner, giver), before);
        for (const Made& gift : gifts)
            ASSERT_TRUE(giver.table->revoke(gift.handle));
        EXPECT_EQ(uncharged(owner, giver), before) << "after they died";
        for (const Made& gift : gifts)
            ASSERT_TRUE(giver.table->close(gift.handle));
        gifts.clear();
        EXPECT_EQ(uncharged(owner, giver), before);
        Inbox in;
        std::size_t arrived = 0;
        while (made.channel->receive(owner, in.message)) {
            ++arrived;
            for (std::uint64_t i = 0; i < in.message.handle_count; ++i)
                EXPECT_EQ(in.grants[i].handle, kNoHandle);
        }
        EXPECT_GT(arrived, 12u);
        EXPECT_EQ(uncharged(owner, giver), before);
    }
    ASSERT_TRUE(owner.table->close(to));
}

// The giver ends with all that it paid for, while its gifts lie in the queue of another.
TEST(DeadParcels, outlive_their_giver_for_nothing) {
    AsThread me;
    Actor owner(1);
    const Made made = make_channel(owner, 64, 4096);
    const std::uint64_t before = heap_taken() - owner.quota->used(Resource::memory);
    for (int round = 0; round < 20; ++round) {
        Actor giver(100 + static_cast<std::uint64_t>(round));
        for (int i = 0; i < 2; ++i) {
            const Made gift = make_gift(giver);
            ipc::Parcel parcel{*giver.table->derive_out(gift.handle, rights::all, rights::transfer), 1};
            ipc::OutMessage out{text_buffer("x"), {&parcel, 1}};
            ASSERT_TRUE(made.channel->send(giver, out));
        }
        giver.table->close_all();
        EXPECT_EQ(giver.quota->used(Resource::handles), 0u);
    }
    EXPECT_EQ(made.channel->info_size(), 40u);
    EXPECT_EQ(heap_taken() - owner.quota->used(Resource::memory), before);
}

} // namespace
} // namespace aios
