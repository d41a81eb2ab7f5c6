// Memory map conversion, with a page-by-page model as the judge, and the reading of UEFI's own format.
#include "boot/memory_map.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "boot/uefi/efi.hpp"
#include "boot/uefi/memory.hpp"

namespace aios::boot {
namespace {

using enum MemoryKind;
constexpr std::uint64_t kPage = kMapPage;

bool same(const MemoryRange& a, const MemoryRange& b) {
    return a.base == b.base && a.bytes == b.bytes && a.kind == b.kind;
}

std::vector<MemoryRange> build(std::vector<MemoryRange> firmware, const std::vector<MemoryRange>& claims,
                               std::size_t room = kMaxMemoryRanges) {
    std::vector<MemoryRange> out(room);
    auto count = memory_map_build(firmware, claims, out);
    EXPECT_TRUE(count.has_value());
    out.resize(count.value_or(0));
    for (std::size_t i = 1; i < out.size(); ++i)
        EXPECT_GE(out[i].base, out[i - 1].base + out[i - 1].bytes);
    return out;
}

TEST(MemoryMap, SortsMergesAndClips) {
    auto map = build({{0x5000, 0x3000, usable, 0},
                      {0, 0x1000, reserved, 0},
                      {0x1000, 0x4000, usable, 0},
                      {0x8800, 0x1000, usable, 0},
                      {0xa100, 0x100, acpi, 0},
                      {0xc000, 0, usable, 0}},
                     {});
    ASSERT_EQ(map.size(), 3u); // the one at 0x8800 covers no whole page
    EXPECT_TRUE(same(map[0], {0, 0x1000, reserved, 0}));
    EXPECT_TRUE(same(map[1], {0x1000, 0x7000, usable, 0}));
    EXPECT_TRUE(same(map[2], {0xa000, 0x1000, acpi, 0}));
}

TEST(MemoryMap, UsableShrinksOthersGrow) {
    auto map = build({{0x1001, 0x2fff, usable, 0}, {0x8001, 1, reserved, 0}}, {});
    ASSERT_EQ(map.size(), 2u);
    EXPECT_TRUE(same(map[0], {0x2000, 0x2000, usable, 0}));
    EXPECT_TRUE(same(map[1], {0x8000, 0x1000, reserved, 0}));
    EXPECT_TRUE(build({{0x1001, 0x1ffe, usable, 0}}, {}).empty());
}

TEST(MemoryMap, RestrictedWinsAndClaimsAreExact) {
    auto map = build({{0, 0x100000, usable, 0}, {0x80000, 0x20000, reserved, 0}, {0x90000, 0x8000, acpi, 0}},
                     {{0x10000, 0x3000, kernel, 0}, {0x13000, 0x1000, container, 0}, {0x7f000, 0x2000, boot, 0}});
    std::vector<MemoryRange> expected = {{0, 0x10000, usable, 0},         {0x10000, 0x3000, kernel, 0},
                                         {0x13000, 0x1000, container, 0}, {0x14000, 0x6b000, usable, 0},
                                         {0x7f000, 0x2000, boot, 0},      {0x81000, 0x1f000, reserved, 0},
                                         {0xa0000, 0x60000, usable, 0}};
    ASSERT_EQ(map.size(), expected.size());
    for (std::size_t i = 0; i < map.size(); ++i)
        EXPECT_TRUE(same(map[i], expected[i])) << i;
}

TEST(MemoryMap, SurvivesRangesAtTheTop) {
    auto map =
        build({{~0ull - 0xfff, 0x1000, reserved, 0}, {~0ull - 5, ~0ull, usable, 0}, {0x1000, ~0ull, reserved, 0}}, {});
    ASSERT_EQ(map.size(), 1u);
    EXPECT_EQ(map[0].base, 0x1000u);
    EXPECT_EQ(map[0].kind, reserved);
}

TEST(MemoryMap, KeepsTheLargestUsableWhenFull) {
    std::vector<MemoryRange> firmware;
    for (std::uint64_t i = 0; i < 300; ++i) {
        firmware.push_back({i * 0x1000000, (i % 150 + 1) * kPage, usable, 0});
        firmware.push_back({i * 0x1000000 + 0x800000, 0x400000, reserved, 0}); // larger, and yet the first to go
    }
    firmware.push_back({0x400000, kPage, acpi, 0});
    std::shuffle(firmware.begin(), firmware.end(), std::mt19937(1));
    MemoryRange image{0x9000000, 3 * kPage, kernel, 0};
    auto map = build(firmware, {image});
    ASSERT_EQ(map.size(), kMaxMemoryRanges);
    std::size_t kernels = 0, tables = 0, smallest = 1000;
    for (const MemoryRange& range : map) {
        EXPECT_NE(range.kind, reserved);
        if (range.kind == kernel) kernels += same(range, image);
        if (range.kind == acpi) ++tables;
        if (range.kind == usable) smallest = std::min<std::size_t>(smallest, range.bytes / kPage);
    }
    EXPECT_EQ(kernels, 1u);
    EXPECT_EQ(tables, 1u);
    EXPECT_EQ(smallest, 88u); // 126 ranges are left for usable memory: all of 89 to 150 pages (124), two of 88
}

TEST(MemoryMap, RefusesBadClaims) {
    MemoryRange out[4];
    auto error_of = [&](std::vector<MemoryRange> claims, std::size_t room = 4) {
        auto result = memory_map_build({}, claims, std::span(out).first(room));
        return result ? Error::killed : result.error();
    };
    EXPECT_EQ(error_of({{0x1000, 0, kernel, 0}}), Error::bad_argument);
    EXPECT_EQ(error_of({{0x1001, 0x1000, kernel, 0}}), Error::bad_argument);
    EXPECT_EQ(error_of({{0x1000, 0x1001, kernel, 0}}), Error::bad_argument);
    EXPECT_EQ(error_of({{0x1000, ~0ull & ~0xfffull, kernel, 0}}), Error::bad_argument);
    EXPECT_EQ(error_of({{0x1000, 0x2000, kernel, 0}, {0x2000, 0x1000, boot, 0}}), Error::bad_argument);
    EXPECT_EQ(error_of({{0x1000, 0x1000, kernel, 0}, {0x2000, 0x1000, boot, 0}}, 1), Error::no_space);
}

TEST(MemoryMap, AgreesWithAPageModel) {
    std::mt19937 random(20);
    for (int round = 0; round < 400; ++round) {
        constexpr std::size_t kPages = 64;
        std::vector<int> strength(kPages, -1);
        std::vector<MemoryKind> kinds(kPages, reserved);
        std::vector<MemoryRange> firmware, claims;
        auto paint = [&](const MemoryRange& range, int force) {
            for (std::size_t p = range.base / kPage; p < (range.base + range.bytes) / kPage; ++p)
                if (force > strength[p]) {
                    strength[p] = force;
                    kinds[p] = range.kind;
                }
        };
        for (unsigned i = 0, n = random() % 12; i < n; ++i) {
            std::uint64_t first = random() % kPages, pages = random() % (kPages - first + 1);
            unsigned which = random() % 3;
            MemoryRange range{first * kPage, pages * kPage, which == 0 ? usable : which == 1 ? acpi : reserved, 0};
            firmware.push_back(range);
            paint(range, static_cast<int>(which));
        }
        std::uint64_t at = random() % 8;
        for (MemoryKind kind : {kernel, container, boot}) {
            std::uint64_t pages = 1 + random() % 5;
            claims.push_back({at * kPage, pages * kPage, kind, 0});
            paint(claims.back(), 9);
            at += pages + random() % 10;
        }
        auto map = build(firmware, claims);
        std::vector<bool> covered(kPages, false);
        for (std::size_t i = 0; i < map.size(); ++i) {
            if (i != 0 && map[i - 1].kind == map[i].kind) EXPECT_NE(map[i - 1].base + map[i - 1].bytes, map[i].base);
            for (std::size_t p = map[i].base / kPage; p < (map[i].base + map[i].bytes) / kPage; ++p) {
                covered[p] = true;
                EXPECT_EQ(map[i].kind, kinds[p]) << "page " << p;
            }
        }
        for (std::size_t p = 0; p < kPages; ++p)
            EXPECT_EQ(covered[p], strength[p] >= 0) << "page " << p;
    }
}

TEST(MemoryMap, FindsTheLowestPlace) {
    const MemoryRange ranges[] = {{0x4000000, 0x1000000, usable, 0},
                                  {0, 0x9f000, usable, 0},
                                  {0x100000, 0x700000, usable, 0},
                                  {0x1000000, 0x3000000, reserved, 0},
                                  {0x1'0000'0000, 0x4000'0000, usable, 0}};
    EXPECT_EQ(memory_map_find(ranges, 0x1000, 0x200000, 1ull << 32).value_or(1), 0u);
    EXPECT_EQ(memory_map_find(ranges, 0x600000, 0x200000, 1ull << 32).value_or(0), 0x200000u);
    EXPECT_EQ(memory_map_find(ranges, 0x600001, 0x200000, 1ull << 32).value_or(0), 0x4000000u);
    EXPECT_EQ(memory_map_find(ranges, 0x1000001, 0x200000, 1ull << 32).error(), Error::out_of_memory);
    EXPECT_EQ(memory_map_find(ranges, 0x1000001, 0x200000, 1ull << 40).value_or(0), 0x1'0000'0000u);
    EXPECT_EQ(memory_map_find({}, 1, kPage, ~0ull).error(), Error::out_of_memory);
}

TEST(EfiMemory, ReadsDescriptorsAtTheFirmwaresStride) {
    using efi::MemoryType;
    constexpr std::size_t kStride = 48;
    const efi::MemoryDescriptor descriptors[] = {{MemoryType::boot_services_data, 0, 0, 0, 1, 15},
                                                 {MemoryType::conventional, 0, 0x1000, 0, 0x9f, 15},
                                                 {MemoryType::loader_code, 0, 0x100000, 0, 2, 15},
                                                 {MemoryType::acpi_reclaim, 0, 0x200000, 0, 3, 15},
                                                 {MemoryType::acpi_nvs, 0, 0x300000, 0, 4, 15},
                                                 {MemoryType::runtime_services_data, 0, 0x400000, 0, 5, 15},
                                                 {static_cast<MemoryType>(0x8000'0001), 0, 0x500000, 0, 6, 15},
                                                 {MemoryType::conventional, 0, 0x600000, 0, 0, 15},
                                                 {MemoryType::conventional, 0, 0x700000, 0, ~0ull, 15}};
    std::vector<std::uint8_t> map(std::size(descriptors) * kStride);
    for (std::size_t i = 0; i < std::size(descriptors); ++i)
        std::memcpy(map.data() + i * kStride, &descriptors[i], sizeof(descriptors[i]));
    std::vector<MemoryRange> out(std::size(descriptors) + 1);

    auto count = efi::memory_ranges_read(map, kStride, efi::MapMoment::after_exit, out);
    ASSERT_EQ(count.value_or(0), 9u); // page 0, and all but the empty one
    EXPECT_TRUE(same(out[0], {0, 0x1000, reserved, 0}));
    EXPECT_EQ(out[1].kind, usable);
    EXPECT_TRUE(same(out[2], {0x1000, 0x9f000, usable, 0}));
    EXPECT_EQ(out[3].kind, usable);
    EXPECT_EQ(out[4].kind, acpi);
    EXPECT_EQ(out[5].kind, reserved);
    EXPECT_EQ(out[6].kind, reserved);
    EXPECT_EQ(out[7].kind, reserved);
    EXPECT_EQ(out[8].bytes, ~0ull);

    ASSERT_TRUE(efi::memory_ranges_read(map, kStride, efi::MapMoment::boot_services, out).has_value());
    EXPECT_EQ(out[1].kind, reserved);
    EXPECT_EQ(out[2].kind, usable);
    EXPECT_EQ(out[3].kind, reserved);

    EXPECT_EQ(efi::memory_ranges_read(map, 39, efi::MapMoment::after_exit, out).error(), Error::bad_format);
    EXPECT_EQ(efi::memory_ranges_read(map, kStride, efi::MapMoment::after_exit, std::span(out).first(9)).error(),
              Error::no_space);
}

} // namespace
} // namespace aios::boot
