// The encodings of keys and signatures (FIPS 204 section 7.2), polynomial by polynomial.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/ml_dsa/polynomial.hpp"
#include "crypto/ml_dsa/shape.hpp"

namespace aios::crypto::detail::ml_dsa {

// t1 of a public key (algorithms 22 and 23), 320 bytes, as t1 * 2^d: below q.
void unpack_t1(Polynomial& t1_shifted, const std::byte* in);

// s1, s2 and t0 of a secret key (algorithms 24 and 25). unpack_eta() gives all ones if a coefficient is out of range,
// else zero; the range of t0 is full.
void pack_eta(const Shape& shape, std::byte* out, const Polynomial& s);
[[nodiscard]] std::uint32_t unpack_eta(const Shape& shape, Polynomial& s, const std::byte* in);
void unpack_t0(Polynomial& t0, const std::byte* in);

// z of a signature (algorithms 26 and 27), and the masks, which are bits of the same form. From and to
// (-gamma1, gamma1]. Up to 16 bytes past the encoding may be read, or written with zeros: in a signature the hints
// follow, which are longer.
void pack_z(const Shape& shape, std::byte* out, const Polynomial& z);
void unpack_z(const Shape& shape, Polynomial& z, const std::byte* in);

// Hints of a signature: HintBitPack, algorithm 20. `hints` holds k polynomials of zeros and ones, at most omega ones.
// Public: a hint is packed when the signature is complete.
void pack_hints(const Shape& shape, std::byte* out, const Polynomial* hints);

// The checks of HintBitUnpack, algorithm 21, on omega + k bytes. Only after a yes may hints_of() be asked.
[[nodiscard]] bool are_hints_well_formed(const Shape& shape, Bytes hints);
// The positions of the ones in polynomial `i`.
[[nodiscard]] Bytes hints_of(const Shape& shape, Bytes hints, std::size_t i);

void pack_z_avx2(const Shape& shape, std::byte* out, const Polynomial& z);
void unpack_z_avx2(const Shape& shape, Polynomial& z, const std::byte* in);

} // namespace aios::crypto::detail::ml_dsa
