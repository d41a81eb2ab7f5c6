// AES and AES-GCM: the S-box circuit, the examples of FIPS 197, the examples that came with GCM's proposal, NIST's ACVP
// file, and what the engines must agree on.
#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/aes/gcm.hpp"
#include "crypto/aes/sbox.hpp"
#include "crypto/aes_gcm.hpp"
#include "tests/support/acvp.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using detail::aes::Block;
using test::from_hex;
using test::to_hex;

unsigned multiply(unsigned a, unsigned b) {
    unsigned product = 0;
    for (; b != 0; b >>= 1, a = (a << 1) ^ (a >> 7) * 0x11b) {
        if ((b & 1) != 0) product ^= a;
    }
    return product;
}

// FIPS 197 section 5.1.1: the inverse, then a matrix and a constant.
TEST(Aes, SboxIsItsDefinition) {
    for (unsigned x = 0; x < 256; ++x) {
        unsigned inverse = 0;
        for (unsigned y = 1; y < 256; ++y) {
            if (multiply(x, y) == 1) inverse = y;
        }
        const unsigned twice = inverse | inverse << 8;
        const unsigned expected = (inverse ^ twice >> 4 ^ twice >> 5 ^ twice >> 6 ^ twice >> 7 ^ 0x63) & 0xff;
        std::uint8_t bit[8];
        for (unsigned i = 0; i < 8; ++i)
            bit[i] = x >> i & 1;
        detail::aes::substitute(bit);
        unsigned result = 0;
        for (unsigned i = 0; i < 8; ++i)
            result |= (bit[i] & 1u) << i;
        ASSERT_EQ(result, expected) << x;
    }
}

// Appendix C.1 and C.3, in both places of an engine's pair.
template <typename Engine>
void check_examples() {
    const auto plaintext = from_hex("00112233445566778899aabbccddeeff");
    const auto key = from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    for (const std::size_t size : {16, 32}) {
        detail::aes::RoundKeys keys;
        Engine::expand(Bytes(key).first(size), keys);
        Block first;
        Block second;
        std::ranges::copy(plaintext, first.bytes.begin());
        second = first;
        Engine::encrypt(keys, first, second);
        EXPECT_EQ(to_hex(first.bytes),
                  size == 16 ? "69c4e0d86a7b0430d8cdb78070b4c55a" : "8ea2b7ca516745bfeafc49904b496089");
        EXPECT_EQ(first.bytes, second.bytes);
    }
}

// Counter blocks count modulo 2^32 (SP 800-38D section 6.2), and go on where they ended.
template <typename Engine>
void check_counter() {
    detail::aes::RoundKeys keys;
    Engine::expand(from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), keys);
    for (std::size_t blocks = 1; blocks < 50; ++blocks) {
        Block counter;
        std::ranges::copy(from_hex("a0a1a2a3a4a5a6a7a8a9aaabfffffffa"), counter.bytes.begin());
        std::vector<std::byte> stream(16 * blocks - 5);
        Engine::gctr(keys, counter, stream, stream);
        for (std::size_t i = 0; i < blocks; ++i) {
            Block one = counter;
            const std::uint32_t count = 0xfffffffa + static_cast<std::uint32_t>(i);
            for (std::size_t j = 0; j < 4; ++j)
                one.bytes[12 + j] = static_cast<std::byte>(count >> (24 - 8 * j));
            Block other;
            Engine::encrypt(keys, one, other);
            const std::size_t size = std::min<std::size_t>(16, stream.size() - 16 * i);
            EXPECT_EQ(to_hex(Bytes(one.bytes).first(size)), to_hex(Bytes(stream).subspan(16 * i, size))) << i;
        }
        EXPECT_EQ(std::to_integer<unsigned>(counter.bytes[15]), (0xfa + blocks) & 0xff);
        EXPECT_EQ(to_hex(Bytes(counter.bytes).subspan(12, 3)), blocks > 5 ? "000000" : "ffffff");
    }
}

TEST(Aes, Fips197) {
    check_examples<detail::aes::Portable>();
    if (use_aes_instructions()) check_examples<detail::aes::Instructions>();
}

TEST(Aes, CounterWraps) {
    check_counter<detail::aes::Portable>();
    if (use_aes_instructions()) check_counter<detail::aes::Instructions>();
    if (use_wide_aes_instructions()) check_counter<detail::aes::WideInstructions>();
}

// The test cases 13 to 18 of the GCM specification that was proposed to NIST: AES-256.
TEST(Aes256Gcm, SpecificationExamples) {
    const std::string text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
    const std::string key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
    const std::string aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    const std::string zeros(64, '0');
    const struct {
        std::string key, iv, aad, plaintext;
        const char* ciphertext;
        const char* tag;
    } examples[] = {{zeros, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
                    {zeros, "000000000000000000000000", "", zeros.substr(32), "cea7403d4d606b6e074ec5d3baf39d18",
                     "d0d1c8a799996bf0265b98b5d48ab919"},
                    {key, "cafebabefacedbaddecaf888", "", text,
                     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
                     "b094dac5d93471bdec1a502270e3cc6c"},
                    {key, "cafebabefacedbaddecaf888", aad, text.substr(0, 120),
                     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                     "76fc6ece0f4e1768cddf8853bb2d551b"},
                    {key, "cafebabefacedbad", aad, text.substr(0, 120),
                     "c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0"
                     "feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f",
                     "3a337dbf46a792c45e454913fe2ea8f2"},
                    {key,
                     "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728"
                     "c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b",
                     aad, text.substr(0, 120),
                     "5a8def2f0c9e53f1f75d7853659e2a20eeb2b22aafde6419a058ab4f6f746bf4"
                     "0fc0c3b780f244452da3ebf1c5d82cdea2418997200ef82e44ae7e3f",
                     "a44a8266ee1c8eb0c8b5d4cf5ae9f19a"}};
    test::for_each_backend([&] {
        for (const auto& example : examples) {
            const auto plaintext = from_hex(example.plaintext);
            std::vector<std::byte> out(plaintext.size());
            std::vector<std::byte> tag(16);
            ASSERT_TRUE(detail::aes::gcm_seal(from_hex(example.key), from_hex(example.iv), from_hex(example.aad),
                                              plaintext, out, tag));
            EXPECT_EQ(to_hex(out), example.ciphertext);
            EXPECT_EQ(to_hex(tag), example.tag);
            if (example.iv.size() != 24) continue;
            // The public interface gives the same.
            Aes256Gcm::Key typed_key;
            Aes256Gcm::Nonce nonce;
            Aes256Gcm::Tag typed_tag;
            ASSERT_TRUE(typed_key.assign(from_hex(example.key)) && nonce.assign(from_hex(example.iv)));
            ASSERT_TRUE(Aes256Gcm::seal(typed_key, nonce, from_hex(example.aad), plaintext, out, typed_tag));
            EXPECT_EQ(to_hex(out), example.ciphertext);
            EXPECT_EQ(to_hex(typed_tag.bytes()), example.tag);
        }
    });
}

TEST(Aes256Gcm, Acvp) {
    test::for_each_backend([&] {
        int sealed = 0;
        int opened = 0;
        int refused = 0;
        const bool found = test::for_each_acvp_case(
            "ACVP-AES-GCM-1.0", [&](const auto& group, const auto& test, const auto& expected) {
                const auto key = from_hex(test["key"].text);
                const auto iv = from_hex(test["iv"].text);
                const auto aad = from_hex(test["aad"].text);
                ASSERT_EQ(key.size() * 8, static_cast<std::size_t>(group["keyLen"].number));
                if (group["direction"].text == "encrypt") {
                    const auto plaintext = from_hex(test["pt"].text);
                    std::vector<std::byte> out(plaintext.size());
                    std::vector<std::byte> tag(static_cast<std::size_t>(group["tagLen"].number / 8));
                    ASSERT_TRUE(detail::aes::gcm_seal(key, iv, aad, plaintext, out, tag));
                    EXPECT_EQ(out, from_hex(expected["ct"].text)) << test["tcId"].number;
                    EXPECT_EQ(tag, from_hex(expected["tag"].text)) << test["tcId"].number;
                    ++sealed;
                    return;
                }
                const auto ciphertext = from_hex(test["ct"].text);
                std::vector<std::byte> out(ciphertext.size());
                const auto result = detail::aes::gcm_open(key, iv, aad, ciphertext, from_hex(test["tag"].text), out);
                if (expected.has("testPassed")) {
                    ASSERT_FALSE(expected["testPassed"].is_true());
                    ASSERT_FALSE(result.has_value()) << test["tcId"].number;
                    EXPECT_EQ(result.error(), Error::integrity);
                    ++refused;
                } else {
                    ASSERT_TRUE(result.has_value()) << test["tcId"].number;
                    EXPECT_EQ(out, from_hex(expected["pt"].text)) << test["tcId"].number;
                    ++opened;
                }
            });
        if (!found) GTEST_SKIP() << "vectors/acvp/ACVP-AES-GCM-1.0 is not in the shared folder";
        std::printf("AES-GCM ACVP: %d sealed, %d opened, %d refused\n", sealed, opened, refused);
        EXPECT_EQ(sealed, 30);
        EXPECT_EQ(opened + refused, 30);
    });
}

TEST(Aes256Gcm, InnerFunctionsRefuseOtherLengths) {
    const std::vector<std::byte> bytes(40);
    const Bytes some = bytes;
    std::vector<std::byte> tag(17);
    const auto seal = [&](std::size_t key, std::size_t iv, std::size_t tag_size) {
        return detail::aes::gcm_seal(some.first(key), some.first(iv), {}, {}, {}, MutableBytes(tag).first(tag_size));
    };
    for (std::size_t size = 0; size <= 33; ++size)
        EXPECT_EQ(seal(size, 12, 16).has_value(), size == 16 || size == 32) << size;
    for (std::size_t size = 0; size <= 17; ++size)
        EXPECT_EQ(seal(32, 12, size).has_value(), size == 4 || size == 8 || (size >= 12 && size <= 16)) << size;
    EXPECT_EQ(seal(32, 0, 16).error(), Error::bad_argument);
    EXPECT_TRUE(seal(32, 40, 16).has_value());
}

} // namespace
} // namespace aios::crypto
