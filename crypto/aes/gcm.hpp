// AES-GCM (SP 800-38D) inside: any IV and tag length that the standard allows, keys of 128 and 256 bits. The library
// offers the typed Aes256Gcm of aes_gcm.hpp; the rest is for NIST's test vectors.
//
// Three engines compute the same bits: Portable (bitsliced AES, GHASH by integer multiplication), Instructions (AES-NI
// and PCLMULQDQ) and WideInstructions (VAES and VPCLMULQDQ on registers of 256 bits). An operation takes one of them
// and keeps it to its end. Each engine has its own form of the two keys. None branches on a secret or uses one as an
// index.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::crypto::detail::aes {

inline constexpr std::size_t kBlockSize = 16;

struct Block {
    alignas(16) std::array<std::byte, kBlockSize> bytes{};
};

// The number of rounds (FIPS 197 section 5).
constexpr unsigned rounds_of_key(std::size_t key_size) { return static_cast<unsigned>(key_size / 4 + 6); }

// Expanded keys; `words` in the form of the engine.
struct RoundKeys {
    alignas(16) std::array<std::uint64_t, 32> words;
    unsigned rounds;
};

// The hash key H = AES(0), prepared; in the form of the engine.
struct HashKey {
    static constexpr std::size_t kMostPowers = 16;
    alignas(32) std::array<std::uint64_t, 2 * kMostPowers> words;
    alignas(32) std::array<std::uint64_t, 2 * kMostPowers> sums; // by instructions: of the halves of each power
};

// What the mode needs of an engine.
struct Portable {
    // KeyExpansion, FIPS 197 section 5.2. 16 or 32 bytes.
    static void expand(Bytes key, RoundKeys& keys);
    // Two blocks in place: CIPHER, FIPS 197 section 5.1.
    static void encrypt(const RoundKeys& keys, Block& first, Block& second);
    // `text` is the length of the longest run that will be hashed.
    static void prepare(const Block& h, std::size_t text, HashKey& key);
    // GHASH, SP 800-38D section 6.4, from the state `hash` on; the last block is filled up with zeros.
    static void ghash(const HashKey& key, Block& hash, Bytes data);
    // GCTR, section 6.5. `counter` goes up by the number of blocks.
    static void gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out);
    // gctr, and ghash of its output.
    static void gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                               MutableBytes out);
};

struct Instructions {
    static void expand(Bytes key, RoundKeys& keys);
    static void encrypt(const RoundKeys& keys, Block& first, Block& second);
    static void prepare(const Block& h, std::size_t text, HashKey& key);
    static void ghash(const HashKey& key, Block& hash, Bytes data);
    static void gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out);
    static void gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                               MutableBytes out);
};

// The same with twice as wide registers; single blocks and the key schedule as above.
struct WideInstructions : Instructions {
    static void prepare(const Block& h, std::size_t text, HashKey& key);
    static void ghash(const HashKey& key, Block& hash, Bytes data);
    static void gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out);
    static void gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                               MutableBytes out);
};

// SP 800-38D section 7.1, algorithm 4. `key` has 16 or 32 bytes, `iv` at least one, `tag` 4, 8 or 12 to 16.
// Errors: bad_argument (a length, or buffers that overlap), too_large.
[[nodiscard]] Result<> gcm_seal(Bytes key, Bytes iv, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                                MutableBytes tag);

// Section 7.2, algorithm 5. Errors as above; integrity, and then the output was not written.
[[nodiscard]] Result<> gcm_open(Bytes key, Bytes iv, Bytes aad, Bytes ciphertext, Bytes tag, MutableBytes plaintext);

} // namespace aios::crypto::detail::aes
