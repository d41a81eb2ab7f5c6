// ML-KEM: NIST's known answers, implicit rejection for every changed byte of a ciphertext, the checks of keys from
// outside, and round trips; all of it with every backend.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/ml_kem.hpp"
#include "crypto/sha3.hpp"
#include "tests/support/acvp.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::Json;
using test::to_hex;

// The types of one parameter set, and objects of them that tests fill in.
template <typename Kem>
struct Party {
    typename Kem::EncapsulationKey ek;
    typename Kem::DecapsulationKey dk;
    typename Kem::Ciphertext ciphertext;
    typename Kem::SharedSecret shared;
    std::unique_ptr<typename Kem::Workspace> workspace = std::make_unique<typename Kem::Workspace>();

    void generate(Bytes d_bytes, Bytes z_bytes) {
        typename Kem::Randomness d;
        typename Kem::Randomness z;
        ASSERT_TRUE(d.assign(d_bytes) && z.assign(z_bytes));
        Kem::generate(d, z, ek, dk, *workspace);
    }
    Result<> encapsulate(Bytes m_bytes) {
        typename Kem::Randomness m;
        TRY(m.assign(m_bytes));
        return Kem::encapsulate(ek, m, ciphertext, shared, *workspace);
    }
    Result<> decapsulate() { return Kem::decapsulate(dk, ciphertext, shared, *workspace); }
};

// J(z || c), FIPS 203 (4.4): what a ciphertext gives that is not accepted.
template <typename Kem>
std::string rejection_secret(const Party<Kem>& party) {
    Shake256 xof;
    xof.update(Bytes(party.dk.bytes()).last(32));
    xof.update(party.ciphertext.bytes());
    std::array<std::byte, 32> out;
    xof.squeeze(out);
    return to_hex(out);
}

std::vector<std::byte> random_bytes(std::size_t size) {
    static std::mt19937_64 generator(203);
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(generator());
    return bytes;
}

// Runs `body` with the class of the parameter set that a group names.
template <typename Body>
void with_parameter_set(const std::string& name, const Body& body) {
    if (name == "ML-KEM-512") return body.template operator()<MlKem512>();
    if (name == "ML-KEM-768") return body.template operator()<MlKem768>();
    if (name == "ML-KEM-1024") return body.template operator()<MlKem1024>();
    FAIL() << "unknown parameter set " << name;
}

std::string canonical_hex(const Json& field) { return to_hex(from_hex(field.text)); }

TEST(MlKem, AcvpKeyGeneration) {
    int ran = 0;
    bool found = true;
    test::for_each_backend([&] {
        found = test::for_each_acvp_case(
            "ML-KEM-keyGen-FIPS203", [&](const Json& group, const Json& test, const Json& expected) {
                with_parameter_set(group["parameterSet"].text, [&]<typename Kem>() {
                    Party<Kem> party;
                    party.generate(from_hex(test["d"].text), from_hex(test["z"].text));
                    EXPECT_EQ(to_hex(party.ek.bytes()), canonical_hex(expected["ek"])) << test["tcId"].number;
                    EXPECT_EQ(to_hex(party.dk.bytes()), canonical_hex(expected["dk"])) << test["tcId"].number;
                    EXPECT_TRUE(Kem::check(party.ek) && Kem::check(party.dk));
                    ++ran;
                });
            });
    });
    if (!found) GTEST_SKIP() << "vectors/acvp/ML-KEM-keyGen-FIPS203 is not in the shared folder";
    const int backends = is_supported(Backend::avx2) ? 2 : 1;
    std::printf("ML-KEM key generation: %d cases with %d backends\n", ran / backends, backends);
    EXPECT_EQ(ran, 75 * backends);
}

// One case of the file for encapsulation and decapsulation; which it is says the group's "function".
template <typename Kem>
void run_encap_decap_case(const std::string& function, const Json& test) {
    Party<Kem> party;
    const auto ek = from_hex(test["ek"].text);
    const auto dk = from_hex(test["dk"].text);
    if (function == "encapsulationKeyCheck") {
        const bool passes = party.ek.assign(ek) && Kem::check(party.ek);
        EXPECT_EQ(passes, test["testPassed"].is_true());
        EXPECT_EQ(party.encapsulate(random_bytes(32)).has_value(), passes);
        return;
    }
    if (function == "decapsulationKeyCheck") {
        const bool passes = party.dk.assign(dk) && Kem::check(party.dk);
        EXPECT_EQ(passes, test["testPassed"].is_true());
        ASSERT_TRUE(party.ciphertext.assign(random_bytes(Kem::kCiphertextSize)));
        EXPECT_EQ(party.decapsulate().has_value(), passes);
        return;
    }
    ASSERT_TRUE(party.dk.assign(dk));
    ASSERT_TRUE(party.ciphertext.assign(from_hex(test["c"].text)));
    ASSERT_TRUE(party.decapsulate());
    EXPECT_EQ(to_hex(party.shared.bytes()), canonical_hex(test["k"]));
    if (function == "decapsulation") return;
    ASSERT_EQ(function, "encapsulation");
    ASSERT_TRUE(party.ek.assign(ek));
    ASSERT_TRUE(party.encapsulate(from_hex(test["m"].text)));
    EXPECT_EQ(to_hex(party.ciphertext.bytes()), canonical_hex(test["c"]));
    EXPECT_EQ(to_hex(party.shared.bytes()), canonical_hex(test["k"]));
}

TEST(MlKem, AcvpEncapsulationAndDecapsulation) {
    int ran = 0;
    bool found = true;
    test::for_each_backend([&] {
        found =
            test::for_each_projected_acvp_case("ML-KEM-encapDecap-FIPS203", [&](const Json& group, const Json& test) {
                SCOPED_TRACE(test["tcId"].number);
                with_parameter_set(group["parameterSet"].text, [&]<typename Kem>() {
                    run_encap_decap_case<Kem>(group["function"].text, test);
                    ++ran;
                });
            });
    });
    if (!found) GTEST_SKIP() << "vectors/acvp/ML-KEM-encapDecap-FIPS203 is not in the shared folder";
    const int backends = is_supported(Backend::avx2) ? 2 : 1;
    std::printf("ML-KEM encapsulation and decapsulation: %d cases with %d backends\n", ran / backends, backends);
    EXPECT_EQ(ran, 165 * backends);
}

template <typename Kem>
class MlKemSets : public testing::Test {};
using Sets = testing::Types<MlKem512, MlKem768, MlKem1024>;
TYPED_TEST_SUITE(MlKemSets, Sets);

TYPED_TEST(MlKemSets, RoundTripsAreTheSameWithEveryBackend) {
    for (int i = 0; i < 40; ++i) {
        const auto d = random_bytes(32);
        const auto z = random_bytes(32);
        const auto m = random_bytes(32);
        std::string first;
        test::for_each_backend([&] {
            Party<TypeParam> party;
            party.generate(d, z);
            ASSERT_TRUE(party.encapsulate(m));
            const std::string sent = to_hex(party.shared.bytes());
            party.shared.wipe();
            ASSERT_TRUE(party.decapsulate());
            ASSERT_EQ(to_hex(party.shared.bytes()), sent);
            const std::string all =
                to_hex(party.ek.bytes()) + to_hex(party.dk.bytes()) + to_hex(party.ciphertext.bytes()) + sent;
            if (first.empty()) first = all;
            ASSERT_EQ(all, first);
        });
    }
}

// A changed ciphertext gives exactly what section 6.3 prescribes, never an error: one bit of every byte.
TYPED_TEST(MlKemSets, EveryChangedByteOfACiphertextIsRejectedImplicitly) {
    const auto d = random_bytes(32);
    const auto z = random_bytes(32);
    const auto m = random_bytes(32);
    test::for_each_backend([&] {
        Party<TypeParam> party;
        party.generate(d, z);
        ASSERT_TRUE(party.encapsulate(m));
        const std::string accepted = to_hex(party.shared.bytes());
        for (std::size_t at = 0; at < TypeParam::kCiphertextSize; ++at) {
            const std::byte bit = std::byte{1} << (at * 5 % 8);
            party.ciphertext.bytes()[at] ^= bit;
            ASSERT_TRUE(party.decapsulate());
            ASSERT_NE(to_hex(party.shared.bytes()), accepted);
            ASSERT_EQ(to_hex(party.shared.bytes()), rejection_secret(party)) << "byte " << at;
            party.ciphertext.bytes()[at] ^= bit;
        }
        ASSERT_TRUE(party.decapsulate());
        ASSERT_EQ(to_hex(party.shared.bytes()), accepted);
    });
}

// Ciphertexts of all zeros, all ones and random bytes.
TYPED_TEST(MlKemSets, AnyCiphertextIsDecapsulated) {
    test::for_each_backend([&] {
        Party<TypeParam> party;
        party.generate(random_bytes(32), random_bytes(32));
        std::vector<std::byte> bytes(TypeParam::kCiphertextSize);
        for (int i = 0; i < 20; ++i) {
            ASSERT_TRUE(party.ciphertext.assign(bytes));
            ASSERT_TRUE(party.decapsulate());
            ASSERT_EQ(to_hex(party.shared.bytes()), rejection_secret(party));
            bytes = i == 0 ? std::vector(bytes.size(), std::byte{0xff}) : random_bytes(bytes.size());
        }
    });
}

// Section 7.2: each coefficient in turn is set to q (refused), q - 1 (taken) and 4095 (refused).
TYPED_TEST(MlKemSets, RefusesEncapsulationKeysWithNumbersOfQAndMore) {
    test::for_each_backend([&] {
        Party<TypeParam> party;
        party.generate(random_bytes(32), random_bytes(32));
        ASSERT_TRUE(TypeParam::check(party.ek));
        const auto numbers = party.ek.bytes().first(TypeParam::kEncapsulationKeySize - 32);
        for (std::size_t at = 0; at < numbers.size() / 3 * 2; ++at) {
            const auto three = numbers.subspan(at / 2 * 3, 3);
            const std::array<std::byte, 3> before = {three[0], three[1], three[2]};
            for (const unsigned value : {3329u, 3328u, 4095u}) {
                if (at % 2 == 0) {
                    three[0] = static_cast<std::byte>(value);
                    three[1] = (three[1] & std::byte{0xf0}) | static_cast<std::byte>(value >> 8);
                } else {
                    three[1] = (three[1] & std::byte{0x0f}) | static_cast<std::byte>(value << 4);
                    three[2] = static_cast<std::byte>(value >> 4);
                }
                ASSERT_EQ(TypeParam::check(party.ek).has_value(), value < 3329) << "coefficient " << at;
                if (value >= 3329) {
                    party.shared.wipe();
                    ASSERT_EQ(party.encapsulate(random_bytes(32)).error(), Error::bad_format);
                    ASSERT_EQ(to_hex(party.shared.bytes()), std::string(64, '0'));
                }
            }
            std::ranges::copy(before, three.begin());
        }
        // rho may be anything.
        std::ranges::fill(party.ek.bytes().last(32), std::byte{0xff});
        ASSERT_TRUE(TypeParam::check(party.ek));
    });
}

// Section 7.3: the hash of the encapsulation key inside a stored key covers that key, and nothing else.
TYPED_TEST(MlKemSets, RefusesStoredKeysWhoseHashIsWrong) {
    const std::size_t key = 384 * (TypeParam::kDecapsulationKeySize - 96) / 768;
    const std::size_t hash = key + TypeParam::kEncapsulationKeySize;
    test::for_each_backend([&] {
        Party<TypeParam> party;
        party.generate(random_bytes(32), random_bytes(32));
        ASSERT_TRUE(party.encapsulate(random_bytes(32)));
        ASSERT_TRUE(TypeParam::check(party.dk));
        for (std::size_t at = 0; at < TypeParam::kDecapsulationKeySize; ++at) {
            party.dk.bytes()[at] ^= std::byte{0x10};
            const bool covered = at >= key && at < hash + 32;
            ASSERT_EQ(TypeParam::check(party.dk).has_value(), !covered) << "byte " << at;
            if (at % 8 == 0) {
                party.shared.wipe();
                const auto result = party.decapsulate();
                ASSERT_EQ(result.has_value(), !covered) << "byte " << at;
                if (covered) {
                    ASSERT_EQ(result.error(), Error::bad_format);
                    ASSERT_EQ(to_hex(party.shared.bytes()), std::string(64, '0'));
                }
            }
            party.dk.bytes()[at] ^= std::byte{0x10};
        }
    });
}

TYPED_TEST(MlKemSets, RefusesWrongLengths) {
    Party<TypeParam> party;
    for (const int difference : {-1, 1}) {
        const auto of = [&](std::size_t size) {
            return std::vector<std::byte>(size + static_cast<std::size_t>(difference));
        };
        EXPECT_EQ(party.ek.assign(of(TypeParam::kEncapsulationKeySize)).error(), Error::bad_argument);
        EXPECT_EQ(party.dk.assign(of(TypeParam::kDecapsulationKeySize)).error(), Error::bad_argument);
        EXPECT_EQ(party.ciphertext.assign(of(TypeParam::kCiphertextSize)).error(), Error::bad_argument);
        EXPECT_EQ(party.encapsulate(of(32)).error(), Error::bad_argument);
    }
}

} // namespace
} // namespace aios::crypto
