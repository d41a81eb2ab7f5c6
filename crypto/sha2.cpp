// The SHA-2 compression functions and padding. See sha2.hpp.
//
// Written for few instructions on a processor without rotate-three-operand or and-not: each sum of three rotations is a
// chain of rotations of one register, Maj reuses a^b of the round before as b^c, and the message schedule is a ring of
// 16 words.
#include "crypto/sha2.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/sha2_constants.hpp"
#include "crypto/sha2_instructions.hpp"

namespace aios::crypto::detail {

namespace {

// The rotations of sections 4.1.2 and 4.1.3. A sum ROTR(p) ^ ROTR(q) ^ ROTR(r) with p < q < r is computed as
// ROTR(p, x ^ ROTR(q - p, x ^ ROTR(r - q, x))).
template <typename Word>
struct Functions;

template <>
struct Functions<std::uint32_t> {
    using Word = std::uint32_t;
    static constexpr std::size_t kRoundCount = 64;
    static constexpr std::size_t kUnrolled =
        48; // all: the constants become immediate operands, 5 instructions a byte less
    static constexpr auto& kRounds = kSha256Rounds;
    static constexpr Word big_sigma0(Word x) { return std::rotr(x ^ std::rotr(x ^ std::rotr(x, 9), 11), 2); }
    static constexpr Word big_sigma1(Word x) { return std::rotr(x ^ std::rotr(x ^ std::rotr(x, 14), 5), 6); }
    static constexpr Word small_sigma0(Word x) { return std::rotr(x ^ std::rotr(x, 11), 7) ^ (x >> 3); }
    static constexpr Word small_sigma1(Word x) { return std::rotr(x ^ std::rotr(x, 2), 17) ^ (x >> 10); }
};

template <>
struct Functions<std::uint64_t> {
    using Word = std::uint64_t;
    static constexpr std::size_t kRoundCount = 80;
    static constexpr std::size_t kUnrolled = 16; // no 64-bit immediates, so nothing to gain
    static constexpr auto& kRounds = kSha512Rounds;
    static constexpr Word big_sigma0(Word x) { return std::rotr(x ^ std::rotr(x ^ std::rotr(x, 5), 6), 28); }
    static constexpr Word big_sigma1(Word x) { return std::rotr(x ^ std::rotr(x ^ std::rotr(x, 23), 4), 14); }
    static constexpr Word small_sigma0(Word x) { return std::rotr(x ^ std::rotr(x, 7), 1) ^ (x >> 7); }
    static constexpr Word small_sigma1(Word x) { return std::rotr(x ^ std::rotr(x, 42), 19) ^ (x >> 6); }
};

// Round T of 16, with the eight working variables renamed instead of moved: a is v[(16 - T) % 8], and so on.
// `b_xor_c` is a ^ b of the round before.
template <typename Word, std::size_t T>
[[gnu::always_inline]] inline void round(std::array<Word, 8>& v, Word& b_xor_c, Word key_and_message) {
    using F = Functions<Word>;
    const Word a = v[(16 - T) % 8];
    const Word b = v[(17 - T) % 8];
    Word& d = v[(19 - T) % 8];
    const Word e = v[(20 - T) % 8];
    const Word f = v[(21 - T) % 8];
    const Word g = v[(22 - T) % 8];
    Word& h = v[(23 - T) % 8];

    h += key_and_message + F::big_sigma1(e) + (((f ^ g) & e) ^ g);
    d += h;
    const Word a_xor_b = a ^ b;
    h += F::big_sigma0(a) + ((a_xor_b & b_xor_c) ^ b);
    b_xor_c = a_xor_b;
}

template <typename Word>
[[gnu::always_inline]] inline void compress(std::array<Word, 8>& state, const std::byte* data, std::size_t count) {
    using F = Functions<Word>;
    for (; count != 0; --count, data += 16 * sizeof(Word)) {
        std::array<Word, 8> v = state;
        std::array<Word, 16> w;
        Word b_xor_c = v[1] ^ v[2];

        [&]<std::size_t... T>(std::index_sequence<T...>) {
            ((w[T] = load_be<Word>(data + T * sizeof(Word)), round<Word, T>(v, b_xor_c, F::kRounds[T] + w[T])), ...);
        }(std::make_index_sequence<16>());
        for (std::size_t first = 16; first != F::kRoundCount; first += F::kUnrolled) {
            [&]<std::size_t... T>(std::index_sequence<T...>) {
                ((w[T % 16] += F::small_sigma1(w[(T + 14) % 16]) + w[(T + 9) % 16] + F::small_sigma0(w[(T + 1) % 16]),
                  round<Word, T % 16>(v, b_xor_c, F::kRounds[first + T] + w[T % 16])),
                 ...);
            }(std::make_index_sequence<F::kUnrolled>());
        }

        for (std::size_t i = 0; i < 8; ++i)
            state[i] += v[i];
    }
}

} // namespace

void sha2_compress(std::array<std::uint32_t, 8>& state, const std::byte* data, std::size_t count) {
#ifndef AIOS_KERNEL
    if (use_sha_instructions()) return sha256_compress_by_instructions(state, data, count);
#endif
    compress(state, data, count);
}

void sha2_compress(std::array<std::uint64_t, 8>& state, const std::byte* data, std::size_t count) {
    compress(state, data, count);
}

template <typename Word>
void Sha2Core<Word>::update(Bytes data) {
    if (data.empty()) return;
    const std::size_t used = length_ % kBlockSize;
    length_ += data.size();
    if (used != 0) {
        const std::size_t taken = std::min(kBlockSize - used, data.size());
        std::copy_n(data.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(used));
        if (used + taken < kBlockSize) return;
        sha2_compress(state_, buffer_.data(), 1);
        data = data.subspan(taken);
    }
    const std::size_t blocks = data.size() / kBlockSize;
    if (blocks != 0) sha2_compress(state_, data.data(), blocks);
    const Bytes rest = data.subspan(blocks * kBlockSize);
    std::copy(rest.begin(), rest.end(), buffer_.begin());
}

// Section 5.1: a one bit, zeros, and the length in bits as an integer of two words.
template <typename Word>
void Sha2Core<Word>::finish(std::byte* out, std::size_t size) {
    constexpr std::size_t kLengthAt = kBlockSize - 2 * sizeof(Word);
    std::size_t used = length_ % kBlockSize;
    buffer_[used++] = std::byte{0x80};
    if (used > kLengthAt) {
        std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(used), buffer_.end(), std::byte{0});
        sha2_compress(state_, buffer_.data(), 1);
        used = 0;
    }
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(used), buffer_.end(), std::byte{0});
    store_be(&buffer_[kBlockSize - 8], length_ << 3);
    if constexpr (sizeof(Word) == 8) buffer_[kBlockSize - 9] = static_cast<std::byte>(length_ >> 61);
    sha2_compress(state_, buffer_.data(), 1);

    // SHA-224 and SHA-384 leave out whole words; SHA-512/224 ends in the middle of one.
    const std::size_t words = size / sizeof(Word);
    for (std::size_t i = 0; i < words; ++i)
        store_be(out + i * sizeof(Word), state_[i]);
    if constexpr (sizeof(Word) == 8) {
        if (size % 8 != 0) store_be(out + 8 * words, static_cast<std::uint32_t>(state_[words] >> 32));
    }
}

template class Sha2Core<std::uint32_t>;
template class Sha2Core<std::uint64_t>;

} // namespace aios::crypto::detail
