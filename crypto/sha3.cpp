// Keccak-f[1600] and the sponge. See sha3.hpp.
#include "crypto/sha3.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "crypto/keccak_constants.hpp"

namespace aios::crypto {

namespace detail {

namespace {

using Lanes = std::array<std::uint64_t, 25>;
using Five = std::array<std::uint64_t, 5>;

// One row of the result: rotated lanes that pi brings together, and chi over them. All indexes are constants, so that
// lanes can live in registers; row by row, so that only five rotated lanes are alive at a time.
template <std::size_t Y, std::size_t... X>
[[gnu::always_inline]] inline void row(const Lanes& a, const Five& d, Lanes& b, std::index_sequence<X...>) {
    const Five r = {std::rotl(a[keccak_pi_source(X + 5 * Y)] ^ d[keccak_pi_source(X + 5 * Y) % 5],
                              kKeccakRotations[keccak_pi_source(X + 5 * Y)])...};
    ((b[X + 5 * Y] = r[X] ^ (~r[(X + 1) % 5] & r[(X + 2) % 5])), ...);
}

// One round from `a` to `b`.
template <std::size_t... X>
[[gnu::always_inline]] inline void round(const Lanes& a, Lanes& b, std::uint64_t constant,
                                         std::index_sequence<X...> five) {
    const Five c = {(a[X] ^ a[X + 5] ^ a[X + 10] ^ a[X + 15] ^ a[X + 20])...};
    const Five d = {(c[(X + 4) % 5] ^ std::rotl(c[(X + 1) % 5], 1))...};
    (row<X>(a, d, b, five), ...);
    b[0] ^= constant;
}

} // namespace

void keccak_f1600(std::array<std::uint64_t, 25>& lanes) {
    std::array<std::uint64_t, 25> other;
    for (std::size_t r = 0; r < 24; r += 2) {
        round(lanes, other, kKeccakRoundConstants[r], std::make_index_sequence<5>());
        round(other, lanes, kKeccakRoundConstants[r + 1], std::make_index_sequence<5>());
    }
}

void Sponge::absorb(std::size_t rate, Bytes data) {
    while (!data.empty()) {
        if (position_ % 8 == 0 && data.size() >= 8) {
            // Lane by lane: every rate is a multiple of 8.
            const std::size_t count = std::min(rate - position_, data.size()) / 8;
            for (std::size_t i = 0; i < count; ++i)
                lanes_[position_ / 8 + i] ^= load_le<std::uint64_t>(&data[8 * i]);
            position_ += 8 * count;
            data = data.subspan(8 * count);
        } else {
            xor_byte(position_++, static_cast<std::uint8_t>(data.front()));
            data = data.subspan(1);
        }
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
    while (!out.empty()) {
        if (position_ == rate) {
            keccak_f1600(lanes_);
            position_ = 0;
        }
        if (position_ % 8 == 0 && out.size() >= 8) {
            const std::size_t count = std::min(rate - position_, out.size()) / 8;
            for (std::size_t i = 0; i < count; ++i)
                store_le(&out[8 * i], lanes_[position_ / 8 + i]);
            position_ += 8 * count;
            out = out.subspan(8 * count);
        } else {
            out.front() = static_cast<std::byte>(lanes_[position_ / 8] >> (8 * (position_ % 8)));
            ++position_;
            out = out.subspan(1);
        }
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
