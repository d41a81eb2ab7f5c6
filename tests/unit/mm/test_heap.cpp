// The heap against a model, its debug checks, and kernel stacks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "kernel/mm/size_classes.hpp"
#include "tests/unit/mm/fake_arch.hpp"

namespace aios::mm {
namespace {

class Heap : public testing::Test {
protected:
    void SetUp() override { fake::start_machine(); }
};

TEST_F(Heap, RandomUseAgainstAModel) {
    std::mt19937_64 random(2);
    struct Piece {
        std::uint8_t* at;
        std::size_t bytes;
        std::uint8_t mark;
    };
    std::vector<Piece> pieces;
    for (int step = 0; step < 100'000; ++step) {
        fake::set_cpu(static_cast<unsigned>(random() % 4));
        if (pieces.empty() || (random() % 100 < (step < 60'000 ? 55 : 40) && pieces.size() < 4000)) {
            const std::size_t bytes =
                random() % 50 == 0 ? random() % 20'000 : random() % (random() % 8 == 0 ? 4096 : 200);
            const std::size_t alignment = random() % 8 == 0 ? std::size_t{1} << (random() % 13) : 16;
            auto* at = static_cast<std::uint8_t*>(heap_allocate(bytes, alignment));
            ASSERT_NE(at, nullptr);
            ASSERT_EQ(reinterpret_cast<std::uintptr_t>(at) % alignment, 0u);
            const auto mark = static_cast<std::uint8_t>(random());
            std::memset(at, mark, bytes);
            pieces.push_back({at, bytes, mark});
        } else {
            const std::size_t index = random() % pieces.size();
            const Piece piece = pieces[index];
            for (std::size_t i = 0; i < piece.bytes; ++i)
                ASSERT_EQ(piece.at[i], piece.mark);
            heap_free(piece.at);
            pieces[index] = pieces.back();
            pieces.pop_back();
        }
    }
    for (const Piece& piece : pieces)
        heap_free(piece.at);
    fake::set_cpu(0);
    EXPECT_TRUE(fake::interrupts_are_on());
}

TEST_F(Heap, FramesComeBack) {
    const std::uint64_t before = frame_counts().free;
    std::vector<void*> pieces;
    for (int i = 0; i < 20'000; ++i)
        pieces.push_back(heap_allocate(500));
    EXPECT_LT(frame_counts().free, before - 2000);
    for (void* piece : pieces)
        heap_free(piece);
    EXPECT_GE(frame_counts().free + 32, before); // an empty slab and a magazine a class stay
}

// What is charged for is what is taken: as many objects as fill whole slabs take as many frames as their costs say, but
// for what a magazine keeps and the rounding of one slab.
TEST_F(Heap, CostsAreWhatIsTaken) {
    for (const std::size_t bytes : {1u,    16u,   40u,   88u,   100u,  160u,  200u,  312u,  500u,  600u,   900u,
                                    1100u, 1500u, 1900u, 2048u, 2100u, 4096u, 4097u, 5000u, 9000u, 40'000u}) {
        fake::start_machine(); // sizes of one class find no slab of each other
        const std::uint64_t cost = heap_cost(bytes);
        ASSERT_GE(cost, bytes);
        const std::size_t count = (std::size_t{1} << 20) / cost + 1;
        const std::uint64_t before = frame_counts().free;
        std::vector<void*> pieces;
        for (std::size_t i = 0; i < count; ++i)
            pieces.push_back(heap_allocate(bytes));
        const std::uint64_t taken = (before - frame_counts().free) * kPageSize;
        EXPECT_LE(taken, count * cost + 4 * kPageSize) << bytes; // charged at least what is taken
        // And not much more: slabs that stand half filled, and frames that the processor had cached, are not seen as
        // taken.
        EXPECT_GE(taken * 5 / 4 + 16 * cost + 4 * kPageSize, count * cost - count * 16) << bytes;
        for (void* piece : pieces)
            heap_free(piece);
    }
    // Alignment can cost more than size does.
    EXPECT_GE(heap_cost(64, 1024), 1024u);
    EXPECT_EQ(heap_cost(64, kPageSize), kPageSize);
    struct alignas(64) Line {
        char bytes[70];
    };
    EXPECT_GE(cost_of<Line>, 128u);
}

TEST_F(Heap, OutOfMemoryIsNull) {
    EXPECT_EQ(heap_allocate(1ull << 29), nullptr);
    EXPECT_EQ(heap_allocate(~0ull), nullptr);
    std::vector<void*> pieces;
    while (void* piece = heap_allocate(1000))
        pieces.push_back(piece);
    struct Large {
        std::uint64_t words[4096];
    };
    EXPECT_FALSE(make<Large>().has_value());
    for (void* piece : pieces)
        heap_free(piece);
    heap_free(nullptr);
}

using HeapDeath = Heap;

TEST_F(HeapDeath, DebugBuildsFindMistakes) {
#ifdef AIOS_DEBUG
    auto* piece = static_cast<std::uint8_t*>(heap_allocate(20));
    EXPECT_DEATH(
        {
            piece[20] = 1; // one past the end
            heap_free(piece);
        },
        "assertion");
    EXPECT_DEATH(
        {
            heap_free(piece);
            heap_free(piece);
        },
        "assertion|AddressSanitizer");
    EXPECT_DEATH(
        {
            heap_free(piece);
            piece[12] = 1; // after free: AddressSanitizer sees it here, the pattern in the kernel
        },
        "AddressSanitizer");
    heap_free(piece);
#else
    GTEST_SKIP() << "release build";
#endif
}

TEST_F(Heap, Stacks) {
    std::vector<std::uint64_t> tops;
    const std::uint64_t before = frame_counts().free;
    for (int i = 0; i < 200; ++i) {
        const auto top = allocate_stack();
        ASSERT_TRUE(top.has_value());
        for (std::uint64_t other : tops)
            ASSERT_GE(*top > other ? *top - other : other - *top, arch::kKernelStackBytes + kPageSize);
        tops.push_back(*top);
    }
    EXPECT_EQ(frame_counts().free, before - 200 * arch::kKernelStackBytes / kPageSize);
    const std::uint64_t rounds = fake::kernel_unmaps();
    for (std::uint64_t top : tops)
        free_stack(top);
    const std::uint64_t kept = (before - frame_counts().free) * kPageSize / arch::kKernelStackBytes;
    EXPECT_GE(kept, 48u); // for the next threads
    EXPECT_LE(kept, 64u);
    EXPECT_EQ(fake::kernel_unmaps() - rounds, (200 - kept) / 16); // sixteen stacks a round of the CPUs
    for (std::size_t i = 0; i < kept; ++i)
        EXPECT_EQ(allocate_stack().value(), tops[199 - i]); // the warmest first
}

// Whether frames run out or page tables: a stack that cannot be made whole leaves nothing behind, and its place is
// free.
TEST_F(Heap, AFailedStackLeavesNothing) {
    constexpr std::uint64_t kPages = arch::kKernelStackBytes / kPageSize;
    std::vector<std::uint64_t> tops;
    const auto make = [&] { return tops.emplace_back(allocate_stack().value()); };
    while (tops.size() < 64) // those that were kept
        make();
    const std::uint64_t last = make();
    for (std::uint64_t pages = 0; pages < kPages; ++pages) {
        const std::uint64_t before = frame_counts().free;
        fake::limit_kernel_maps(pages);
        EXPECT_EQ(allocate_stack().error(), Error::out_of_memory);
        fake::limit_kernel_maps(~0ull);
        EXPECT_EQ(frame_counts().free, before);

        std::vector<arch::PhysAddr> taken;
        while (const auto frame = allocate_frames(0))
            taken.push_back(*frame);
        for (std::uint64_t i = 0; i < pages; ++i, taken.pop_back())
            release_frames(taken.back(), 0);
        const std::uint64_t left = frame_counts().free;
        EXPECT_EQ(allocate_stack().error(), Error::out_of_memory);
        EXPECT_EQ(frame_counts().free, left);
        for (const arch::PhysAddr frame : taken)
            release_frames(frame, 0);
        EXPECT_EQ(frame_counts().free, before);
    }
    EXPECT_EQ(make(), last + arch::kKernelStackBytes + kPageSize);
    for (const std::uint64_t top : tops)
        free_stack(top);
}

// A new page table says that nothing is mapped, whatever its frame held before.
TEST_F(Heap, TablesOfTheKernelAreEmptyAtFirst) {
    const std::uint64_t before = frame_counts().free;
    std::vector<arch::PhysAddr> frames;
    for (unsigned i = 0; i < 64; ++i)
        frames.push_back(allocate_frames(0).value());
    for (const arch::PhysAddr frame : frames) {
        std::memset(arch::physmap(frame), 0xff, kPageSize);
        release_frames(frame, 0);
    }
    for (arch::PhysAddr& table : frames) {
        table = fake::kernel_tables().allocate_table().value();
        const auto* bytes = static_cast<const std::uint8_t*>(arch::physmap(table));
        EXPECT_EQ(std::count(bytes, bytes + kPageSize, 0), static_cast<std::ptrdiff_t>(kPageSize));
    }
    for (const arch::PhysAddr table : frames)
        fake::kernel_tables().free_table(table);
    EXPECT_EQ(frame_counts().free, before);
}

TEST_F(Heap, Registers) {
    const auto at = map_registers({0xfee0'0123}, 0x1000);
    ASSERT_TRUE(at.has_value());
    EXPECT_EQ(*at % kPageSize, 0x123u);
    EXPECT_GE(map_registers({0xfec0'0000}, 1).value(), *at + 0x1000);
    EXPECT_FALSE(map_registers({0}, 1ull << 40).has_value());
    EXPECT_FALSE(map_registers({0}, 0).has_value());
}

} // namespace
} // namespace aios::mm
