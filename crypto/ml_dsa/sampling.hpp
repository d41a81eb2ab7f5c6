// Polynomials out of seeds (FIPS 204 section 7.3), four at a time: the matrix A, the secret vectors, the masks, and the
// challenge.
//
// Rejection sampling of secrets declassifies which candidates were rejected: their number and their positions do not
// depend on the values that were accepted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/keccak_x4.hpp"
#include "crypto/ml_dsa/polynomial.hpp"
#include "crypto/ml_dsa/shape.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto::detail::ml_dsa {

// What four computations of an extendable-output function need. The vector code may read 32 bytes past the output.
template <typename Xof, std::size_t InputSize>
struct XofScratch {
    static constexpr std::size_t kBlocks = 5;

    std::array<std::array<std::byte, kBlocks * Xof::kBlockSize + 32>, 4> out;
    std::array<std::array<std::byte, InputSize>, 4> input;
    Xof xof;

    void absorb() { xof.absorb(input[0], input[1], input[2], input[3]); }
    void squeeze(std::size_t blocks) {
        xof.squeeze_blocks({out[0].data(), out[1].data(), out[2].data(), out[3].data()}, blocks);
    }
};
using MatrixScratch = XofScratch<Shake128x4, 34>;
using SecretScratch = XofScratch<Shake256x4, 66>;

// Four of the polynomials of ExpandA (algorithms 30 and 32): those with the numbers first to first + 3, counted row by
// row; entry n goes to into[n % ring]. Numbers beyond the end of the matrix are left out. Coefficients within [0, q).
void expand_matrix(const Shape& shape, std::span<const std::byte, 32> rho, std::size_t first, Polynomial* into,
                   std::size_t ring, MatrixScratch& scratch);

// Makes the rows of A one after another in a ring of l + 3 polynomials, for those who need each row once.
class MatrixRows {
public:
    MatrixRows(const Shape& shape, std::span<const std::byte, 32> rho, Polynomial* ring, MatrixScratch& scratch)
        : shape_(shape), rho_(rho), ring_(ring), scratch_(scratch) {}

    // Points row[0] to row[l - 1] at the next row, which is there until the next call.
    void next(const Polynomial** row);

private:
    const Shape& shape_;
    std::span<const std::byte, 32> rho_;
    Polynomial* ring_;
    MatrixScratch& scratch_;
    std::size_t first_ = 0; // number of the row's first polynomial
    std::size_t made_ = 0;  // how many polynomials were made
};

// Four of the polynomials of ExpandS (algorithms 31 and 33), numbers first to first + 3 of s1 followed by s2, into
// `into`. Coefficients within [-eta, eta].
void expand_secret(const Shape& shape, std::span<const std::byte, 64> rho_prime, std::size_t first, Polynomial* into,
                   SecretScratch& scratch);

// Four of the masks of ExpandMask (algorithm 34), numbers first to first + 3 (there: kappa + r); mask n goes to
// into[n % ring]. Coefficients within (-gamma1, gamma1].
void expand_mask(const Shape& shape, std::span<const std::byte, 64> rho_second, std::size_t first, Polynomial* into,
                 std::size_t ring, SecretScratch& scratch);

// SampleInBall, algorithm 29. Branches on the challenge, which is public.
void sample_in_ball(const Shape& shape, Polynomial& challenge, Bytes c_tilde);

// Rejection sampling of one run of bytes: appends what is accepted to `to`, which holds `have` coefficients, and
// returns how many it then holds, at most 256.
//
// CoeffFromThreeBytes, algorithm 14, of each three bytes; `size` is a multiple of 24.
std::size_t reject_uniform_portable(Polynomial& to, std::size_t have, const std::byte* from, std::size_t size);
std::size_t reject_uniform_avx2(Polynomial& to, std::size_t have, const std::byte* from, std::size_t size);
// CoeffFromHalfByte, algorithm 15, of each half byte; `size` is a multiple of 8.
std::size_t reject_bounded_portable(std::int32_t eta, Polynomial& to, std::size_t have, const std::byte* from,
                                    std::size_t size);
std::size_t reject_bounded_avx2(std::int32_t eta, Polynomial& to, std::size_t have, const std::byte* from,
                                std::size_t size);

} // namespace aios::crypto::detail::ml_dsa
