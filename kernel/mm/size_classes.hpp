// The size classes of the kernel heap, and what an allocation takes from memory: its share of a slab or its whole block
// of frames, not the size that was asked for. Whoever charges an object charges this (cost_of, heap_cost in mm.hpp).
//
// A slab is a block of 1 to 4 frames: a header of kSlabHeaderBytes, then objects of one size. Debug builds put kOverhead
// bytes behind each object. No state, no locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bits.hpp"
#include "kernel/arch/arch.hpp"

namespace aios::mm::size_classes {

inline constexpr std::array<std::uint16_t, 14> kSizes = {16,  32,  48,  64,  96,   128,  192,
                                                         256, 384, 512, 768, 1024, 1536, 2048};
inline constexpr unsigned kClasses = kSizes.size();
inline constexpr std::size_t kLargest = kSizes.back();
inline constexpr std::size_t kSlabHeaderBytes = 32;
#ifdef AIOS_DEBUG
inline constexpr std::size_t kOverhead = 8;
#else
inline constexpr std::size_t kOverhead = 0;
#endif

constexpr std::size_t alignment_of(unsigned index) { return kSizes[index] & -kSizes[index]; }
constexpr unsigned order_of(unsigned index) {
    if (kSizes[index] <= 512) return 0;
    return kSizes[index] <= 1024 ? 1 : 2;
}
constexpr std::size_t first_object(unsigned index) { return align_up(kSlabHeaderBytes, alignment_of(index)); }
constexpr std::size_t slab_bytes(unsigned index) { return arch::kPageSize << order_of(index); }
constexpr std::size_t capacity_of(unsigned index) { return (slab_bytes(index) - first_object(index)) / kSizes[index]; }

// The class of a size, by sixteens.
inline constexpr auto kClassBySixteens = [] {
    std::array<std::uint8_t, kLargest / 16 + 1> table{};
    unsigned index = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
        while (kSizes[index] < i * 16)
            ++index;
        table[i] = static_cast<std::uint8_t>(index);
    }
    return table;
}();

// Whether it is too large for a slab, or needs more than a slab's alignment: then it gets a block of frames.
constexpr bool is_large(std::size_t bytes, std::size_t alignment) {
    return bytes > kLargest - kOverhead || alignment > alignment_of(kClasses - 1);
}
constexpr unsigned order_of_large(std::size_t bytes) { return log2_ceil(div_ceil(bytes, arch::kPageSize)); }
// The class of an object that is not large.
constexpr unsigned class_of(std::size_t bytes, std::size_t alignment) {
    unsigned index = kClassBySixteens[(bytes + kOverhead + 15) / 16];
    while (alignment_of(index) < alignment) // ends: the largest class has the largest alignment
        ++index;
    return index;
}

// What an object of each class takes.
inline constexpr auto kCosts = [] {
    std::array<std::uint32_t, kClasses> costs{};
    for (unsigned index = 0; index < kClasses; ++index)
        costs[index] = static_cast<std::uint32_t>(div_ceil(slab_bytes(index), capacity_of(index)));
    return costs;
}();

} // namespace aios::mm::size_classes

namespace aios::mm {

// The memory that heap_allocate(bytes, alignment) takes: a slab divided by the objects that fit it, rounded up; or the
// block of 2^n frames.
[[nodiscard]] constexpr std::uint64_t heap_cost(std::size_t bytes, std::size_t alignment = 16) {
    using namespace size_classes;
    if (is_large(bytes, alignment)) return std::uint64_t{arch::kPageSize} << order_of_large(bytes);
    return kCosts[class_of(bytes, alignment)];
}
// Of an object made with make<T>().
template <typename T>
inline constexpr std::uint64_t cost_of = heap_cost(sizeof(T), alignof(T));

} // namespace aios::mm
