// The kernel image parser: what it takes, and that every broken header is refused with the right error and without a
// read outside the given bytes (the whole test runs under ASan).
#include "boot/elf.hpp"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace aios::boot {
namespace {

// Field offsets of the ELF64 header and program header.
constexpr std::size_t kClass = 4, kType = 16, kMachine = 18, kEntry = 24, kPhoff = 32, kPhentsize = 54, kPhnum = 56;
constexpr std::size_t kPhSize = 56;

struct Load {
    std::uint32_t type = 1;
    std::uint32_t flags = 5;
    std::uint64_t offset = 0, vaddr = 0x200000, paddr = 0x200000, filesz = 0x1000, memsz = 0x1000, align = 0x1000;
};

template <typename T>
void put(std::vector<std::uint8_t>& file, std::size_t at, T value) {
    std::memcpy(file.data() + at, &value, sizeof(value));
}

std::vector<std::uint8_t> image(const std::vector<Load>& loads, std::uint64_t entry = 0x200100,
                                std::size_t size = 0x8000) {
    std::vector<std::uint8_t> file(size);
    const std::uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    std::memcpy(file.data(), ident, sizeof(ident));
    put<std::uint16_t>(file, kType, 3);
    put<std::uint16_t>(file, kMachine, 62);
    put<std::uint32_t>(file, 20, 1);
    put<std::uint64_t>(file, kEntry, entry);
    put<std::uint64_t>(file, kPhoff, 64);
    put<std::uint16_t>(file, 52, 64);
    put<std::uint16_t>(file, kPhentsize, kPhSize);
    put<std::uint16_t>(file, kPhnum, static_cast<std::uint16_t>(loads.size()));
    for (std::size_t i = 0; i < loads.size() && 64 + (i + 1) * kPhSize <= size; ++i)
        std::memcpy(file.data() + 64 + i * kPhSize, &loads[i], kPhSize);
    return file;
}

Result<KernelImage> parse(const std::vector<std::uint8_t>& file) {
    // A copy of exactly the head, so that ASan sees a read behind it.
    std::vector<std::uint8_t> head(file.begin(), file.begin() + std::min(file.size(), kKernelHeadBytes));
    return kernel_image_parse(head, file.size());
}

Error error_of(const std::vector<std::uint8_t>& file) {
    auto result = parse(file);
    EXPECT_FALSE(result.has_value());
    return result ? Error::killed : result.error();
}

TEST(KernelImage, TakesSegmentsInOrder) {
    auto file = image({{.flags = 4, .filesz = 0x800, .memsz = 0x800},
                       {.type = 6},
                       {.offset = 0x1000, .vaddr = 0x201000, .filesz = 0x1234, .memsz = 0x1234},
                       {.flags = 6, .offset = 0x3000, .vaddr = 0x204000, .filesz = 0x10, .memsz = 0x5001}},
                      0x202000);
    auto parsed = parse(file);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->segment_count, 3u);
    EXPECT_EQ(parsed->image_bytes, 0xa000u); // 0x4000 + 0x5001, in whole pages
    EXPECT_EQ(parsed->entry_offset, 0x2000u);
    EXPECT_EQ(parsed->segments[1].file_offset, 0x1000u);
    EXPECT_EQ(parsed->segments[1].image_offset, 0x1000u);
    EXPECT_EQ(parsed->segments[2].file_bytes, 0x10u);
    EXPECT_EQ(parsed->segments[2].memory_bytes, 0x5001u);
}

TEST(KernelImage, RefusesWhatIsNoKernel) {
    EXPECT_EQ(error_of({}), Error::truncated);
    EXPECT_EQ(error_of(std::vector<std::uint8_t>(4096, 0)), Error::bad_format);
    auto file = image({{}});
    file[kClass] = 1;
    EXPECT_EQ(error_of(file), Error::unsupported);
    file = image({{}});
    put<std::uint16_t>(file, kType, 2); // ET_EXEC
    EXPECT_EQ(error_of(file), Error::unsupported);
    file = image({{}});
    put<std::uint16_t>(file, kMachine, 183);
    EXPECT_EQ(error_of(file), Error::unsupported);
    EXPECT_EQ(error_of(image({{}, {.type = 3}})), Error::unsupported); // wants an interpreter
    EXPECT_EQ(error_of(image({})), Error::bad_format);
    file = image({{}});
    put<std::uint16_t>(file, kPhentsize, 32);
    EXPECT_EQ(error_of(file), Error::bad_format);
}

TEST(KernelImage, RefusesCutFiles) {
    auto whole = image({{.filesz = 0x8000, .memsz = 0x8000}});
    ASSERT_TRUE(parse(whole).has_value());
    for (std::size_t size : {1ul, 63ul, 64ul, 100ul, 119ul, 120ul, 4095ul, 4096ul, 0x7ffful}) {
        std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(error_of(cut), Error::truncated) << size;
    }
}

TEST(KernelImage, RefusesNumbersThatOverflow) {
    constexpr std::uint64_t kHuge = ~0ull;
    auto file = image({{}});
    put<std::uint64_t>(file, kPhoff, kHuge);
    EXPECT_EQ(error_of(file), Error::bad_format);
    put<std::uint64_t>(file, kPhoff, kHuge - 32);
    EXPECT_EQ(error_of(file), Error::bad_format);
    put<std::uint64_t>(file, kPhoff, 0x7fff); // in the file, behind the head
    EXPECT_EQ(error_of(file), Error::bad_format);
    EXPECT_EQ(error_of(image({{.offset = kHuge}})), Error::truncated);
    EXPECT_EQ(error_of(image({{.offset = 0x10, .filesz = kHuge, .memsz = kHuge}})), Error::truncated);
    EXPECT_EQ(error_of(image({{.memsz = kHuge}})), Error::too_large);
    EXPECT_EQ(error_of(image({{.vaddr = kHuge - 0xfff}})), Error::too_large);
    EXPECT_EQ(error_of(image({{.vaddr = 0x200000 + kMaxKernelBytes}})), Error::too_large);
    EXPECT_EQ(error_of(image(std::vector<Load>(kMaxKernelSegments + 1))), Error::bad_format); // they overlap
    std::vector<Load> many;
    for (std::uint64_t i = 0; i <= kMaxKernelSegments; ++i)
        many.push_back({.vaddr = 0x200000 + i * 0x1000});
    EXPECT_EQ(error_of(image(many)), Error::too_large);
    many.pop_back();
    EXPECT_TRUE(parse(image(many)).has_value());
}

TEST(KernelImage, RefusesBadSegments) {
    EXPECT_EQ(error_of(image({{.vaddr = 0x1ff000}})), Error::bad_format);                      // below the link base
    EXPECT_EQ(error_of(image({{.filesz = 0x1000, .memsz = 0xfff}})), Error::bad_format);       // file part is larger
    EXPECT_EQ(error_of(image({{}, {.vaddr = 0x200fff}})), Error::bad_format);                  // overlap
    EXPECT_EQ(error_of(image({{.vaddr = 0x202000}, {.vaddr = 0x200000}})), Error::bad_format); // descending
}

TEST(KernelImage, EntryMustBeExecutableFileContents) {
    EXPECT_EQ(error_of(image({{}}, 0x201000)), Error::bad_format);
    EXPECT_EQ(error_of(image({{}}, 0x1fffff)), Error::bad_format);
    EXPECT_EQ(error_of(image({{.flags = 6}})), Error::bad_format);
    EXPECT_EQ(error_of(image({{.filesz = 0x80}})), Error::bad_format); // in the zeroed part
    EXPECT_TRUE(parse(image({{}}, 0x200fff)).has_value());
}

TEST(KernelImage, EveryFlippedByteIsHandled) {
    auto whole = image({{}, {.flags = 6, .offset = 0x1000, .vaddr = 0x201000, .filesz = 0x10, .memsz = 0x2000}});
    for (std::size_t at = 0; at < 64 + 2 * kPhSize; ++at)
        for (int value : {0, 1, 0x7f, 0x80, 0xff}) {
            auto file = whole;
            file[at] = static_cast<std::uint8_t>(value);
            auto parsed = parse(file);
            if (!parsed) continue;
            std::uint64_t end = 0;
            for (std::uint32_t i = 0; i < parsed->segment_count; ++i) {
                const KernelSegment& segment = parsed->segments[i];
                EXPECT_LE(segment.file_offset + segment.file_bytes, file.size());
                EXPECT_GE(segment.image_offset, end);
                end = segment.image_offset + segment.memory_bytes;
            }
            EXPECT_LE(end, parsed->image_bytes);
            EXPECT_LT(parsed->entry_offset, parsed->image_bytes);
        }
}

} // namespace
} // namespace aios::boot
