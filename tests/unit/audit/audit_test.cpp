// The audit log's parts: the slot queue's order under threads, coalescing, the arena, and the encoding.
#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "kernel/audit/encode.hpp"
#include "kernel/audit/log_arena.hpp"
#include "kernel/audit/record_queue.hpp"
#include "kernel/audit/refusals.hpp"
#include "tests/support/kernel_host.hpp"

namespace aios::audit {
namespace {

TEST(RecordQueue, KeepsTheOrderOfCommits) {
    RecordQueue queue;
    ASSERT_TRUE(queue.init(2));
    const auto a = queue.reserve(0, false), b = queue.reserve(1, false), c = queue.reserve(0, false);
    ASSERT_TRUE(a && b && c);
    EXPECT_FALSE(queue.has_records());
    queue.commit(*c, {.agent = 3}, 30);
    queue.commit(*a, {.agent = 1}, 10);
    queue.abandon(*b);
    Record record;
    std::uint64_t time;
    ASSERT_TRUE(queue.take(record, time));
    EXPECT_EQ(record.agent, 3u);
    EXPECT_EQ(time, 30u);
    ASSERT_TRUE(queue.take(record, time));
    EXPECT_EQ(record.agent, 1u);
    EXPECT_FALSE(queue.take(record, time));
}

TEST(RecordQueue, FullRefusesAndEmergencyStillHasRoom) {
    RecordQueue queue;
    ASSERT_TRUE(queue.init(1));
    std::vector<std::uint32_t> held;
    while (auto slot = queue.reserve(0, false))
        held.push_back(*slot);
    EXPECT_EQ(held.size(), RecordQueue::kSlots);
    for (unsigned i = 0; i < RecordQueue::kEmergency; i++)
        EXPECT_TRUE(queue.reserve(0, true));
    EXPECT_FALSE(queue.reserve(0, true));
    queue.abandon(held[5]);
    EXPECT_TRUE(queue.reserve(0, false));
}

TEST(RecordQueue, ThreadsLoseNothingAndEachKeepsItsOrder) {
    RecordQueue queue;
    ASSERT_TRUE(queue.init(4));
    constexpr unsigned kEach = 20'000;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; t++)
        threads.emplace_back([&, t] {
            for (unsigned i = 0; i < kEach;) {
                const auto slot = queue.reserve(t, false);
                if (!slot) {
                    std::this_thread::yield();
                    continue;
                }
                if (i % 7 == 3) {
                    queue.abandon(*slot);
                    i++;
                    continue;
                }
                queue.commit(*slot, {.agent = t, .subject = i}, i);
                i++;
            }
        });
    std::uint64_t last[4] = {}, count = 0;
    bool ordered = true;
    const std::uint64_t expected = 4 * (kEach - (kEach + 3) / 7);
    Record record;
    std::uint64_t time;
    while (count < expected) {
        if (!queue.take(record, time)) continue;
        ordered = ordered && (record.subject == 0 || record.subject > last[record.agent]);
        last[record.agent] = record.subject;
        count++;
    }
    for (auto& t : threads)
        t.join();
    EXPECT_TRUE(ordered);
    EXPECT_FALSE(queue.take(record, time));
}

TEST(Refusals, FirstAtOnceThenOneCountASecond) {
    Refusals refusals;
    const Record record{.kind = Kind::refusal, .agent = 7, .call = 4131};
    Refusals::Due due;
    refusals.refused(record, 100, due);
    ASSERT_EQ(due.count, 1u);
    EXPECT_EQ(due.records[0].count, 1u);
    for (int i = 0; i < 500; i++) {
        due = {};
        refusals.refused(record, 200, due);
        EXPECT_EQ(due.count, 0u);
    }
    Record out;
    EXPECT_TRUE(refusals.has_suppressed());
    EXPECT_FALSE(refusals.expire(300, false, out));
    ASSERT_TRUE(refusals.expire(100 + Refusals::kWindowNs, false, out));
    EXPECT_EQ(out.count, 500u);
    EXPECT_FALSE(refusals.expire(100 + Refusals::kWindowNs, false, out));
    EXPECT_FALSE(refusals.has_suppressed());
}

// Whatever comes when: the counts of all records written add up to the refusals that happened.
TEST(Refusals, CountsAddUp) {
    std::mt19937 random(3);
    Refusals refusals;
    std::uint64_t now = 0, written = 0, happened = 0;
    for (int i = 0; i < 50'000; i++) {
        now += random() % 40'000'000;
        Record record{.kind = Kind::refusal, .agent = random() % 100};
        Refusals::Due due;
        refusals.refused(record, now, due);
        happened++;
        for (unsigned d = 0; d < due.count; d++)
            written += due.records[d].count;
        Record out;
        if (random() % 50 == 0)
            while (refusals.expire(now, false, out))
                written += out.count;
    }
    Record out;
    while (refusals.expire(now, true, out))
        written += out.count;
    EXPECT_EQ(written, happened);
}

TEST(LogArena, KeepsTheNewestWhole) {
    std::mt19937 random(5);
    std::vector<std::byte> bytes(1000);
    std::vector<LogArena::Place> places(40);
    LogArena arena(bytes, places);
    std::vector<std::vector<std::byte>> all;
    for (unsigned i = 0; i < 3000; i++) {
        std::vector<std::byte> record(1 + random() % 90);
        for (auto& b : record)
            b = static_cast<std::byte>(random());
        all.push_back(record);
        arena.append(record);
        ASSERT_EQ(arena.next(), all.size());
        ASSERT_LE(arena.first(), i);
        for (std::uint64_t k = arena.first(); k < arena.next(); k++) {
            auto read = arena.read(k);
            ASSERT_TRUE(read);
            ASSERT_TRUE(std::ranges::equal(*read, all[k]));
        }
        if (i > 100) {
            ASSERT_GE(arena.next() - arena.first(), 8u);
        }
    }
    EXPECT_EQ(arena.read(0).error(), Error::not_found);
    EXPECT_EQ(arena.read(arena.next()).error(), Error::not_found);
    arena.append(std::vector<std::byte>(2000));
    EXPECT_EQ(arena.read(arena.next() - 1).error(), Error::not_found);
}

TEST(Encode, EveryRecordIsDeterministicAndFits) {
    Record record{.kind = Kind::agent_start,
                  .agent = ~0ull,
                  .subject = ~0ull,
                  .call = ~0ull,
                  .detail = {~0ull, ~0ull, ~0ull},
                  .count = ~0ull};
    std::memset(record.digest, 0xff, sizeof(record.digest));
    std::memset(record.name, 'x', sizeof(record.name));
    std::byte buffer[kMaxEncodedRecord];
    auto encoded = encode_record(record, ~0ull, ~0ull, buffer);
    ASSERT_TRUE(encoded);
    EXPECT_TRUE(cbor::validate(*encoded));
    cbor::Decoder in(*encoded);
    EXPECT_EQ(*in.map_begin(), 10u);
    auto small = encode_record({.kind = Kind::boot}, 0, 5, buffer);
    ASSERT_TRUE(small);
    cbor::Decoder s(*small);
    EXPECT_EQ(*s.map_begin(), 8u); // no digest, no name
}

} // namespace
} // namespace aios::audit
