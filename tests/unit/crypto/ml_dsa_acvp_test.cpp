// ML-DSA against NIST's ACVP files: key generation, signing and verification of all three parameter sets, in every
// interface that the files have, with both backends.
#include <map>

#include "tests/support/acvp.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"
#include "tests/unit/crypto/ml_dsa_support.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::Json;
using test::to_hex;
using namespace test_ml_dsa;

PreHash pre_hash_of(const std::string& name) {
    static const std::map<std::string, PreHash> kNames = {
        {"SHA2-224", PreHash::sha2_224},         {"SHA2-256", PreHash::sha2_256},
        {"SHA2-384", PreHash::sha2_384},         {"SHA2-512", PreHash::sha2_512},
        {"SHA2-512/224", PreHash::sha2_512_224}, {"SHA2-512/256", PreHash::sha2_512_256},
        {"SHA3-224", PreHash::sha3_224},         {"SHA3-256", PreHash::sha3_256},
        {"SHA3-384", PreHash::sha3_384},         {"SHA3-512", PreHash::sha3_512},
        {"SHAKE-128", PreHash::shake128},        {"SHAKE-256", PreHash::shake256}};
    return kNames.at(name);
}

// Calls `use` with the message of one case.
template <typename Use>
void with_message(const Json& group, const Json& test, const Use& use) {
    const Octet message = from_hex(test["message"].text);
    const Octet context = from_hex(test["context"].text);
    const Octet mu = from_hex(test["mu"].text);
    const auto made = [&]() -> Result<SignedMessage> {
        if (group["signatureInterface"].text == "internal") {
            if (group["externalMu"].is_true()) return SignedMessage::external_mu(mu);
            return SignedMessage::formatted(message);
        }
        if (group["preHash"].text == "preHash")
            return SignedMessage::pre_hashed(pre_hash_of(test["hashAlg"].text), message, context);
        return SignedMessage::pure(message, context);
    }();
    ASSERT_TRUE(made.has_value());
    use(*made);
}

// Runs a file with each backend, each case with the parameter set that its group names; returns the number of cases,
// or -1 without the file.
template <typename Run>
int run_file(const std::string& folder, const Run& run) {
    int ran = 0;
    bool found = true;
    test::for_each_backend([&] {
        ran = 0;
        found =
            found && test::for_each_acvp_case(folder, [&](const Json& group, const Json& test, const Json& expected) {
                SCOPED_TRACE(test["tcId"].number);
                for_each_set([&](auto& set, const std::string& name) {
                    if (group["parameterSet"].text != name) return;
                    run(set, group, test, expected);
                    ++ran;
                });
            });
    });
    if (!found) return -1;
    std::printf("%s: %d cases\n", folder.c_str(), ran);
    return ran;
}

TEST(MlDsaAcvp, KeyGeneration) {
    const int ran =
        run_file("ML-DSA-keyGen-FIPS204", [](auto& set, const Json&, const Json& test, const Json& expected) {
            set.generate(from_hex(test["seed"].text));
            EXPECT_EQ(to_hex(set.public_key.bytes()), to_hex(from_hex(expected["pk"].text)));
            EXPECT_EQ(to_hex(set.secret_key.bytes()), to_hex(from_hex(expected["sk"].text)));
        });
    if (ran < 0) GTEST_SKIP() << "vectors/acvp/ML-DSA-keyGen-FIPS204 is not in the shared folder";
    EXPECT_EQ(ran, 3 * 25);
}

TEST(MlDsaAcvp, Signing) {
    const int ran =
        run_file("ML-DSA-sigGen-FIPS204", [](auto& set, const Json& group, const Json& test, const Json& expected) {
            ASSERT_TRUE(set.secret_key.assign(from_hex(test["sk"].text)));
            const Octet randomness = from_hex(test["rnd"].text);
            ASSERT_EQ(randomness.empty(), group["deterministic"].is_true());
            with_message(group, test, [&](const SignedMessage& message) {
                ASSERT_TRUE(set.sign(message, randomness).has_value());
                EXPECT_EQ(to_hex(set.signature.bytes()), to_hex(from_hex(expected["signature"].text)));
            });
        });
    if (ran < 0) GTEST_SKIP() << "vectors/acvp/ML-DSA-sigGen-FIPS204 is not in the shared folder";
    EXPECT_EQ(ran, 24 * 15);
}

TEST(MlDsaAcvp, Verification) {
    const int ran =
        run_file("ML-DSA-sigVer-FIPS204", [](auto& set, const Json& group, const Json& test, const Json& expected) {
            ASSERT_TRUE(set.public_key.assign(from_hex(test["pk"].text)));
            ASSERT_TRUE(set.signature.assign(from_hex(test["signature"].text)));
            with_message(group, test, [&](const SignedMessage& message) {
                EXPECT_EQ(set.verify(message) == Verdict::valid, expected["testPassed"].is_true());
            });
        });
    if (ran < 0) GTEST_SKIP() << "vectors/acvp/ML-DSA-sigVer-FIPS204 is not in the shared folder";
    EXPECT_EQ(ran, 12 * 15);
}

} // namespace
} // namespace aios::crypto
