// Calls: answers, refusals, deadlines, kills, servers that die, lending through chains, and all of it at once.
#include <memory>
#include <random>
#include <thread>

#include "tests/unit/ipc/support.hpp"

namespace aios {
namespace {

using namespace test;
using ipc::Channel;

class CallTest : public testing::Test {
protected:
    AsThread me;
    Actor client{1}, server{2};
    Made made = make_channel(server);
    Channel& channel = *made.channel;

    Result<std::string> call_text(std::string_view text, sched::Deadline deadline = sched::kNever,
                                  std::size_t room = 65536, const cap::DerivationNode* node = nullptr) {
        Inbox in(room);
        ipc::OutMessage out{text_buffer(text), {}};
        TRY(channel.call(client, out, in.message, deadline, node));
        return in.text();
    }
    // Serves until a message says "stop"; answers each with its text twice.
    void serve() {
        std::uint64_t reply_to = 0;
        std::string answer;
        for (;;) {
            Inbox in;
            ipc::OutMessage out{text_buffer(answer), {}};
            Result<> got = channel.reply_wait(server, reply_to, out, in.message, sched::kNever, nullptr);
            if (!got && got.error() == Error::not_found) { // the caller has gone
                reply_to = 0;
                continue;
            }
            ASSERT_TRUE(got);
            if (in.text() == "stop") return;
            EXPECT_EQ(in.message.sender, 1u);
            reply_to = in.message.reply_to;
            answer = in.text() + in.text();
        }
    }
    // The next message, however long that takes.
    std::string next_text() {
        Inbox in;
        ipc::OutMessage none{};
        return channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr) ? in.text() : "";
    }
    void wait_for_call() {
        while (channel.info_size() == 0)
            std::this_thread::yield();
    }
};

TEST_F(CallTest, answers_come_back) {
    HostThread thread([&] { serve(); });
    for (std::size_t size : {0, 1, 100, 128, 129, 5000, 32768})
        EXPECT_EQ(*call_text(std::string(size, 'a')), std::string(2 * size, 'a'));
    EXPECT_EQ(client.sent, 7);
    EXPECT_EQ(client.received, 7);
    EXPECT_EQ(server.received, 7);
    ASSERT_TRUE(send_text(channel, client, "stop"));
    thread.join();
    EXPECT_EQ(server.sent, 7);
}

TEST_F(CallTest, answers_that_do_not_fit_name_their_size) {
    HostThread thread([&] { serve(); });
    Inbox in(5);
    ipc::OutMessage out{text_buffer("abc"), {}};
    EXPECT_EQ(channel.call(client, out, in.message, sched::kNever, nullptr).error(), Error::buffer_small);
    EXPECT_EQ(in.message.size, 6u);
    ASSERT_TRUE(send_text(channel, client, "stop"));
}

TEST_F(CallTest, capabilities_go_both_ways) {
    Made gift = make_channel(server);
    HostThread thread([&] {
        Inbox in;
        ipc::OutMessage none{};
        ASSERT_TRUE(channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr));
        ipc::Parcel parcel{*server.table->derive_out(gift.handle, rights::send, rights::transfer), 66};
        ipc::OutMessage answer{text_buffer("here"), {&parcel, 1}};
        ASSERT_TRUE(channel.reply(server, in.message.reply_to, answer));
    });
    Inbox in;
    ipc::OutMessage out{text_buffer("give"), {}};
    ASSERT_TRUE(channel.call(client, out, in.message, sched::kNever, nullptr));
    EXPECT_EQ(in.message.handle_count, 1u);
    EXPECT_EQ(in.grants[0].role, 66u);
    EXPECT_TRUE(client.table->lookup<Channel>(in.grants[0].handle, rights::send));
}

TEST_F(CallTest, an_answer_is_for_the_receiver_alone_and_once) {
    Actor thief{3};
    HostThread caller([&] { EXPECT_EQ(*call_text("q"), "right"); });
    wait_for_call();
    Inbox in;
    ASSERT_TRUE(channel.receive(server, in.message));
    const std::uint64_t id = in.message.reply_to;
    ASSERT_NE(id, 0u);
    ipc::OutMessage wrong{text_buffer("wrong"), {}}, right{text_buffer("right"), {}};
    EXPECT_EQ(channel.reply(thief, id, wrong).error(), Error::not_found);
    EXPECT_EQ(channel.reply(server, id + 1, wrong).error(), Error::not_found);
    ipc::OutMessage bad{ipc::Buffer::user(0x10, 8), {}};
    EXPECT_EQ(channel.reply(server, id, bad).error(), Error::bad_address); // may be tried again
    ipc::OutMessage large{ipc::Buffer::user(0x10, 65537), {}};
    EXPECT_EQ(channel.reply(server, id, large).error(), Error::too_large);
    ASSERT_TRUE(channel.reply(server, id, right));
    EXPECT_EQ(channel.reply(server, id, right).error(), Error::not_found);
}

TEST_F(CallTest, deadlines_pass_before_and_after_receipt) {
    EXPECT_EQ(call_text("q", sched::now_ns() + 1'000'000).error(), Error::timed_out);
    EXPECT_EQ(channel.info_size(), 0u); // the question is withdrawn
    EXPECT_EQ(call_text("q", 0).error(), Error::timed_out);
    std::atomic<bool> over{false};
    HostThread taker([&] {
        wait_for_call();
        Inbox in;
        ASSERT_TRUE(channel.receive(server, in.message));
        while (!over)
            std::this_thread::yield();
        ipc::OutMessage late{text_buffer("late"), {}};
        EXPECT_EQ(channel.reply(server, in.message.reply_to, late).error(), Error::not_found);
    });
    EXPECT_EQ(call_text("q", sched::now_ns() + 100'000'000).error(), Error::timed_out);
    over = true;
}

// Whoever gives up takes back all that the message held: its room in the channel, and what its capabilities cost.
TEST_F(CallTest, capabilities_in_a_call_that_is_given_up_are_gone) {
    Made gift = make_channel(client);
    const std::uint64_t before = client.quota->used(Resource::memory);
    for (unsigned i = 0; i < 100; ++i) {
        ipc::Parcel parcels[] = {{*client.table->derive_out(gift.handle, rights::send, rights::transfer), 1},
                                 {*client.table->derive_out(gift.handle, rights::receive, rights::transfer), 2}};
        ipc::OutMessage out{text_buffer("take"), parcels};
        Inbox in;
        EXPECT_EQ(channel.call(client, out, in.message, sched::now_ns() + 10'000, nullptr).error(), Error::timed_out);
    }
    EXPECT_EQ(channel.info_size(), 0u);
    EXPECT_EQ(client.quota->used(Resource::memory), before);
    // They were the last but the one in the table.
    ASSERT_TRUE(client.table->close(gift.handle));
    EXPECT_EQ(send_text(*gift.channel, client, "x").error(), Error::peer_closed);
}

// An answer whose caller has no room for it, and one whose caller has gone: what came with it is gone as well.
TEST_F(CallTest, capabilities_in_an_answer_that_is_not_taken_are_gone) {
    Made gift = make_channel(server);
    const std::uint64_t before = server.quota->used(Resource::memory);
    const auto give = [&](bool caller_waits) {
        Inbox in;
        while (channel.receive(server, in.message).has_value() == false)
            std::this_thread::yield();
        while (!caller_waits && channel.info_size() != 0)
            std::this_thread::yield();
        ipc::Parcel parcel{*server.table->derive_out(gift.handle, rights::send, rights::transfer), 1};
        ipc::OutMessage answer{text_buffer("here"), {&parcel, 1}};
        EXPECT_EQ(channel.reply(server, in.message.reply_to, answer).has_value(), caller_waits);
    };
    for (const bool caller_waits : {true, false}) {
        HostThread caller([&] {
            Inbox in(64, 0);
            ipc::OutMessage out{text_buffer("give"), {}};
            const sched::Deadline deadline = caller_waits ? sched::kNever : sched::now_ns() + 50'000'000;
            EXPECT_EQ(channel.call(client, out, in.message, deadline, nullptr).error(),
                      caller_waits ? Error::buffer_small : Error::timed_out);
        });
        give(caller_waits);
        caller.join();
        EXPECT_EQ(server.quota->used(Resource::memory), before);
    }
}

TEST_F(CallTest, a_killed_caller_leaves) {
    std::atomic<int> error{0};
    HostThread caller([&] { error = static_cast<int>(call_text("q").error()); });
    wait_for_call();
    caller.thread().kill();
    caller.join();
    EXPECT_EQ(error, static_cast<int>(Error::interrupted));
    EXPECT_EQ(channel.info_size(), 0u);
}

TEST_F(CallTest, the_last_receiver_goes_with_calls_waiting_and_taken) {
    HostThread one([&] { EXPECT_EQ(call_text("1").error(), Error::peer_closed); });
    wait_for_call();
    Inbox in;
    ASSERT_TRUE(channel.receive(server, in.message));
    HostThread two([&] { EXPECT_EQ(call_text("2").error(), Error::peer_closed); });
    wait_for_call();
    ASSERT_TRUE(server.table->close(made.handle));
    one.join();
    two.join();
    EXPECT_EQ(call_text("3").error(), Error::peer_closed);
}

TEST_F(CallTest, a_server_that_dies_wakes_its_caller) {
    HostThread caller([&] { EXPECT_EQ(call_text("q").error(), Error::peer_closed); });
    HostThread dying([&] {
        Inbox in;
        ipc::OutMessage none{};
        ASSERT_TRUE(channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr));
    });
    caller.join();
}

TEST_F(CallTest, a_revoked_caller_leaves) {
    const Handle derived = *client.table->insert(*server.table->derive_out(made.handle, rights::send, rights::none));
    {
        auto checked = *client.table->lookup<Channel>(derived, rights::send);
        HostThread caller(
            [&] { EXPECT_EQ(call_text("q", sched::kNever, 65536, checked.node.get()).error(), Error::revoked); });
        wait_for_call();
        ASSERT_TRUE(server.table->revoke(made.handle));
        caller.join();
    }
    EXPECT_EQ(channel.info_size(), 0u);
}

TEST_F(CallTest, room_for_the_answer_is_the_callers) {
    Actor poor{4, 100'000};
    Inbox in(65536);
    const auto used = poor.quota->used(Resource::memory);
    ASSERT_TRUE(poor.quota->reserve(Resource::memory, 100'000 - used - 10'000));
    ipc::OutMessage out{text_buffer("q"), {}};
    EXPECT_EQ(channel.call(poor, out, in.message, 0, nullptr).error(), Error::quota_exceeded);
    Inbox small(200);
    EXPECT_EQ(channel.call(poor, out, small.message, 0, nullptr).error(), Error::timed_out);
    poor.quota->give_back(Resource::memory, 100'000 - used - 10'000);
    EXPECT_EQ(poor.quota->used(Resource::memory), used);
}

// client -> middle -> back: both servers are billed to the client while they work for it, and to themselves afterwards.
TEST_F(CallTest, lending_goes_through_chains_and_ends) {
    sched::ShareGroup client_group(&sched::root_group(), 100), middle_group(&sched::root_group(), 100),
        back_group(&sched::root_group(), 100);
    Actor middle{5}, back{6};
    Made front_channel = make_channel(middle), back_channel = make_channel(back);
    std::atomic<int> stage{0};
    const auto wait_stage = [&](int wanted) {
        while (stage != wanted)
            std::this_thread::yield();
    };
    HostThread back_thread(
        [&] {
            Inbox in;
            ipc::OutMessage none{};
            ASSERT_TRUE(back_channel.channel->reply_wait(back, 0, none, in.message, sched::kNever, nullptr));
            EXPECT_EQ(Thread::current().billed, &client_group);
            stage = 1;
            wait_stage(2); // the client has been killed: the chain is the middle's now
            while (Thread::current().billed != &middle_group)
                std::this_thread::yield();
            ipc::OutMessage answer{text_buffer("b"), {}};
            ASSERT_TRUE(back_channel.channel->reply(back, in.message.reply_to, answer));
            EXPECT_EQ(Thread::current().billed, &back_group);
        },
        &back_group);
    HostThread middle_thread(
        [&] {
            Inbox in;
            ipc::OutMessage none{};
            ASSERT_TRUE(front_channel.channel->reply_wait(middle, 0, none, in.message, sched::kNever, nullptr));
            EXPECT_EQ(Thread::current().billed, &client_group);
            Inbox deeper;
            ipc::OutMessage question{text_buffer("deeper"), {}};
            ASSERT_TRUE(back_channel.channel->call(middle, question, deeper.message, sched::kNever, nullptr));
            EXPECT_EQ(Thread::current().billed, &middle_group);
            ipc::OutMessage answer{text_buffer("late"), {}};
            EXPECT_EQ(front_channel.channel->reply(middle, in.message.reply_to, answer).error(), Error::not_found);
        },
        &middle_group);
    HostThread client_thread(
        [&] {
            Inbox in;
            ipc::OutMessage question{text_buffer("q"), {}};
            EXPECT_EQ(front_channel.channel->call(client, question, in.message, sched::kNever, nullptr).error(),
                      Error::interrupted);
        },
        &client_group);
    wait_stage(1);
    client_thread.thread().kill();
    client_thread.join();
    stage = 2;
    middle_thread.join();
    back_thread.join();
}

// A receiver has a message in its hands and cannot take it: who went to sleep meanwhile hears that it is back.
TEST_F(CallTest, an_undelivered_message_wakes_the_next_receiver) {
    ASSERT_TRUE(send_text(channel, client, "kept"));
    std::unique_ptr<HostThread> waiter;
    std::string got;
    during_copy = [&] {
        waiter = std::make_unique<HostThread>([&] { got = next_text(); });
        waiter->await_parked(); // the queue is empty
    };
    ipc::InMessage bad;
    bad.bytes = ipc::Buffer::user(kSlowAddress, 100);
    EXPECT_EQ(channel.receive(server, bad).error(), Error::bad_address);
    during_copy = {};
    EXPECT_TRUE(waiter->ends_by_itself());
    EXPECT_EQ(got, "kept");
}

// The thread that a message woke leaves without it, because it has too little room: the message wakes the next one.
TEST_F(CallTest, a_receiver_that_leaves_without_the_message_passes_the_wake_up_on) {
    Result<> first_result;
    std::string got;
    HostThread first([&] {
        Inbox in(1);
        ipc::OutMessage none{};
        first_result = channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr);
    });
    first.await_parked();
    HostThread second([&] { got = next_text(); });
    second.await_parked();
    ASSERT_TRUE(send_text(channel, client, "too long"));
    EXPECT_TRUE(first.ends_by_itself());
    EXPECT_TRUE(second.ends_by_itself());
    EXPECT_EQ(first_result.error(), Error::buffer_small);
    EXPECT_EQ(got, "too long");
}

// The same for one whose capability has died. It is one on another object, so that its end wakes nobody here.
TEST_F(CallTest, a_receiver_without_authority_passes_the_wake_up_on) {
    Made other = make_channel(server);
    const Handle derived = *server.table->derive(other.handle, rights::receive);
    Result<> first_result;
    std::string got;
    {
        auto checked = *server.table->lookup<Channel>(derived, rights::receive);
        HostThread first([&] {
            Inbox in;
            ipc::OutMessage none{};
            first_result = channel.reply_wait(server, 0, none, in.message, sched::kNever, checked.node.get());
        });
        first.await_parked();
        HostThread second([&] { got = next_text(); });
        second.await_parked();
        ASSERT_TRUE(server.table->revoke(other.handle));
        ASSERT_TRUE(send_text(channel, client, "for one who may"));
        EXPECT_TRUE(first.ends_by_itself());
        EXPECT_TRUE(second.ends_by_itself());
    }
    EXPECT_EQ(first_result.error(), Error::revoked);
    EXPECT_EQ(got, "for one who may");
}

TEST_F(CallTest, the_end_of_the_last_sender_wakes_every_receiver) {
    const Handle reader = *server.table->derive(made.handle, rights::receive);
    std::atomic<int> closed{0};
    std::vector<std::unique_ptr<HostThread>> receivers;
    for (int i = 0; i < 40; ++i) // more than are woken under one hold of the lock
        receivers.push_back(std::make_unique<HostThread>([&] {
            Inbox in;
            ipc::OutMessage none{};
            const auto got = channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr);
            closed += !got && got.error() == Error::peer_closed;
        }));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(server.table->close(made.handle));
    receivers.clear();
    EXPECT_EQ(closed, 40);
    ASSERT_TRUE(server.table->close(reader));
}

// Handles of a channel come and go without waking those who wait on it.
TEST_F(CallTest, closing_handles_wakes_nobody) {
    std::vector<std::unique_ptr<HostThread>> receivers, callers;
    for (int i = 0; i < 3; ++i)
        receivers.push_back(std::make_unique<HostThread>([&] {
            Inbox in;
            ipc::OutMessage none{};
            static_cast<void>(channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr));
        }));
    Made busy = make_channel(server, 64);
    for (int i = 0; i < 20; ++i)
        callers.push_back(std::make_unique<HostThread>([&] {
            Inbox in;
            ipc::OutMessage out{text_buffer("q"), {}};
            EXPECT_EQ(busy.channel->call(client, out, in.message, sched::kNever, nullptr).error(), Error::peer_closed);
        }));
    while (busy.channel->info_size() != 20)
        std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(100)); // all sleep
    const long before = unparks;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(server.table->close(*server.table->derive(made.handle, rights::all)));
        ASSERT_TRUE(server.table->close(*server.table->derive(busy.handle, rights::all)));
    }
    EXPECT_EQ(unparks, before);
    ASSERT_TRUE(server.table->close(busy.handle)); // the last receiver
    callers.clear();
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(send_text(channel, client, "go"));
}

// A small question goes straight to the receiver that waits. One that cannot take it puts it back, and it is the next
// one's: too little room, a bad buffer, no authority, killed.
TEST_F(CallTest, a_question_that_was_handed_over_and_not_taken_is_the_next_ones) {
    for (const bool is_bad_buffer : {false, true}) {
        Result<> first_result;
        HostThread first([&] {
            Inbox in(1);
            ipc::OutMessage none{};
            if (is_bad_buffer) in.message.bytes = ipc::Buffer::user(0x10, 100);
            first_result = channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr);
        });
        first.await_parked();
        HostThread caller([&] { EXPECT_EQ(*call_text("question"), "right"); });
        EXPECT_TRUE(first.ends_by_itself());
        EXPECT_EQ(first_result.error(), is_bad_buffer ? Error::bad_address : Error::buffer_small);
        EXPECT_EQ(channel.info_size(), 1u);
        Inbox in;
        ASSERT_TRUE(channel.receive(server, in.message));
        EXPECT_EQ(in.text(), "question");
        EXPECT_EQ(in.message.sender, 1u);
        ipc::OutMessage right{text_buffer("right"), {}};
        ASSERT_TRUE(channel.reply(server, in.message.reply_to, right));
    }
    EXPECT_EQ(channel.info_size(), 0u);
}

TEST_F(CallTest, a_question_that_was_put_back_can_be_given_up_and_comes_before_others) {
    const auto put_one_back = [&](sched::Deadline deadline) {
        Inbox in(1);
        HostThread first([&] {
            ipc::OutMessage none{};
            EXPECT_EQ(channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr).error(),
                      Error::buffer_small);
        });
        first.await_parked();
        auto caller = std::make_unique<HostThread>([this, deadline] {
            EXPECT_EQ(call_text("put back", deadline).error(),
                      deadline == sched::kNever ? Error::interrupted : Error::timed_out);
        });
        EXPECT_TRUE(first.ends_by_itself());
        return caller;
    };
    {
        auto caller = put_one_back(sched::now_ns() + 200'000'000);
    } // it times out
    EXPECT_EQ(channel.info_size(), 0u);
    auto caller = put_one_back(sched::kNever);
    ASSERT_TRUE(send_text(channel, client, "later"));
    EXPECT_EQ(next_text(), "put back");
    EXPECT_EQ(next_text(), "later");
    caller->thread().kill();
}

TEST_F(CallTest, a_killed_receiver_leaves_the_question_to_the_next) {
    const auto answer = [&](const Inbox& in) {
        ipc::OutMessage text{text_buffer("answer"), {}};
        ASSERT_TRUE(channel.reply(server, in.message.reply_to, text));
    };
    for (int round = 0; round < 200; ++round) { // the kill meets it before, while and after it was handed the question
        HostThread doomed([&] {
            Inbox in;
            ipc::OutMessage none{};
            if (channel.reply_wait(server, 0, none, in.message, sched::kNever, nullptr)) answer(in);
        });
        doomed.await_parked();
        std::atomic<bool> has_ended{false};
        HostThread caller([&] {
            EXPECT_EQ(*call_text("q"), "answer");
            has_ended = true;
        });
        doomed.thread().kill();
        while (!has_ended) {
            Inbox in;
            if (channel.receive(server, in.message))
                answer(in);
            else
                std::this_thread::yield();
        }
    }
    EXPECT_EQ(channel.info_size(), 0u);
}

// Many clients with deadlines that sometimes pass, kills, several servers, servers that answer late. Every call ends,
// every answer belongs to its question, and every byte of quota comes back.
TEST_F(CallTest, stress) {
    std::atomic<int> clients_left{4};
    std::vector<std::unique_ptr<HostThread>> threads;
    std::atomic<int> answered{0};
    for (int c = 0; c < 4; ++c)
        threads.push_back(std::make_unique<HostThread>([&, c] {
            std::mt19937 random(static_cast<unsigned>(c));
            for (int i = 0; i < 400; ++i) {
                const std::string text = std::to_string(c) + ":" + std::to_string(i) + std::string(random() % 900, '.');
                const sched::Deadline deadline =
                    random() % 3 == 0 ? sched::now_ns() + random() % 300'000 : sched::kNever;
                auto answer = call_text(text, deadline);
                if (answer) {
                    EXPECT_EQ(*answer, text + text);
                    ++answered;
                } else {
                    EXPECT_TRUE(answer.error() == Error::timed_out || answer.error() == Error::would_block)
                        << static_cast<int>(answer.error());
                }
            }
            if (--clients_left == 0) {
                for (int s = 0; s < 3;)
                    if (send_text(channel, client, "stop")) ++s;
            }
        }));
    for (int s = 0; s < 3; ++s)
        threads.push_back(std::make_unique<HostThread>([&] { serve(); }));
    threads.clear();
    EXPECT_GT(answered, 800);
    EXPECT_EQ(channel.info_size(), 0u);
}

} // namespace
} // namespace aios
