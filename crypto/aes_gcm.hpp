// AES-256-GCM (SP 800-38D, FIPS 197): authenticated encryption with associated data, with 96-bit nonces and 128-bit
// tags.
//
//   TRY(Aes256Gcm::seal(key, nonce, aad, plaintext, ciphertext, tag));
//   TRY(Aes256Gcm::open(key, nonce, aad, ciphertext, tag, plaintext));      Error::integrity if anything was changed
//
// ChaCha20Poly1305 has the same interface. A nonce must never be used for two messages under one key: that gives away
// the sum of both and lets an attacker forge tags (section 8). Random nonces allow 2^32 messages a key.
//
// Uses AES-NI and PCLMULQDQ where they are there, else a bitsliced path: times do not depend on key, text or tag.
// Nothing allocates; all secrets that an operation puts on the stack are wiped. No state, no locks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

class Aes256Gcm {
public:
    using Key = SecretOctets<struct Aes256GcmKeyTag, 32>;
    using Nonce = Octets<struct Aes256GcmNonceTag, 12>;
    using Tag = Octets<struct Aes256GcmTagTag, 16>;

    // Section 5.2.1.1: 2^39 - 256 bits of text and 2^64 - 1 bits of associated data, in whole bytes.
    static constexpr std::uint64_t kMaxText = (std::uint64_t{1} << 36) - 32;
    static constexpr std::uint64_t kMaxAad = (std::uint64_t{1} << 61) - 1;

    // Encrypts `plaintext` to `ciphertext`, which has the same length, and computes the tag of it and `aad`. The two
    // may be the same memory; they may not overlap in part, and `aad` may not overlap `ciphertext`. Algorithm 4.
    // Errors: bad_argument (lengths differ, or an overlap), too_large.
    [[nodiscard]] static Result<> seal(const Key& key, const Nonce& nonce, Bytes aad, Bytes plaintext,
                                       MutableBytes ciphertext, Tag& tag);

    // The reverse, with the same rules for buffers. The tag is checked first: after Error::integrity the output is
    // untouched, and in place it still holds the ciphertext. Algorithm 5.
    [[nodiscard]] static Result<> open(const Key& key, const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag,
                                       MutableBytes plaintext);
};

} // namespace aios::crypto
