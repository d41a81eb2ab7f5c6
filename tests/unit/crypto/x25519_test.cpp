// X25519: the examples of RFC 7748, points of small order, coordinates that are not canonical.
#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/backend.hpp"
#include "crypto/x25519.hpp"
#include "crypto/x25519/field.hpp"
#include "crypto/x25519/field64.hpp"
#include "crypto/x25519/ladder.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

// The shared secret as text, or "bad_format".
std::string derive(Bytes secret, Bytes point) {
    X25519::Secret scalar;
    X25519::PublicKey theirs;
    X25519::SharedSecret shared;
    EXPECT_TRUE(scalar.assign(secret) && theirs.assign(point));
    const auto result = X25519::derive(scalar, theirs, shared);
    if (result) return to_hex(shared.bytes());
    EXPECT_EQ(result.error(), Error::bad_format);
    EXPECT_EQ(to_hex(shared.bytes()), std::string(64, '0'));
    return "bad_format";
}

std::string public_key(Bytes secret) {
    X25519::Secret scalar;
    X25519::PublicKey mine;
    EXPECT_TRUE(scalar.assign(secret));
    X25519::public_key(scalar, mine);
    return to_hex(mine.bytes());
}

// Section 5.2.
TEST(X25519, Rfc7748Examples) {
    test::for_each_backend([] {
        EXPECT_EQ(derive(from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                         from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
                  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
        EXPECT_EQ(derive(from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                         from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
                  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
    });
}

// Section 5.2: each result is the next scalar, each scalar the next point.
TEST(X25519, Rfc7748Iterated) {
    test::for_each_backend([] {
        std::string scalar = "09" + std::string(62, '0');
        std::string point = scalar;
        for (int i = 1; i <= 1000; ++i) {
            std::string next = derive(from_hex(scalar), from_hex(point));
            point = std::move(scalar);
            scalar = std::move(next);
            if (i == 1) EXPECT_EQ(scalar, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        }
        EXPECT_EQ(scalar, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    });
}

// Section 6.1.
TEST(X25519, Rfc7748DiffieHellman) {
    test::for_each_backend([] {
        const auto alice = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        const auto bob = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        EXPECT_EQ(public_key(alice), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        EXPECT_EQ(public_key(bob), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        const std::string shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        EXPECT_EQ(derive(alice, from_hex(public_key(bob))), shared);
        EXPECT_EQ(derive(bob, from_hex(public_key(alice))), shared);
    });
}

TEST(X25519, BothSidesAgree) {
    std::mt19937 random(1);
    for (int i = 0; i < 50; ++i) {
        std::vector<std::byte> secret[2];
        for (auto& bytes : secret) {
            bytes.resize(32);
            std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
        }
        EXPECT_EQ(derive(secret[0], from_hex(public_key(secret[1]))),
                  derive(secret[1], from_hex(public_key(secret[0]))));
        // Clamping: these bits of a secret do not count (section 5).
        const std::string before = public_key(secret[0]);
        secret[0][0] ^= std::byte{7};
        secret[0][31] ^= std::byte{0xc0};
        EXPECT_EQ(public_key(secret[0]), before);
    }
}

// All encodings of the points whose order divides 8, on the curve and on its twist: u = 0, 1, -1, and the two of
// order 8.
TEST(X25519, SmallOrderIsRefused) {
    test::for_each_backend([] {
        const auto secret = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        for (const char* point : {
                 "0000000000000000000000000000000000000000000000000000000000000000",
                 "0100000000000000000000000000000000000000000000000000000000000000",
                 "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p - 1
                 "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p, that is 0
                 "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p + 1
                 "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                 "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
             }) {
            auto bytes = from_hex(point);
            EXPECT_EQ(derive(secret, bytes), "bad_format") << point;
            bytes[31] ^= std::byte{0x80};
            EXPECT_EQ(derive(secret, bytes), "bad_format") << point;
        }
    });
}

// Section 5: the top bit is ignored, and the 19 values from p up count modulo p.
TEST(X25519, OtherEncodingsOfAPointCount) {
    test::for_each_backend([] {
        const auto secret = from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
        for (unsigned i = 0; i < 19; ++i) {
            std::vector<std::byte> small(32);
            small[0] = static_cast<std::byte>(i);
            auto large = from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
            large[0] = static_cast<std::byte>(0xed + i);
            EXPECT_EQ(derive(secret, small), derive(secret, large)) << i;
            large[31] = std::byte{0xff};
            EXPECT_EQ(derive(secret, small), derive(secret, large)) << i;
        }
    });
}

using detail::x25519::Field51;
using detail::x25519::Field64;

template <typename Field>
std::string encoded(const typename Field::Element& a) {
    std::array<std::byte, 32> bytes;
    Field::to_bytes(a, bytes);
    return to_hex(bytes);
}

// Elements at the edges of the limbs; the first three are small, the next three p, p - 1 and all that 255 bits hold.
std::vector<Field51::Element> edges(const Field51&) {
    constexpr std::uint64_t kMask = Field51::kLimbMask;
    const std::uint64_t tight = kMask + (1 << 14);
    std::vector<Field51::Element> elements = {{{0}}, {{1}}, {{19}}};
    elements.push_back({{kMask - 18, kMask, kMask, kMask, kMask}});
    elements.push_back({{kMask - 19, kMask, kMask, kMask, kMask}});
    elements.push_back({{kMask, kMask, kMask, kMask, kMask}});
    elements.push_back({{tight, tight, tight, tight, tight}});
    std::mt19937_64 random(1);
    for (int i = 0; i < 20; ++i) {
        Field51::Element a;
        for (auto& limb : a.limb)
            limb = (random() & 3) == 0 ? (random() & 1) * tight : random() & kMask;
        elements.push_back(a);
    }
    return elements;
}
std::vector<Field64::Element> edges(const Field64&) {
    constexpr std::uint64_t kOnes = ~std::uint64_t{0};
    std::vector<Field64::Element> elements = {{{0}}, {{1}}, {{19}}};
    elements.push_back({{kOnes - 18, kOnes, kOnes, kOnes >> 1}});
    elements.push_back({{kOnes - 19, kOnes, kOnes, kOnes >> 1}});
    elements.push_back({{kOnes, kOnes, kOnes, kOnes >> 1}});
    // 2p, 2p - 1, 2p + 1 and up to 2^256 - 1: all below 38 above 2p.
    for (std::uint64_t i = 0; i < 40; ++i)
        elements.push_back({{kOnes - i, kOnes, kOnes, kOnes}});
    std::mt19937_64 random(1);
    for (int i = 0; i < 20; ++i) {
        Field64::Element a;
        for (auto& limb : a.limb)
            limb = (random() & 3) == 0 ? (random() & 1) * kOnes : random();
        elements.push_back(a);
    }
    return elements;
}

// (a + b)(a - b) = a^2 - b^2, a * (1 / a) = 1, and one encoding for each element.
template <typename Field>
void check_laws() {
    using Element = typename Field::Element;
    const auto product = [](const Element& a, const Element& b) {
        Element out;
        Field::multiply(out, a, b);
        return out;
    };
    const auto squared = [](Element a) {
        Field::square(a, a);
        return a;
    };
    const auto sum = [](const Element& a, const Element& b) {
        Element out;
        Field::add(out, a, b);
        return out;
    };
    const auto difference = [](const Element& a, const Element& b) {
        Element out;
        Field::subtract(out, a, b);
        return out;
    };
    const auto elements = edges(Field());
    const Element one = Field::kOne;
    for (const Element& a : elements) {
        EXPECT_EQ(encoded<Field>(Field::from_bytes(from_hex(encoded<Field>(a)))), encoded<Field>(a));
        EXPECT_EQ(encoded<Field>(squared(a)), encoded<Field>(product(a, a)));
        Element other;
        Field::multiply(other, a, 121665);
        EXPECT_EQ(encoded<Field>(other), encoded<Field>(product(a, {{121665}})));
        Field::square(other, a, 3);
        EXPECT_EQ(encoded<Field>(other), encoded<Field>(squared(squared(squared(a)))));
        const bool zero = encoded<Field>(a) == std::string(64, '0');
        detail::x25519::invert<Field>(other, a);
        EXPECT_EQ(encoded<Field>(product(a, other)), zero ? encoded<Field>(a) : encoded<Field>(one));
        Element chosen = a;
        Field::select(0, chosen, one);
        EXPECT_EQ(chosen.limb, a.limb);
        Field::select(~std::uint64_t{0}, chosen, one);
        EXPECT_EQ(chosen.limb, one.limb);
        for (const Element& b : elements) {
            EXPECT_EQ(encoded<Field>(product(sum(a, b), difference(a, b))),
                      encoded<Field>(product(difference(squared(a), squared(b)), one)));
            // In place, onto either argument.
            other = a;
            Field::multiply(other, other, b);
            EXPECT_EQ(encoded<Field>(other), encoded<Field>(product(a, b)));
            other = b;
            Field::multiply(other, a, other);
            EXPECT_EQ(encoded<Field>(other), encoded<Field>(product(a, b)));
        }
    }
    EXPECT_EQ(encoded<Field>(elements[3]), std::string(64, '0'));
    EXPECT_EQ(encoded<Field>(elements[4]), "ec" + std::string(60, 'f') + "7f");
    EXPECT_EQ(encoded<Field>(elements[5]), "12" + std::string(62, '0'));
}

TEST(X25519, FieldLaws) { check_laws<Field51>(); }

TEST(X25519, FieldLawsWithCarryInstructions) {
    if (!use_carry_instructions()) GTEST_SKIP() << "this processor has no BMI2 or no ADX";
    check_laws<Field64>();
}

// Both forms of the field, 10,000 times each operation on what an operation may leave.
TEST(X25519, FieldsAgree) {
    if (!use_carry_instructions()) GTEST_SKIP() << "this processor has no BMI2 or no ADX";
    std::mt19937_64 random(2);
    std::array<std::byte, 32> bytes;
    Field64::Element a = {{2}};
    Field64::Element b = {{3}};
    for (int i = 0; i < 10000; ++i) {
        const auto other = [&](const Field64::Element& from) {
            Field64::to_bytes(from, bytes);
            return Field51::from_bytes(bytes);
        };
        const Field51::Element c = other(a);
        const Field51::Element d = other(b);
        Field64::Element wide;
        Field51::Element plain;
        Field64::multiply(wide, a, b);
        Field51::multiply(plain, c, d);
        ASSERT_EQ(encoded<Field64>(wide), encoded<Field51>(plain)) << i;
        Field64::square(wide, a, 2);
        Field51::square(plain, c, 2);
        ASSERT_EQ(encoded<Field64>(wide), encoded<Field51>(plain)) << i;
        Field64::add(wide, a, b);
        Field51::add(plain, c, d);
        Field51::multiply(plain, plain, 1u);
        ASSERT_EQ(encoded<Field64>(wide), encoded<Field51>(plain)) << i;
        Field64::subtract(wide, a, b);
        Field51::subtract(plain, c, d);
        Field51::multiply(plain, plain, 1u);
        ASSERT_EQ(encoded<Field64>(wide), encoded<Field51>(plain)) << i;
        const auto small = static_cast<std::uint32_t>(random());
        Field64::multiply(wide, a, small);
        Field51::multiply(plain, c, small);
        ASSERT_EQ(encoded<Field64>(wide), encoded<Field51>(plain)) << i;
        // Limbs that are all ones or zero more often than chance has them.
        a = b;
        for (auto& limb : b.limb)
            limb = random() % 4 == 0 ? (random() & 1) * ~std::uint64_t{0} : random() >> random() % 64;
    }
}

// Ladder against ladder: 10,000 secrets and points, of which some are of small order or not canonical.
TEST(X25519, BackendsAgree) {
    if (!use_carry_instructions()) GTEST_SKIP() << "this processor has no BMI2 or no ADX";
    std::mt19937_64 random(3);
    std::array<std::byte, 32> secret;
    std::array<std::byte, 32> point;
    std::array<std::byte, 32> wide;
    std::array<std::byte, 32> plain;
    for (int i = 0; i < 10000; ++i) {
        for (std::size_t j = 0; j < 32; ++j) {
            secret[j] = static_cast<std::byte>(random());
            point[j] = i % 100 == 0 ? std::byte{0xff} : i % 100 == 1 ? std::byte{0} : static_cast<std::byte>(random());
        }
        if (i % 100 < 2) point[0] = static_cast<std::byte>(random());
        detail::x25519::scalar_multiply<Field64>(secret, point, wide);
        detail::x25519::scalar_multiply<Field51>(secret, point, plain);
        ASSERT_EQ(to_hex(wide), to_hex(plain)) << to_hex(secret) << " " << to_hex(point);
    }
}

} // namespace
} // namespace aios::crypto
