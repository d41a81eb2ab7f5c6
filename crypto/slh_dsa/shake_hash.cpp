// See shake_hash.hpp.
#include "crypto/slh_dsa/shake_hash.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto::detail::slh {

namespace {

constexpr std::size_t kRate = 17;              // of SHAKE256, in lanes
constexpr std::uint64_t kPadFirst = 0x1f;      // FIPS 202 section 6.2, and the first bit of the padding
constexpr std::uint64_t kPadLast = 1ULL << 63; // section 5.1
constexpr std::size_t kAddressWords = 4;

} // namespace

void ShakeHash::bind(Bytes pk_seed) {
    words_ = pk_seed.size() / 8;
    for (std::size_t i = 0; i < words_; ++i)
        seed_[i] = load_le<std::uint64_t>(&pk_seed[8 * i]);
}

void ShakeHash::hash(const Address& address, const std::byte* in, std::size_t size, std::byte* out) {
    one_.fill(0);
    std::copy_n(seed_.begin(), words_, one_.begin());
    const auto encoded = full(address);
    std::copy_n(encoded.begin(), kAddressWords, one_.begin() + static_cast<std::ptrdiff_t>(words_));
    std::size_t at = words_ + kAddressWords;
    for (std::size_t i = 0; i < size / 8; ++i) {
        one_[at] ^= load_le<std::uint64_t>(in + 8 * i);
        if (++at < kRate) continue;
        keccak_f1600(one_);
        at = 0;
    }
    one_[at] ^= kPadFirst;
    one_[kRate - 1] ^= kPadLast;
    keccak_f1600(one_);
    for (std::size_t i = 0; i < words_; ++i)
        store_le(out + 8 * i, one_[i]);
}

void ShakeHash::hash_x4(const Address* addresses, const std::byte* const* in, std::size_t size, std::byte* const* out,
                        std::size_t count) {
    auto& lanes = four_.lanes;
    lanes = {};
    for (std::size_t i = 0; i < words_; ++i)
        lanes[i].fill(seed_[i]);
    for (std::size_t s = 0; s < count; ++s) {
        const auto encoded = full(addresses[s]);
        for (std::size_t i = 0; i < kAddressWords; ++i)
            lanes[words_ + i][s] = encoded[i];
    }
    std::size_t at = words_ + kAddressWords;
    for (std::size_t i = 0; i < size / 8; ++i) {
        for (std::size_t s = 0; s < count; ++s)
            lanes[at][s] ^= load_le<std::uint64_t>(in[s] + 8 * i);
        if (++at < kRate) continue;
        keccak_f1600_x4(four_);
        at = 0;
    }
    for (std::size_t s = 0; s < 4; ++s) {
        lanes[at][s] ^= kPadFirst;
        lanes[kRate - 1][s] ^= kPadLast;
    }
    keccak_f1600_x4(four_);
    for (std::size_t s = 0; s < count; ++s) {
        for (std::size_t i = 0; i < words_; ++i)
            store_le(out[s] + 8 * i, lanes[i][s]);
    }
}

void ShakeHash::hash_x8(const Addresses& addresses, const Inputs& in, std::size_t size, const Outputs& out,
                        std::size_t count) {
    if (use_avx2() && count > 1) {
        for (std::size_t s = 0; s < count; s += 4)
            hash_x4(&addresses[s], &in[s], size, &out[s], std::min<std::size_t>(4, count - s));
        return;
    }
    for (std::size_t s = 0; s < count; ++s)
        hash(addresses[s], in[s], size, out[s]);
}

void ShakeHash::chain_one(const Address& address, std::uint32_t first, std::uint32_t last, std::byte* value) {
    Address at = address;
    for (at.hash = first; at.hash < last; ++at.hash)
        hash(at, value, 8 * words_, value);
}

void ShakeHash::chain_x4(const Address* addresses, const std::uint32_t* starts, std::uint32_t first, std::uint32_t last,
                         std::array<std::byte, kMaxN>* values, std::size_t count) {
    auto& lanes = four_.lanes;
    const std::size_t value_at = words_ + kAddressWords;
    std::array<std::array<std::uint64_t, 4>, 4> address{};
    auto& value = values_;
    value = {};
    for (std::size_t s = 0; s < count; ++s) {
        Address at = addresses[s];
        at.hash = 0;
        const auto encoded = full(at);
        for (std::size_t i = 0; i < kAddressWords; ++i)
            address[i][s] = encoded[i];
        for (std::size_t i = 0; i < words_; ++i)
            value[i][s] = load_le<std::uint64_t>(&values[s][8 * i]);
    }
    for (std::uint32_t step = first; step < last; ++step) {
        lanes = {};
        for (std::size_t i = 0; i < words_; ++i) {
            lanes[i].fill(seed_[i]);
            lanes[value_at + i] = value[i];
        }
        for (std::size_t i = 0; i < kAddressWords; ++i)
            lanes[words_ + i] = address[i];
        const std::uint64_t encoded_step = std::byteswap(std::uint64_t{step});
        for (std::size_t s = 0; s < 4; ++s)
            lanes[value_at - 1][s] |= encoded_step;
        lanes[value_at + words_].fill(kPadFirst);
        lanes[kRate - 1].fill(kPadLast);
        keccak_f1600_x4(four_);
        for (std::size_t s = 0; s < count; ++s) {
            if (step < starts[s]) continue;
            for (std::size_t i = 0; i < words_; ++i)
                value[i][s] = lanes[i][s];
        }
    }
    for (std::size_t s = 0; s < count; ++s) {
        for (std::size_t i = 0; i < words_; ++i)
            store_le(&values[s][8 * i], value[i][s]);
    }
}

void ShakeHash::chain_x8(const Addresses& addresses, const Starts& starts, std::uint32_t first, std::uint32_t last,
                         Lanes& lanes, std::size_t count) {
    if (use_avx2() && count > 1) {
        for (std::size_t s = 0; s < count; s += 4) {
            const std::size_t here = std::min<std::size_t>(4, count - s);
            // Where all four wait, nothing is computed.
            const std::uint32_t from = std::max(first, *std::min_element(&starts[s], &starts[s] + here));
            chain_x4(&addresses[s], &starts[s], from, last, &lanes.values[s], here);
        }
        return;
    }
    for (std::size_t s = 0; s < count; ++s)
        chain_one(addresses[s], std::max(first, starts[s]), last, lanes.values[s].data());
}

} // namespace aios::crypto::detail::slh
