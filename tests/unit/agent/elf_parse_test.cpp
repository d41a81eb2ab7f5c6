// elf_parse against executables that the toolchain made, and against damaged headers.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "kernel/agent/elf.hpp"

namespace aios {
namespace {

std::vector<std::byte> own_executable() {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    std::vector<char> text((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

Bytes head_of(const std::vector<std::byte>& file) { return Bytes(file).first(std::min(file.size(), kElfHeadBytes)); }

// A minimal static executable: one readable and executable segment that holds its own headers.
std::vector<std::byte> minimal(std::uint16_t type = 2) {
    std::vector<std::byte> file(8192);
    auto put = [&](std::size_t at, auto value) { std::memcpy(file.data() + at, &value, sizeof(value)); };
    const unsigned char ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    std::memcpy(file.data(), ident, sizeof(ident));
    put(16, type);
    put(18, std::uint16_t{62});
    put(24, std::uint64_t{0x401000});
    put(32, std::uint64_t{64});
    put(54, std::uint16_t{56});
    put(56, std::uint16_t{1});
    put(64, std::uint32_t{1});     // PT_LOAD
    put(68, std::uint32_t{5});     // read, execute
    put(64 + 8, std::uint64_t{0}); // offset
    put(64 + 16, std::uint64_t{0x400000});
    put(64 + 32, std::uint64_t{8192});  // file bytes
    put(64 + 40, std::uint64_t{12000}); // memory bytes
    return file;
}

TEST(ElfParse, MinimalImage) {
    const auto file = minimal();
    ElfImage image;
    ASSERT_TRUE(elf_parse(head_of(file), file.size(), image));
    EXPECT_FALSE(image.position_independent);
    EXPECT_EQ(image.entry, 0x401000u);
    EXPECT_EQ(image.headers, 0x400040u);
    EXPECT_EQ(image.low, 0x400000u);
    EXPECT_EQ(image.high, 0x403000u);
    EXPECT_EQ(image.segment_count, 1u);
}

TEST(ElfParse, InterpreterOfADynamicExecutable) { // the test itself asks for one
    const auto file = own_executable();
    ElfImage image;
    ASSERT_TRUE(elf_parse(head_of(file), file.size(), image));
    ASSERT_GT(image.interpreter_bytes, 1u);
    const std::string path(reinterpret_cast<const char*>(file.data()) + image.interpreter_offset,
                           image.interpreter_bytes - 1);
    EXPECT_TRUE(path.starts_with("/lib64/ld-linux")) << path;
}

TEST(ElfParse, InterpreterThatIsNone) {
    const auto with = [](std::uint64_t offset, std::uint64_t bytes) {
        auto file = minimal();
        const auto put = [&](std::size_t at, auto value) { std::memcpy(file.data() + at, &value, sizeof(value)); };
        put(56, std::uint16_t{2});
        put(120, std::uint32_t{3}); // PT_INTERP
        put(120 + 8, offset);
        put(120 + 32, bytes);
        ElfImage image;
        return elf_parse(head_of(file), file.size(), image);
    };
    EXPECT_TRUE(with(512, 20));
    EXPECT_TRUE(with(8192 - 256, 256));
    EXPECT_EQ(with(512, 0).error(), Error::bad_format);
    EXPECT_EQ(with(512, 1).error(), Error::bad_format); // a NUL alone
    EXPECT_EQ(with(512, 257).error(), Error::too_large);
    EXPECT_EQ(with(8192 - 19, 20).error(), Error::truncated);
    EXPECT_EQ(with(~0ull - 5, 20).error(), Error::truncated);
}

TEST(ElfParse, RefusesWhatIsWrong) {
    struct Case {
        std::size_t at;
        std::uint64_t value;
        std::size_t bytes;
        Error error;
    };
    const Case cases[] = {
        {0, 0, 1, Error::bad_format},                      // magic
        {4, 1, 1, Error::unsupported},                     // 32-bit
        {16, 1, 2, Error::unsupported},                    // relocatable
        {18, 183, 2, Error::unsupported},                  // another machine
        {54, 32, 2, Error::bad_format},                    // size of a program header
        {56, 0, 2, Error::bad_format},                     // no program headers
        {32, ~0ull, 8, Error::too_large},                  // headers far away
        {64, 3, 4, Error::too_large},                      // interpreter with such a long name
        {64, 0, 4, Error::bad_format},                     // nothing to load
        {72, 9000, 8, Error::truncated},                   // starts behind the end
        {80, 0x400123, 8, Error::bad_format},              // not congruent
        {80, 0x1000, 8, Error::bad_format},                // too low
        {80, 0xffff'8000'0000'0000, 8, Error::bad_format}, // kernel half
        {96, 8193, 8, Error::truncated},                   // longer than the file
        {104, 100, 8, Error::bad_format},                  // memory smaller than file
        {104, ~0ull, 8, Error::bad_format},
        {24, 0x500000, 8, Error::bad_format}, // entry outside
        {24, 0x402001, 8, Error::bad_format}, // entry in the zeros behind the file
    };
    for (const Case& c : cases) {
        auto file = minimal();
        std::memcpy(file.data() + c.at, &c.value, c.bytes);
        ElfImage image;
        const auto parsed = elf_parse(head_of(file), file.size(), image);
        ASSERT_FALSE(parsed) << "offset " << c.at << " value " << c.value;
        EXPECT_EQ(parsed.error(), c.error) << "offset " << c.at << " value " << c.value;
    }
}

TEST(ElfParse, EveryLengthIsHandled) {
    const auto file = minimal();
    for (std::size_t length = 0; length < file.size(); ++length) {
        std::vector<std::byte> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
        ElfImage image;
        EXPECT_FALSE(elf_parse(head_of(cut), cut.size(), image));
    }
}

} // namespace
} // namespace aios
