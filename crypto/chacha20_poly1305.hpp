// ChaCha20-Poly1305 (RFC 8439): authenticated encryption with associated data, with 96-bit nonces and 128-bit tags. The
// AEAD to take where the processor has no instructions for AES.
//
//   TRY(ChaCha20Poly1305::seal(key, nonce, aad, plaintext, ciphertext, tag));
//   TRY(ChaCha20Poly1305::open(key, nonce, aad, ciphertext, tag, plaintext));   Error::integrity if anything was
//   changed
//
// Aes256Gcm has the same interface. A nonce must never be used for two messages under one key: that gives away the sum
// of both and lets an attacker forge tags (section 4).
//
// Uses AVX2 where it is there. Times do not depend on key, text or tag. Nothing allocates; all secrets that an
// operation puts on the stack are wiped. No state, no locks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

class ChaCha20Poly1305 {
public:
    using Key = SecretOctets<struct ChaCha20Poly1305KeyTag, 32>;
    using Nonce = Octets<struct ChaCha20Poly1305NonceTag, 12>;
    using Tag = Octets<struct ChaCha20Poly1305TagTag, 16>;

    // Section 2.8: 2^32 - 1 blocks of text; the length of associated data is counted with 64 bits.
    static constexpr std::uint64_t kMaxText = (std::uint64_t{1} << 38) - 64;
    static constexpr std::uint64_t kMaxAad = ~std::uint64_t{0};

    // Encrypts `plaintext` to `ciphertext`, which has the same length, and computes the tag of it and `aad`. The two
    // may be the same memory; they may not overlap in part, and `aad` may not overlap `ciphertext`. Section 2.8.1.
    // Errors: bad_argument (lengths differ, or an overlap), too_large.
    [[nodiscard]] static Result<> seal(const Key& key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                                       MutableBytes ciphertext, Tag& tag);

    // The reverse, with the same rules for buffers. The tag is checked first: after Error::integrity the output is
    // untouched, and in place it still holds the ciphertext.
    [[nodiscard]] static Result<> open(const Key& key, const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag,
                                       MutableBytes plaintext);
};

} // namespace aios::crypto
