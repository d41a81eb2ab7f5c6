// SLH-DSA against known answers: NIST's ACVP files, and the text files of ../shared/vectors/slh-dsa. Each test runs the
// whole of its file with the usual backend; what portable code repeats of the slow sets is said beside it.
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "tests/support/acvp.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/slh_dsa.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

using Record = std::map<std::string, std::string>;

// The records of a text file: lines "name: value" or "name = value", blank lines between records, '#' before comments.
bool read_records(const std::string& name, std::vector<Record>& records) {
    std::string text;
    if (!test::read_shared("vectors/slh-dsa/" + name, text)) return false;
    std::istringstream lines(text);
    Record record;
    const auto end = [&] {
        if (!record.empty()) records.push_back(record);
        record.clear();
    };
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) end();
        const std::size_t at = line.find_first_of(":=");
        if (line.empty() || line[0] == '#' || at == std::string::npos) continue;
        const auto trimmed = [](std::string part) {
            part.erase(0, part.find_first_not_of(' '));
            part.erase(part.find_last_not_of(" \r") + 1);
            return part;
        };
        record[trimmed(line.substr(0, at))] = trimmed(line.substr(at + 1));
    }
    end();
    return true;
}

#define READ_OR_SKIP(records, name)                                                                                    \
    std::vector<Record> records;                                                                                       \
    if (!read_records(name, records)) GTEST_SKIP() << "vectors/slh-dsa/" << name << " is not in the shared folder"

bool is_slow(const std::string& set) { return set.back() == 's'; }

template <typename Set>
void expect_generated(std::type_identity<Set> set, Bytes sk_seed, Bytes sk_prf, Bytes pk_seed, const std::string& pk,
                      const std::string& sk) {
    auto o = test::make_slh(set);
    ASSERT_TRUE(o->sk_seed.assign(sk_seed) && o->sk_prf.assign(sk_prf) && o->pk_seed.assign(pk_seed));
    ASSERT_TRUE(Set::generate(o->sk_seed, o->sk_prf, o->pk_seed, o->public_key, o->secret_key, o->workspace));
    EXPECT_EQ(to_hex(o->public_key.bytes()), to_hex(from_hex(pk)));
    EXPECT_EQ(to_hex(o->secret_key.bytes()), to_hex(from_hex(sk)));
}

// An empty `randomness` asks for the deterministic variant.
template <typename Set>
std::vector<std::byte> signature_of(std::type_identity<Set> set, Bytes sk, const SignedMessage& message,
                                    Bytes randomness) {
    auto o = test::make_slh(set);
    EXPECT_TRUE(o->secret_key.assign(sk));
    if (!randomness.empty()) EXPECT_TRUE(o->randomness.assign(randomness));
    EXPECT_TRUE(
        Set::sign(o->secret_key, message, randomness.empty() ? nullptr : &o->randomness, o->signature, o->workspace));
    const auto bytes = o->signature.bytes();
    return {bytes.begin(), bytes.end()};
}

// A key or signature of another length is not even taken.
template <typename Set>
bool verifies(std::type_identity<Set> set, Bytes pk, const SignedMessage& message, Bytes signature) {
    auto o = test::make_slh(set);
    if (!o->public_key.assign(pk) || !o->signature.assign(signature)) return false;
    return Set::verify(o->public_key, message, o->signature, o->workspace) == Verdict::valid;
}

// All cases with the usual backend; with portable code one of ten for the slow sets.
TEST(SlhDsaVectors, AcvpKeyGeneration) {
    int ran = 0;
    bool found = false;
    test::for_each_backend([&] {
        found = test::for_each_acvp_case(
            "SLH-DSA-keyGen-FIPS205", [&](const auto& group, const auto& test, const auto& expected) {
                const std::string name = group["parameterSet"].text;
                if (!use_avx2() && is_supported(Backend::avx2) && is_slow(name) && test["tcId"].number % 10 != 1)
                    return;
                EXPECT_TRUE(test::with_slh_set(name, [&](auto set) {
                    expect_generated(set, from_hex(test["skSeed"].text), from_hex(test["skPrf"].text),
                                     from_hex(test["pkSeed"].text), expected["pk"].text, expected["sk"].text);
                }));
                ++ran;
            });
    });
    if (!found) GTEST_SKIP() << "vectors/acvp/SLH-DSA-keyGen-FIPS205 is not in the shared folder";
    std::printf("SLH-DSA-keyGen-FIPS205: %d cases, 120 in the file\n", ran);
    EXPECT_EQ(ran, is_supported(Backend::avx2) ? 120 + 66 : 120);
}

TEST(SlhDsaVectors, AcvpVerification) {
    std::string text;
    if (!test::read_shared("vectors/acvp/SLH-DSA-sigVer-FIPS205/internalProjection.older.json", text))
        GTEST_SKIP() << "vectors/acvp/SLH-DSA-sigVer-FIPS205 is not in the shared folder";
    const auto file = test::read_json(text);
    test::for_each_backend([&] {
        int ran = 0;
        int valid = 0;
        for (const auto& group : file["testGroups"].items) {
            for (const auto& test : group["tests"].items) {
                EXPECT_TRUE(test::with_slh_set(group["parameterSet"].text, [&](auto set) {
                    const auto message = from_hex(test["message"].text);
                    const bool answer = verifies(set, from_hex(test["pk"].text), SignedMessage::formatted(message),
                                                 from_hex(test["signature"].text));
                    EXPECT_EQ(answer, test["testPassed"].is_true()) << test["tcId"].number << test["reason"].text;
                    valid += answer;
                }));
                ++ran;
            }
        }
        std::printf("SLH-DSA-sigVer-FIPS205: %d cases, %d valid\n", ran, valid);
        EXPECT_EQ(ran, 45);
        EXPECT_GE(valid, 5);
    });
}

TEST(SlhDsaVectors, KeyGenerationFiles) {
    const auto run = [](auto set, const std::string& name) {
        READ_OR_SKIP(records, name);
        EXPECT_EQ(records.size(), 10u);
        for (const Record& record : records) {
            const auto seed = from_hex(record.at("seed"));
            const std::size_t n = seed.size() / 3;
            expect_generated(set, Bytes(seed).first(n), Bytes(seed).subspan(n, n), Bytes(seed).subspan(2 * n),
                             record.at("pub"), record.at("priv"));
        }
        std::printf("%s: %zu cases\n", name.c_str(), records.size());
    };
    run(std::type_identity<SlhDsaSha2_128s>(), "slhdsa_sha2_128s_keygen.txt");
    run(std::type_identity<SlhDsaShake_256f>(), "slhdsa_shake_256f_keygen.txt");
}

// With portable code two of each file.
TEST(SlhDsaVectors, SigningFiles) {
    const auto run = [](auto set, const std::string& name) {
        READ_OR_SKIP(records, name);
        EXPECT_EQ(records.size(), 7u);
        const bool all = use_avx2() || !is_supported(Backend::avx2);
        const std::size_t count = all ? records.size() : 2;
        for (std::size_t i = 0; i < count; ++i) {
            const Record& record = records[i];
            const auto message = from_hex(record.at("msg"));
            const auto signature = signature_of(set, from_hex(record.at("priv")), SignedMessage::formatted(message),
                                                from_hex(record.at("entropy")));
            EXPECT_EQ(signature, from_hex(record.at("sig"))) << name << " " << i;
        }
        std::printf("%s: %zu cases with %s\n", name.c_str(), count, use_avx2() ? "AVX2" : "portable code");
    };
    test::for_each_backend([&] {
        run(std::type_identity<SlhDsaSha2_128s>(), "slhdsa_sha2_128s_siggen.txt");
        run(std::type_identity<SlhDsaShake_256f>(), "slhdsa_shake_256f_siggen.txt");
    });
}

TEST(SlhDsaVectors, VerificationFiles) {
    const auto run = [](auto set, const std::string& name, std::size_t count) {
        READ_OR_SKIP(records, name);
        EXPECT_EQ(records.size(), count);
        for (const Record& record : records) {
            const auto message = from_hex(record.at("msg"));
            EXPECT_EQ(verifies(set, from_hex(record.at("pub")), SignedMessage::formatted(message),
                               from_hex(record.at("sig"))),
                      record.at("valid") == "true");
        }
        std::printf("%s: %zu cases\n", name.c_str(), records.size());
    };
    test::for_each_backend([&] {
        run(std::type_identity<SlhDsaSha2_128s>(), "slhdsa_sha2_128s_sigver.txt", 9);
        run(std::type_identity<SlhDsaShake_256f>(), "slhdsa_shake_256f_sigver.txt", 14);
    });
}

// The file gives the hash's value in place of the message: M' is put together from it.
TEST(SlhDsaVectors, PreHashFile) {
    READ_OR_SKIP(records, "slhdsa_sha2_128s_prehash.txt");
    EXPECT_EQ(records.size(), 2u);
    const auto set = std::type_identity<SlhDsaSha2_128s>();
    test::for_each_backend([&] {
        for (const Record& record : records) {
            const auto context = from_hex(record.at("context"));
            const PreHash hash = record.at("hash") == "SHA-384" ? PreHash::sha2_384 : PreHash::sha2_256;
            const auto like = SignedMessage::pre_hashed(hash, {}, context);
            ASSERT_TRUE(like);
            std::vector<std::byte> formatted(like->prefix().begin(), like->prefix().end());
            const auto digest = from_hex(record.at("msg"));
            ASSERT_EQ(digest.size(), like->payload().size());
            formatted.insert(formatted.end(), digest.begin(), digest.end());
            EXPECT_TRUE(verifies(set, from_hex(record.at("pub")), SignedMessage::formatted(formatted),
                                 from_hex(record.at("sig"))));
        }
    });
    // The second record's message is known.
    const auto signed_message = SignedMessage::pre_hashed(PreHash::sha2_256, as_bytes("test\n"));
    EXPECT_TRUE(verifies(set, from_hex(records[1].at("pub")), *signed_message, from_hex(records[1].at("sig"))));
    std::printf("slhdsa_sha2_128s_prehash.txt: %zu cases\n", records.size());
}

TEST(SlhDsaVectors, GenericFile) {
    READ_OR_SKIP(records, "botan-slh_dsa_generic.vec");
    EXPECT_EQ(records.size(), 2u);
    for (const Record& record : records) {
        EXPECT_TRUE(test::with_slh_set(record.at("Instance"), [&](auto set) {
            const auto text = from_hex(record.at("Msg"));
            const auto message = SignedMessage::pure(text).value();
            const auto nonce = record.contains("Nonce") ? from_hex(record.at("Nonce")) : std::vector<std::byte>();
            const auto expected = from_hex(record.at("Signature"));
            EXPECT_EQ(signature_of(set, from_hex(record.at("PrivateKey")), message, nonce), expected);
            EXPECT_TRUE(verifies(set, from_hex(record.at("PublicKey")), message, expected));
        }));
    }
    std::printf("botan-slh_dsa_generic.vec: %zu cases\n", records.size());
}

// The file gives a seed for CTR_DRBG (AES-256), which is not offered here: its next n bytes after those of the key,
// computed elsewhere.
const std::map<std::string, std::string>& botan_randomness() {
    static const std::map<std::string, std::string> kRandomness = {
        {"SLH-DSA-SHA2-128s", "218a778828d592ff2ee540aa077b6660"},
        {"SLH-DSA-SHAKE-128s", "fafdec47c0dbcde6cdabd7152c508fb3"},
        {"SLH-DSA-SHA2-128f", "767c27a85238010578f488e42de3ce59"},
        {"SLH-DSA-SHAKE-128f", "18db3469990d34d7a5b373fddb4fb65d"},
        {"SLH-DSA-SHA2-192s", "162a8f5e696c34ea445fff62624e6fc934b2afc4adac612e"},
        {"SLH-DSA-SHAKE-192s", "aaf4f6d2dcac242d9d3af58333c375a3ff9cf8ced9b920d4"},
        {"SLH-DSA-SHA2-192f", "af431028cd605eb26306c7b92fa2229956f073341e67d33b"},
        {"SLH-DSA-SHAKE-192f", "8a67957dea79c3b78a1ee5c0139371379067c5a9da332888"},
        {"SLH-DSA-SHA2-256s", "150ca124059565a62ebaf97d226f458961d6ed4f83fcba7ee29b6740f884a58f"},
        {"SLH-DSA-SHAKE-256s", "bb9a601e64ad9e6adf816f29c1f6a860695380fd113a2d9c7518abe4fa3c378b"},
        {"SLH-DSA-SHA2-256f", "5d3bccb1ca61dc0e839eb0d6c2034d46fa55c3310142138d92ce0d981fdf01a8"},
        {"SLH-DSA-SHAKE-256f", "ec256c1a59de9d2555e3e81f8733360599ba567f63be5b68689d5111b085a8b9"},
    };
    return kRandomness;
}

// One case a set: both variants, the signature given as a hash of the set's family. With portable code the
// deterministic variant alone.
TEST(SlhDsaVectors, AllSetsFile) {
    READ_OR_SKIP(records, "botan-slh_dsa.vec");
    EXPECT_EQ(records.size(), 12u);
    test::for_each_backend([&] {
        const bool all = use_avx2() || !is_supported(Backend::avx2);
        for (const Record& record : records) {
            const std::string& name = record.at("SphincsParameterSet");
            const auto digest = [&](const std::vector<std::byte>& signature) {
                return to_hex(name.contains("SHA2") ? Sha256::hash(signature) : Sha3_256::hash(signature));
            };
            EXPECT_TRUE(test::with_slh_set(name, [&](auto set) {
                const auto sk = from_hex(record.at("sk"));
                const auto text = from_hex(record.at("msg"));
                const auto message = SignedMessage::pure(text).value();
                const auto fixed = signature_of(set, sk, message, {});
                EXPECT_EQ(digest(fixed), to_hex(from_hex(record.at("HashSigDet")))) << name;
                EXPECT_TRUE(verifies(set, from_hex(record.at("pk")), message, fixed)) << name;
                if (!all) return;
                const auto hedged = signature_of(set, sk, message, from_hex(botan_randomness().at(name)));
                EXPECT_EQ(digest(hedged), to_hex(from_hex(record.at("HashSigRand")))) << name;
                EXPECT_TRUE(verifies(set, from_hex(record.at("pk")), message, hedged)) << name;
            }));
        }
    });
    std::printf("botan-slh_dsa.vec: %zu cases\n", records.size());
}

} // namespace
} // namespace aios::crypto
