// What both AEADs promise: round trips, refusal of everything that was changed, the rules for buffers, and the same
// bits from every backend.
#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/aes_gcm.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using Buffer = std::vector<std::byte>;

Buffer random_bytes(std::mt19937& random, std::size_t size) {
    Buffer bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

template <typename Algorithm>
class Aead : public testing::Test {
protected:
    Aead() {
        std::mt19937 random(1);
        EXPECT_TRUE(key.assign(random_bytes(random, 32)));
        EXPECT_TRUE(nonce.assign(random_bytes(random, 12)));
    }

    // Seals into `ciphertext`, which gets the right size.
    [[nodiscard]] bool seal(Bytes aad, Bytes plaintext) {
        ciphertext.assign(plaintext.size(), std::byte{0xee});
        return Algorithm::seal(key, nonce, aad, plaintext, ciphertext, tag).has_value();
    }

    typename Algorithm::Key key;
    typename Algorithm::Nonce nonce;
    typename Algorithm::Tag tag;
    Buffer ciphertext;
};

using Algorithms = testing::Types<Aes256Gcm, ChaCha20Poly1305>;
TYPED_TEST_SUITE(Aead, Algorithms);

TYPED_TEST(Aead, EveryLengthRoundTripsWithTheSameBitsInEveryBackend) {
    std::vector<std::pair<std::size_t, std::size_t>> sizes; // of text and associated data
    for (std::size_t i = 0; i <= 300; ++i) {
        sizes.emplace_back(i, i % 37);
        sizes.emplace_back(i % 37, i);
    }
    for (const std::size_t i :
         {447, 448, 449, 511, 512, 513, 959, 960, 961, 1024, 1471, 1472, 1473, 1983, 1984, 1985, 4095, 5000})
        sizes.emplace_back(i, i / 3);
    std::mt19937 random(2);
    const Buffer text = random_bytes(random, 5000);
    const Buffer more = random_bytes(random, 5000);
    std::vector<Buffer> results;
    test::for_each_backend(
        [&] {
            std::vector<Buffer> now;
            for (const auto& [text_size, aad_size] : sizes) {
                const Bytes plaintext = Bytes(text).first(text_size);
                const Bytes aad = Bytes(more).first(aad_size);
                ASSERT_TRUE(this->seal(aad, plaintext));
                Buffer opened(text_size);
                ASSERT_TRUE(TypeParam::open(this->key, this->nonce, aad, this->ciphertext, this->tag, opened))
                    << text_size;
                ASSERT_TRUE(std::ranges::equal(opened, plaintext));
                // In place, at odd addresses.
                Buffer shifted(text_size + 1);
                const MutableBytes in_place = MutableBytes(shifted).subspan(1);
                std::ranges::copy(plaintext, in_place.begin());
                typename TypeParam::Tag tag;
                ASSERT_TRUE(TypeParam::seal(this->key, this->nonce, aad, in_place, in_place, tag));
                ASSERT_TRUE(std::ranges::equal(in_place, this->ciphertext) && tag == this->tag);
                ASSERT_TRUE(TypeParam::open(this->key, this->nonce, aad, in_place, tag, in_place));
                ASSERT_TRUE(std::ranges::equal(in_place, plaintext));
                now.push_back(this->ciphertext);
                now.emplace_back(tag.bytes().begin(), tag.bytes().end());
            }
            if (results.empty()) results = now;
            EXPECT_EQ(now, results);
        },
        test::Plain::too);
}

TYPED_TEST(Aead, RefusesEveryFlippedBitAndLeavesTheOutput) {
    std::mt19937 random(3);
    const Buffer plaintext = random_bytes(random, 150);
    const Buffer aad = random_bytes(random, 19);
    test::for_each_backend([&] {
        ASSERT_TRUE(this->seal(aad, plaintext));
        const Buffer untouched(plaintext.size(), std::byte{0x55});
        const auto opens = [&](Bytes with_aad) {
            Buffer out = untouched;
            const auto result = TypeParam::open(this->key, this->nonce, with_aad, this->ciphertext, this->tag, out);
            if (result) return out == plaintext;
            EXPECT_EQ(result.error(), Error::integrity);
            EXPECT_EQ(out, untouched);
            return false;
        };
        const auto flip_all = [&](MutableBytes bytes, Bytes with_aad) {
            for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
                bytes[bit / 8] ^= std::byte{1} << bit % 8;
                EXPECT_FALSE(opens(with_aad)) << bit;
                bytes[bit / 8] ^= std::byte{1} << bit % 8;
            }
        };
        EXPECT_TRUE(opens(aad));
        Buffer changed_aad = aad;
        flip_all(changed_aad, changed_aad);
        flip_all(this->key.bytes(), aad);
        flip_all(this->nonce.bytes(), aad);
        flip_all(this->tag.bytes(), aad);
        flip_all(this->ciphertext, aad);
        EXPECT_TRUE(opens(aad));
        EXPECT_FALSE(opens(Bytes(aad).first(18)));
        EXPECT_FALSE(opens({}));
        // In place, the ciphertext stays.
        Buffer in_place = this->ciphertext;
        EXPECT_EQ(TypeParam::open(this->key, this->nonce, {}, in_place, this->tag, in_place).error(), Error::integrity);
        EXPECT_EQ(in_place, this->ciphertext);
        // A byte moved from the text to the associated data, and the text cut.
        Buffer longer = aad;
        longer.push_back(this->ciphertext.front());
        Buffer out(plaintext.size() - 1);
        const Bytes text = this->ciphertext;
        EXPECT_EQ(TypeParam::open(this->key, this->nonce, longer, text.subspan(1), this->tag, out).error(),
                  Error::integrity);
        EXPECT_EQ(TypeParam::open(this->key, this->nonce, aad, text.first(149), this->tag, out).error(),
                  Error::integrity);
    });
}

// Random lengths, addresses and changes: what the portable backend gives is what all give.
TYPED_TEST(Aead, TenThousandRandomMessages) {
    constexpr std::size_t kMost = 3000;
    constexpr std::size_t kShifts = 64;
    std::mt19937 random(4);
    const Buffer source = random_bytes(random, kMost + kShifts);
    const Buffer more = random_bytes(random, kMost + kShifts);
    Buffer sealed(kMost + kShifts);
    Buffer opened(kMost + kShifts);
    for (int i = 0; i < 10000; ++i) {
        // Mostly short ones; one of eight runs through every wide loop.
        const std::size_t text_size = random() % (random() % 8 == 0 ? kMost : 400);
        const std::size_t aad_size = random() % (random() % 64 == 0 ? kMost : 80);
        const Bytes text = Bytes(source).subspan(random() % kShifts, text_size);
        const Bytes aad = Bytes(more).subspan(random() % kShifts, aad_size);
        const MutableBytes out = MutableBytes(sealed).subspan(random() % kShifts, text_size);
        const MutableBytes back = MutableBytes(opened).subspan(random() % kShifts, text_size);
        const std::size_t flipped = random() % (8 * (text_size + 16));
        std::ranges::generate(this->key.bytes(), [&] { return static_cast<std::byte>(random()); });
        std::ranges::generate(this->nonce.bytes(), [&] { return static_cast<std::byte>(random()); });
        Buffer expected;
        typename TypeParam::Tag expected_tag;
        for (const Backend backend : {Backend::portable, Backend::avx2_plain, Backend::avx2}) {
            if (!use_backend(backend)) continue;
            typename TypeParam::Tag tag;
            ASSERT_TRUE(TypeParam::seal(this->key, this->nonce, aad, text, out, tag));
            if (backend == Backend::portable) {
                expected.assign(out.begin(), out.end());
                expected_tag = tag;
            }
            ASSERT_TRUE(std::ranges::equal(out, expected) && tag == expected_tag)
                << i << ": " << text_size << " and " << aad_size << " bytes, backend " << static_cast<int>(backend);
            std::ranges::fill(back, std::byte{0x55});
            ASSERT_TRUE(TypeParam::open(this->key, this->nonce, aad, out, tag, back));
            ASSERT_TRUE(std::ranges::equal(back, text)) << i;
            std::byte& changed = flipped / 8 < text_size ? out[flipped / 8] : tag.bytes()[flipped / 8 - text_size];
            changed ^= std::byte{1} << flipped % 8;
            std::ranges::fill(back, std::byte{0x55});
            const auto refused = TypeParam::open(this->key, this->nonce, aad, out, tag, back);
            ASSERT_FALSE(refused) << i;
            ASSERT_EQ(refused.error(), Error::integrity);
            ASSERT_TRUE(std::ranges::all_of(back, [](std::byte b) { return b == std::byte{0x55}; })) << i;
        }
    }
    ASSERT_TRUE(use_backend(is_supported(Backend::avx2) ? Backend::avx2 : Backend::portable));
}

TYPED_TEST(Aead, RefusesWrongSizesAndOverlaps) {
    Buffer memory(200, std::byte{7});
    const Buffer before = memory;
    const MutableBytes all = memory;
    typename TypeParam::Tag tag;
    const auto both = [&](Bytes aad, Bytes in, MutableBytes out) {
        const auto sealed = TypeParam::seal(this->key, this->nonce, aad, in, out, tag);
        const auto opened = TypeParam::open(this->key, this->nonce, aad, in, tag, out);
        if (sealed.has_value() || opened.has_value()) return Error::bad_state;
        EXPECT_EQ(sealed.error(), opened.error());
        return sealed.error();
    };
    EXPECT_EQ(both({}, all.first(10), all.subspan(100, 9)), Error::bad_argument);
    EXPECT_EQ(both({}, all.first(10), all.subspan(100, 11)), Error::bad_argument);
    EXPECT_EQ(both({}, {}, all.first(1)), Error::bad_argument);
    // Every partial overlap, one byte at either end included.
    for (std::size_t by = 1; by < 50; ++by) {
        EXPECT_EQ(both({}, all.first(50), all.subspan(by, 50)), Error::bad_argument) << by;
        EXPECT_EQ(both({}, all.subspan(by, 50), all.first(50)), Error::bad_argument) << by;
        EXPECT_EQ(both(all.subspan(by, 50), all.subspan(100, 50), all.first(50)), Error::bad_argument) << by;
    }
    EXPECT_EQ(both(all.subspan(60, 5), all.first(100), all.first(100)), Error::bad_argument);
    // Sizes that no memory has: refused before anything is read.
    const auto sized = [&](std::uint64_t size) { return MutableBytes(memory.data(), size); };
    EXPECT_EQ(both({}, sized(TypeParam::kMaxText + 1), sized(TypeParam::kMaxText + 1)), Error::too_large);
    if (TypeParam::kMaxAad != ~std::uint64_t{0}) {
        EXPECT_EQ(both(sized(TypeParam::kMaxAad + 1), all.first(1), all.first(1)), Error::too_large);
    }
    EXPECT_EQ(memory, before);
    EXPECT_EQ(tag, typename TypeParam::Tag());
    // Neighbours are no overlap; associated data may lie in the input, and empty buffers anywhere.
    EXPECT_TRUE(TypeParam::seal(this->key, this->nonce, all.first(30), all.first(50), all.subspan(50, 50), tag));
    EXPECT_TRUE(TypeParam::seal(this->key, this->nonce, all.subspan(100, 1), all.first(50), all.subspan(50, 50), tag));
    EXPECT_TRUE(TypeParam::seal(this->key, this->nonce, {}, all.subspan(5, 0), all.subspan(9, 0), tag));
    EXPECT_TRUE(TypeParam::seal(this->key, this->nonce, {}, {}, {}, tag));
    EXPECT_TRUE(TypeParam::open(this->key, this->nonce, {}, {}, tag, {}));
}

} // namespace
} // namespace aios::crypto
