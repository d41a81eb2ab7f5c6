// Stream beside a model that is a queue of bytes: seeded walks of writes, reads, sizes and ends, after each of which all
// answers, levels and edges agree; copies that fail; memory that cannot be paid; and threads on both sides.
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <thread>

#include "kernel/event/event.hpp"
#include "kernel/event/watch.hpp"
#include "kernel/ipc/stream.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"

namespace aios {
namespace {

using ipc::Stream;
using ipc::WhenEmpty;
using ipc::WhenFull;

constexpr std::uint64_t kNoFault = ~0ull;

struct Source final : ipc::StreamIn {
    explicit Source(std::span<const std::uint8_t> data, std::uint64_t bad = kNoFault) : bytes(data), bad_from(bad) {}
    Result<> fetch(std::uint64_t offset, MutableBytes to) override {
        if (offset + to.size() > bad_from) return fail(Error::bad_address);
        std::memcpy(to.data(), bytes.data() + offset, to.size());
        return {};
    }
    std::span<const std::uint8_t> bytes;
    std::uint64_t bad_from;
};
struct Sink final : ipc::StreamOut {
    explicit Sink(std::span<std::uint8_t> room, std::uint64_t bad = kNoFault) : bytes(room), bad_from(bad) {}
    Result<> store(std::uint64_t offset, Bytes from) override {
        if (offset + from.size() > bad_from) return fail(Error::bad_address);
        std::memcpy(bytes.data() + offset, from.data(), from.size());
        return {};
    }
    std::span<std::uint8_t> bytes;
    std::uint64_t bad_from;
};

// Counts what is told.
struct Ear final : event::Listener {
    explicit Ear(event::Source& to) : Listener(event::kAllSignals, event::kAllSignals), source(to) {
        static_cast<void>(source.attach(*this));
        told = 0;
    }
    ~Ear() { source.detach(*this); }
    event::QueueName notify(std::uint64_t, std::uint64_t) override {
        ++told;
        return {};
    }
    event::Source& source;
    int told = 0;
};

struct Made {
    explicit Made(Payer& payer, std::uint64_t end = kSignalClosed)
        : stream(payer, reader, writer, {end, kSignalError}) {}
    event::Source reader, writer;
    Stream stream;
};

class StreamTest : public testing::Test {
protected:
    test::AsThread self;
    Ref<Quota> quota = *Quota::create_root({1ull << 30, 1000, 10, 10});
};

TEST_F(StreamTest, WalksLikeItsModel) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        std::mt19937_64 random(seed);
        const bool end_is_readable = seed % 3 == 0;
        const std::uint64_t end = end_is_readable ? kSignalReadClosed | kSignalReadable : kSignalClosed;
        const std::uint64_t before = quota->used(Resource::memory);
        {
            Made made(*quota, end);
            std::deque<std::uint8_t> model;
            std::uint64_t capacity = Stream::kDefaultBytes;
            bool writer_gone = false, reader_gone = false;
            Ear reader_ear(made.reader), writer_ear(made.writer);
            std::vector<std::uint8_t> room(200'000);
            std::uint8_t next = 0;
            for (int step = 0; step < 400; ++step) {
                reader_ear.told = writer_ear.told = 0;
                const auto pick = random() % 100;
                const bool is_large = random() % 4 == 0;
                const std::uint64_t bytes = random() % (is_large ? room.size() : 6000);
                const bool had_room = capacity - model.size() >= Stream::kWhole;
                int reader_news = 0, writer_news = 0;
                if (pick < 45 && !writer_gone) {
                    for (std::uint64_t i = 0; i < bytes; ++i)
                        room[i] = static_cast<std::uint8_t>(next + i);
                    Source from({room.data(), bytes});
                    const auto done = made.stream.write(from, bytes, WhenFull::fail);
                    const std::uint64_t space = capacity - model.size();
                    if (bytes == 0) {
                        EXPECT_EQ(*done, 0u);
                    } else if (reader_gone) {
                        EXPECT_EQ(done.error(), Error::peer_closed);
                    } else if (space == 0 || (bytes <= Stream::kWhole && space < bytes)) {
                        EXPECT_EQ(done.error(), Error::would_block);
                    } else {
                        ASSERT_TRUE(done);
                        EXPECT_EQ(*done, std::min(space, bytes));
                        model.insert(model.end(), room.begin(), room.begin() + static_cast<long>(*done));
                        next = static_cast<std::uint8_t>(next + *done);
                        reader_news = 1;
                    }
                } else if (pick < 90 && !reader_gone) {
                    Sink to({room.data(), bytes});
                    const auto done = made.stream.read(to, bytes, WhenEmpty::fail);
                    if (bytes == 0 || (model.empty() && writer_gone)) {
                        EXPECT_EQ(*done, 0u);
                    } else if (model.empty()) {
                        EXPECT_EQ(done.error(), Error::would_block);
                    } else {
                        ASSERT_TRUE(done);
                        EXPECT_EQ(*done, std::min<std::uint64_t>(bytes, model.size()));
                        EXPECT_TRUE(std::equal(room.begin(), room.begin() + static_cast<long>(*done), model.begin()));
                        model.erase(model.begin(), model.begin() + static_cast<long>(*done));
                        if (!had_room && capacity - model.size() >= Stream::kWhole) writer_news = 1;
                    }
                } else if (pick < 97) {
                    const std::uint64_t wanted = random() % (Stream::kMostBytes + 100'000);
                    const auto done = made.stream.resize(wanted);
                    const std::uint64_t rounded = std::bit_ceil(std::max<std::uint64_t>(wanted, 4096));
                    if (wanted > Stream::kMostBytes) {
                        EXPECT_EQ(done.error(), Error::too_large);
                    } else if (rounded < model.size()) {
                        EXPECT_EQ(done.error(), Error::busy);
                    } else {
                        EXPECT_EQ(*done, rounded);
                        capacity = rounded;
                        if (capacity - model.size() >= Stream::kWhole) writer_news = 1;
                    }
                } else if (pick == 97 && step > 200 && !writer_gone) {
                    made.stream.close_writer();
                    writer_gone = true;
                    reader_news = 1;
                } else if (pick == 98 && step > 200 && !reader_gone) {
                    made.stream.close_reader();
                    reader_gone = true;
                    writer_news = 1;
                }
                std::uint64_t for_reader = model.empty() ? 0 : kSignalReadable;
                if (writer_gone) for_reader |= end;
                std::uint64_t for_writer = capacity - model.size() >= Stream::kWhole ? kSignalWritable : 0;
                if (reader_gone) for_writer |= kSignalError;
                ASSERT_EQ(made.reader.levels(), for_reader) << "seed " << seed << " step " << step;
                ASSERT_EQ(made.writer.levels(), for_writer) << "seed " << seed << " step " << step;
                ASSERT_EQ(made.stream.waiting(), model.size());
                ASSERT_EQ(made.stream.capacity(), capacity);
                ASSERT_EQ(reader_ear.told != 0, reader_news != 0) << "seed " << seed << " step " << step;
                ASSERT_EQ(writer_ear.told != 0, writer_news != 0) << "seed " << seed << " step " << step;
                // Never more than the ring and its tables.
                ASSERT_LE(quota->used(Resource::memory) - before,
                          capacity + (capacity / 65536 + 1) * mm::heap_cost(1024));
            }
        }
        EXPECT_EQ(quota->used(Resource::memory), before);
    }
}

TEST_F(StreamTest, CopiesThatFailPublishNothingHalf) {
    Made made(*quota);
    std::vector<std::uint8_t> bytes(20'000, 7), room(20'000);
    Source whole({bytes.data(), 100}, 50);
    EXPECT_EQ(made.stream.write(whole, 100, WhenFull::fail).error(), Error::bad_address);
    EXPECT_EQ(made.stream.waiting(), 0u);
    EXPECT_EQ(made.reader.levels(), 0u);
    Source large({bytes.data(), 20'000}, 9'000); // two pages are good
    EXPECT_EQ(*made.stream.write(large, 20'000, WhenFull::fail), 8192u);
    Sink bad({room.data(), 20'000}, 10);
    EXPECT_EQ(made.stream.read(bad, 20'000, WhenEmpty::fail).error(), Error::bad_address);
    EXPECT_EQ(made.stream.waiting(), 8192u);
    Sink half({room.data(), 20'000}, 5'000);
    EXPECT_EQ(*made.stream.read(half, 20'000, WhenEmpty::fail), 4096u);
    EXPECT_EQ(made.stream.waiting(), 4096u);
}

TEST_F(StreamTest, WhatCannotBePaidIsRefused) {
    const Ref<Quota> poor = *Quota::create_root({40'000, 10, 10, 10});
    const std::uint64_t before = poor->used(Resource::memory);
    std::vector<std::uint8_t> bytes(65536, 1), room(65536);
    {
        Made made(*poor);
        Source from(bytes);
        const auto part = made.stream.write(from, bytes.size(), WhenFull::fail);
        ASSERT_TRUE(part); // what could be paid
        EXPECT_LT(*part, 40'000u);
        EXPECT_EQ(*part % 4096, 0u);
        EXPECT_EQ(made.stream.write(from, 4096, WhenFull::wait).error(), Error::quota_exceeded);
        EXPECT_EQ(made.stream.resize(1 << 20).error(), Error::quota_exceeded); // and nothing has changed
        Sink to(room);
        EXPECT_EQ(*made.stream.read(to, room.size(), WhenEmpty::fail), *part);
        EXPECT_EQ(*made.stream.write(from, 4096, WhenFull::fail), 4096u);
    }
    EXPECT_EQ(poor->used(Resource::memory), before);
}

TEST_F(StreamTest, SidesWaitForEachOther) {
    Made made(*quota);
    constexpr std::size_t kBytes = 1 << 20;
    std::vector<std::uint8_t> sent(kBytes), got(kBytes);
    for (std::size_t i = 0; i < kBytes; ++i)
        sent[i] = static_cast<std::uint8_t>(i * 31 >> 4);
    test::HostThread writer([&] {
        Source from(sent);
        EXPECT_EQ(*made.stream.write(from, kBytes, WhenFull::wait), kBytes);
        made.stream.close_writer();
    });
    std::size_t done = 0;
    for (;;) {
        Sink to({got.data() + done, std::min<std::size_t>(got.size() - done, 5000)});
        const std::uint64_t part = *made.stream.read(to, done == kBytes ? 1 : to.bytes.size(), WhenEmpty::wait);
        if (part == 0) break;
        done += part;
    }
    EXPECT_TRUE(writer.ends_by_itself());
    EXPECT_EQ(done, kBytes);
    EXPECT_EQ(got, sent);
}

TEST_F(StreamTest, EndsWakeWhoWaits) {
    Made made(*quota);
    {
        test::HostThread reader([&] {
            std::uint8_t byte = 0;
            Sink to({&byte, 1});
            EXPECT_EQ(*made.stream.read(to, 1, WhenEmpty::wait), 0u);
        });
        reader.await_parked();
        made.stream.close_writer();
        EXPECT_TRUE(reader.ends_by_itself());
    }
    Made full(*quota);
    std::vector<std::uint8_t> bytes(100'000);
    test::HostThread writer([&] {
        Source from(bytes);
        EXPECT_EQ(*full.stream.write(from, bytes.size(), WhenFull::wait), Stream::kDefaultBytes);
        EXPECT_EQ(full.stream.write(from, 1, WhenFull::wait).error(), Error::peer_closed);
    });
    writer.await_parked();
    full.stream.close_reader();
    EXPECT_TRUE(writer.ends_by_itself());
}

// Whoever waits for a side that another one holds, as long as user memory takes, can be interrupted.
TEST_F(StreamTest, NobodyIsStuckBehindASlowCopy) {
    struct Slow final : ipc::StreamIn {
        std::atomic<bool> is_in{false}, may_go{false};
        Result<> fetch(std::uint64_t, MutableBytes) override {
            is_in = true;
            while (!may_go)
                std::this_thread::yield();
            return {};
        }
    } slow;
    Made made(*quota);
    test::HostThread first([&] { EXPECT_EQ(*made.stream.write(slow, 10, WhenFull::wait), 10u); });
    while (!slow.is_in)
        std::this_thread::yield();
    const std::uint8_t byte = 0;
    {
        test::HostThread second([&] {
            Source from({&byte, 1});
            EXPECT_EQ(made.stream.write(from, 1, WhenFull::wait).error(), Error::interrupted);
        });
        second.await_parked();
        second.thread().interrupt();
        EXPECT_TRUE(second.ends_by_itself());
    }
    // The other side goes on meanwhile.
    std::uint8_t got = 0;
    Sink to({&got, 1});
    EXPECT_EQ(made.stream.read(to, 1, WhenEmpty::fail).error(), Error::would_block);
    slow.may_go = true;
    EXPECT_TRUE(first.ends_by_itself());
    EXPECT_EQ(made.stream.waiting(), 10u);
}

} // namespace
} // namespace aios
