// Keccak-f[1600] and the sponge. See sha3.hpp.
#include "crypto/sha3.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace aios::crypto {

namespace detail {

namespace {

// FIPS 202 section 3.2.5.
constexpr std::array<std::uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Section 3.2.2, table 2, by lane: the offsets modulo 64.
constexpr std::array<int, 25> kRotations = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                            25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

// Section 3.2.3: lane (x, y) moves to (y, 2x + 3y).
constexpr std::size_t pi_target(std::size_t lane) {
    const std::size_t x = lane % 5;
    const std::size_t y = lane / 5;
    return y + 5 * ((2 * x + 3 * y) % 5);
}

} // namespace

void keccak_f1600(std::array<std::uint64_t, 25>& lanes) {
    std::array<std::uint64_t, 25> a = lanes;
    for (const std::uint64_t constant : kRoundConstants) {
        std::array<std::uint64_t, 5> column;
        std::array<std::uint64_t, 25> b;
        // All indexes are constants, so that lanes can live in registers.
        [&]<std::size_t... X>(std::index_sequence<X...>) {
            ((column[X] = a[X] ^ a[X + 5] ^ a[X + 10] ^ a[X + 15] ^ a[X + 20]), ...);
        }(std::make_index_sequence<5>());
        [&]<std::size_t... L>(std::index_sequence<L...>) {
            ((b[pi_target(L)] =
                  std::rotl(a[L] ^ column[(L + 4) % 5] ^ std::rotl(column[(L + 1) % 5], 1), kRotations[L])),
             ...);
        }(std::index_sequence<0, 5, 10, 15, 20, 1, 6, 11, 16, 21, 2, 7, 12, 17, 22, 3, 8, 13, 18, 23, 4, 9, 14, 19,
                              24>());
        [&]<std::size_t... L>(std::index_sequence<L...>) {
            ((a[L] = b[L] ^ (~b[L / 5 * 5 + (L + 1) % 5] & b[L / 5 * 5 + (L + 2) % 5])), ...);
        }(std::make_index_sequence<25>());
        a[0] ^= constant;
    }
    lanes = a;
}

void Sponge::absorb(std::size_t rate, Bytes data) {
    while (!data.empty()) {
        if (position_ == 0 && data.size() >= rate) {
            // A whole block, lane by lane: every rate is a multiple of 8.
            for (std::size_t i = 0; i < rate / 8; i++)
                lanes_[i] ^= load_le<std::uint64_t>(data.data() + 8 * i);
            keccak_f1600(lanes_);
            data = data.subspan(rate);
            continue;
        }
        const std::size_t taken = std::min(rate - position_, data.size());
        for (std::size_t i = 0; i < taken; i++)
            xor_byte(position_ + i, static_cast<std::uint8_t>(data[i]));
        position_ += taken;
        data = data.subspan(taken);
        if (position_ == rate) {
            keccak_f1600(lanes_);
            position_ = 0;
        }
    }
}

void Sponge::pad(std::size_t rate, std::uint8_t suffix) {
    xor_byte(position_, suffix);
    xor_byte(rate - 1, 0x80);
    keccak_f1600(lanes_);
    position_ = 0;
}

void Sponge::squeeze(std::size_t rate, MutableBytes out) {
    for (std::byte& byte : out) {
        if (position_ == rate) {
            keccak_f1600(lanes_);
            position_ = 0;
        }
        byte = static_cast<std::byte>(lanes_[position_ / 8] >> (8 * (position_ % 8)));
        position_++;
    }
}

} // namespace detail

template <std::size_t Rate>
void Shake<Rate>::update(Bytes data) {
    AIOS_ASSERT(!squeezing_);
    sponge_.absorb(Rate, data);
}

template <std::size_t Rate>
void Shake<Rate>::squeeze(MutableBytes out) {
    if (!squeezing_) {
        sponge_.pad(Rate, 0x1f);
        squeezing_ = true;
    }
    sponge_.squeeze(Rate, out);
}

template class Shake<168>;
template class Shake<136>;

} // namespace aios::crypto
