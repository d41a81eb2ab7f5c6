// SLH-DSA's behaviour: round trips, what is refused, stopping, wiping, and that both backends give the same bits. Known
// answers are in slh_dsa_vectors_test.cpp.
#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/slh_dsa.hpp"

namespace aios::crypto {
namespace {

std::vector<std::byte> random_bytes(std::mt19937_64& random, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

template <typename Set>
auto generated(std::type_identity<Set> set, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    constexpr std::size_t n = Set::kPublicKeySize / 2;
    auto o = test::make_slh(set);
    EXPECT_TRUE(o->sk_seed.assign(random_bytes(random, n)));
    EXPECT_TRUE(o->sk_prf.assign(random_bytes(random, n)));
    EXPECT_TRUE(o->pk_seed.assign(random_bytes(random, n)));
    EXPECT_TRUE(o->randomness.assign(random_bytes(random, n)));
    EXPECT_TRUE(Set::generate(o->sk_seed, o->sk_prf, o->pk_seed, o->public_key, o->secret_key, o->workspace));
    return o;
}

bool all_zero(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// The fast sets, small and large, of both families.
template <typename Body>
void for_fast_sets(const Body& body) {
    body(std::type_identity<SlhDsaSha2_128f>());
    body(std::type_identity<SlhDsaSha2_192f>());
    body(std::type_identity<SlhDsaShake_128f>());
    body(std::type_identity<SlhDsaShake_192f>());
}

TEST(SlhDsa, SizesOfTheStandard) {
    // FIPS 205 section 11, table 2.
    const std::map<std::string_view, std::pair<std::size_t, std::size_t>> sizes = {
        {"128s", {32, 7856}},  {"128f", {32, 17088}}, {"192s", {48, 16224}},
        {"192f", {48, 35664}}, {"256s", {64, 29792}}, {"256f", {64, 49856}}};
    test::for_each_slh_set([&]<typename Set>(std::string_view name, std::type_identity<Set>) {
        const auto& expected = sizes.at(name.substr(name.size() - 4));
        EXPECT_EQ(Set::kPublicKeySize, expected.first);
        EXPECT_EQ(Set::kSecretKeySize, 2 * expected.first);
        EXPECT_EQ(Set::kSignatureSize, expected.second);
        EXPECT_LE(sizeof(typename Set::Workspace), 24u << 10);
    });
}

TEST(SlhDsa, SignaturesOfAllFormsVerifyWithBothBackends) {
    for_fast_sets([]<typename Set>(std::type_identity<Set> set) {
        auto o = generated(set, 1);
        const Bytes text = as_bytes("a message");
        const Bytes context = as_bytes("a context");
        const SignedMessage forms[] = {SignedMessage::pure(text).value(), SignedMessage::pure(text, context).value(),
                                       SignedMessage::pre_hashed(PreHash::sha2_256, text, context).value(),
                                       SignedMessage::pre_hashed(PreHash::shake128, text, context).value(),
                                       SignedMessage::formatted(text)};
        for (std::size_t i = 0; i < std::size(forms); ++i) {
            const auto* randomness = i % 2 == 0 ? &o->randomness : nullptr;
            std::vector<std::byte> first;
            test::for_each_backend([&] {
                ASSERT_TRUE(Set::sign(o->secret_key, forms[i], randomness, o->signature, o->workspace));
                const Bytes bytes = o->signature.bytes();
                if (first.empty()) first.assign(bytes.begin(), bytes.end());
                EXPECT_TRUE(std::equal(first.begin(), first.end(), bytes.begin()));
            });
            test::for_each_backend([&] {
                for (std::size_t j = 0; j < std::size(forms); ++j) {
                    EXPECT_EQ(Set::verify(o->public_key, forms[j], o->signature, o->workspace),
                              i == j ? Verdict::valid : Verdict::invalid)
                        << i << " " << j;
                }
            });
        }
    });
}

TEST(SlhDsa, BackendsAgreeOnRandomKeys) {
    for_fast_sets([]<typename Set>(std::type_identity<Set> set) {
        for (std::uint64_t seed = 10; seed < 12; ++seed) {
            std::vector<std::byte> keys;
            test::for_each_backend([&] {
                auto o = generated(set, seed);
                const Bytes key = o->secret_key.bytes();
                if (keys.empty()) keys.assign(key.begin(), key.end());
                EXPECT_TRUE(std::equal(keys.begin(), keys.end(), key.begin()));
                EXPECT_TRUE(std::ranges::equal(o->public_key.bytes(), key.last(Set::kPublicKeySize)));
            });
        }
    });
}

// The randomiser is hashed into all that follows, and every other byte leads to the root.
TEST(SlhDsa, EveryChangedByteIsRefused) {
    using Set = SlhDsaSha2_128s; // the cheapest to verify
    auto o = generated(std::type_identity<Set>(), 2);
    const auto message = SignedMessage::pure(as_bytes("text"), as_bytes("context")).value();
    ASSERT_TRUE(Set::sign(o->secret_key, message, nullptr, o->signature, o->workspace));
    const auto verdict = [&] { return Set::verify(o->public_key, message, o->signature, o->workspace); };
    ASSERT_EQ(verdict(), Verdict::valid);
    const auto refused = [&](MutableBytes bytes, std::size_t from, std::size_t step) {
        for (std::size_t i = from; i < bytes.size(); i += step) {
            const std::byte flip{static_cast<std::uint8_t>(1U << (i % 8))};
            bytes[i] ^= flip;
            EXPECT_EQ(verdict(), Verdict::invalid) << i;
            bytes[i] ^= flip;
        }
    };
    refused(o->signature.bytes(), 0, 1);
    refused(o->public_key.bytes(), 0, 1);
    if (is_supported(Backend::avx2)) {
        ASSERT_TRUE(use_backend(Backend::portable));
        refused(o->signature.bytes(), 3, 101);
        refused(o->public_key.bytes(), 0, 1);
        ASSERT_TRUE(use_backend(Backend::avx2));
    }
    EXPECT_EQ(verdict(), Verdict::valid);
}

TEST(SlhDsa, OtherMessagesContextsAndKeysAreRefused) {
    for_fast_sets([]<typename Set>(std::type_identity<Set> set) {
        auto o = generated(set, 3);
        const auto sign = SignedMessage::pure(as_bytes("text"), as_bytes("context")).value();
        ASSERT_TRUE(Set::sign(o->secret_key, sign, &o->randomness, o->signature, o->workspace));
        const SignedMessage others[] = {SignedMessage::pure(as_bytes("text")).value(),
                                        SignedMessage::pure(as_bytes("text"), as_bytes("contexu")).value(),
                                        SignedMessage::pure(as_bytes("texttext"), as_bytes("context")).value(),
                                        SignedMessage::pure({}, as_bytes("context")).value()};
        for (const SignedMessage& other : others)
            EXPECT_EQ(Set::verify(o->public_key, other, o->signature, o->workspace), Verdict::invalid);
        auto stranger = generated(set, 4);
        EXPECT_EQ(Set::verify(stranger->public_key, sign, o->signature, o->workspace), Verdict::invalid);
        EXPECT_EQ(Set::verify(o->public_key, sign, stranger->signature, o->workspace), Verdict::invalid);
        EXPECT_EQ(Set::verify(o->public_key, sign, o->signature, o->workspace), Verdict::valid);
    });
}

TEST(SlhDsa, WrongLengthsAreNotTaken) {
    test::for_each_slh_set([]<typename Set>(std::string_view, std::type_identity<Set> set) {
        auto o = test::make_slh(set);
        const std::vector<std::byte> bytes(Set::kSignatureSize + 1, std::byte{1});
        const auto expect_exact = [&](auto& octets) {
            constexpr std::size_t kSize = std::remove_reference_t<decltype(octets)>::kSize;
            for (const std::size_t size : {std::size_t{0}, kSize - 1, kSize + 1})
                EXPECT_EQ(octets.assign(Bytes(bytes).first(size)).error(), Error::bad_argument);
            EXPECT_TRUE(all_zero(octets.bytes()));
            EXPECT_TRUE(octets.assign(Bytes(bytes).first(kSize)));
        };
        expect_exact(o->sk_seed);
        expect_exact(o->sk_prf);
        expect_exact(o->pk_seed);
        expect_exact(o->public_key);
        expect_exact(o->secret_key);
        expect_exact(o->randomness);
        expect_exact(o->signature);
    });
}

TEST(SlhDsa, ExternalMuIsRefused) {
    using Set = SlhDsaShake_128f;
    auto o = generated(std::type_identity<Set>(), 5);
    const std::vector<std::byte> mu(SignedMessage::kMuSize, std::byte{7});
    const auto external = SignedMessage::external_mu(mu).value();
    std::ranges::fill(o->signature.bytes(), std::byte{1});
    EXPECT_EQ(Set::sign(o->secret_key, external, nullptr, o->signature, o->workspace).error(), Error::bad_argument);
    EXPECT_TRUE(all_zero(o->signature.bytes()));
    ASSERT_TRUE(Set::sign(o->secret_key, SignedMessage::formatted(mu), nullptr, o->signature, o->workspace));
    EXPECT_EQ(Set::verify(o->public_key, external, o->signature, o->workspace), Verdict::invalid);
}

// Stops when asked for the `at`-th time.
struct Stopper {
    int at;
    int asked = 0;
    [[nodiscard]] StopCallback callback() {
        return {[](void* self) {
                    auto* stopper = static_cast<Stopper*>(self);
                    return ++stopper->asked >= stopper->at;
                },
                this};
    }
};

TEST(SlhDsa, StopsWhenAskedAndLeavesNothing) {
    using Set = SlhDsaSha2_192s;
    auto o = test::make_slh(std::type_identity<Set>());
    const auto message = SignedMessage::pure(as_bytes("text")).value();
    for (const int at : {1, 2, 150, 600}) {
        Stopper stopper{at};
        std::ranges::fill(o->signature.bytes(), std::byte{1});
        EXPECT_EQ(Set::sign(o->secret_key, message, nullptr, o->signature, o->workspace, stopper.callback()).error(),
                  Error::interrupted);
        EXPECT_EQ(stopper.asked, at);
        EXPECT_TRUE(all_zero(o->signature.bytes()));
    }
    for (const int at : {1, 2, 100}) {
        Stopper stopper{at};
        std::ranges::fill(o->public_key.bytes(), std::byte{1});
        std::ranges::fill(o->secret_key.bytes(), std::byte{1});
        const auto result = Set::generate(o->sk_seed, o->sk_prf, o->pk_seed, o->public_key, o->secret_key, o->workspace,
                                          stopper.callback());
        EXPECT_EQ(result.error(), Error::interrupted);
        EXPECT_EQ(stopper.asked, at);
        EXPECT_TRUE(all_zero(o->public_key.bytes()) && all_zero(o->secret_key.bytes()));
    }
}

// Every few thousand hashes, whichever loop runs: key generation of this set takes 512 * (51 * 16 + 1) hashes and more.
TEST(SlhDsa, AsksOftenEnough) {
    using Set = SlhDsaSha2_192s;
    auto o = test::make_slh(std::type_identity<Set>());
    Stopper never{1 << 30};
    ASSERT_TRUE(
        Set::generate(o->sk_seed, o->sk_prf, o->pk_seed, o->public_key, o->secret_key, o->workspace, never.callback()));
    EXPECT_GE(never.asked, 512 * 51 * 16 / 4000);
    EXPECT_LE(never.asked, 512 * 51 * 16 / 1000);
    // Signing: seven such trees, and 17 FORS trees of 2^14 leaves, three hashes each.
    never.asked = 0;
    const auto message = SignedMessage::pure(as_bytes("text")).value();
    ASSERT_TRUE(Set::sign(o->secret_key, message, nullptr, o->signature, o->workspace, never.callback()));
    EXPECT_GE(never.asked, (7 * 512 * 51 * 16 + 17 * 16384 * 3) / 4000);
    EXPECT_LE(never.asked, (7 * 512 * 51 * 16 + 17 * 16384 * 3) / 1000);
}

TEST(SlhDsa, WorkspaceIsWipedAfterSecrets) {
    using Set = SlhDsaShake_192f;
    auto o = generated(std::type_identity<Set>(), 6);
    const auto is_wiped = [&] {
        // SAFETY: any object may be looked at as bytes.
        return all_zero({reinterpret_cast<const std::byte*>(&o->workspace), sizeof(o->workspace)});
    };
    EXPECT_TRUE(is_wiped());
    const auto message = SignedMessage::pure(as_bytes("text")).value();
    ASSERT_TRUE(Set::sign(o->secret_key, message, nullptr, o->signature, o->workspace));
    EXPECT_TRUE(is_wiped());
    Stopper stopper{20};
    EXPECT_FALSE(Set::sign(o->secret_key, message, nullptr, o->signature, o->workspace, stopper.callback()));
    EXPECT_TRUE(is_wiped());
}

} // namespace
} // namespace aios::crypto
