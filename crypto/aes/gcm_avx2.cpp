// AES-GCM with AES-NI and PCLMULQDQ: the key schedule, and registers of one block, eight blocks at once. See
// gcm_batch.hpp.
#include "crypto/aes/gcm.hpp"

#include <cstdint>

#include <immintrin.h>

#include "base/bytes.hpp"
#include "crypto/aes/gcm_batch.hpp"
#include "crypto/aes/ghash.hpp"

namespace aios::crypto::detail::aes {

namespace {

__m128i load(const void* from) { return Narrow::load(from); }
void store(void* to, __m128i value) { Narrow::store(to, value); }

__m128i round_key(const RoundKeys& keys, unsigned round) { return load(&keys.words[2 * std::size_t{round}]); }

// SubWord (FIPS 197 section 5.2) on all four columns; with all columns alike, ShiftRows changes nothing.
__m128i substitute_words(__m128i words) { return _mm_aesenclast_si128(words, _mm_setzero_si128()); }

// The next four words of the schedule: each is the sum of the one before it and the one a key length back.
__m128i next_words(__m128i words, __m128i first) {
    words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
    words = _mm_xor_si128(words, _mm_slli_si128(words, 8));
    return _mm_xor_si128(words, first);
}

// SubWord(RotWord(last word)) + round constant, in all columns.
__m128i rotated(__m128i words, std::uint32_t round_constant) {
    const __m128i order = _mm_set1_epi32(0x0c0f0e0d);
    return _mm_xor_si128(substitute_words(_mm_shuffle_epi8(words, order)),
                         _mm_set1_epi32(static_cast<int>(round_constant)));
}

constexpr std::uint32_t next_constant(std::uint32_t constant) { return constant << 1 ^ (constant >> 7) * 0x11b; }

} // namespace

void Instructions::expand(Bytes key, RoundKeys& keys) {
    keys.rounds = rounds_of_key(key.size());
    std::uint64_t* to = keys.words.data();
    std::uint32_t constant = 1;
    __m128i a = load(key.data());
    store(to, a);
    if (key.size() == 16) {
        for (unsigned round = 1; round <= keys.rounds; ++round, constant = next_constant(constant)) {
            a = next_words(a, rotated(a, constant));
            store(to += 2, a);
        }
        return;
    }
    __m128i b = load(key.data() + kBlockSize);
    store(to += 2, b);
    for (unsigned round = 2;; constant = next_constant(constant)) {
        a = next_words(a, rotated(b, constant));
        store(to += 2, a);
        if (round == keys.rounds) break;
        b = next_words(b, substitute_words(_mm_shuffle_epi32(a, 0xff)));
        store(to += 2, b);
        round += 2;
    }
}

void Instructions::encrypt(const RoundKeys& keys, Block& first, Block& second) {
    __m128i a = _mm_xor_si128(load(&first), round_key(keys, 0));
    __m128i b = _mm_xor_si128(load(&second), round_key(keys, 0));
    for (unsigned round = 1; round < keys.rounds; ++round) {
        a = _mm_aesenc_si128(a, round_key(keys, round));
        b = _mm_aesenc_si128(b, round_key(keys, round));
    }
    store(&first, _mm_aesenclast_si128(a, round_key(keys, keys.rounds)));
    store(&second, _mm_aesenclast_si128(b, round_key(keys, keys.rounds)));
}

void Instructions::prepare(const Block& h, std::size_t text, HashKey& key) {
    const FieldElement prepared =
        divide_by_x({load_be<std::uint64_t>(h.bytes.data()), load_be<std::uint64_t>(h.bytes.data() + 8)});
    Batch<Narrow>::prepare(_mm_set_epi64x(static_cast<long long>(prepared.high), static_cast<long long>(prepared.low)),
                           text, key);
}

void Instructions::ghash(const HashKey& key, Block& hash, Bytes data) { Batch<Narrow>::ghash(key, hash, data); }

void Instructions::gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out) {
    Batch<Narrow>::gctr(keys, counter, in, out);
}

void Instructions::gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                                  MutableBytes out) {
    Batch<Narrow>::gctr_and_ghash(keys, counter, key, hash, in, out);
}

} // namespace aios::crypto::detail::aes
