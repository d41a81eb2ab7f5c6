// Sending and receiving: bounds, bad buffers, closing, capabilities under way, charges, events.
#include <random>
#include <thread>

#include "kernel/event/event.hpp"
#include "kernel/ipc/transfer.hpp"
#include "tests/unit/ipc/support.hpp"

namespace aios {
namespace {

using namespace test;
using ipc::Buffer;
using ipc::Channel;

class ChannelTest : public testing::Test {
protected:
    AsThread me;
    Actor alice{1}, bob{2};
};

TEST_F(ChannelTest, creation_is_bounded_and_charged) {
    EXPECT_EQ(Channel::create(*alice.quota, 0, 1).error(), Error::bad_argument);
    EXPECT_EQ(Channel::create(*alice.quota, 1, 0).error(), Error::bad_argument);
    EXPECT_EQ(Channel::create(*alice.quota, 1 << 20, 1).error(), Error::too_large);
    EXPECT_EQ(Channel::create(*alice.quota, 1, 1ull << 40).error(), Error::too_large);
    EXPECT_EQ(Channel::create(*alice.quota, ~0ull, ~0ull).error(), Error::too_large);
    const auto before = alice.quota->used(Resource::memory);
    {
        auto channel = *Channel::create(*alice.quota, 100, 100'000);
        EXPECT_GE(alice.quota->used(Resource::memory), before + 100'000);
    }
    EXPECT_EQ(alice.quota->used(Resource::memory), before);
    Actor poor{3, 50'000};
    EXPECT_EQ(Channel::create(*poor.quota, 10, 100'000).error(), Error::quota_exceeded);
    const long live = heap_live;
    for (long allowed = 0; allowed < 12; ++allowed) {
        heap_failures = allowed;
        EXPECT_EQ(Channel::create(*alice.quota, 100, 100'000).error(), Error::out_of_memory);
    }
    heap_failures = -1;
    EXPECT_EQ(heap_live, live);
    EXPECT_EQ(alice.quota->used(Resource::memory), before);
}

TEST_F(ChannelTest, messages_arrive_in_order_with_their_sender) {
    const Made made = make_channel(alice);
    ASSERT_TRUE(send_text(*made.channel, alice, "one"));
    ASSERT_TRUE(send_text(*made.channel, bob, ""));
    ASSERT_TRUE(send_text(*made.channel, bob, "three"));
    EXPECT_EQ(made.channel->info_size(), 3u);
    Inbox in;
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    EXPECT_EQ(in.text(), "one");
    EXPECT_EQ(in.message.sender, 1u);
    EXPECT_EQ(in.message.reply_to, 0u);
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    EXPECT_EQ(in.text(), "");
    EXPECT_EQ(in.message.sender, 2u);
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    EXPECT_EQ(in.text(), "three");
    EXPECT_EQ(made.channel->receive(alice, in.message).error(), Error::would_block);
    EXPECT_EQ(alice.sent, 1);
    EXPECT_EQ(bob.sent, 2);
    EXPECT_EQ(alice.received, 3);
}

TEST_F(ChannelTest, the_largest_message_and_one_byte_more) {
    const Made made = make_channel(alice, 2, 65536);
    const std::string largest(65536, 'x'), over(65537, 'x');
    EXPECT_EQ(send_text(*made.channel, bob, over).error(), Error::too_large);
    ASSERT_TRUE(send_text(*made.channel, bob, largest));
    EXPECT_EQ(send_text(*made.channel, bob, "y").error(), Error::would_block); // no byte is left
    Inbox in;
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    EXPECT_EQ(in.text(), largest);
    const Made narrow = make_channel(alice, 2, 100);
    EXPECT_EQ(send_text(*narrow.channel, bob, std::string(101, 'x')).error(), Error::too_large); // it never fits
    std::vector<ipc::Parcel> parcels(9);
    ipc::OutMessage out{text_buffer(""), parcels};
    EXPECT_EQ(made.channel->send(bob, out).error(), Error::too_large);
}

TEST_F(ChannelTest, a_full_channel_says_so_and_tells_when_there_is_room) {
    const Made made = make_channel(alice, 2, 1000);
    auto queue = *EventQueue::create(*alice.quota);
    ASSERT_TRUE(queue->add(*alice.quota, *made.channel, kSignalReadable | kSignalWritable, 1, {}));
    EventPacket packet;
    EXPECT_EQ(queue->wait({&packet, 1}, 0, {}).error(), Error::timed_out);
    ASSERT_TRUE(send_text(*made.channel, bob, "1"));
    ASSERT_TRUE(send_text(*made.channel, bob, "2"));
    EXPECT_EQ(send_text(*made.channel, bob, "3").error(), Error::would_block);
    ASSERT_TRUE(queue->wait({&packet, 1}, 0, {}));
    EXPECT_EQ(packet.signals, kSignalReadable);
    Inbox in;
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    ASSERT_TRUE(queue->wait({&packet, 1}, 0, {}));
    EXPECT_EQ(packet.signals, kSignalReadable | kSignalWritable);
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    EXPECT_EQ(queue->wait({&packet, 1}, 0, {}).error(), Error::timed_out);
    ASSERT_TRUE(send_text(*made.channel, bob, "3"));
}

// Whatever fills it (messages, bytes, the blocks that capabilities take) and whatever empties it: a message of one byte
// finds room exactly while `writable` is set, and something is to be received exactly while `readable` is.
TEST_F(ChannelTest, its_levels_are_true) {
    std::mt19937 random(11);
    int full = 0, refused = 0;
    for (const auto& [messages, bytes] : {std::pair{3u, 2000u}, {8u, 300u}, {1u, 1u}, {16u, 9000u}}) {
        const Made made = make_channel(alice, messages, bytes);
        const auto levels = [&] { return made.channel->event_source()->levels(); };
        const Handle spare = *alice.table->derive(made.handle, rights::send | rights::derive | rights::transfer);
        int held = 0;
        for (int step = 0; step < 3000; ++step) {
            ASSERT_EQ((levels() & kSignalReadable) != 0, held != 0) << step;
            const bool has_room = (levels() & kSignalWritable) != 0;
            full += !has_room;
            switch (random() % 5) {
            case 0:
            case 1: { // a byte
                const auto sent = send_text(*made.channel, bob, "x");
                ASSERT_EQ(sent.has_value(), has_room) << step;
                held += sent.has_value();
                break;
            }
            case 2: { // any size, and perhaps a capability: may be refused although there is room for a byte
                std::vector<ipc::Parcel> parcels;
                if (random() % 2 == 0)
                    parcels.push_back({*alice.table->derive_out(spare, rights::send, rights::none), 0});
                const std::string text(random() % (bytes + 1), 'y');
                ipc::OutMessage out{text_buffer(text), parcels};
                const auto sent = made.channel->send(bob, out);
                if (sent)
                    ++held;
                else
                    ASSERT_EQ(sent.error(), Error::would_block);
                refused += !sent && has_room;
                break;
            }
            default:
                if (held == 0) break;
                Inbox in(bytes);
                ASSERT_TRUE(made.channel->receive(alice, in.message)) << step;
                for (std::uint64_t i = 0; i < in.message.handle_count; ++i)
                    ASSERT_TRUE(alice.table->close(in.grants[i].handle));
                --held;
            }
        }
    }
    EXPECT_GT(full, 1000);
    EXPECT_GT(refused, 100);
}

// A mode hears of room whenever there was none; a call without one only after a refusal.
TEST_F(ChannelTest, room_is_told_by_level_and_edge_without_a_refusal) {
    const Made made = make_channel(alice, 1, 100);
    const Ref<EventQueue> plain = *EventQueue::create(*alice.quota), level = *EventQueue::create(*alice.quota),
                          edge = *EventQueue::create(*alice.quota);
    ASSERT_TRUE(plain->add(*alice.quota, *made.channel, kSignalWritable, 1, {}));
    ASSERT_TRUE(level->add(*alice.quota, *made.channel, kSignalWritable | kModeLevel, 1, {}));
    ASSERT_TRUE(edge->add(*alice.quota, *made.channel, kSignalWritable | kModeEdge, 1, {}));
    const auto tells = [](const Ref<EventQueue>& queue) {
        EventPacket packet;
        return queue->wait({&packet, 1}, 0, {}).has_value();
    };
    EXPECT_TRUE(tells(level) && tells(level) && tells(edge));
    EXPECT_FALSE(tells(plain) || tells(edge));
    Inbox in;
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(send_text(*made.channel, bob, "1"));
        EXPECT_FALSE(tells(plain) || tells(level) || tells(edge));
        ASSERT_TRUE(made.channel->receive(alice, in.message));
        EXPECT_TRUE(tells(level) && tells(edge));
        EXPECT_FALSE(tells(plain) || tells(edge));
    }
}

TEST_F(ChannelTest, bad_buffers_lose_nothing) {
    const Made made = make_channel(alice, 1, 1000);
    ipc::OutMessage bad{Buffer::user(0x10, 5), {}};
    EXPECT_EQ(made.channel->send(bob, bad).error(), Error::bad_address);
    EXPECT_EQ(bob.sent, 0);
    ASSERT_TRUE(send_text(*made.channel, bob, "hello")); // the room of the failed one is free again
    Inbox small(4);
    EXPECT_EQ(made.channel->receive(alice, small.message).error(), Error::buffer_small);
    EXPECT_EQ(small.message.size, 5u);
    ipc::InMessage nowhere;
    nowhere.bytes = Buffer::user(0x10, 100);
    EXPECT_EQ(made.channel->receive(alice, nowhere).error(), Error::bad_address);
    Inbox in;
    ASSERT_TRUE(made.channel->receive(alice, in.message));
    EXPECT_EQ(in.text(), "hello");
    std::string user_text = "from user memory";
    ipc::OutMessage good{Buffer::user(reinterpret_cast<std::uint64_t>(user_text.data()), user_text.size()), {}};
    ASSERT_TRUE(made.channel->send(bob, good));
    std::string into(100, '\0');
    ipc::InMessage back;
    back.bytes = Buffer::user(reinterpret_cast<std::uint64_t>(into.data()), into.size());
    ASSERT_TRUE(made.channel->receive(alice, back));
    EXPECT_EQ(into.substr(0, back.size), user_text);
}

TEST_F(ChannelTest, closed_for_senders_and_receivers) {
    Made made = make_channel(alice);
    auto queue = *EventQueue::create(*alice.quota);
    ASSERT_TRUE(queue->add(*alice.quota, *made.channel, kSignalClosed, 1, {}));
    const Handle send_end = *alice.table->derive(made.handle, rights::send);
    const Handle receive_end = *alice.table->derive(made.handle, rights::receive);
    ASSERT_TRUE(alice.table->close(made.handle));
    ASSERT_TRUE(send_text(*made.channel, alice, "last words"));
    ASSERT_TRUE(alice.table->close(send_end));
    EventPacket packet;
    ASSERT_TRUE(queue->wait({&packet, 1}, 0, {}));
    EXPECT_EQ(packet.signals, kSignalClosed);
    Inbox in;
    ASSERT_TRUE(made.channel->receive(alice, in.message)); // what was sent is still there
    EXPECT_EQ(in.text(), "last words");
    EXPECT_EQ(made.channel->receive(alice, in.message).error(), Error::peer_closed);
    ASSERT_TRUE(alice.table->close(receive_end));

    Made other = make_channel(alice);
    const Handle sender = *alice.table->derive(other.handle, rights::send);
    ASSERT_TRUE(send_text(*other.channel, alice, "never read"));
    ASSERT_TRUE(alice.table->close(other.handle));
    EXPECT_EQ(send_text(*other.channel, alice, "x").error(), Error::peer_closed);
    EXPECT_EQ(other.channel->info_size(), 0u); // thrown away
    ASSERT_TRUE(alice.table->close(sender));
}

TEST_F(ChannelTest, capabilities_travel) {
    const Made made = make_channel(alice);
    const Made gift = make_channel(alice);
    ipc::Parcel parcels[2];
    parcels[0] = {*alice.table->derive_out(gift.handle, rights::send, rights::transfer), 70};
    parcels[1] = {*alice.table->derive_out(gift.handle, rights::receive, rights::transfer), 71};
    ipc::OutMessage out{text_buffer("gifts"), parcels};
    ASSERT_TRUE(made.channel->send(alice, out));
    // While they are under way they count: the giver may close its own.
    ASSERT_TRUE(send_text(*gift.channel, alice, "inside"));
    Inbox none(100, 1);
    EXPECT_EQ(made.channel->receive(bob, none.message).error(), Error::buffer_small);
    EXPECT_EQ(none.message.handle_count, 2u);
    Inbox nowhere;
    nowhere.message.handles = Buffer::user(0x20, 64);
    EXPECT_EQ(made.channel->receive(bob, nowhere.message).error(), Error::bad_address);
    const auto handles_before = bob.quota->used(Resource::handles);
    Inbox in;
    ASSERT_TRUE(made.channel->receive(bob, in.message));
    EXPECT_EQ(in.message.handle_count, 2u);
    EXPECT_EQ(in.grants[0].role, 70u);
    EXPECT_EQ(in.grants[0].rights, rights::send.bits());
    EXPECT_EQ(bob.quota->used(Resource::handles), handles_before + 2);
    EXPECT_TRUE(bob.table->lookup<Channel>(in.grants[0].handle, rights::send));
    EXPECT_EQ(bob.table->lookup<Channel>(in.grants[0].handle, rights::receive).error(), Error::missing_right);
    ASSERT_TRUE(bob.table->lookup<Channel>(in.grants[1].handle, rights::receive));
}

TEST_F(ChannelTest, a_capability_dies_under_way) {
    const Made made = make_channel(alice);
    const Made gift = make_channel(alice);
    const Handle between = *alice.table->derive(gift.handle, rights::all);
    ipc::Parcel parcel{*alice.table->derive_out(between, rights::send, rights::transfer), 5};
    ipc::OutMessage out{text_buffer("dead"), {&parcel, 1}};
    ASSERT_TRUE(made.channel->send(alice, out));
    ASSERT_TRUE(alice.table->revoke(gift.handle));
    Inbox in;
    ASSERT_TRUE(made.channel->receive(bob, in.message));
    EXPECT_EQ(in.message.handle_count, 1u);
    EXPECT_EQ(in.grants[0].handle, kNoHandle);
    EXPECT_EQ(in.grants[0].rights, 0u);
    ASSERT_TRUE(alice.table->close(between));
    // The counts are right again: nobody else holds the send right, so closing the root closes the channel.
    const Handle receiver = *alice.table->derive(gift.handle, rights::receive);
    ASSERT_TRUE(alice.table->close(gift.handle));
    EXPECT_EQ(gift.channel->receive(alice, in.message).error(), Error::peer_closed);
    ASSERT_TRUE(alice.table->close(receiver));
}

TEST_F(ChannelTest, no_quota_for_handles_leaves_the_message) {
    const Made made = make_channel(alice);
    ipc::Parcel parcel{*alice.table->derive_out(made.handle, rights::send, rights::transfer), 5};
    ipc::OutMessage out{text_buffer("x"), {&parcel, 1}};
    ASSERT_TRUE(made.channel->send(alice, out));
    Actor poor(9);
    std::vector<Handle> filler;
    for (;;) {
        auto thing = poor.table->insert_new(Ref<Object>(made.channel), rights::inspect);
        if (!thing) break;
        filler.push_back(*thing);
    }
    Inbox in;
    EXPECT_EQ(made.channel->receive(poor, in.message).error(), Error::quota_exceeded);
    EXPECT_EQ(made.channel->info_size(), 1u);
    ASSERT_TRUE(poor.table->close(filler.back()));
    ASSERT_TRUE(made.channel->receive(poor, in.message));
    EXPECT_NE(in.grants[0].handle, kNoHandle);
}

TEST_F(ChannelTest, its_own_receive_right_does_not_go_through_it) {
    const Made made = make_channel(alice);
    ipc::Parcel parcel{*alice.table->derive_out(made.handle, rights::receive, rights::transfer), 0};
    ipc::OutMessage out{text_buffer("x"), {&parcel, 1}};
    EXPECT_EQ(made.channel->send(alice, out).error(), Error::bad_argument);
    EXPECT_TRUE(parcel.capability.is_live()); // untouched
}

// An object that says which thread took its last handle away, and can hold that thread up.
class Watched final : public Object {
public:
    Watched() : Object(ObjectType::timer, {}) {}
    void handle_removed(Rights) override {
        entered = true;
        while (held)
            std::this_thread::yield();
        ended_by = std::this_thread::get_id();
    }
    std::atomic<bool> held{false}, entered{false};
    std::thread::id ended_by;
};

// Whoever closes a channel works off what hangs on it; a stranger who closes something meanwhile does nothing of it,
// and does not wait for it. (In one list for all, the stranger took the first one's channels and paid for their end.)
TEST_F(ChannelTest, nobody_ends_the_channels_of_another) {
    const auto watched = [] { return Ref<Watched>::adopt(*mm::make<Watched>()); };
    const Ref<Watched> inner = watched(), gate = watched();
    const Made outer = make_channel(alice), middle = make_channel(alice);
    const auto put = [&](const Made& to, Handle handle, Rights rights) {
        ipc::Parcel parcel{*alice.table->derive_out(handle, rights, rights::none), 0};
        ipc::OutMessage out{text_buffer("x"), {&parcel, 1}};
        EXPECT_TRUE(to.channel->send(alice, out));
        EXPECT_TRUE(alice.table->close(handle)); // what is under way is the last
    };
    put(middle, *alice.table->insert_new(inner, rights::read), rights::read);
    put(outer, middle.handle, rights::receive);
    put(outer, *alice.table->insert_new(gate, rights::read), rights::read);
    inner->entered = gate->entered = false; // closing the first handles was no end
    gate->held = true;
    HostThread closer([&] { EXPECT_TRUE(alice.table->close(outer.handle)); });
    while (!gate->entered) // it has met `middle`, and is in the middle of `outer`
        std::this_thread::yield();
    const Made other = make_channel(bob);
    ASSERT_TRUE(send_text(*other.channel, bob, "never read"));
    ASSERT_TRUE(bob.table->close(other.handle));
    EXPECT_EQ(other.channel->info_size(), 0u); // his own is done
    EXPECT_FALSE(inner->entered);              // hers is not
    gate->held = false;
    closer.join();
    EXPECT_TRUE(inner->entered);
    EXPECT_EQ(inner->ended_by, gate->ended_by);
    EXPECT_NE(inner->ended_by, std::this_thread::get_id());
}

TEST_F(ChannelTest, thousands_of_channels_inside_each_other_end_without_recursion) {
    const auto before = alice.quota->used(Resource::memory);
    {
        Made outer = make_channel(alice, 1, 64);
        for (int i = 0; i < 3000; ++i) {
            Made next = make_channel(alice, 1, 64);
            // The next one holds the only way to the one before.
            ipc::Parcel parcels[1] = {
                {*alice.table->derive_out(outer.handle, rights::send | rights::receive, rights::transfer), 0}};
            ipc::OutMessage out{text_buffer("x"), parcels};
            ASSERT_TRUE(next.channel->send(alice, out));
            ASSERT_TRUE(alice.table->close(outer.handle));
            outer = next;
        }
        ASSERT_TRUE(alice.table->close(outer.handle));
    }
    EXPECT_LT(alice.quota->used(Resource::memory), before + 100'000); // the table has grown, no channel is left
}

} // namespace
} // namespace aios
