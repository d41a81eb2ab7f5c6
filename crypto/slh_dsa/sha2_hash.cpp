// See sha2_hash.hpp.
#include "crypto/slh_dsa/sha2_hash.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/sha2.hpp"

namespace aios::crypto::detail::slh {

namespace {

template <typename Word>
constexpr std::size_t kBlock = 16 * sizeof(Word);

// What is hashed behind PK.seed's block: ADRSc, `size` bytes, padding.
template <typename Word>
constexpr std::size_t block_count(std::size_t size) {
    return (kCompressedSize + size + 1 + 2 * sizeof(Word) + kBlock<Word> - 1) / kBlock<Word>;
}

// Block `index` of that.
template <typename Word>
void fill_block(const Address& address, const std::byte* in, std::size_t size, std::size_t index, std::byte* block) {
    constexpr std::size_t kSize = kBlock<Word>;
    std::size_t used = 0;
    std::size_t from = 0;
    if (index == 0) {
        const auto words = compressed(address);
        for (std::size_t i = 0; i < words.size(); ++i)
            store_be(block + 4 * i, words[i]);
        used = kCompressedSize;
    } else {
        from = index * kSize - kCompressedSize;
    }
    const std::size_t taken = std::min(size - std::min(size, from), kSize - used);
    std::copy_n(in + from * (taken != 0), taken, block + used);
    used += taken;
    if (used == kSize) return;
    std::fill(block + used, block + kSize, std::byte{0});
    const std::size_t end = kCompressedSize + size;
    if (end / kSize == index) block[end % kSize] = std::byte{0x80};
    if (index + 1 == block_count<Word>(size)) store_be(block + kSize - 8, std::uint64_t{8 * (kSize + end)});
}

template <typename Word>
void store_words(const std::array<Word, 8>& state, std::size_t n, std::byte* out) {
    for (std::size_t i = 0; i < n / sizeof(Word); ++i)
        store_be(out + i * sizeof(Word), state[i]);
}

template <typename Word>
void absorb_seed(std::array<Word, 8>& state, Bytes pk_seed, std::byte* block) {
    std::copy(pk_seed.begin(), pk_seed.end(), block);
    std::fill(block + pk_seed.size(), block + kBlock<Word>, std::byte{0});
    sha2_compress(state, block, 1);
}

} // namespace

void Sha2Hash::bind(Bytes pk_seed) {
    n_ = pk_seed.size();
    midstate256_ = kSha256Initial;
    absorb_seed(midstate256_, pk_seed, blocks_.data());
    midstate512_ = kSha512Initial;
    if (n_ != 16) absorb_seed(midstate512_, pk_seed, blocks_.data());
}

template <typename Word>
void Sha2Hash::hash_one(const Address& address, const std::byte* in, std::size_t size, std::byte* out) {
    auto& state = [this]() -> auto& {
        if constexpr (sizeof(Word) == 4)
            return one256_;
        else
            return one512_;
    }();
    state = midstate<Word>();
    for (std::size_t i = 0; i < block_count<Word>(size); ++i) {
        fill_block<Word>(address, in, size, i, blocks_.data());
        sha2_compress(state, blocks_.data(), 1);
    }
    store_words(state, n_, out);
}

void Sha2Hash::hash(const Address& address, const std::byte* in, std::size_t size, std::byte* out) {
    if (n_ == 16 || size == n_)
        hash_one<std::uint32_t>(address, in, size, out);
    else
        hash_one<std::uint64_t>(address, in, size, out);
}

void Sha2Hash::hash_x8_sha256(const Addresses& addresses, const Inputs& in, std::size_t size, const Outputs& out,
                              std::size_t count) {
    for (std::size_t i = 0; i < 8; ++i)
        state256_.words[i].fill(midstate256_[i]);
    // Lanes beyond `count` hash whatever is in their blocks.
    for (std::size_t i = 0; i < block_count<std::uint32_t>(size); ++i) {
        for (std::size_t s = 0; s < count; ++s)
            fill_block<std::uint32_t>(addresses[s], in[s], size, i, &blocks_[64 * s]);
        sha256_compress_x8_avx2(state256_, blocks_.data());
    }
    for (std::size_t s = 0; s < count; ++s) {
        for (std::size_t i = 0; i < n_ / 4; ++i)
            store_be(out[s] + 4 * i, state256_.words[i][s]);
    }
}

void Sha2Hash::hash_x4_sha512(const Address* addresses, const std::byte* const* in, std::size_t size,
                              std::byte* const* out, std::size_t count) {
    for (std::size_t i = 0; i < 8; ++i)
        state512_.words[i].fill(midstate512_[i]);
    for (std::size_t i = 0; i < block_count<std::uint64_t>(size); ++i) {
        for (std::size_t s = 0; s < count; ++s)
            fill_block<std::uint64_t>(addresses[s], in[s], size, i, &blocks_[128 * s]);
        sha512_compress_x4_avx2(state512_, blocks_.data(), memory_);
    }
    for (std::size_t s = 0; s < count; ++s) {
        for (std::size_t i = 0; i < n_ / 8; ++i)
            store_be(out[s] + 8 * i, state512_.words[i][s]);
    }
}

void Sha2Hash::hash_x8(const Addresses& addresses, const Inputs& in, std::size_t size, const Outputs& out,
                       std::size_t count) {
    if (use_avx2() && count > 1) {
        if (n_ == 16 || size == n_) {
            hash_x8_sha256(addresses, in, size, out, count);
        } else {
            for (std::size_t s = 0; s < count; s += 4)
                hash_x4_sha512(&addresses[s], &in[s], size, &out[s], std::min<std::size_t>(4, count - s));
        }
        return;
    }
    for (std::size_t s = 0; s < count; ++s)
        hash(addresses[s], in[s], size, out[s]);
}

// All steps in one block, of which only the step and the value change.
void Sha2Hash::chain_one(const Address& address, std::uint32_t first, std::uint32_t last, std::byte* value) {
    if (first >= last) return;
    std::byte* const block = blocks_.data();
    Address at = address;
    at.hash = 0;
    fill_block<std::uint32_t>(at, value, n_, 0, block);
    for (std::uint32_t step = first; step < last; ++step) {
        block[kCompressedSize - 1] = static_cast<std::byte>(step);
        one256_ = midstate256_;
        sha2_compress(one256_, block, 1);
        store_words(one256_, n_, block + kCompressedSize);
    }
    std::copy_n(block + kCompressedSize, n_, value);
}

void Sha2Hash::chain_x8(const Addresses& addresses, const Starts& starts, std::uint32_t first, std::uint32_t last,
                        Lanes& lanes, std::size_t count) {
    if (first >= last) return;
    if (use_avx2() && count > 1) {
        sha256_chain_x8_avx2(midstate256_, addresses, n_, starts, first, last, lanes, memory_);
        return;
    }
    for (std::size_t s = 0; s < count; ++s)
        chain_one(addresses[s], std::max(first, starts[s]), last, lanes.values[s].data());
}

} // namespace aios::crypto::detail::slh
