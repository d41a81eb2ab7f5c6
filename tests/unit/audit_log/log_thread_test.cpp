// The audit thread with a clock that stands still unless the test moves it: what the thread does meanwhile, somebody
// has woken it for. From the first record to the end of the log, in the order of the tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "crypto/merkle.hpp"
#include "kernel/audit/account.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/host/output.hpp"
#include "messages/view.hpp"
#include "tests/support/hash_lanes_host.hpp"
#include "tests/support/sched_host.hpp"

namespace aios {

namespace {
void (*entry_of_audit_thread)(void*) = nullptr;
// The audit thread asks for its time before and after each piece of work: there the test can hold it, and sees how many
// it has woken since the last time.
std::atomic<bool> hold_audit_thread{false}, is_held{false};
std::atomic<long> unparks_before{0}, most_woken{0};
std::unique_ptr<test::HostThread> audit_thread;
} // namespace

// What of the scheduler is asked for.
void sched::charge_current(std::uint64_t) {}
std::uint64_t Thread::cpu_ns() const {
    while (hold_audit_thread) {
        is_held = true;
        std::this_thread::yield();
    }
    const long now = test::unparks;
    most_woken = std::max(most_woken.load(), now - unparks_before.exchange(now));
    return 0;
}
Result<Ref<Thread>> Thread::create_kernel(const char*, void (*entry)(void*), void*) {
    entry_of_audit_thread = entry;
    return Ref<Thread>::share(Thread::current());
}
void Thread::start() {
    audit_thread = std::make_unique<test::HostThread>([] { entry_of_audit_thread(nullptr); });
}

namespace audit {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Frame {
    FrameKind kind;
    std::vector<std::byte> body;
};
std::mutex frames_mutex;
std::vector<Frame> frames;

std::size_t frames_of(FrameKind kind) {
    std::lock_guard lock(frames_mutex);
    return static_cast<std::size_t>(std::ranges::count(frames, kind, &Frame::kind));
}

// Ten seconds are ages: then it does not come.
template <typename Condition>
bool comes(Condition&& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

class LogThreadTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        test::held_clock = now;
        test::AsThread me;
        start();
    }
    static void TearDownTestSuite() {
        if (audit_thread == nullptr) return;
        test::held_clock = 0; // whatever is wrong, a second later it looks
        test::AsThread me;
        drain();
        audit_thread.reset();
    }
    static void move_clock(std::uint64_t ns) { test::held_clock = now += ns; }
    static void refuse(Account& account, std::uint64_t call) { refused(account, {7, call, {}}, Error::missing_right); }
    // The number of records in the log.
    static std::uint64_t size() { return info()->records; }
    // The counts of the records from `from` on that are of `call`.
    static std::vector<std::uint64_t> counts(std::uint64_t from, std::uint64_t call) {
        return counts(from, call, size());
    }
    static std::vector<std::uint64_t> counts(std::uint64_t from, std::uint64_t call, std::uint64_t end) {
        std::vector<std::uint64_t> found;
        for (; from < end; ++from) {
            const auto [is_of_call, count] = call_and_count(from, call);
            if (is_of_call) found.push_back(count);
        }
        return found;
    }

    test::AsThread me;
    Ref<Quota> payer = test::plenty();
    static inline std::uint64_t now = 5 * kSecond;

private:
    static std::pair<bool, std::uint64_t> call_and_count(std::uint64_t index, std::uint64_t call) {
        std::byte bytes[512];
        const auto record = messages::decode<messages::view::AuditRecord>(Bytes(bytes, read(index, bytes)->bytes));
        EXPECT_TRUE(record);
        return {record && record->call == call, record ? record->count : 0};
    }
};

TEST_F(LogThreadTest, a_head_has_what_was_recorded_before_it_was_asked_for) {
    const auto account = *Account::create(*payer, 7);
    std::vector<crypto::MerkleHash> leaves;
    for (std::uint64_t i = 0; i < 100; ++i) {
        record(*account, {.kind = Kind::call, .agent = 7, .subject = i, .call = 1}, Use::call);
        if (i % 7 != 0) continue;
        const LogInfo head = *info();
        ASSERT_EQ(head.records, i + 1);
        while (leaves.size() < head.records) {
            std::byte bytes[512];
            leaves.push_back(crypto::merkle_leaf(Bytes(bytes, read(leaves.size(), bytes)->bytes)));
        }
        const crypto::MerkleHash root = crypto::merkle_root(leaves);
        EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(head.root)), root));
    }
    EXPECT_EQ(read(100, {}).error(), Error::not_found);
    std::byte small[8];
    EXPECT_FALSE(read(0, small)->fits);
}

// While nobody asks, records are hashed 64 at a time; one who asks does not wait for more of them to come. In every case
// the head is that of one record after the other.
TEST_F(LogThreadTest, records_are_hashed_many_at_once) {
    const auto account = *Account::create(*payer, 7);
    std::atomic<std::size_t> most{0}, leaves{0};
    (void)info(); // nothing waits
    test::after_hashing = [&](std::span<const crypto::Sha256Job> jobs) {
        if (jobs.front().message.size() == 64 && jobs.front().prefix[0] == std::byte{1}) return; // nodes
        most = std::max(most.load(), jobs.size());
        leaves += jobs.size();
    };
    constexpr std::uint64_t kRecords = 300;
    const std::uint64_t before = size();
    for (std::uint64_t i = 0; i < kRecords; ++i)
        record(*account, {.kind = Kind::call, .agent = 7, .subject = i, .call = 4}, Use::call);
    const LogInfo head = *info();
    EXPECT_EQ(head.records, before + kRecords);
    EXPECT_EQ(most, 64u);
    EXPECT_EQ(leaves, kRecords);
    record(*account, {.kind = Kind::call, .agent = 7, .call = 4}, Use::call);
    EXPECT_EQ(info()->records, before + kRecords + 1);
    EXPECT_EQ(leaves, kRecords + 1);
    test::after_hashing = {};
    std::vector<crypto::MerkleHash> all;
    for (std::uint64_t i = 0; i < before + kRecords; ++i) {
        std::byte bytes[512];
        all.push_back(crypto::merkle_leaf(Bytes(bytes, read(i, bytes)->bytes)));
    }
    EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(head.root)), crypto::merkle_root(all)));
}

// A record that nobody asks for is hashed when its batch leaves.
TEST_F(LogThreadTest, no_record_stays_unhashed_for_longer_than_a_second) {
    const auto account = *Account::create(*payer, 7);
    (void)info();
    std::atomic<std::size_t> hashed{0};
    test::after_hashing = [&](std::span<const crypto::Sha256Job> jobs) { hashed += jobs.size(); };
    record(*account, {.kind = Kind::call, .agent = 7, .call = 5}, Use::call);
    move_clock(kSecond);
    EXPECT_TRUE(comes([&] { return hashed >= 1; }));
    audit_thread->await_parked();
    test::after_hashing = {};
}

TEST_F(LogThreadTest, whoever_asks_is_answered) {
    const auto account = *Account::create(*payer, 7);
    for (unsigned round = 0; round < 20; ++round) {
        std::vector<std::unique_ptr<test::HostThread>> readers;
        for (unsigned i = 0; i < 8; ++i) {
            readers.push_back(std::make_unique<test::HostThread>([&] {
                for (unsigned n = 0; n < 5; ++n) {
                    record(*account, {.kind = Kind::call, .agent = 7, .call = 2}, Use::call);
                    EXPECT_TRUE(info().has_value());
                }
            }));
        }
        for (auto& reader : readers)
            ASSERT_TRUE(reader->ends_by_itself());
    }
}

// However many wait for a head, the audit thread wakes 256 of them in one turn and looks at its other work in between.
TEST_F(LogThreadTest, many_readers_are_woken_in_turns) {
    constexpr unsigned kReaders = 300, kMostWoken = 256;
    const auto account = *Account::create(*payer, 7);
    hold_audit_thread = true;
    record(*account, {.kind = Kind::fault, .agent = 7}, Use::urgent); // wakes it at once
    ASSERT_TRUE(comes([] { return is_held.load(); }));
    std::vector<std::unique_ptr<test::HostThread>> readers;
    for (unsigned i = 0; i < kReaders; ++i)
        readers.push_back(std::make_unique<test::HostThread>([] { EXPECT_TRUE(info().has_value()); }));
    for (auto& reader : readers)
        reader->await_parked();
    unparks_before = test::unparks.load();
    most_woken = 0;
    hold_audit_thread = is_held = false;
    for (auto& reader : readers)
        EXPECT_TRUE(reader->ends_by_itself());
    audit_thread->await_parked();
    record(*account, {.kind = Kind::call, .agent = 7}, Use::call); // it looks at its time once more
    EXPECT_TRUE(info().has_value());
    EXPECT_GE(most_woken, 1);
    EXPECT_LE(most_woken, kMostWoken);
}

// A batch is sent when it is full or a second old, and not before.
TEST_F(LogThreadTest, records_leave_in_batches) {
    const auto account = *Account::create(*payer, 7);
    const std::size_t before = frames_of(FrameKind::audit_records);
    const auto batches = [&] { return frames_of(FrameKind::audit_records) - before; };
    record(*account, {.kind = Kind::call, .agent = 7, .call = 3}, Use::call);
    move_clock(kSecond);
    ASSERT_TRUE(comes([&] { return batches() == 1; }));
    record(*account, {.kind = Kind::call, .agent = 7, .call = 3}, Use::call);
    const std::uint64_t one = size();
    EXPECT_EQ(batches(), 1u);
    move_clock(kSecond - 1);
    record(*account, {.kind = Kind::call, .agent = 7, .call = 3}, Use::call);
    EXPECT_EQ(size(), one + 1);
    EXPECT_EQ(batches(), 1u);
    move_clock(1);
    ASSERT_TRUE(comes([&] { return batches() == 2; }));
    for (unsigned i = 0; i < 1000 && batches() == 2; ++i)
        record(*account, {.kind = Kind::call, .agent = 7, .call = 3}, Use::call);
    EXPECT_TRUE(comes([&] { return batches() == 3; })); // full
    EXPECT_EQ(frames_of(FrameKind::audit_head), 0u);
}

// Records of calls lie in the queue until the agent has no other slot, its account is closed, or a second is over.
TEST_F(LogThreadTest, records_of_calls_wait_for_company) {
    auto account = *Account::create(*payer, 7);
    (void)info();
    audit_thread->await_parked();
    const std::uint64_t before = size();
    const auto call = [&] { record(*account, {.kind = Kind::call, .agent = 7, .call = 6}, Use::call); };
    const auto unparks = test::unparks.load();
    for (unsigned i = 0; i < 3; ++i)
        call();
    EXPECT_EQ(test::unparks.load(), unparks);
    call();
    EXPECT_GT(test::unparks.load(), unparks);
    EXPECT_EQ(size(), before + 4);
    audit_thread->await_parked();
    call();
    const std::uint64_t used = payer->used(Resource::memory);
    close(*account);
    account.reset();
    EXPECT_TRUE(comes([&] { return payer->used(Resource::memory) < used; })); // nobody has asked
}

TEST_F(LogThreadTest, a_count_is_written_at_the_latest_a_second_after_it_is_due) {
    const auto account = *Account::create(*payer, 7);
    const std::uint64_t from = size();
    for (unsigned i = 0; i < 6; ++i)
        refuse(*account, 40);
    EXPECT_EQ(counts(from, 40), std::vector<std::uint64_t>{1});
    move_clock(kSecond - 1); // one is due in a moment
    record(*account, {.kind = Kind::call, .agent = 7}, Use::call);
    EXPECT_EQ(counts(from, 40), std::vector<std::uint64_t>{1});
    move_clock(kSecond);
    ASSERT_TRUE(comes([&] { return counts(from, 40).size() == 2; }));
    EXPECT_EQ(counts(from, 40), (std::vector<std::uint64_t>{1, 5}));
}

TEST_F(LogThreadTest, a_closed_account_is_let_go_at_once) {
    const std::uint64_t before = payer->used(Resource::memory);
    auto account = *Account::create(*payer, 7);
    const std::uint64_t from = size();
    for (unsigned i = 0; i < 4; ++i)
        refuse(*account, 50);
    close(*account);
    account.reset();
    EXPECT_EQ(counts(from, 50), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_TRUE(comes([&] { return payer->used(Resource::memory) == before; }));
}

TEST_F(LogThreadTest, the_end_sends_what_there_is_and_the_head) {
    auto account = *Account::create(*payer, 7);
    const std::uint64_t from = size();
    for (unsigned i = 0; i < 4; ++i)
        refuse(*account, 60);
    const std::size_t batches = frames_of(FrameKind::audit_records);
    audit_thread->await_parked(); // with all records: only the end wakes it
    std::atomic<bool> has_ended{false};
    test::HostThread power([&] {
        drain();
        has_ended = true;
    });
    EXPECT_TRUE(comes([&] { return has_ended.load(); }));
    test::held_clock = 0; // else the test would not end if that failed
    power.join();
    EXPECT_EQ(counts(from, 60, from + 2), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(frames_of(FrameKind::audit_records), batches + 1);
    ASSERT_EQ(frames_of(FrameKind::audit_head), 1u);
    const Frame& last = frames.back();
    EXPECT_EQ(last.kind, FrameKind::audit_head);
    const auto head = messages::decode<messages::view::AuditHead>(last.body);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->records, from + 2);
    drain_in_panic(); // nothing follows the head
    EXPECT_EQ(frames_of(FrameKind::audit_head), 1u);
    audit_thread.reset();
}

} // namespace
} // namespace audit

void upcall::send_frame(FrameKind kind, std::uint64_t, const char*, Bytes body) {
    std::lock_guard lock(audit::frames_mutex);
    audit::frames.push_back({kind, {body.begin(), body.end()}});
}

} // namespace aios
