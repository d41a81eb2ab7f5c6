// Identity page tables; see identity_map.hpp. Layout of the table pages: root, then all PDPTs, then all page
// directories.
#include "boot/identity_map.hpp"

#include <algorithm>

namespace aios::boot {
namespace {

constexpr std::uint64_t kEntries = 512;
constexpr std::uint64_t kTablePage = 4096;
constexpr std::uint64_t kTwoMib = 2ull << 20;
constexpr std::uint64_t kOneGib = 1ull << 30;
constexpr std::uint64_t kMaxTop = 128ull << 40;
constexpr std::uint64_t kPresentWritable = 3;
constexpr std::uint64_t kLargePage = 1ull << 7;

struct Shape {
    std::uint64_t gibs;
    std::uint64_t pdpts;
    std::uint64_t directories;
};

Result<Shape> shape_of(std::uint64_t top, IdentityPage page) {
    if (top == 0 || top > kMaxTop) return fail(Error::too_large);
    std::uint64_t gibs = (top + kOneGib - 1) / kOneGib;
    return Shape{gibs, (gibs + kEntries - 1) / kEntries, page == IdentityPage::two_mib ? gibs : 0};
}

} // namespace

Result<std::size_t> identity_map_pages(std::uint64_t top, IdentityPage page) {
    Shape shape = TRY(shape_of(top, page));
    return static_cast<std::size_t>(1 + shape.pdpts + shape.directories);
}

Result<> identity_map_build(std::span<std::uint64_t> tables, std::uint64_t tables_base, std::uint64_t top,
                            IdentityPage page) {
    Shape shape = TRY(shape_of(top, page));
    if (tables.size() != (1 + shape.pdpts + shape.directories) * kEntries || tables_base % kTablePage != 0)
        return fail(Error::bad_argument);
    std::fill(tables.begin(), tables.end(), 0);
    std::uint64_t first_directory = 1 + shape.pdpts;
    for (std::uint64_t i = 0; i < shape.pdpts; ++i)
        tables[i] = (tables_base + (1 + i) * kTablePage) | kPresentWritable;
    for (std::uint64_t gib = 0; gib < shape.gibs; ++gib) {
        std::uint64_t& entry = tables[kEntries + gib]; // the PDPTs follow each other, so the index runs through them
        if (page == IdentityPage::one_gib) {
            entry = gib * kOneGib | kPresentWritable | kLargePage;
            continue;
        }
        entry = (tables_base + (first_directory + gib) * kTablePage) | kPresentWritable;
        for (std::uint64_t i = 0; i < kEntries; ++i)
            tables[(first_directory + gib) * kEntries + i] =
                (gib * kOneGib + i * kTwoMib) | kPresentWritable | kLargePage;
    }
    return {};
}

} // namespace aios::boot
