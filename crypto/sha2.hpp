// SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/224 and SHA-512/256 (FIPS 180-4), incremental. One object hashes one
// message at a time:
//
//   Sha256 hash;  hash.update(a);  hash.update(b);  Digest256 digest = hash.finish();       or  Sha256::hash(a)
//
// Objects are plain values: copying one copies the state of the computation. Nothing is wiped; Hmac wipes what it keys.
// No allocation, no failure, no locks. The limit of 2^61 bytes a message cannot be reached.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace aios::crypto {

using Digest224 = std::array<std::byte, 28>;
using Digest256 = std::array<std::byte, 32>;
using Digest384 = std::array<std::byte, 48>;
using Digest512 = std::array<std::byte, 64>;

namespace detail {

// Adds `count` blocks from `data` to the chaining state (FIPS 180-4 sections 6.2.2 and 6.4.2).
void sha2_compress(std::array<std::uint32_t, 8>& state, const std::byte* data, std::size_t count);
void sha2_compress(std::array<std::uint64_t, 8>& state, const std::byte* data, std::size_t count);

// What all four share: the chaining state, a block that is not yet full, and the length.
template <typename Word>
class Sha2Core {
public:
    static constexpr std::size_t kBlockSize = 16 * sizeof(Word);

    constexpr explicit Sha2Core(const std::array<Word, 8>& initial) : state_(initial) {}

    void update(Bytes data);

    // Pads, and writes the leading `size` bytes of the state, a multiple of 4, to `out`.
    void finish(std::byte* out, std::size_t size);

private:
    std::array<Word, 8> state_;
    std::uint64_t length_ = 0;                 // bytes so far
    std::array<std::byte, kBlockSize> buffer_; // its first length_ % kBlockSize bytes are in use
};

template <typename Word, std::size_t Size, const std::array<Word, 8>& Initial>
class Sha2 {
public:
    static constexpr std::size_t kDigestSize = Size;
    static constexpr std::size_t kBlockSize = Sha2Core<Word>::kBlockSize;
    using Digest = std::array<std::byte, Size>;

    constexpr Sha2() : core_(Initial) {}

    // Adds `data` to the message.
    void update(Bytes data) { core_.update(data); }

    // Ends the message and returns its digest. The object then starts a new message.
    [[nodiscard]] Digest finish() {
        Digest digest;
        core_.finish(digest.data(), Size);
        reset();
        return digest;
    }

    void reset() { core_ = Sha2Core<Word>(Initial); }

    [[nodiscard]] static Digest hash(Bytes data) {
        Sha2 hash;
        hash.update(data);
        return hash.finish();
    }

private:
    Sha2Core<Word> core_;
};

// FIPS 180-4 section 5.3.
inline constexpr std::array<std::uint32_t, 8> kSha224Initial = {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939,
                                                                0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4};
inline constexpr std::array<std::uint32_t, 8> kSha256Initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
inline constexpr std::array<std::uint64_t, 8> kSha384Initial = {
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};
inline constexpr std::array<std::uint64_t, 8> kSha512Initial = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
// Section 5.3.6: the truncated forms start from values of their own.
inline constexpr std::array<std::uint64_t, 8> kSha512_224Initial = {
    0x8c3d37c819544da2, 0x73e1996689dcd4d6, 0x1dfab7ae32ff9c82, 0x679dd514582f9fcf,
    0x0f6d2b697bd44da8, 0x77e36f7304c48942, 0x3f9d85a86a1d36c8, 0x1112e6ad91d692a1};
inline constexpr std::array<std::uint64_t, 8> kSha512_256Initial = {
    0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151, 0x963877195940eabd,
    0x96283ee2a88effe3, 0xbe5e1e2553863992, 0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2};

} // namespace detail

using Sha224 = detail::Sha2<std::uint32_t, 28, detail::kSha224Initial>;
using Sha256 = detail::Sha2<std::uint32_t, 32, detail::kSha256Initial>;
using Sha384 = detail::Sha2<std::uint64_t, 48, detail::kSha384Initial>;
using Sha512 = detail::Sha2<std::uint64_t, 64, detail::kSha512Initial>;
using Sha512_224 = detail::Sha2<std::uint64_t, 28, detail::kSha512_224Initial>;
using Sha512_256 = detail::Sha2<std::uint64_t, 32, detail::kSha512_256Initial>;

} // namespace aios::crypto
