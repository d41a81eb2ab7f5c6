// HKDF: the examples of RFC 5869, its limit, and every hash of the library against the formula of section 2.3.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/hkdf.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

std::vector<std::byte> counting(unsigned from, unsigned to) {
    std::vector<std::byte> bytes;
    for (unsigned i = from; i <= to; ++i)
        bytes.push_back(static_cast<std::byte>(i));
    return bytes;
}

// Appendix A.1 to A.3.
TEST(Hkdf, Rfc5869) {
    const struct {
        std::vector<std::byte> ikm, salt, info;
        const char* prk;
        const char* okm;
    } examples[] = {{from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), counting(0, 0x0c), counting(0xf0, 0xf9),
                     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
                     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
                    {counting(0, 0x4f), counting(0x60, 0xaf), counting(0xb0, 0xff),
                     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
                     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                     "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
                    {from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                     {},
                     {},
                     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
                     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"}};
    for (const auto& example : examples) {
        Hkdf<Sha256>::Prk prk;
        Hkdf<Sha256>::extract(example.salt, example.ikm, prk);
        EXPECT_EQ(to_hex(prk.bytes()), example.prk);
        std::vector<std::byte> okm(std::string(example.okm).size() / 2);
        ASSERT_TRUE(Hkdf<Sha256>::expand(prk, example.info, okm));
        EXPECT_EQ(to_hex(okm), example.okm);
        std::vector<std::byte> again(okm.size());
        ASSERT_TRUE(Hkdf<Sha256>::derive(example.salt, example.ikm, example.info, again));
        EXPECT_EQ(again, okm);
    }
}

template <typename Hash>
class HkdfOver : public testing::Test {};

using Hashes =
    testing::Types<Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256, Sha3_224, Sha3_256, Sha3_384, Sha3_512>;
TYPED_TEST_SUITE(HkdfOver, Hashes);

TYPED_TEST(HkdfOver, FormulaAndLimit) {
    using Kdf = Hkdf<TypeParam>;
    const auto salt = counting(1, 200);
    const auto ikm = counting(3, 70);
    const auto info = counting(9, 20);
    std::vector<std::byte> whole(Kdf::kMaxOutput);
    ASSERT_TRUE(Kdf::derive(salt, ikm, info, whole));
    // T(i) = HMAC(PRK, T(i-1) | info | i).
    const auto prk = Hmac<TypeParam>::compute(salt, ikm);
    std::vector<std::byte> message;
    std::vector<std::byte> expected;
    for (unsigned i = 1; i <= 255; ++i) {
        message.insert(message.end(), info.begin(), info.end());
        message.push_back(static_cast<std::byte>(i));
        const auto block = Hmac<TypeParam>::compute(prk, message);
        expected.insert(expected.end(), block.begin(), block.end());
        message.assign(block.begin(), block.end());
    }
    EXPECT_EQ(whole, expected);
    // Shorter outputs are beginnings of it.
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, TypeParam::kDigestSize - 1, TypeParam::kDigestSize,
                                   TypeParam::kDigestSize + 1, Kdf::kMaxOutput - 1}) {
        std::vector<std::byte> out(size);
        ASSERT_TRUE(Kdf::derive(salt, ikm, info, out));
        EXPECT_TRUE(std::equal(out.begin(), out.end(), whole.begin())) << size;
    }
    std::vector<std::byte> large(Kdf::kMaxOutput + 1, std::byte{5});
    const auto untouched = large;
    typename Kdf::Prk typed;
    EXPECT_EQ(Kdf::derive(salt, ikm, info, large).error(), Error::too_large);
    EXPECT_EQ(Kdf::expand(typed, info, large).error(), Error::too_large);
    EXPECT_EQ(large, untouched);
}

} // namespace
} // namespace aios::crypto
