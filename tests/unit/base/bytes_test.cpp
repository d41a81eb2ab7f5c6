// Byte readers and writers, CRC-32C, checked arithmetic and bit helpers.
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/bits.hpp"
#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "base/crc32.hpp"
#include "tests/support/hex.hpp"

namespace aios {
namespace {

TEST(Bytes, ReadsBothOrders) {
    const auto data = test::from_hex("01 0203 04050607 08090a0b0c0d0e0f 10");
    ByteReader little(data);
    EXPECT_EQ(little.u8().value(), 0x01);
    EXPECT_EQ(little.le<std::uint16_t>().value(), 0x0302);
    EXPECT_EQ(little.le<std::uint32_t>().value(), 0x07060504u);
    EXPECT_EQ(little.le<std::uint64_t>().value(), 0x0f0e0d0c0b0a0908u);
    EXPECT_EQ(little.remaining(), 1u);
    EXPECT_EQ(little.le<std::uint16_t>().error(), Error::truncated);
    EXPECT_EQ(little.bytes(2).error(), Error::truncated);
    EXPECT_EQ(little.skip(2).error(), Error::truncated);
    EXPECT_EQ(little.position(), 15u);
    EXPECT_EQ(test::to_hex(little.rest()), "10");
    ByteReader big(data);
    EXPECT_TRUE(big.skip(1));
    EXPECT_EQ(big.be<std::uint16_t>().value(), 0x0203);
    EXPECT_EQ(big.be<std::uint32_t>().value(), 0x04050607u);
    EXPECT_EQ(big.be<std::uint64_t>().value(), 0x08090a0b0c0d0e0fu);
    EXPECT_TRUE(big.seek(16));
    EXPECT_TRUE(big.at_end());
    EXPECT_EQ(big.seek(17).error(), Error::truncated);
    EXPECT_EQ(big.u8().error(), Error::truncated);
}

TEST(Bytes, WritesBothOrdersAndRefusesTheRest) {
    std::vector<std::byte> buffer(18);
    ByteWriter writer(buffer);
    EXPECT_TRUE(writer.u8(1));
    EXPECT_TRUE(writer.le(std::uint16_t{0x0302}));
    EXPECT_TRUE(writer.be(std::uint32_t{0x04050607}));
    EXPECT_TRUE(writer.le(std::uint64_t{0x0f0e0d0c0b0a0908}));
    EXPECT_TRUE(writer.bytes(as_bytes("A")));
    EXPECT_EQ(writer.be(std::uint32_t{1}).error(), Error::no_space);
    EXPECT_EQ(writer.bytes(as_bytes("ABC")).error(), Error::no_space);
    EXPECT_EQ(writer.fill(3).error(), Error::no_space);
    EXPECT_TRUE(writer.fill(2, std::byte{0xee}));
    EXPECT_EQ(writer.remaining(), 0u);
    EXPECT_EQ(test::to_hex(writer.written()), "0102030405060708090a0b0c0d0e0f41eeee");
    EXPECT_EQ(writer.u8(0).error(), Error::no_space);
}

TEST(Crc32c, KnownAnswers) {
    // RFC 3720 appendix B.4.
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8a9136aau);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43u);
    std::vector<std::byte> up(32);
    for (std::size_t i = 0; i < 32; ++i)
        up[i] = static_cast<std::byte>(i);
    EXPECT_EQ(crc32c(up), 0x46dd794eu);
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
    EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, PiecesGiveTheSame) {
    std::mt19937 random(5);
    std::vector<std::byte> data(200);
    for (std::byte& byte : data)
        byte = static_cast<std::byte>(random());
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
        EXPECT_EQ(crc32c(Bytes(data).subspan(cut), crc32c(Bytes(data).first(cut))), crc32c(data));
    }
}

TEST(Checked, ReportsOverflow) {
    EXPECT_EQ(checked_add(2u, 3u).value(), 5u);
    EXPECT_EQ(checked_add(~0ull, 1u).error(), Error::overflow);
    EXPECT_EQ(checked_add(std::numeric_limits<int>::max(), 1).error(), Error::overflow);
    EXPECT_EQ(checked_sub(3u, 3u).value(), 0u);
    EXPECT_EQ(checked_sub(2u, 3u).error(), Error::overflow);
    EXPECT_EQ(checked_mul(std::uint64_t{1} << 32, (1ull << 32) - 1).value(), ((1ull << 32) - 1) << 32);
    EXPECT_EQ(checked_mul(std::uint64_t{1} << 32, 1ull << 32).error(), Error::overflow);
    EXPECT_EQ(checked_narrow<std::uint8_t>(255).value(), 255);
    EXPECT_EQ(checked_narrow<std::uint8_t>(256).error(), Error::overflow);
    EXPECT_EQ(checked_narrow<std::uint32_t>(-1).error(), Error::overflow);
    EXPECT_EQ(checked_narrow<std::int64_t>(~0ull).error(), Error::overflow);
    EXPECT_EQ(checked_align_up<std::uint64_t>(4097, 4096).value(), 8192u);
    EXPECT_EQ(checked_align_up<std::uint64_t>(0, 4096).value(), 0u);
    EXPECT_EQ(checked_align_up<std::uint64_t>(~0ull - 4094, 4096).error(), Error::overflow);
}

TEST(Checked, Ranges) {
    EXPECT_TRUE(range_fits(0, 0, 0));
    EXPECT_TRUE(range_fits(5, 5, 10));
    EXPECT_FALSE(range_fits(5, 6, 10));
    EXPECT_FALSE(range_fits(11, 0, 10));
    EXPECT_FALSE(range_fits(5, ~0ull, 10));
    // Against the definition, on small numbers.
    for (std::uint64_t a = 0; a < 6; ++a) {
        for (std::uint64_t al = 0; al < 6; ++al) {
            for (std::uint64_t b = 0; b < 6; ++b) {
                for (std::uint64_t bl = 0; bl < 6; ++bl) {
                    bool shared = false;
                    for (std::uint64_t at = a; at < a + al; ++at)
                        shared = shared || (at >= b && at < b + bl);
                    EXPECT_EQ(ranges_overlap(a, al, b, bl), shared);
                }
            }
        }
    }
}

TEST(Bits, PowersAndAlignment) {
    EXPECT_TRUE(is_power_of_two(1u));
    EXPECT_FALSE(is_power_of_two(0u));
    EXPECT_FALSE(is_power_of_two(6u));
    EXPECT_EQ(align_up<std::uint64_t>(1, 4096), 4096u);
    EXPECT_EQ(align_up<std::uint64_t>(4096, 4096), 4096u);
    EXPECT_EQ(align_down<std::uint64_t>(8191, 4096), 4096u);
    EXPECT_TRUE(is_aligned<std::uint64_t>(8192, 4096));
    EXPECT_FALSE(is_aligned<std::uint64_t>(8193, 4096));
    EXPECT_EQ(log2_floor(1u), 0u);
    EXPECT_EQ(log2_floor(4097u), 12u);
    EXPECT_EQ(log2_ceil(0u), 0u);
    EXPECT_EQ(log2_ceil(4096u), 12u);
    EXPECT_EQ(log2_ceil(4097u), 13u);
    EXPECT_EQ(div_ceil(~0ull, 2), 1ull << 63);
    EXPECT_EQ(div_ceil(9u, 3), 3u);
    EXPECT_EQ(bit_field(0xabcdu, 4, 8), 0xbcu);
    EXPECT_EQ(bit_field(0xabcdu, 0, 32), 0xabcdu);
}

} // namespace
} // namespace aios
