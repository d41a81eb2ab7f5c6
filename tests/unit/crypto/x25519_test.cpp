// X25519: the examples of RFC 7748, points of small order, coordinates that are not canonical.
#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "crypto/x25519.hpp"
#include "crypto/x25519/field.hpp"
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
    EXPECT_EQ(derive(from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                     from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
              "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    EXPECT_EQ(derive(from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                     from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
              "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

// Section 5.2: each result is the next scalar, each scalar the next point.
TEST(X25519, Rfc7748Iterated) {
    std::string scalar = "09" + std::string(62, '0');
    std::string point = scalar;
    for (int i = 1; i <= 1000; ++i) {
        std::string next = derive(from_hex(scalar), from_hex(point));
        point = std::move(scalar);
        scalar = std::move(next);
        if (i == 1) EXPECT_EQ(scalar, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
    EXPECT_EQ(scalar, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// Section 6.1.
TEST(X25519, Rfc7748DiffieHellman) {
    const auto alice = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const auto bob = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    EXPECT_EQ(public_key(alice), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    EXPECT_EQ(public_key(bob), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    const std::string shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    EXPECT_EQ(derive(alice, from_hex(public_key(bob))), shared);
    EXPECT_EQ(derive(bob, from_hex(public_key(alice))), shared);
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
}

// Section 5: the top bit is ignored, and the 19 values from p up count modulo p.
TEST(X25519, OtherEncodingsOfAPointCount) {
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
}

// Field elements at the edges of the limbs: (a + b)(a - b) = a^2 - b^2, a * (1 / a) = 1, and one encoding for each.
TEST(X25519, FieldLaws) {
    using namespace detail::x25519;
    const auto encoded = [](const Element& a) {
        std::array<std::byte, 32> bytes;
        to_bytes(a, bytes);
        return to_hex(bytes);
    };
    const auto product = [](const Element& a, const Element& b) {
        Element out;
        multiply(out, a, b);
        return out;
    };
    const auto squared = [](Element a) {
        square(a, a);
        return a;
    };
    std::vector<Element> elements = {{{0}}, {{1}}, {{19}}};
    const std::uint64_t tight = kLimbMask + (1 << 14);
    elements.push_back({{tight, tight, tight, tight, tight}});
    elements.push_back({{kLimbMask - 18, kLimbMask, kLimbMask, kLimbMask, kLimbMask}}); // p
    elements.push_back({{kLimbMask - 19, kLimbMask, kLimbMask, kLimbMask, kLimbMask}}); // p - 1
    elements.push_back({{kLimbMask, kLimbMask, kLimbMask, kLimbMask, kLimbMask}});
    std::mt19937_64 random(1);
    for (int i = 0; i < 20; ++i) {
        Element a;
        for (auto& limb : a.limb)
            limb = (random() & 3) == 0 ? (random() & 1) * tight : random() & kLimbMask;
        elements.push_back(a);
    }
    const Element one = {{1}};
    for (const Element& a : elements) {
        EXPECT_EQ(encoded(from_bytes(from_hex(encoded(a)))), encoded(a));
        EXPECT_EQ(encoded(squared(a)), encoded(product(a, a)));
        Element other;
        multiply(other, a, 121665);
        EXPECT_EQ(encoded(other), encoded(product(a, {{121665}})));
        square(other, a, 3);
        EXPECT_EQ(encoded(other), encoded(squared(squared(squared(a)))));
        const bool zero = encoded(a) == std::string(64, '0');
        invert(other, a);
        EXPECT_EQ(encoded(product(a, other)), zero ? encoded(a) : encoded(one));
        for (const Element& b : elements)
            EXPECT_EQ(encoded(product(a + b, a - b)), encoded(product(squared(a) - squared(b), one)));
    }
    EXPECT_EQ(encoded(elements[4]), std::string(64, '0'));
}

} // namespace
} // namespace aios::crypto
