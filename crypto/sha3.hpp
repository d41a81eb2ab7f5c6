// SHA3-224, -256, -384, -512 and the extendable-output functions SHAKE128 and SHAKE256 (FIPS 202), incremental.
//
//   Sha3_256 hash;  hash.update(a);  auto digest = hash.finish();       or  Sha3_256::hash(a)
//   Shake128 xof;   xof.update(seed);  xof.squeeze(part1);  xof.squeeze(part2);
//
// Objects are plain values. No allocation, no failure, no locks. A Shake that has been squeezed takes no more input
// (asserted) until reset().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace aios::crypto {

namespace detail {

// The permutation Keccak-f[1600] (FIPS 202 section 3.3) on 25 lanes; lane x + 5y is A[x, y].
void keccak_f1600(std::array<std::uint64_t, 25>& lanes);

// The sponge of section 4. `rate` is in bytes and the same in every call on one object.
class Sponge {
public:
    void absorb(std::size_t rate, Bytes data);
    // Ends the input: `suffix` holds the domain bits and the first bit of the padding (sections 6.1, 6.2, B.2).
    void pad(std::size_t rate, std::uint8_t suffix);
    void squeeze(std::size_t rate, MutableBytes out);

private:
    void xor_byte(std::size_t at, std::uint8_t value) { lanes_[at / 8] ^= std::uint64_t{value} << (8 * (at % 8)); }

    std::array<std::uint64_t, 25> lanes_{};
    std::size_t position_ = 0; // in the current block: bytes absorbed, or bytes already squeezed
};

} // namespace detail

template <std::size_t Size>
class Sha3 {
public:
    static constexpr std::size_t kDigestSize = Size;
    static constexpr std::size_t kBlockSize = 200 - 2 * Size;
    using Digest = std::array<std::byte, Size>;

    void update(Bytes data) { sponge_.absorb(kBlockSize, data); }

    // Ends the message and returns its digest. The object then starts a new message.
    [[nodiscard]] Digest finish() {
        Digest digest;
        sponge_.pad(kBlockSize, 0x06);
        sponge_.squeeze(kBlockSize, digest);
        reset();
        return digest;
    }

    void reset() { sponge_ = detail::Sponge(); }

    [[nodiscard]] static Digest hash(Bytes data) {
        Sha3 hash;
        hash.update(data);
        return hash.finish();
    }

private:
    detail::Sponge sponge_;
};

using Sha3_224 = Sha3<28>;
using Sha3_256 = Sha3<32>;
using Sha3_384 = Sha3<48>;
using Sha3_512 = Sha3<64>;

template <std::size_t Rate>
class Shake {
public:
    static constexpr std::size_t kBlockSize = Rate;

    void update(Bytes data);

    // The next `out.size()` bytes of output. The first call ends the input.
    void squeeze(MutableBytes out);

    void reset() { *this = Shake(); }

private:
    detail::Sponge sponge_;
    bool squeezing_ = false;
};

using Shake128 = Shake<168>;
using Shake256 = Shake<136>;

} // namespace aios::crypto
