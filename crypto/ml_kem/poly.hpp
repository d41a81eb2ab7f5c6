// Polynomials of ML-KEM and what is computed on them, each by the backend in force (FIPS 203 sections 4.2 and 4.3).
//
// All coefficients may be secret: no function branches on them or uses them as an index, but for rejection sampling,
// whose input is public. Coefficients are in the standard's order, before and after the transform.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/backend.hpp"
#include "crypto/ml_kem/field.hpp"

namespace aios::crypto::ml_kem {

struct Poly {
    alignas(32) std::array<std::int16_t, kN> c;
};

// --- the number-theoretic transform (ntt.cpp, ntt_avx2.cpp) ---

// Algorithm 9. Takes |c| <= q; gives |c| <= 1668.
void ntt_portable(Poly& poly);
void ntt_avx2(Poly& poly);
inline void ntt(Poly& poly) { use_avx2() ? ntt_avx2(poly) : ntt_portable(poly); }

// Algorithm 10, and multiplies by R. Takes |c| <= q; gives |c| < q.
void inverse_ntt_portable(Poly& poly);
void inverse_ntt_avx2(Poly& poly);
inline void inverse_ntt(Poly& poly) { use_avx2() ? inverse_ntt_avx2(poly) : inverse_ntt_portable(poly); }

// For multiply(): of each pair the first coefficient, and the second times its gamma. Takes any c; gives |c| < q.
void twist_portable(const Poly& poly, Poly& twisted);
void twist_avx2(const Poly& poly, Poly& twisted);
inline void twist(const Poly& poly, Poly& twisted) {
    use_avx2() ? twist_avx2(poly, twisted) : twist_portable(poly, twisted);
}

// The sum of `count` products a[i] * b[i] of transformed polynomials, times R^-1 (algorithms 11 and 12). Takes at most
// four products, |a| <= q, |b| <= q and what twist() makes of b; gives |c| <= q.
void multiply_portable(const Poly* a, const Poly* b, const Poly* twisted, std::size_t count, Poly& sum);
void multiply_avx2(const Poly* a, const Poly* b, const Poly* twisted, std::size_t count, Poly& sum);
inline void multiply(const Poly* a, const Poly* b, const Poly* twisted, std::size_t count, Poly& sum) {
    use_avx2() ? multiply_avx2(a, b, twisted, count, sum) : multiply_portable(a, b, twisted, count, sum);
}

// poly * R + other: ends a sum of products that is not transformed back. Takes |other| <= q; gives |c| <= 2 q.
void scale_and_add(Poly& poly, const Poly& other);
// Sums and differences; the caller knows that they fit.
void add(Poly& poly, const Poly& other);
void subtract_from(Poly& poly, const Poly& other); // other - poly

// --- bytes (encode.cpp, encode_avx2.cpp) ---

inline constexpr std::size_t kEncodedSize = 384; // of a polynomial with 12 bits a coefficient

// ByteEncode with d = 12, algorithm 5. Takes any c.
void encode_portable(const Poly& poly, std::byte* out);
void encode_avx2(const Poly& poly, std::byte* out);
inline void encode(const Poly& poly, std::byte* out) {
    use_avx2() ? encode_avx2(poly, out) : encode_portable(poly, out);
}

// ByteDecode with d = 12, algorithm 6; gives 0 <= c < q. The answer is not zero if a number was q or more.
std::uint32_t decode_portable(const std::byte* in, Poly& poly);
std::uint32_t decode_avx2(const std::byte* in, Poly& poly);
inline std::uint32_t decode(const std::byte* in, Poly& poly) {
    return use_avx2() ? decode_avx2(in, poly) : decode_portable(in, poly);
}

// Compress (4.7) and ByteEncode with D bits; takes |c| <= 2 q. ByteDecode and Decompress (4.8); gives 0 <= c < q.
// D is 4, 5, 10 or 11.
template <std::size_t D>
void compress_portable(const Poly& poly, std::byte* out);
template <std::size_t D>
void compress_avx2(const Poly& poly, std::byte* out);
template <std::size_t D>
void compress(const Poly& poly, std::byte* out) {
    use_avx2() ? compress_avx2<D>(poly, out) : compress_portable<D>(poly, out);
}
template <std::size_t D>
void decompress_portable(const std::byte* in, Poly& poly);
template <std::size_t D>
void decompress_avx2(const std::byte* in, Poly& poly);
template <std::size_t D>
void decompress(const std::byte* in, Poly& poly) {
    use_avx2() ? decompress_avx2<D>(in, poly) : decompress_portable<D>(in, poly);
}

// The same with one bit: a message of 32 bytes.
void compress_message_portable(const Poly& poly, std::byte* message);
void compress_message_avx2(const Poly& poly, std::byte* message);
inline void compress_message(const Poly& poly, std::byte* message) {
    use_avx2() ? compress_message_avx2(poly, message) : compress_message_portable(poly, message);
}
void decompress_message_portable(const std::byte* message, Poly& poly);
void decompress_message_avx2(const std::byte* message, Poly& poly);
inline void decompress_message(const std::byte* message, Poly& poly) {
    use_avx2() ? decompress_message_avx2(message, poly) : decompress_message_portable(message, poly);
}

// --- sampling (sample.cpp, sample_avx2.cpp) ---

// SamplePolyCBD, algorithm 8, from 64 * Eta bytes; gives |c| <= Eta. Eta is 2 or 3.
template <std::size_t Eta>
void sample_noise_portable(const std::byte* in, Poly& poly);
template <std::size_t Eta>
void sample_noise_avx2(const std::byte* in, Poly& poly);
template <std::size_t Eta>
void sample_noise(const std::byte* in, Poly& poly) {
    use_avx2() ? sample_noise_avx2<Eta>(in, poly) : sample_noise_portable<Eta>(in, poly);
}

// A part of SampleNTT, algorithm 7: takes coefficients from one block of SHAKE128's output, which is public, until
// there are 256. `have` says how many there are already; returns how many there are then. The block has kPaddedBlock
// bytes of memory.
inline constexpr std::size_t kPaddedBlock = 192;
std::size_t sample_uniform_portable(const std::byte* block, Poly& poly, std::size_t have);
std::size_t sample_uniform_avx2(const std::byte* block, Poly& poly, std::size_t have);
inline std::size_t sample_uniform(const std::byte* block, Poly& poly, std::size_t have) {
    return use_avx2() ? sample_uniform_avx2(block, poly, have) : sample_uniform_portable(block, poly, have);
}

} // namespace aios::crypto::ml_kem
