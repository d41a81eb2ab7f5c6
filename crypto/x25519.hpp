// X25519 (RFC 7748): Diffie-Hellman on Curve25519, the classical half of the hybrid X25519MLKEM768.
//
//   X25519::public_key(secret, mine);                  secret: 32 random bytes
//   TRY(X25519::derive(secret, theirs, shared));       the same for both sides; not uniform, so feed it to Hkdf
//
// The time depends on no argument. Nothing allocates; what the computation leaves on the stack is wiped. No state, no
// locks.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

class X25519 {
public:
    // Any 32 bytes; section 5 says which bits are set and cleared when it is used (clamping).
    using Secret = SecretOctets<struct X25519SecretTag, 32>;
    // Any 32 bytes: the top bit is ignored, and values of 2^255 - 19 and above count modulo that (section 5).
    using PublicKey = Octets<struct X25519PublicKeyTag, 32>;
    using SharedSecret = SecretOctets<struct X25519SharedSecretTag, 32>;

    // X25519(secret, 9), section 6.1.
    static void public_key(const Secret& secret, PublicKey& out);

    // X25519(secret, theirs), section 5. Error: bad_format if the result is all zeros, which happens for the points of
    // small order and for no others (section 6.1); then `out` is zero.
    [[nodiscard]] static Result<> derive(const Secret& secret, const PublicKey& theirs, SharedSecret& out);
};

} // namespace aios::crypto
