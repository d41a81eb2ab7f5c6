// Pages in messages: who has them after each way that a message can go. Frames are counted (support.hpp); their contents
// are kernel/mm's (tests/unit/mm/test_grants.cpp).
#include <thread>

#include "tests/unit/ipc/support.hpp"

namespace aios {
namespace {

using namespace test;
using ipc::Channel;

constexpr std::uint64_t kRange = kBadBelow; // where pages may come

class PagesTest : public testing::Test {
protected:
    PagesTest() : roll(*mm::GrantRoll::create(*client.quota)), answers(*mm::GrantRoll::create(*server.quota)) {}
    ~PagesTest() override { EXPECT_EQ(live_frames, 0); }
    static std::uint64_t used(Actor& actor) {
        QuotaGrant limits, in_use;
        actor.quota->account(limits, in_use);
        return in_use.memory_bytes;
    }
    ipc::OutMessage message(std::string_view text, std::uint32_t pages) {
        return {text_buffer(text), {}, make_grant(client, roll, pages), {}};
    }
    static Inbox room(std::uint32_t pages, std::uint64_t address = kRange) {
        Inbox in;
        in.message.pages = address;
        in.message.page_room = pages;
        return in;
    }

    AsThread me;
    Actor client{1}, server{2};
    Made made = make_channel(server, 4, 262144);
    Channel& channel = *made.channel;
    Ref<mm::GrantRoll> roll, answers;
};

TEST_F(PagesTest, come_with_small_and_large_messages) {
    for (const std::size_t size : {0, 8, 256, 257, 5000, 65536}) {
        ipc::OutMessage out = message(std::string(size, 'x'), 16);
        const std::string text(size, 'x');
        out.bytes = text_buffer(text);
        ASSERT_TRUE(channel.send(client, out));
        EXPECT_FALSE(out.pages);
        EXPECT_EQ(live_frames, 16);
        Inbox in = room(16);
        ASSERT_TRUE(channel.receive(server, in.message));
        EXPECT_EQ(in.message.page_count, 16u);
        EXPECT_EQ(in.text(), text);
        EXPECT_EQ(live_frames, 0);
    }
    EXPECT_EQ(server.pages, 6u * 16);
}

TEST_F(PagesTest, stay_in_a_message_that_is_not_taken) {
    ipc::OutMessage out = message("abc", 7);
    ASSERT_TRUE(channel.send(client, out));
    Inbox small = room(6);
    EXPECT_EQ(channel.receive(server, small.message).error(), Error::buffer_small);
    EXPECT_EQ(small.message.page_count, 7u);
    EXPECT_EQ(small.message.size, 3u);
    Inbox bad = room(16, kBadBelow - 1);
    EXPECT_EQ(channel.receive(server, bad.message).error(), Error::bad_address);
    EXPECT_EQ(live_frames, 7);
    Inbox in = room(7);
    ASSERT_TRUE(channel.receive(server, in.message));
    EXPECT_EQ(in.message.page_count, 7u);
    out = message("next", 0 + 1);
    ASSERT_TRUE(channel.send(client, out));
    ASSERT_TRUE(send_text(channel, client, "without"));
    ASSERT_TRUE(channel.receive(server, in.message));
    EXPECT_EQ(in.message.page_count, 1u);
    ASSERT_TRUE(channel.receive(server, in.message)); // as much room, nothing comes
    EXPECT_EQ(in.message.page_count, 0u);
}

// Who never heard of pages gets what was said, and is not stopped by them.
TEST_F(PagesTest, end_where_nobody_asked_for_any) {
    for (const std::size_t size : {3, 5000}) {
        const std::string text(size, 'x');
        ipc::OutMessage out = message(text, 16);
        out.bytes = text_buffer(text);
        ASSERT_TRUE(channel.send(client, out));
        Inbox none = room(0);
        ASSERT_TRUE(channel.receive(server, none.message));
        EXPECT_EQ(none.message.page_count, 0u);
        EXPECT_EQ(none.text(), text);
        EXPECT_EQ(live_frames, 0);

        HostThread thread([&] {
            Inbox in = room(0);
            ipc::OutMessage nothing{};
            ASSERT_TRUE(channel.reply_wait(server, 0, nothing, in.message, sched::kNever, nullptr));
            EXPECT_EQ(in.message.page_count, 0u);
            ipc::OutMessage answer{text_buffer(text), {}, make_grant(server, answers, 3), {}};
            ASSERT_TRUE(channel.reply(server, in.message.reply_to, answer));
        });
        ipc::OutMessage question = message("abc", 16);
        ASSERT_TRUE(channel.call(client, question, none.message, sched::kNever, nullptr));
        EXPECT_EQ(none.message.page_count, 0u);
        EXPECT_EQ(none.text(), text);
        thread.join();
        EXPECT_EQ(live_frames, 0);
    }
    EXPECT_EQ(server.pages + client.pages, 0u);
}

TEST_F(PagesTest, are_the_senders_still_when_it_is_refused) {
    Made gift = make_channel(client);
    ipc::Parcel parcel{*client.table->derive_out(gift.handle, rights::send, rights::transfer), 1};
    ipc::OutMessage both = message("abc", 2);
    both.handles = {&parcel, 1};
    EXPECT_EQ(channel.send(client, both).error(), Error::bad_argument);
    EXPECT_TRUE(both.pages);
    both.pages = {};
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(send_text(channel, client, "full"));
    const std::string large(1000, 'x');
    for (const std::string_view text : {std::string_view("abc"), std::string_view(large)}) {
        ipc::OutMessage out = message(text, 16);
        EXPECT_EQ(channel.send(client, out).error(), Error::would_block);
        ASSERT_TRUE(out.pages);
        EXPECT_EQ(out.pages->pages(), 16u);
        EXPECT_EQ(live_frames, 16);
    }
    Inbox in;
    ASSERT_TRUE(channel.receive(server, in.message));
    ASSERT_TRUE(server.table->close(made.handle));
    ipc::OutMessage out = message("abc", 16);
    EXPECT_EQ(channel.send(client, out).error(), Error::peer_closed);
    EXPECT_TRUE(out.pages);
    Inbox reply = room(16);
    EXPECT_EQ(channel.call(client, out, reply.message, sched::kNever, nullptr).error(), Error::peer_closed);
    EXPECT_TRUE(out.pages);
}

TEST_F(PagesTest, end_with_the_queue) {
    for (int i = 0; i < 3; ++i) {
        ipc::OutMessage out = message("abc", 16);
        ASSERT_TRUE(channel.send(client, out));
    }
    EXPECT_EQ(live_frames, 48);
    ASSERT_TRUE(server.table->close(made.handle));
    EXPECT_EQ(live_frames, 0);
}

// What a dead agent has under way costs nobody anything, and its messages arrive without pages.
TEST_F(PagesTest, end_with_their_sender) {
    const std::uint64_t before = used(client);
    for (int i = 0; i < 3; ++i) {
        ipc::OutMessage out = message("abc", 16);
        ASSERT_TRUE(channel.send(client, out));
    }
    EXPECT_EQ(used(client), before + 3 * (mm::cost_of<mm::Grant> + 16 * mm::kPageSize));
    Inbox in = room(16);
    ASSERT_TRUE(channel.receive(server, in.message));
    EXPECT_EQ(in.message.page_count, 16u);
    roll->close();
    EXPECT_EQ(live_frames, 0);
    EXPECT_EQ(used(client), before);
    ASSERT_TRUE(channel.receive(server, in.message));
    EXPECT_EQ(in.message.page_count, 0u);
    EXPECT_EQ(in.text(), "abc");
}

TEST_F(PagesTest, go_there_and_back_in_calls) {
    for (const std::size_t size : {8, 5000}) { // directly, and through the queue
        HostThread thread([&] {
            std::uint64_t reply_to = 0;
            const std::string text(size, 'y');
            for (int i = 0; i < 3; ++i) {
                Inbox in = room(16);
                ipc::OutMessage out{text_buffer(text), {}};
                if (reply_to != 0) out.pages = make_grant(server, answers, 3);
                ASSERT_TRUE(channel.reply_wait(server, reply_to, out, in.message, sched::kNever, nullptr));
                EXPECT_FALSE(out.pages);
                EXPECT_EQ(in.message.page_count, i < 2 ? 16u : 0u);
                reply_to = in.message.reply_to;
            }
        });
        const std::string text(size, 'x');
        for (int i = 0; i < 2; ++i) {
            ipc::OutMessage out = message(text, 16);
            Inbox in = room(3);
            ASSERT_TRUE(channel.call(client, out, in.message, sched::kNever, nullptr));
            EXPECT_EQ(in.message.page_count, 3u);
            EXPECT_EQ(in.text(), std::string(size, 'y'));
        }
        ASSERT_TRUE(send_text(channel, client, "end"));
        thread.join();
    }
    EXPECT_EQ(client.pages, 12u);
    EXPECT_EQ(server.pages, 64u);
}

TEST_F(PagesTest, of_an_answer_that_does_not_fit_end) {
    for (const std::size_t size : {8, 5000}) {
        HostThread thread([&] {
            Inbox in = room(16);
            ipc::OutMessage none{};
            ASSERT_TRUE(channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr));
            const std::string text(size, 'y');
            ipc::OutMessage out{text_buffer(text), {}, make_grant(server, answers, 3), {}};
            ASSERT_TRUE(channel.reply(server, in.message.reply_to, out));
            EXPECT_FALSE(out.pages);
        });
        ipc::OutMessage out = message("abc", 16);
        Inbox in = room(2);
        EXPECT_EQ(channel.call(client, out, in.message, sched::kNever, nullptr).error(), Error::buffer_small);
        EXPECT_EQ(in.message.page_count, 3u);
        thread.join();
        EXPECT_EQ(live_frames, 0);
    }
}

// A question that a receiver could not take is the next one's, with its pages; one that nobody takes ends with its call.
TEST_F(PagesTest, of_a_question_go_to_the_next_receiver) {
    Error first = Error::bad_state;
    HostThread bad([&] {
        Inbox in = room(16, kBadBelow - 1);
        ipc::OutMessage none{};
        first = channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr).error();
    });
    HostThread caller([&] {
        Actor other{3};
        Ref<mm::GrantRoll> others = *mm::GrantRoll::create(*other.quota);
        ipc::OutMessage out{text_buffer("abc"), {}, make_grant(other, others, 16), {}};
        Inbox in;
        EXPECT_TRUE(channel.call(other, out, in.message, sched::kNever, nullptr));
    });
    bad.join();
    EXPECT_EQ(first, Error::bad_address);
    EXPECT_EQ(live_frames, 16);
    Inbox in = room(16);
    ipc::OutMessage none{};
    ASSERT_TRUE(channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr));
    EXPECT_EQ(in.message.page_count, 16u);
    ASSERT_TRUE(channel.reply(server, in.message.reply_to, none));
    caller.join();

    ipc::OutMessage late = message("abc", 16);
    EXPECT_EQ(channel.call(client, late, in.message, sched::now_ns() + 1'000'000, nullptr).error(), Error::timed_out);
    EXPECT_FALSE(late.pages); // it was accepted, and withdrawn
    EXPECT_EQ(live_frames, 0);
}

// Takers and the end of the sender meet: each grant has one end.
TEST_F(PagesTest, are_taken_or_end_with_their_sender) {
    std::uint32_t arrived = 0;
    for (int round = 0; round < 300; ++round) {
        roll = *mm::GrantRoll::create(*client.quota);
        for (int i = 0; i < 4; ++i) {
            ipc::OutMessage out = message("abc", 4);
            ASSERT_TRUE(channel.send(client, out));
        }
        HostThread ender([&] { roll->close(); });
        for (int i = 0; i < 4; ++i) {
            Inbox in = room(4);
            ASSERT_TRUE(channel.receive(server, in.message));
            ASSERT_TRUE(in.message.page_count == 0 || in.message.page_count == 4);
            arrived += in.message.page_count;
        }
        ender.join();
        ASSERT_EQ(live_frames, 0);
    }
    EXPECT_EQ(server.pages, arrived);
}

} // namespace
} // namespace aios
