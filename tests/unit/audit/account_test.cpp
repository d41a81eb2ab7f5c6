// Accounts: who is charged for a record, who waits for a slot and is woken, what keeps an account alive, and how counts
// of refusals are listed. The audit thread is not here: the test takes the records out of the queue itself.
#include <gtest/gtest.h>

#include <vector>

#include "kernel/audit/engine.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"

namespace aios {

namespace {
std::uint64_t charged = 0, wake_ups = 0, looks = 0;
}

// What of the scheduler and the audit thread is asked for.
void sched::charge_current(std::uint64_t ns) { charged += ns; }
void audit::Engine::wake_audit_thread() { ++wake_ups; }
void audit::Engine::look_at_counts() { ++looks; }

namespace audit {
namespace {

using test::AsThread;
using test::HostThread;

class AccountTest : public testing::Test {
protected:
    AccountTest() {
        if (!has_kernel_account) has_kernel_account = Engine::make_kernel_account().has_value();
        before_ = payer->used(Resource::memory);
        account = *Account::create(*payer, 7);
        charged = wake_ups = looks = 0;
    }
    ~AccountTest() {
        while (take()) {
        }
        unlist();
        account.reset();
        EXPECT_EQ(payer->used(Resource::memory), before_); // nothing keeps it
    }
    // As the audit thread does it: true if there was one.
    bool take() {
        Slot* slot = Engine::queue.pop();
        if (slot == nullptr) return false;
        taken.push_back(slot->record);
        Account& owner = *slot->account;
        Engine::give_back(owner, *slot);
        owner.release();
        return true;
    }
    // How many accounts stand in the list of those with counts.
    int unlist() {
        int listed = 0;
        Record count;
        for (Account* one = Engine::listed.exchange(nullptr); one != nullptr; ++listed) {
            while (Engine::take_count(*one, sched::now_ns(), Refusals::Which::any, count))
                taken.push_back(count);
            one->release();
            one = nullptr; // each test has one account
        }
        return listed;
    }
    void refuse(std::uint64_t call) const { refused(*account, {7, call, {}}, Error::missing_right); }

    AsThread me;
    Ref<Quota> payer = test::plenty();
    Ref<Account> account;
    std::vector<Record> taken;

private:
    static inline bool has_kernel_account = false;
    std::uint64_t before_ = 0;
};

TEST_F(AccountTest, whoever_causes_a_record_pays_for_it) {
    const std::uint64_t price = Engine::record_price.ns();
    record(*account, {.kind = Kind::call, .agent = 7}, Use::call);
    EXPECT_EQ(charged, price);
    EXPECT_EQ(wake_ups, 0u);                                              // it waits for company
    record(*account, {.kind = Kind::agent_start, .agent = 7}, Use::call); // and of its end
    EXPECT_EQ(charged, 3 * price);
    EXPECT_GE(wake_ups, 1u);
    record(kernel_account(), {.kind = Kind::agent_end}, Use::urgent);
    EXPECT_EQ(charged, 3 * price); // the kernel's are charged to nobody
    while (take()) {
    }
    ASSERT_EQ(taken.size(), 3u);
    EXPECT_EQ(taken[0].kind, Kind::call);
    EXPECT_EQ(taken[1].kind, Kind::agent_start);
}

TEST_F(AccountTest, a_refusal_pays_for_each_record_that_it_makes) {
    const std::uint64_t price = Engine::record_price.ns();
    refuse(1); // recorded at once
    EXPECT_EQ(charged, price);
    ASSERT_TRUE(take());
    EXPECT_EQ(taken[0].call, 1u);
    EXPECT_EQ(taken[0].count, 1u);
    EXPECT_EQ(Engine::listed.load(), nullptr);
    refuse(1); // the first of a count to come
    EXPECT_EQ(charged, 2 * price);
    EXPECT_EQ(Engine::listed.load(), account.get());
    for (int i = 0; i < 1000; ++i)
        refuse(1); // counted in it
    EXPECT_EQ(charged, 2 * price);
    // Refusals hold no slot when they are counted.
    for (unsigned i = 0; i < Slots::kCall; ++i)
        record(*account, {.kind = Kind::call, .agent = 7}, Use::call);
    EXPECT_FALSE(Engine::has_room(*account, Use::call));
    while (take()) {
    }
    EXPECT_TRUE(Engine::has_room(*account, Use::call));
    EXPECT_EQ(unlist(), 1);
    EXPECT_EQ(taken.back().count, 1001u); // all but the first
    EXPECT_EQ(taken.back().agent, 7u);
}

TEST_F(AccountTest, a_refusal_without_a_slot_is_counted_and_waits_for_nobody) {
    for (unsigned i = 0; i < Slots::kCall; ++i)
        record(*account, {.kind = Kind::call, .agent = 7}, Use::call);
    refuse(2);
    EXPECT_EQ(unlist(), 1);
    EXPECT_EQ(taken.back().call, 2u);
}

// A caller without a slot waits until one is given back; a kill has one more.
TEST_F(AccountTest, a_full_account_makes_its_own_threads_wait) {
    for (unsigned i = 0; i < Slots::kCall; ++i)
        record(*account, {.kind = Kind::call, .agent = 7, .call = i}, Use::call);
    EXPECT_TRUE(wait_for_room(*account, Use::urgent));
    Result<> room;
    HostThread looks_for_room([&] { room = wait_for_room(*account, Use::call); });
    looks_for_room.await_parked();
    ASSERT_TRUE(take());
    EXPECT_TRUE(looks_for_room.ends_by_itself());
    EXPECT_TRUE(room);
    record(*account, {.kind = Kind::call, .agent = 7, .call = 10}, Use::call);
    HostThread records([&] { record(*account, {.kind = Kind::call, .agent = 7, .call = 11}, Use::call); });
    records.await_parked();
    records.thread().kill(); // what has happened is recorded all the same
    ASSERT_TRUE(take());
    EXPECT_TRUE(records.ends_by_itself());
    while (take()) {
    }
    EXPECT_EQ(taken.size(), Slots::kCall + 2);
    EXPECT_EQ(taken.back().call, 11u);
}

TEST_F(AccountTest, a_killed_thread_does_not_wait_for_room) {
    for (unsigned i = 0; i < Slots::kCall; ++i)
        record(*account, {.kind = Kind::call, .agent = 7}, Use::call);
    Result<> room;
    HostThread waiter([&] { room = wait_for_room(*account, Use::call); });
    waiter.await_parked();
    waiter.thread().kill();
    EXPECT_TRUE(waiter.ends_by_itself());
    EXPECT_EQ(room.error(), Error::interrupted);
}

// The counts that are open when an agent has ended become records of the kernel's account, and the list is looked at.
TEST_F(AccountTest, the_end_of_an_agent_brings_out_its_counts) {
    for (std::uint64_t call = 1; call <= 20; ++call) {
        refuse(call);
        while (take()) {
        }
    }
    for (int i = 0; i < 5; ++i)
        refuse(1);
    taken.clear();
    close(*account);
    EXPECT_EQ(looks, 1u);
    while (take()) {
    }
    std::uint64_t counted = 0;
    for (const Record& one : taken) {
        EXPECT_EQ(one.agent, 7u);
        EXPECT_EQ(one.kind, Kind::refusal);
        counted += one.count;
    }
    EXPECT_EQ(counted, 20 - Refusals::kDoors + 5);
}

TEST_F(AccountTest, an_account_without_counts_is_closed_without_a_look) {
    refuse(1);
    close(*account);
    EXPECT_EQ(looks, 0u);
}

// Records under way keep the account, and what its quota paid for it.
TEST_F(AccountTest, records_under_way_keep_their_account) {
    const std::uint64_t with_account = payer->used(Resource::memory);
    record(*account, {.kind = Kind::call, .agent = 7}, Use::call);
    Account* const gone = account.get();
    account.reset();
    EXPECT_EQ(payer->used(Resource::memory), with_account);
    Slot* slot = Engine::queue.pop();
    ASSERT_NE(slot, nullptr);
    EXPECT_EQ(slot->account, gone);
    Engine::give_back(*gone, *slot);
    gone->release();
    EXPECT_LT(payer->used(Resource::memory), with_account);
}

TEST_F(AccountTest, an_account_is_charged) {
    Ref<Quota> poor = *Quota::create_root({10, 1, 1, 1});
    EXPECT_EQ(Account::create(*poor, 8).error(), Error::quota_exceeded);
    test::heap_failures = 0;
    EXPECT_EQ(Account::create(*payer, 8).error(), Error::out_of_memory);
    test::heap_failures = -1;
}

// --- what becomes of an agent's budget ---------------------------------------------------------------------------------

TEST_F(AccountTest, the_first_uncertain_hold_is_recorded_and_the_rest_is_added_up) {
    test::held_clock = 5'000'000'000;
    account = *Account::create(*payer, 7, "payer");
    SpendingWitness& witness = *account;
    witness.ended_uncertain({{10, 1, 0}});
    EXPECT_EQ(charged, Engine::record_price.ns());
    witness.ended_uncertain({{20, 2, 0}}); // within the second
    witness.ended_uncertain({{40, 0, 5}});
    witness.passed_limit({{7, 0, 0}});                 // of another kind: it waits for nothing
    EXPECT_EQ(charged, 3 * Engine::record_price.ns()); // two records, and a sum that will be one
    while (take()) {
    }
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_EQ(taken[0].kind, Kind::hold_uncertain);
    EXPECT_EQ(taken[0].agent, 7u);
    EXPECT_EQ(taken[0].subject, 7u);
    EXPECT_STREQ(taken[0].name, "payer");
    EXPECT_EQ(std::to_array(taken[0].detail), (std::array<std::uint64_t, 3>{10, 1, 0}));
    EXPECT_EQ(taken[0].count, 1u);
    EXPECT_EQ(taken[1].kind, Kind::overrun);
    EXPECT_EQ(taken[1].detail[0], 7u);
    Record sum;
    EXPECT_FALSE(Engine::take_count(*account, 5'999'999'999, Refusals::Which::due, sum));
    EXPECT_EQ(Engine::next_due(*account), 6'000'000'000u);
    ASSERT_TRUE(Engine::take_count(*account, 6'000'000'000, Refusals::Which::due, sum));
    EXPECT_EQ(sum.kind, Kind::hold_uncertain);
    EXPECT_EQ(sum.agent, 7u);
    EXPECT_EQ(sum.subject, 7u);
    EXPECT_STREQ(sum.name, "payer");
    EXPECT_EQ(std::to_array(sum.detail), (std::array<std::uint64_t, 3>{60, 2, 5}));
    EXPECT_EQ(sum.count, 2u);
    EXPECT_FALSE(Engine::take_count(*account, ~0ull >> 1, Refusals::Which::any, sum));
    EXPECT_EQ(Engine::next_due(*account), Refusals::kNone);
    test::held_clock = 0;
}

// However many doors the agent tried, and whatever room its slots have: what became of its budget is not lost among them.
TEST_F(AccountTest, refusals_do_not_hide_what_was_spent) {
    for (std::uint64_t call = 0; call < 20; ++call)
        refuse(call);
    while (take()) {
    }
    Slot* slots[Slots::kCall] = {};
    for (Slot*& slot : slots)
        slot = &Engine::take(*account, Use::urgent);
    account->ended_uncertain({{10}});    // no slot is free: it is counted
    account->ended_uncertain({{~0ull}}); // and a sum that no word holds stays at its end
    for (Slot* slot : slots)
        Engine::give_back(*account, *slot);
    while (take()) {
    }
    close(*account);
    while (take()) {
    }
    std::uint64_t found = 0;
    for (const Record& one : taken)
        if (one.kind == Kind::hold_uncertain) {
            ++found;
            EXPECT_EQ(one.count, 2u);
            EXPECT_EQ(one.detail[0], ~0ull);
        }
    EXPECT_EQ(found, 1u);
}

} // namespace
} // namespace audit
} // namespace aios
