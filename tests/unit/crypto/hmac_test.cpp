// HMAC (RFC 4231), HMAC_DRBG (ACVP where present, and its limits), and the helpers for secrets.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "crypto/hmac.hpp"
#include "crypto/hmac_drbg.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "tests/support/acvp.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

TEST(Hmac, Rfc4231) {
    struct Example {
        std::string key;
        std::string data;
        const char* sha256;
        const char* sha512;
    };
    const Example examples[] = {
        {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
         "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
         "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
        {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
        {std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
         "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
         "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
         "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
         "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"}};
    for (const Example& example : examples) {
        const Bytes key = as_bytes(example.key);
        const Bytes data = as_bytes(example.data);
        EXPECT_EQ(to_hex(Hmac<Sha256>::compute(key, data)), example.sha256);
        EXPECT_EQ(to_hex(Hmac<Sha512>::compute(key, data)), example.sha512);
        // In pieces, and a second message under the same key.
        Hmac<Sha256> mac(key);
        for (int i = 0; i < 2; ++i) {
            for (const std::byte& byte : data)
                mac.update({&byte, 1});
            EXPECT_EQ(to_hex(mac.finish()), example.sha256);
        }
    }
}

// One ACVP case: instantiate, then what "otherInput" says; the bits of the last generate are the result.
template <typename Hash>
void run_drbg_case(const test::Json& group, const test::Json& test, const test::Json& expected) {
    HmacDrbg<Hash> drbg;
    ASSERT_TRUE(drbg.instantiate(from_hex(test["entropyInput"].text), from_hex(test["nonce"].text),
                                 from_hex(test["persoString"].text)));
    std::vector<std::byte> out(static_cast<std::size_t>(group["returnedBitsLen"].number / 8));
    for (const auto& call : test["otherInput"].items) {
        const auto additional = from_hex(call["additionalInput"].text);
        const auto entropy = from_hex(call["entropyInput"].text);
        if (call["intendedUse"].text == "reSeed") {
            ASSERT_TRUE(drbg.reseed(entropy, additional));
        } else if (group["predResistance"].is_true()) {
            // Section 9.3.1: prediction resistance reseeds first, and that takes the additional input.
            ASSERT_TRUE(drbg.reseed(entropy, additional));
            ASSERT_TRUE(drbg.generate(out));
        } else {
            ASSERT_TRUE(drbg.generate(out, additional));
        }
    }
    EXPECT_EQ(to_hex(out), to_hex(from_hex(expected["returnedBits"].text))) << test["tcId"].number;
}

TEST(HmacDrbg, Acvp) {
    int ran = 0;
    const bool found = test::for_each_acvp_case(
        "hmacDRBG-SP800-90Ar1", [&](const auto& group, const auto& test, const auto& expected) {
            const std::map<std::string, void (*)(const test::Json&, const test::Json&, const test::Json&)> modes = {
                {"SHA2-224", run_drbg_case<Sha224>},         {"SHA2-256", run_drbg_case<Sha256>},
                {"SHA2-384", run_drbg_case<Sha384>},         {"SHA2-512", run_drbg_case<Sha512>},
                {"SHA2-512/224", run_drbg_case<Sha512_224>}, {"SHA2-512/256", run_drbg_case<Sha512_256>},
                {"SHA3-224", run_drbg_case<Sha3_224>},       {"SHA3-256", run_drbg_case<Sha3_256>},
                {"SHA3-384", run_drbg_case<Sha3_384>},       {"SHA3-512", run_drbg_case<Sha3_512>}};
            const auto mode = modes.find(group["mode"].text);
            if (mode == modes.end()) {
                EXPECT_EQ(group["mode"].text, "SHA-1"); // a hash that is not offered
                return;
            }
            mode->second(group, test, expected);
            ++ran;
        });
    if (!found) GTEST_SKIP() << "vectors/acvp/hmacDRBG-SP800-90Ar1 is not in the shared folder";
    std::printf("hmacDRBG-SP800-90Ar1: %d cases; 60 of SHA-1 left out\n", ran);
    EXPECT_EQ(ran, 10 * 2 * 2 * 15);
}

TEST(HmacDrbg, RefusesUseWithoutEntropy) {
    std::vector<std::byte> out(8);
    const std::vector<std::byte> seed(48, std::byte{7});
    HmacDrbgSha256 drbg;
    EXPECT_FALSE(drbg.is_instantiated());
    EXPECT_EQ(drbg.generate(out).error(), Error::bad_state);
    EXPECT_EQ(drbg.reseed(seed).error(), Error::bad_state);
    EXPECT_EQ(drbg.instantiate(Bytes(seed).first(31), seed).error(), Error::bad_argument);
    EXPECT_EQ(drbg.instantiate(Bytes(seed).first(47), {}).error(), Error::bad_argument);
    EXPECT_FALSE(drbg.is_instantiated());
    EXPECT_TRUE(drbg.instantiate(seed, {}).has_value());
    EXPECT_EQ(drbg.reseed(Bytes(seed).first(31)).error(), Error::bad_argument);
    EXPECT_TRUE(drbg.generate(out).has_value());
}

TEST(HmacDrbg, KeepsItsLimits) {
    const std::vector<std::byte> seed(48, std::byte{7});
    HmacDrbgSha256 drbg(3);
    ASSERT_TRUE(drbg.instantiate(seed, {}).has_value());
    std::vector<std::byte> large(HmacDrbgSha256::kMaxRequest + 1);
    EXPECT_EQ(drbg.generate(large).error(), Error::too_large);
    EXPECT_TRUE(drbg.generate(MutableBytes(large).first(HmacDrbgSha256::kMaxRequest)).has_value());
    std::vector<std::byte> out(40);
    EXPECT_TRUE(drbg.generate(out).has_value());
    EXPECT_TRUE(drbg.generate({}).has_value());
    EXPECT_TRUE(drbg.needs_reseed());
    const auto before = out;
    EXPECT_EQ(drbg.generate(out).error(), Error::not_ready);
    EXPECT_EQ(out, before);
    EXPECT_TRUE(drbg.reseed(seed).has_value());
    EXPECT_FALSE(drbg.needs_reseed());
    EXPECT_TRUE(drbg.generate(out).has_value());
    EXPECT_NE(out, before);
}

TEST(HmacDrbg, RepeatsForOneSeedAndDiffersForAnother) {
    std::vector<std::byte> seed(48, std::byte{7});
    std::array<std::byte, 100> a;
    std::array<std::byte, 100> b;
    HmacDrbgSha256 first;
    HmacDrbgSha256 second;
    ASSERT_TRUE(first.instantiate(seed, {}) && second.instantiate(seed, {}));
    ASSERT_TRUE(first.generate(a) && second.generate(b));
    EXPECT_EQ(a, b);
    ASSERT_TRUE(first.generate(b));
    EXPECT_NE(a, b);
    seed[0] = std::byte{8};
    ASSERT_TRUE(second.instantiate(seed, {}) && second.generate(b));
    EXPECT_NE(a, b);
}

TEST(HmacDrbg, TakesOverAnothersState) {
    const std::vector<std::byte> seed(32, std::byte{7}), nonce(16, std::byte{8});
    HmacDrbgSha256 twin, made(3), used;
    for (HmacDrbgSha256* one : {&twin, &made})
        ASSERT_TRUE(one->instantiate(seed, nonce).has_value());
    ASSERT_TRUE(used.instantiate(std::vector<std::byte>(32, std::byte{9}), nonce).has_value());
    used.take_over(made);
    EXPECT_FALSE(made.is_instantiated());
    std::array<std::byte, 40> a{}, b{};
    EXPECT_EQ(made.generate(a).error(), Error::bad_state);
    for (unsigned i = 0; i < 3; ++i) {
        ASSERT_TRUE(twin.generate(a).has_value());
        ASSERT_TRUE(used.generate(b).has_value());
        EXPECT_EQ(a, b);
    }
    EXPECT_EQ(used.generate(b).error(), Error::not_ready) << "the interval comes along";
}

TEST(Secret, CompareAndWipe) {
    std::vector<std::byte> a = from_hex("000102030405060708");
    std::vector<std::byte> b = a;
    EXPECT_TRUE(equal_in_constant_time(a, b));
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    EXPECT_FALSE(equal_in_constant_time(a, Bytes(b).first(8)));
    for (std::size_t i = 0; i < b.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            b[i] ^= std::byte{1} << bit;
            EXPECT_FALSE(equal_in_constant_time(a, b));
            b[i] ^= std::byte{1} << bit;
        }
    }
    secure_wipe(MutableBytes(a).subspan(1, 7));
    EXPECT_EQ(to_hex(a), "000000000000000008");
    std::uint64_t number = 5;
    secure_wipe_object(number);
    EXPECT_EQ(number, 0u);
}

} // namespace
} // namespace aios::crypto
