// The buddy allocator and the frame cache against a model: no frame handed out twice, counts exact, everything comes
// back.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

#include "kernel/mm/buddy.hpp"
#include "tests/unit/mm/fake_arch.hpp"

namespace aios::mm {
namespace {

class Frames : public testing::Test {
protected:
    void SetUp() override { fake::start_machine(); }
};

TEST_F(Frames, HandOffRangesAreTakenExactly) {
    const FrameCounts counts = fake::counts_at_start();
    // 1 MiB of boot memory (rounded down), and the last range inwards without the table.
    const std::uint64_t usable = fake::kRamBytes / kPageSize - 1 - (4 << 20) / kPageSize - 1;
    const std::uint64_t table = (fake::kRamBytes / kPageSize * 4 + kPageSize - 1) / kPageSize;
    EXPECT_EQ(counts.total, 256 + usable - table);
    EXPECT_EQ(counts.free, counts.total);
    EXPECT_FALSE(is_managed_frame(fake::unmanaged_ram()));
}

TEST_F(Frames, RandomUseAgainstAModel) {
    std::mt19937_64 random(1);
    const std::uint64_t before = frame_counts().free;
    struct Block {
        unsigned order;
        std::uint8_t mark;
    };
    std::map<std::uint64_t, Block> blocks; // by address
    std::uint64_t used = 0;
    for (int step = 0; step < 60'000; ++step) {
        fake::set_cpu(static_cast<unsigned>(random() % 4));
        if (blocks.empty() || random() % 100 < (step < 30'000 ? 60 : 45)) {
            const unsigned order = random() % 4 != 0 ? 0 : static_cast<unsigned>(random() % 8);
            const auto frame = allocate_frames(order);
            if (!frame) {
                EXPECT_EQ(frame.error(), Error::out_of_memory);
                continue;
            }
            const std::uint64_t bytes = kPageSize << order;
            ASSERT_EQ(frame->value % bytes, 0u);
            auto next = blocks.lower_bound(frame->value);
            ASSERT_TRUE(next == blocks.end() || next->first >= frame->value + bytes);
            if (next != blocks.begin()) {
                auto previous = std::prev(next);
                ASSERT_LE(previous->first + (kPageSize << previous->second.order), frame->value);
            }
            const auto mark = static_cast<std::uint8_t>(random());
            std::memset(arch::physmap(*frame), mark, bytes);
            blocks[frame->value] = {order, mark};
            used += 1u << order;
        } else {
            auto victim = blocks.lower_bound(random() % fake::kRamBytes);
            if (victim == blocks.end()) victim = blocks.begin();
            const auto* bytes = static_cast<const std::uint8_t*>(arch::physmap({victim->first}));
            ASSERT_EQ(bytes[0], victim->second.mark);
            ASSERT_EQ(bytes[(kPageSize << victim->second.order) - 1], victim->second.mark);
            release_frames({victim->first}, victim->second.order);
            used -= 1u << victim->second.order;
            blocks.erase(victim);
        }
        if (step % 64 == 0) {
            ASSERT_EQ(frame_counts().free, before - used);
        }
    }
    for (auto& [address, block] : blocks)
        release_frames({address}, block.order);
    EXPECT_EQ(frame_counts().free, before);
    EXPECT_TRUE(fake::interrupts_are_on());
    fake::set_cpu(0);
}

TEST_F(Frames, AllMemoryCanBeTakenAndGivenBack) {
    const std::uint64_t before = frame_counts().free;
    std::vector<arch::PhysAddr> all;
    while (auto frame = allocate_frames(0))
        all.push_back(*frame);
    EXPECT_LE(before - all.size(), 4u * 64); // what the other CPUs' caches keep
    std::set<std::uint64_t> distinct;
    for (arch::PhysAddr frame : all)
        distinct.insert(frame.value);
    EXPECT_EQ(distinct.size(), all.size());
    for (arch::PhysAddr frame : all)
        release_frames(frame, 0);
    EXPECT_EQ(frame_counts().free, before);
    EXPECT_TRUE(allocate_frames(12).has_value()); // merged again: 16 MiB in one piece
}

TEST_F(Frames, ReferencesKeepAFrame) {
    const std::uint64_t before = frame_counts().free;
    const arch::PhysAddr frame = allocate_frames(0).value();
    retain_frame(frame);
    EXPECT_EQ(frame_references(frame), 2u);
    release_frames(frame, 0);
    EXPECT_EQ(frame_references(frame), 1u);
    EXPECT_EQ(frame_counts().free, before - 1);
    release_frames(frame, 0);
    EXPECT_EQ(frame_counts().free, before);
}

// A frame that got more references than its entry counts is kept for good: nothing stops, and nobody else gets it.
TEST_F(Frames, ReferencesBeyondTheLastThatCountsKeepTheFrame) {
    const std::uint64_t before = frame_counts().free;
    const arch::PhysAddr frame = allocate_frames(0).value();
    for (std::uint32_t i = 1; i < FrameInfo::kMaxValue; ++i)
        retain_frame(frame);
    EXPECT_EQ(frame_references(frame), FrameInfo::kMaxValue);
    for (int i = 0; i < 3; ++i)
        retain_frame(frame);
    for (int i = 0; i < 5; ++i)
        release_frames(frame, 0);
    EXPECT_EQ(frame_references(frame), FrameInfo::kMaxValue);
    EXPECT_EQ(frame_counts().free, before - 1);
    EXPECT_TRUE(is_managed_frame(frame));
    // One less is an ordinary count.
    const arch::PhysAddr other = allocate_frames(0).value();
    for (std::uint32_t i = 2; i < FrameInfo::kMaxValue; ++i)
        retain_frame(other);
    for (std::uint32_t i = 1; i < FrameInfo::kMaxValue; ++i)
        release_frames(other, 0);
    EXPECT_EQ(frame_counts().free, before - 1);
}

TEST_F(Frames, SplitBlocksAreFreedFrameByFrame) {
    const std::uint64_t before = frame_counts().free;
    const arch::PhysAddr block = allocate_frames(3).value();
    split_frames(block, 3);
    for (unsigned i = 0; i < 8; ++i)
        release_frames({block.value + i * kPageSize}, 0);
    EXPECT_EQ(frame_counts().free, before);
}

using FramesDeath = Frames;

TEST_F(FramesDeath, MistakesStopTheKernel) {
    const arch::PhysAddr single = allocate_frames(0).value();
    const arch::PhysAddr block = allocate_frames(2).value();
    EXPECT_DEATH(release_frames(block, 1), "assertion");
    EXPECT_DEATH(release_frames({block.value + kPageSize}, 0), "assertion");
    EXPECT_DEATH(retain_frame(block), "assertion");
    release_frames(block, 2);
    EXPECT_DEATH(release_frames(block, 2), "assertion");
    release_frames(single, 0);
    EXPECT_DEATH(release_frames(single, 0), "assertion");
    EXPECT_DEATH(retain_frame(single), "assertion");
}

} // namespace
} // namespace aios::mm
