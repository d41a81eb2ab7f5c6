// The audit log's parts: slots and the queue's order under threads, what becomes of refusals, prices, the arena, and
// the encoding.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "kernel/audit/encode.hpp"
#include "kernel/audit/log_arena.hpp"
#include "kernel/audit/price.hpp"
#include "kernel/audit/record_queue.hpp"
#include "kernel/audit/refusals.hpp"
#include "tests/support/kernel_host.hpp"

namespace aios::audit {
namespace {

std::uint64_t no_clock() { return 0; }

TEST(RecordQueue, KeepsTheOrderOfCommits) {
    RecordQueue queue;
    Slot slots[3];
    EXPECT_FALSE(queue.has_records());
    EXPECT_EQ(queue.pop(), nullptr);
    queue.push(slots[2], [] { return 30; });
    queue.push(slots[0], [] { return 10; });
    EXPECT_TRUE(queue.has_records());
    EXPECT_EQ(queue.pushed(), 2u);
    EXPECT_EQ(queue.pop(), &slots[2]);
    EXPECT_EQ(slots[2].time_ns, 30u);
    queue.push(slots[2], no_clock); // used again at once
    EXPECT_EQ(queue.pop(), &slots[0]);
    EXPECT_EQ(queue.pop(), &slots[2]);
    EXPECT_EQ(queue.pop(), nullptr);
    EXPECT_FALSE(queue.has_records());
    EXPECT_EQ(queue.popped(), queue.pushed());
    queue.push(slots[1], no_clock);
    EXPECT_EQ(queue.pop(), &slots[1]);
}

TEST(Slots, CallsLeaveRoomForAKill) {
    Slots slots;
    std::vector<Slot*> held;
    while (Slot* slot = slots.take(Use::call))
        held.push_back(slot);
    EXPECT_EQ(held.size(), Slots::kCall);
    EXPECT_FALSE(slots.has_room(Use::call));
    EXPECT_TRUE(slots.has_room(Use::urgent));
    Slot* urgent = slots.take(Use::urgent);
    ASSERT_NE(urgent, nullptr);
    EXPECT_EQ(slots.take(Use::urgent), nullptr);
    held.push_back(urgent);
    std::ranges::sort(held);
    EXPECT_EQ(std::ranges::adjacent_find(held), held.end()); // five different ones
    // A slot that comes back is a kill's first, and a call's only when fewer than four are taken.
    slots.give_back(*held[0]);
    EXPECT_EQ(slots.take(Use::call), nullptr);
    EXPECT_TRUE(slots.has_room(Use::urgent));
    slots.give_back(*held[1]);
    EXPECT_NE(slots.take(Use::call), nullptr);
}

// Four agents, each with its own slots, against one consumer: nothing is lost, each agent's order is kept, and no agent
// has more under way than its slots.
TEST(RecordQueue, ThreadsLoseNothingAndEachKeepsItsOrder) {
    RecordQueue queue;
    Slots slots[4];
    constexpr unsigned kEach = 20'000;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (unsigned i = 1; i <= kEach;) {
                Slot* slot = slots[t].take(Use::call);
                if (slot == nullptr) {
                    std::this_thread::yield();
                    continue;
                }
                slot->record = {.agent = t, .subject = i++};
                queue.push(*slot, no_clock);
            }
        });
    std::uint64_t last[4] = {}, count = 0;
    bool ordered = true;
    while (count < 4 * kEach) {
        Slot* slot = queue.pop();
        if (slot == nullptr) continue;
        const Record record = slot->record;
        slots[record.agent].give_back(*slot);
        ordered = ordered && record.subject == last[record.agent] + 1;
        last[record.agent] = record.subject;
        ++count;
    }
    for (auto& t : threads)
        t.join();
    EXPECT_TRUE(ordered);
    EXPECT_EQ(queue.pop(), nullptr);
    for (Slots& each : slots)
        EXPECT_TRUE(each.has_room(Use::call));
}

TEST(Price, FollowsWhatIsMeasured) {
    Price price{30'000};
    for (int i = 0; i < 100; ++i)
        price.measured(32 * 50'000, 32);
    EXPECT_NEAR(static_cast<double>(price.ns()), 50'000, 100);
    for (int i = 0; i < 200; ++i)
        price.measured(0, 1);
    EXPECT_NEAR(static_cast<double>(price.ns()), Price::kLeast, 10);
    for (int i = 0; i < 200; ++i)
        price.measured(~0ull, 1);
    EXPECT_LE(price.ns(), Price::kMost);
}

TEST(Refusals, FirstAtOnceThenOneCountASecond) {
    Refusals refusals;
    const Record record{.kind = Kind::refusal, .agent = 7, .call = 4131};
    EXPECT_EQ(refusals.refused(record, 100, Refusals::HasSlot::yes), Refusals::Verdict::record);
    EXPECT_EQ(refusals.next_due(), Refusals::kNone);
    EXPECT_EQ(refusals.refused(record, 200, Refusals::HasSlot::yes), Refusals::Verdict::opened);
    for (int i = 1; i < 500; ++i)
        EXPECT_EQ(refusals.refused(record, 200, Refusals::HasSlot::yes), Refusals::Verdict::counted);
    Record out;
    EXPECT_EQ(refusals.next_due(), 100 + Refusals::kWindowNs);
    EXPECT_FALSE(refusals.take_due(99 + Refusals::kWindowNs, Refusals::Which::due, out));
    ASSERT_TRUE(refusals.take_due(100 + Refusals::kWindowNs, Refusals::Which::due, out));
    EXPECT_EQ(out.count, 500u);
    EXPECT_EQ(out.call, 4131u);
    EXPECT_EQ(out.kind, Kind::refusal);
    EXPECT_FALSE(refusals.take_due(100 + Refusals::kWindowNs, Refusals::Which::due, out));
    // The record of the count opens the next second: what follows is counted again, not recorded at once.
    EXPECT_EQ(refusals.refused(record, 101 + Refusals::kWindowNs, Refusals::HasSlot::yes), Refusals::Verdict::opened);
    EXPECT_FALSE(refusals.take_due(99 + 2 * Refusals::kWindowNs, Refusals::Which::due, out));
    EXPECT_TRUE(refusals.take_due(100 + 2 * Refusals::kWindowNs, Refusals::Which::due, out));
}

TEST(Refusals, WithoutASlotItIsCountedAndDueAtOnce) {
    Refusals refusals;
    const Record record{.kind = Kind::refusal, .call = 4131};
    EXPECT_EQ(refusals.refused(record, 5, Refusals::HasSlot::no), Refusals::Verdict::opened);
    Record out;
    ASSERT_TRUE(refusals.take_due(5, Refusals::Which::due, out));
    EXPECT_EQ(out.count, 1u);
    EXPECT_EQ(refusals.refused(record, 6, Refusals::HasSlot::yes),
              Refusals::Verdict::opened); // a second has not passed
}

TEST(Refusals, MoreDoorsThanPlacesBecomeOneRecordOfOthers) {
    Refusals refusals;
    for (std::uint64_t call = 0; call < 100; ++call) {
        const auto verdict = refusals.refused({.kind = Kind::refusal, .call = call}, 1000, Refusals::HasSlot::yes);
        EXPECT_EQ(verdict, call < Refusals::kDoors    ? Refusals::Verdict::record
                           : call == Refusals::kDoors ? Refusals::Verdict::opened
                                                      : Refusals::Verdict::counted);
    }
    Record out;
    EXPECT_FALSE(refusals.take_due(999 + Refusals::kWindowNs, Refusals::Which::due, out));
    ASSERT_TRUE(refusals.take_due(1000 + Refusals::kWindowNs, Refusals::Which::due, out));
    EXPECT_EQ(out.count, 100 - Refusals::kDoors);
    EXPECT_EQ(out.call, 0u);
    EXPECT_EQ(out.detail[2], 0u);
    EXPECT_FALSE(refusals.take_due(1000 + Refusals::kWindowNs, Refusals::Which::due, out));
}

// What a service refuses others: a door for each agent that it refuses, whatever that asks for, beside its own refusals.
TEST(Refusals, OfAServiceCountByWhomItRefuses) {
    Refusals refusals;
    const auto said = [](std::uint64_t subject, const char* what) {
        Record record{.kind = Kind::service_refusal, .agent = 7, .subject = subject, .call = 4177};
        std::snprintf(record.name, sizeof(record.name), "%s", what);
        return record;
    };
    EXPECT_EQ(refusals.refused(said(20, "a.first"), 100, Refusals::HasSlot::yes), Refusals::Verdict::record);
    EXPECT_EQ(refusals.refused(said(20, "a.second"), 100, Refusals::HasSlot::yes), Refusals::Verdict::opened);
    for (int i = 0; i < 1000; ++i) // one agent that asks for ever more takes one place
        EXPECT_EQ(refusals.refused(said(20, "a.third"), 100, Refusals::HasSlot::yes), Refusals::Verdict::counted);
    EXPECT_EQ(refusals.refused(said(21, "b.first"), 200, Refusals::HasSlot::yes), Refusals::Verdict::record);
    EXPECT_EQ(refusals.refused({.kind = Kind::refusal, .agent = 7, .call = 4177}, 200, Refusals::HasSlot::yes),
              Refusals::Verdict::record);
    Record out;
    ASSERT_TRUE(refusals.take_due(100 + Refusals::kWindowNs, Refusals::Which::due, out));
    EXPECT_EQ(out.kind, Kind::service_refusal);
    EXPECT_EQ(out.subject, 20u);
    EXPECT_STREQ(out.name, "a.second");
    EXPECT_EQ(out.count, 1001u);
    EXPECT_FALSE(refusals.take_due(100 + Refusals::kWindowNs, Refusals::Which::due, out));
}

// The promise, whatever comes when: no door has two records within a second, all doors together have no more than
// kMaxRecordsInWindow, and the counts of all records add up to the refusals that happened.
TEST(Refusals, OneRecordASecondADoorAndFewInAllAndNoneIsLost) {
    for (const unsigned doors : {1u, 3u, 4u, 5u, 68u, 1000u}) {
        std::mt19937 random(doors);
        Refusals refusals;
        std::uint64_t now = 0, happened = 0, written = 0;
        std::map<std::uint64_t, std::uint64_t> last; // by door; 0 = others
        std::deque<std::uint64_t> recent;
        const auto write = [&](const Record& record) {
            written += record.count;
            if (const auto found = last.find(record.call); found != last.end()) {
                ASSERT_GE(now - found->second, Refusals::kWindowNs) << doors << " doors, door " << record.call;
            }
            last[record.call] = now;
            recent.push_back(now);
            while (now - recent.front() >= Refusals::kWindowNs)
                recent.pop_front();
            ASSERT_LE(recent.size(), Refusals::kMaxRecordsInWindow) << doors << " doors";
        };
        for (int i = 0; i < 100'000; ++i) {
            // Bursts, and pauses of up to three seconds.
            now += random() % 500 == 0 ? random() % 3'000'000'000u : random() % 300'000;
            const Record record{.kind = Kind::refusal, .call = 1 + random() % doors};
            ++happened;
            if (refusals.refused(record, now, random() % 5 != 0 ? Refusals::HasSlot::yes : Refusals::HasSlot::no) ==
                Refusals::Verdict::record)
                write(record);
            Record out;
            if (now >= refusals.next_due() && random() % 3 == 0)
                while (refusals.take_due(now, Refusals::Which::due, out))
                    write(out);
        }
        Record out;
        while (refusals.take_due(now, Refusals::Which::any, out))
            written += out.count;
        EXPECT_EQ(written, happened);
        EXPECT_EQ(refusals.next_due(), Refusals::kNone);
    }
}

TEST(LogArena, KeepsTheNewestWhole) {
    std::mt19937 random(5);
    std::vector<std::byte> bytes(1000);
    std::vector<LogArena::Place> places(40);
    LogArena arena(bytes, places);
    std::vector<std::vector<std::byte>> all;
    for (unsigned i = 0; i < 3000; ++i) {
        std::vector<std::byte> record(1 + random() % 90);
        for (auto& b : record)
            b = static_cast<std::byte>(random());
        all.push_back(record);
        arena.append(record);
        ASSERT_EQ(arena.next(), all.size());
        ASSERT_LE(arena.first(), i);
        for (std::uint64_t k = arena.first(); k < arena.next(); ++k) {
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
