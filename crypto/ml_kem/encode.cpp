// Polynomials as bytes, and their compression, portably. See poly.hpp. Nothing divides: what is compressed is secret,
// and the time of a division depends on its operands.
#include "crypto/ml_kem/poly.hpp"

#include "crypto/constant_time.hpp"

namespace aios::crypto::ml_kem {

namespace {

// The body of ByteEncode (FIPS 203 algorithm 5): eight numbers of D bits are D bytes.
template <std::size_t D, typename Number>
[[gnu::always_inline]] inline void pack(std::byte* out, const Number& number) {
    for (std::size_t group = 0; group < kN / 8; ++group) {
        std::uint32_t bits = 0;
        std::size_t held = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            bits |= number(8 * group + i) << held;
            held += D;
            for (; held >= 8; held -= 8) {
                *out++ = static_cast<std::byte>(bits);
                bits >>= 8;
            }
        }
    }
}

// The body of ByteDecode (algorithm 6).
template <std::size_t D, typename Take>
[[gnu::always_inline]] inline void unpack(const std::byte* in, const Take& take) {
    constexpr std::uint32_t kMask = (1u << D) - 1;
    for (std::size_t group = 0; group < kN / 8; ++group) {
        std::uint32_t bits = 0;
        std::size_t held = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            for (; held < D; held += 8)
                bits |= static_cast<std::uint32_t>(*in++) << held;
            take(8 * group + i, bits & kMask);
            bits >>= D;
            held -= D;
        }
    }
}

// Compress_d (4.7): x * 2^D / q, rounded, mod 2^D. Exact: the numerator n is below 2^23 and the factor is 2^36 / q plus
// less than 1, so the product is above n * 2^36 / q by less than 2^23, which is less than 2^36 / q.
template <std::size_t D>
std::uint32_t compressed(std::int16_t coefficient) {
    constexpr std::uint64_t kFactor = (std::uint64_t{1} << 36) / kQ + 1;
    const auto x = static_cast<std::uint64_t>(canonical(coefficient));
    return static_cast<std::uint32_t>((((x << D) + kQ / 2) * kFactor) >> 36) & ((1u << D) - 1);
}

} // namespace

void encode_portable(const Poly& poly, std::byte* out) {
    pack<12>(out, [&](std::size_t i) { return static_cast<std::uint32_t>(canonical(poly.c[i])); });
}

std::uint32_t decode_portable(const std::byte* in, Poly& poly) {
    std::uint32_t below = ~std::uint32_t{0};
    unpack<12>(in, [&](std::size_t i, std::uint32_t number) {
        const std::uint32_t reduced = number - kQ; // its upper half is ones if the number is below q, else zero
        below &= reduced;
        poly.c[i] = static_cast<std::int16_t>(reduced + ((reduced >> 16) & kQ));
    });
    return ~below >> 16;
}

template <std::size_t D>
void compress_portable(const Poly& poly, std::byte* out) {
    pack<D>(out, [&](std::size_t i) { return compressed<D>(poly.c[i]); });
}

template <std::size_t D>
void decompress_portable(const std::byte* in, Poly& poly) {
    unpack<D>(in, [&](std::size_t i, std::uint32_t number) {
        poly.c[i] = static_cast<std::int16_t>((number * kQ + (1u << (D - 1))) >> D);
    });
}

template void compress_portable<4>(const Poly&, std::byte*);
template void compress_portable<5>(const Poly&, std::byte*);
template void compress_portable<10>(const Poly&, std::byte*);
template void compress_portable<11>(const Poly&, std::byte*);
template void decompress_portable<4>(const std::byte*, Poly&);
template void decompress_portable<5>(const std::byte*, Poly&);
template void decompress_portable<10>(const std::byte*, Poly&);
template void decompress_portable<11>(const std::byte*, Poly&);

void compress_message_portable(const Poly& poly, std::byte* message) {
    for (std::size_t i = 0; i < kN / 8; ++i) {
        std::uint32_t byte = 0;
        for (std::size_t bit = 0; bit < 8; ++bit)
            byte |= compressed<1>(poly.c[8 * i + bit]) << bit;
        message[i] = static_cast<std::byte>(byte);
    }
}

// A bit selects (q + 1) / 2 by a mask of which compilers know nothing, or they would branch on the bit.
void decompress_message_portable(const std::byte* message, Poly& poly) {
    const auto zero = opaque(std::uint32_t{0});
    for (std::size_t i = 0; i < kN / 8; ++i) {
        for (std::size_t bit = 0; bit < 8; ++bit) {
            const std::uint32_t mask = 0 - ((static_cast<std::uint32_t>(message[i]) >> bit & 1) ^ zero);
            poly.c[8 * i + bit] = static_cast<std::int16_t>(mask & ((kQ + 1) / 2));
        }
    }
}

} // namespace aios::crypto::ml_kem
