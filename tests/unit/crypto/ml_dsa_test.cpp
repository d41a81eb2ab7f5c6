// ML-DSA beyond the known answers: round trips in every form, what is refused, the stop callback, and that both
// backends give the same bytes.
#include "tests/support/backends.hpp"
#include "tests/unit/crypto/ml_dsa_support.hpp"

namespace aios::crypto {
namespace {

using namespace test_ml_dsa;

SignedMessage pure(Bytes message, Bytes context = {}) {
    const auto made = SignedMessage::pure(message, context);
    EXPECT_TRUE(made.has_value());
    return *made;
}

TEST(MlDsa, RoundTripsInEveryForm) {
    test::for_each_backend([] {
        for_each_set([](auto& set, const std::string& name) {
            SCOPED_TRACE(name);
            std::mt19937_64 random(1);
            for (int round = 0; round < 4; ++round) {
                set.generate(random_bytes(random, 32));
                const Octet text = random_bytes(random, random() % 500);
                const Octet context = random_bytes(random, random() % 256);
                const Octet mu = random_bytes(random, 64);
                const Octet randomness = random_bytes(random, 32);
                const std::vector<SignedMessage> forms = {pure(text, context),
                                                          pure(text),
                                                          *SignedMessage::pre_hashed(PreHash::sha2_512, text, context),
                                                          *SignedMessage::pre_hashed(PreHash::shake256, text, context),
                                                          *SignedMessage::external_mu(mu),
                                                          SignedMessage::formatted(text)};
                for (std::size_t form = 0; form < forms.size(); ++form) {
                    ASSERT_TRUE(set.sign(forms[form], randomness).has_value());
                    // A signature of one form is none of another.
                    for (std::size_t other = 0; other < forms.size(); ++other)
                        EXPECT_EQ(set.verify(forms[other]) == Verdict::valid, other == form) << form << ' ' << other;
                }
            }
        });
    });
}

TEST(MlDsa, HedgedSignaturesDifferAndDeterministicOnesDoNot) {
    for_each_set([](auto& set, const std::string& name) {
        SCOPED_TRACE(name);
        std::mt19937_64 random(2);
        set.generate(random_bytes(random, 32));
        const Octet text = random_bytes(random, 40);
        ASSERT_TRUE(set.sign(pure(text)).has_value());
        const auto first = set.signature;
        ASSERT_TRUE(set.sign(pure(text)).has_value());
        EXPECT_TRUE(set.signature == first);
        ASSERT_TRUE(set.sign(pure(text), random_bytes(random, 32)).has_value());
        EXPECT_FALSE(set.signature == first);
        EXPECT_EQ(set.verify(pure(text)), Verdict::valid);
    });
}

TEST(MlDsa, BackendsGiveTheSameBytes) {
    if (!is_supported(Backend::avx2)) GTEST_SKIP() << "this processor has no AVX2";
    for_each_set([](auto& set, const std::string& name) {
        SCOPED_TRACE(name);
        std::mt19937_64 random(3);
        for (int round = 0; round < 20; ++round) {
            const Octet seed = random_bytes(random, 32);
            const Octet text = random_bytes(random, random() % 300);
            const Octet randomness = random_bytes(random, 32);
            Octet results[2];
            test::for_each_backend([&] {
                set.generate(seed);
                ASSERT_TRUE(set.sign(pure(text), randomness).has_value());
                EXPECT_EQ(set.verify(pure(text)), Verdict::valid);
                Octet& result = results[use_avx2() ? 1 : 0];
                result.insert(result.end(), set.public_key.bytes().begin(), set.public_key.bytes().end());
                result.insert(result.end(), set.secret_key.bytes().begin(), set.secret_key.bytes().end());
                result.insert(result.end(), set.signature.bytes().begin(), set.signature.bytes().end());
            });
            EXPECT_TRUE(results[0] == results[1]);
        }
    });
}

// One bit of every byte of a public key, a signature and a message.
TEST(MlDsa, AFlippedBitIsInvalid) {
    test::for_each_backend([] {
        for_each_set([](auto& set, const std::string& name) {
            SCOPED_TRACE(name);
            // The portable path decides the same way for all sets; one of them is enough, and quicker.
            if (!use_avx2() && name != "ML-DSA-44") return;
            std::mt19937_64 random(4);
            set.generate(random_bytes(random, 32));
            Octet text = random_bytes(random, 20);
            ASSERT_TRUE(set.sign(pure(text)).has_value());
            ASSERT_EQ(set.verify(pure(text)), Verdict::valid);
            const auto flip_each = [&](MutableBytes bytes) {
                for (std::size_t i = 0; i < bytes.size(); ++i) {
                    const auto bit = static_cast<std::byte>(1U << (random() % 8));
                    bytes[i] ^= bit;
                    EXPECT_EQ(set.verify(pure(text)), Verdict::invalid) << i;
                    bytes[i] ^= bit;
                }
            };
            flip_each(set.signature.bytes());
            flip_each(set.public_key.bytes());
            flip_each(text);
            EXPECT_EQ(set.verify(pure(text)), Verdict::valid);
        });
    });
}

// Every rule of HintBitUnpack: each signature differs from a valid one in its hints alone, and some of them in nothing
// but the encoding.
TEST(MlDsa, MalformedHintsAreInvalid) {
    for_each_set([]<typename Algorithm>(Set<Algorithm>& set, const std::string& name) {
        SCOPED_TRACE(name);
        using Parameters = std::conditional_t<
            std::is_same_v<Algorithm, MlDsa44>, MlDsa44Parameters,
            std::conditional_t<std::is_same_v<Algorithm, MlDsa65>, MlDsa65Parameters, MlDsa87Parameters>>;
        std::mt19937_64 random(5);
        set.generate(random_bytes(random, 32));
        const Octet text = random_bytes(random, 20);
        ASSERT_TRUE(set.sign(pure(text)).has_value());
        const auto valid = set.signature;
        constexpr std::size_t kOmega = Parameters::omega;
        const auto hints = set.signature.bytes().template last<kOmega + Parameters::k>();
        const auto end = [&](std::size_t i) -> std::byte& { return hints[kOmega + i]; };
        const auto expect_invalid = [&](const char* what) {
            EXPECT_EQ(set.verify(pure(text)), Verdict::invalid) << what;
            set.signature = valid;
            ASSERT_EQ(set.verify(pure(text)), Verdict::valid);
        };
        const auto last = static_cast<std::size_t>(end(Parameters::k - 1));
        ASSERT_LT(last, kOmega) << "take another seed";
        std::size_t polynomial = 0; // one that has two hints
        std::size_t begin = 0;
        while (static_cast<std::size_t>(end(polynomial)) - begin < 2)
            begin = static_cast<std::size_t>(end(polynomial++));

        std::swap(hints[begin], hints[begin + 1]);
        expect_invalid("positions descend");
        hints[begin + 1] = hints[begin];
        expect_invalid("a position stands there twice");
        for (std::size_t i = last; i < kOmega; ++i) {
            hints[i] = std::byte{1};
            expect_invalid("what is left over is not zero");
        }
        end(Parameters::k - 1) = static_cast<std::byte>(kOmega + 1);
        expect_invalid("more than omega");
        end(Parameters::k - 1) = std::byte{255};
        expect_invalid("more than omega by far");
        end(0) = static_cast<std::byte>(kOmega + 1);
        expect_invalid("the first has more than omega");
        end(Parameters::k - 1) = std::byte{0};
        expect_invalid("ends descend to zero");
        end(Parameters::k - 1) = static_cast<std::byte>(static_cast<std::size_t>(end(Parameters::k - 2)) - 1);
        expect_invalid("ends descend");
        end(Parameters::k - 1) = static_cast<std::byte>(last + 1);
        expect_invalid("the last polynomial has a hint more, at 0");
        end(0) = static_cast<std::byte>(static_cast<std::size_t>(end(0)) + 1);
        expect_invalid("a hint belongs to another polynomial");
    });
}

TEST(MlDsa, LongZIsInvalid) {
    for_each_set([](auto& set, const std::string& name) {
        SCOPED_TRACE(name);
        std::mt19937_64 random(6);
        set.generate(random_bytes(random, 32));
        const Octet text = random_bytes(random, 20);
        ASSERT_TRUE(set.sign(pure(text)).has_value());
        // In each 20 bytes at least one whole coefficient is all zeros, gamma1, or all ones, -gamma1 + 1.
        for (const std::byte fill : {std::byte{0}, std::byte{255}}) {
            for (std::size_t at = 64; at + 120 < set.signature.bytes().size(); at += 20) {
                const auto valid = set.signature;
                std::ranges::fill(set.signature.bytes().subspan(at, 20), fill);
                EXPECT_EQ(set.verify(pure(text)), Verdict::invalid) << at;
                set.signature = valid;
            }
        }
        std::ranges::fill(set.signature.bytes(), std::byte{0});
        EXPECT_EQ(set.verify(pure(text)), Verdict::invalid);
        std::ranges::fill(set.signature.bytes(), std::byte{255});
        EXPECT_EQ(set.verify(pure(text)), Verdict::invalid);
    });
}

TEST(MlDsa, SecretKeysOutOfRangeAreRefused) {
    test::for_each_backend([] {
        for_each_set([]<typename Algorithm>(Set<Algorithm>& set, const std::string& name) {
            SCOPED_TRACE(name);
            const bool short_form = name != "ML-DSA-65";
            const unsigned bits = short_form ? 3 : 4; // of one coefficient
            const unsigned largest = short_form ? 4 : 8;
            std::mt19937_64 random(7);
            set.generate(random_bytes(random, 32));
            const Octet text = random_bytes(random, 20);
            const Octet valid(set.secret_key.bytes().begin(), set.secret_key.bytes().end());
            const std::size_t polynomials = name == "ML-DSA-44" ? 8 : name == "ML-DSA-65" ? 11 : 15;
            for (std::size_t n = 0; n < polynomials * 256; n += 1 + random() % 60) {
                for (unsigned value = 0; value < 1U << bits; ++value) {
                    if (value <= largest && random() % 64 != 0) continue;
                    for (unsigned bit = 0; bit < bits; ++bit) {
                        const std::size_t at = n * bits + bit;
                        std::byte& byte = set.secret_key.bytes()[128 + at / 8];
                        const auto mask = static_cast<std::byte>(1U << (at % 8));
                        byte = (value >> bit & 1) != 0 ? byte | mask : byte & ~mask;
                    }
                    const auto result = set.sign(pure(text));
                    EXPECT_EQ(result.has_value(), value <= largest) << n << ' ' << value;
                    if (!result) {
                        EXPECT_EQ(result.error(), Error::bad_format);
                        EXPECT_TRUE(set.signature == typename Algorithm::Signature());
                    }
                    ASSERT_TRUE(set.secret_key.assign(valid));
                }
            }
        });
    });
}

// A t0 that belongs to no key makes too many hints for nearly every candidate.
TEST(MlDsa, ACraftedKeyEndsInAnError) {
    const auto owner = std::make_unique<Set<MlDsa44>>();
    Set<MlDsa44>& set = *owner;
    std::mt19937_64 random(8);
    set.generate(random_bytes(random, 32));
    // Each coefficient of 13 bits becomes 0 or 8191, the longest ones.
    const auto t0 = set.secret_key.bytes().last<4 * 416>();
    for (std::size_t n = 0; n < 4 * 256; ++n) {
        const bool ones = (random() & 1) != 0;
        for (std::size_t at = 13 * n; at < 13 * (n + 1); ++at) {
            const auto mask = static_cast<std::byte>(1U << (at % 8));
            t0[at / 8] = ones ? t0[at / 8] | mask : t0[at / 8] & ~mask;
        }
    }
    int refused = 0;
    for (std::uint8_t number = 0; number < 30 && refused == 0; ++number) {
        const std::byte text{number};
        const auto result = set.sign(pure({&text, 1}));
        if (result) continue;
        EXPECT_EQ(result.error(), Error::bad_format);
        EXPECT_TRUE(set.signature == MlDsa44::Signature());
        ++refused;
    }
    EXPECT_EQ(refused, 1);
}

struct StopAfter {
    int left;
    int asked = 0;
    StopCallback callback() {
        return {[](void* self) {
                    auto& stop = *static_cast<StopAfter*>(self);
                    ++stop.asked;
                    return stop.left-- == 0;
                },
                this};
    }
};

TEST(MlDsa, StopsBetweenCandidates) {
    for_each_set([]<typename Algorithm>(Set<Algorithm>& set, const std::string& name) {
        SCOPED_TRACE(name);
        std::mt19937_64 random(9);
        set.generate(random_bytes(random, 32));
        int longest = 0;
        for (int round = 0; round < 10; ++round) {
            const Octet text = random_bytes(random, 20);
            StopAfter never{-1};
            ASSERT_TRUE(set.sign(pure(text), {}, never.callback()).has_value());
            longest = std::max(longest, never.asked);
            const auto expected = set.signature;
            for (int after = 0; after < never.asked; ++after) {
                StopAfter stop{after};
                const auto result = set.sign(pure(text), {}, stop.callback());
                ASSERT_FALSE(result.has_value());
                EXPECT_EQ(result.error(), Error::interrupted);
                EXPECT_EQ(stop.asked, after + 1);
                EXPECT_TRUE(set.signature == typename Algorithm::Signature());
            }
            StopAfter late{never.asked};
            ASSERT_TRUE(set.sign(pure(text), {}, late.callback()).has_value());
            EXPECT_TRUE(set.signature == expected);
        }
        EXPECT_GT(longest, 1);
    });
}

TEST(MlDsa, WrongLengthsAreRefused) {
    for_each_set([](auto& set, const std::string& name) {
        SCOPED_TRACE(name);
        for (const int difference : {-1, 1}) {
            const auto refuses = [&](auto& octets) {
                const Octet bytes(octets.bytes().size() + static_cast<std::size_t>(difference));
                const auto result = octets.assign(bytes);
                return !result && result.error() == Error::bad_argument;
            };
            EXPECT_TRUE(refuses(set.public_key));
            EXPECT_TRUE(refuses(set.secret_key));
            EXPECT_TRUE(refuses(set.signature));
        }
    });
    const Octet long_context(256);
    EXPECT_EQ(SignedMessage::pure({}, long_context).error(), Error::bad_argument);
    EXPECT_EQ(SignedMessage::pre_hashed(PreHash::sha2_256, {}, long_context).error(), Error::bad_argument);
    EXPECT_EQ(SignedMessage::external_mu(Bytes(long_context).first(63)).error(), Error::bad_argument);
}

} // namespace
} // namespace aios::crypto
