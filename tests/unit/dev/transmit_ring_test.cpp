// The transmit ring against a device that takes pieces at random and gives them back in any order: what it reads is
// what was pushed.
#include "kernel/dev/transmit_ring.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace aios::dev {
namespace {

constexpr unsigned kPieces = 8;
using Ring = TransmitRing<kPieces>;

TEST(TransmitRing, CarriesEverythingInOrder) {
    std::mt19937 random(1);
    std::vector<std::byte> store(100);
    Ring ring;
    ring.init(store);
    std::vector<std::byte> sent, received;
    std::vector<Ring::Piece> out, read;
    std::uint8_t next = 0;
    for (int step = 0; step < 20000; ++step) {
        if (random() % 2 == 0) {
            std::vector<std::byte> first(random() % 30), second(1 + random() % 30);
            for (auto* part : {&first, &second})
                for (auto& byte : *part)
                    byte = static_cast<std::byte>(next++);
            if (!ring.fits(first.size() + second.size())) {
                next = static_cast<std::uint8_t>(next - first.size() - second.size());
                continue;
            }
            const Bytes parts[] = {first, second};
            for (const auto& piece : ring.push(parts))
                out.push_back(piece);
            sent.insert(sent.end(), first.begin(), first.end());
            sent.insert(sent.end(), second.begin(), second.end());
        } else if (random() % 2 == 0 && !out.empty()) {
            const auto piece = out.front(); // the device reads in order ...
            out.erase(out.begin());
            received.insert(received.end(), store.begin() + static_cast<std::ptrdiff_t>(piece.offset),
                            store.begin() + static_cast<std::ptrdiff_t>(piece.offset + piece.bytes));
            read.push_back(piece);
        } else if (!read.empty()) {
            const auto index = random() % read.size(); // ... and may give back out of order
            EXPECT_TRUE(ring.complete(read[index].id));
            read.erase(read.begin() + static_cast<std::ptrdiff_t>(index));
        }
    }
    for (const auto& piece : read)
        EXPECT_TRUE(ring.complete(piece.id));
    EXPECT_EQ(ring.is_empty(), out.empty());
    ASSERT_GT(received.size(), 1000u);
    sent.resize(received.size());
    EXPECT_EQ(sent, received);
}

TEST(TransmitRing, RefusesWhatADeviceCannotHaveDone) {
    std::vector<std::byte> store(64), data(10);
    Ring ring;
    ring.init(store);
    EXPECT_FALSE(ring.complete(0));
    const Bytes parts[] = {data};
    const auto pushed = ring.push(parts);
    ASSERT_EQ(pushed.size(), 1u);
    EXPECT_FALSE(ring.complete(pushed[0].id + 1u));
    EXPECT_FALSE(ring.complete(kPieces));
    EXPECT_FALSE(ring.complete(0xffff'ffff));
    EXPECT_TRUE(ring.complete(pushed[0].id));
    EXPECT_FALSE(ring.complete(pushed[0].id));
    EXPECT_TRUE(ring.is_empty());
}

TEST(TransmitRing, SaysWhenItIsFull) {
    std::vector<std::byte> store(64), data(64);
    Ring ring;
    ring.init(store);
    EXPECT_FALSE(ring.fits(65));
    EXPECT_TRUE(ring.fits(64));
    const Bytes parts[] = {data};
    const auto pushed = ring.push(parts);
    EXPECT_FALSE(ring.fits(1));
    EXPECT_TRUE(ring.complete(pushed[0].id));
    EXPECT_TRUE(ring.fits(64));
}

} // namespace
} // namespace aios::dev
