// AES-GCM with AES-NI and PCLMULQDQ: eight blocks at once. Encryption hashes the eight blocks before, between the
// rounds of the next eight, so that both units of the processor are busy.
//
// HashKey holds x^-1 times H, H^2, ... up to H^8 (only as many as the message needs): eight blocks are multiplied by
// H^8 ... H and reduced once.
#include "crypto/aes/gcm.hpp"

#include <algorithm>
#include <utility>

#include <immintrin.h>

#include "base/bits.hpp"
#include "base/bytes.hpp"
#include "crypto/aes/ghash.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto::detail::aes {

namespace {

constexpr std::size_t kBatch = 8;
constexpr std::size_t kBatchSize = kBatch * kBlockSize;

// SAFETY: vectors may be read from and written to any 16 bytes; these accesses need no alignment.
__m128i load(const void* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
void store(void* to, __m128i value) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value); }

__m128i reverse_bytes(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
}

// A block as a FieldElement: high word in the upper half.
__m128i load_element(const void* from) { return reverse_bytes(load(from)); }

// A sum of products that is not reduced yet.
struct Product {
    __m128i low = _mm_setzero_si128();
    __m128i middle = _mm_setzero_si128();
    __m128i high = _mm_setzero_si128();

    void add(__m128i a, __m128i b) {
        low = _mm_xor_si128(low, _mm_clmulepi64_si128(a, b, 0x00));
        high = _mm_xor_si128(high, _mm_clmulepi64_si128(a, b, 0x11));
        middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(a, b, 0x01));
        middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(a, b, 0x10));
    }

    // Each of the two low words, times x^7 + x^2 + x + 1, is added 128 places higher; see ghash_portable.cpp.
    [[nodiscard]] __m128i reduced() const {
        const __m128i reduction = _mm_set_epi64x(0, static_cast<long long>(kReduction));
        __m128i below = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
        const __m128i above = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
        for (int word = 0; word < 2; ++word)
            below = _mm_xor_si128(_mm_shuffle_epi32(below, 0x4e), _mm_clmulepi64_si128(below, reduction, 0x00));
        return _mm_xor_si128(above, below);
    }
};

__m128i multiply(__m128i a, __m128i b) {
    Product product;
    product.add(a, b);
    return product.reduced();
}

// H^power, divided by x.
__m128i power_of_h(const HashKey& key, std::size_t power) { return load(&key.words[2 * (power - 1)]); }

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

// The counter block as four 32-bit words whose last one can be counted up; and back.
__m128i countable(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_set_epi64x(0x0c0d0e0f0b0a0908, 0x0706050403020100));
}

// CIPHER (section 5.1) on eight blocks. `between(i)` runs after round i + 1, for i = 0 to 7.
template <typename Between>
[[gnu::always_inline]] inline void encrypt_batch(const RoundKeys& keys, __m128i (&block)[kBatch],
                                                 const Between& between) {
    const auto all_rounds = [&](auto step, unsigned round) __attribute__((always_inline)) {
        const __m128i key = round_key(keys, round);
        for (std::size_t i = 0; i < kBatch; ++i)
            block[i] = step(block[i], key);
    };
    const auto encrypt = [](__m128i state, __m128i key)
                             __attribute__((always_inline)) { return _mm_aesenc_si128(state, key); };
    all_rounds([](__m128i state, __m128i key) { return _mm_xor_si128(state, key); }, 0);
    for (unsigned i = 0; i < kBatch; ++i) {
        all_rounds(encrypt, i + 1);
        between(i);
    }
    for (unsigned round = kBatch + 1; round < keys.rounds; ++round)
        all_rounds(encrypt, round);
    all_rounds([](__m128i state, __m128i key) { return _mm_aesenclast_si128(state, key); }, keys.rounds);
}

// The next eight counter blocks.
[[gnu::always_inline]] inline void count(__m128i& counter, __m128i (&block)[kBatch]) {
    for (std::size_t i = 0; i < kBatch; ++i) {
        block[i] = countable(counter);
        counter = _mm_add_epi32(counter, _mm_set_epi32(1, 0, 0, 0));
    }
}

[[gnu::always_inline]] inline void xor_batch(const __m128i (&stream)[kBatch], const std::byte* in, std::byte* out) {
    for (std::size_t i = 0; i < kBatch; ++i)
        store(out + kBlockSize * i, _mm_xor_si128(stream[i], load(in + kBlockSize * i)));
}

// Less than a batch.
void xor_rest(const RoundKeys& keys, __m128i& counter, Bytes in, MutableBytes out) {
    const __m128i first = counter;
    __m128i block[kBatch];
    count(counter, block);
    encrypt_batch(keys, block, [](unsigned) {});
    std::size_t at = 0;
    std::size_t i = 0;
    for (; at + kBlockSize <= in.size(); at += kBlockSize, ++i)
        store(out.data() + at, _mm_xor_si128(block[i], load(in.data() + at)));
    if (at < in.size()) {
        Block rest;
        const std::size_t size = in.size() - at;
        std::copy_n(in.data() + at, size, rest.bytes.data());
        store(rest.bytes.data(), _mm_xor_si128(block[i], load(rest.bytes.data())));
        std::copy_n(rest.bytes.data(), size, out.data() + at);
        secure_wipe(rest.bytes);
        ++i;
    }
    counter = _mm_add_epi32(first, _mm_set_epi32(static_cast<int>(i), 0, 0, 0));
    secure_wipe_object(block);
}

// Adds up to eight blocks to the hash; the last one may be short.
__m128i hash_few(const HashKey& key, __m128i hash, Bytes data) {
    Product product;
    for (std::size_t power = div_ceil(data.size(), kBlockSize); power > 0; --power) {
        Block block;
        const std::size_t size = std::min(data.size(), kBlockSize);
        std::copy_n(data.begin(), size, block.bytes.begin());
        product.add(_mm_xor_si128(hash, load_element(block.bytes.data())), power_of_h(key, power));
        hash = _mm_setzero_si128();
        data = data.subspan(size);
    }
    return product.reduced();
}

// One step of hashing eight blocks.
[[gnu::always_inline]] inline void hash_step(Product& product, const HashKey& key, __m128i hash, const std::byte* from,
                                             std::size_t i) {
    __m128i element = load_element(from + kBlockSize * i);
    if (i == 0) element = _mm_xor_si128(element, hash);
    product.add(element, power_of_h(key, kBatch - i));
}

__m128i hash_batch(const HashKey& key, __m128i hash, const std::byte* from) {
    Product product;
    for (std::size_t i = 0; i < kBatch; ++i)
        hash_step(product, key, hash, from, i);
    return product.reduced();
}

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
    const __m128i first = _mm_set_epi64x(static_cast<long long>(prepared.high), static_cast<long long>(prepared.low));
    key.powers = static_cast<unsigned>(std::clamp<std::size_t>(div_ceil(text, kBlockSize), 1, kBatch));
    __m128i power = first;
    for (std::size_t i = 0; i < key.powers; ++i) {
        store(&key.words[2 * i], power);
        power = multiply(power, first);
    }
}

void Instructions::ghash(const HashKey& key, Block& hash, Bytes data) {
    if (data.empty()) return;
    __m128i state = load_element(&hash);
    for (; data.size() >= kBatchSize; data = data.subspan(kBatchSize))
        state = hash_batch(key, state, data.data());
    if (!data.empty()) state = hash_few(key, state, data);
    store(&hash, reverse_bytes(state));
}

void Instructions::gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out) {
    __m128i next = countable(load(&counter));
    std::size_t at = 0;
    for (; in.size() - at >= kBatchSize; at += kBatchSize) {
        __m128i block[kBatch];
        count(next, block);
        encrypt_batch(keys, block, [](unsigned) {});
        xor_batch(block, in.data() + at, out.data() + at);
    }
    if (at < in.size()) xor_rest(keys, next, in.subspan(at), out.subspan(at));
    store(&counter, countable(next));
}

void Instructions::gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                                  MutableBytes out) {
    std::size_t at = 0;
    if (in.size() >= kBatchSize) {
        __m128i next = countable(load(&counter));
        __m128i state = load_element(&hash);
        __m128i block[kBatch];
        count(next, block);
        encrypt_batch(keys, block, [](unsigned) {});
        xor_batch(block, in.data(), out.data());
        for (at = kBatchSize; in.size() - at >= kBatchSize; at += kBatchSize) {
            const std::byte* before = out.data() + at - kBatchSize;
            Product product;
            count(next, block);
            encrypt_batch(keys, block, [&](unsigned i) __attribute__((always_inline)) {
                hash_step(product, key, state, before, i);
            });
            state = product.reduced();
            xor_batch(block, in.data() + at, out.data() + at);
        }
        state = hash_batch(key, state, out.data() + at - kBatchSize);
        store(&counter, countable(next));
        store(&hash, reverse_bytes(state));
    }
    gctr(keys, counter, in.subspan(at), out.subspan(at));
    ghash(key, hash, out.subspan(at));
}

} // namespace aios::crypto::detail::aes
