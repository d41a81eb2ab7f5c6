// H_msg and PRF_msg of the SHAKE parameter sets (FIPS 205 section 11.1).
#include "crypto/secret.hpp"
#include "crypto/sha3.hpp"
#include "crypto/slh_dsa/shake_hash.hpp"

namespace aios::crypto::detail::slh {

void ShakeHash::digest(Bytes r, Bytes public_key, const SignedMessage& message, MutableBytes out) {
    Shake256 xof;
    xof.update(r);
    xof.update(public_key);
    xof.update(message.prefix());
    xof.update(message.payload());
    xof.squeeze(out);
}

void ShakeHash::randomizer(Bytes sk_prf, Bytes opt_rand, const SignedMessage& message, MutableBytes out) {
    Shake256 xof;
    const WipeAtEnd wipe(xof);
    xof.update(sk_prf);
    xof.update(opt_rand);
    xof.update(message.prefix());
    xof.update(message.payload());
    xof.squeeze(out);
}

} // namespace aios::crypto::detail::slh
