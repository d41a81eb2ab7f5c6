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

namespace aios::crypto::detail {

namespace {

// FIPS 180-4 section 4.2.2.
constexpr std::array<std::uint32_t, 64> kRounds256 = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// FIPS 180-4 section 4.2.3.
constexpr std::array<std::uint64_t, 80> kRounds512 = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

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
    static constexpr auto& kRounds = kRounds256;
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
    static constexpr auto& kRounds = kRounds512;
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
    for (; count != 0; count--, data += 16 * sizeof(Word)) {
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

        for (std::size_t i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

} // namespace

void sha2_compress(std::array<std::uint32_t, 8>& state, const std::byte* data, std::size_t count) {
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
    for (std::size_t i = 0; i < words; i++)
        store_be(out + i * sizeof(Word), state_[i]);
    if constexpr (sizeof(Word) == 8) {
        if (size % 8 != 0) store_be(out + 8 * words, static_cast<std::uint32_t>(state_[words] >> 32));
    }
}

template class Sha2Core<std::uint32_t>;
template class Sha2Core<std::uint64_t>;

} // namespace aios::crypto::detail
