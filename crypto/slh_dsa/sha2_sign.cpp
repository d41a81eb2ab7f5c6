// Signing with the SHA-2 parameter sets, an object file of its own so that it can be linked alone.
#include "crypto/slh_dsa/sign.hpp"

namespace aios::crypto::detail::slh {

template Result<> sign(const Set&, Bytes, const SignedMessage&, Bytes, MutableBytes, Core<Sha2Hash>&, MutableBytes,
                       StopCallback);

} // namespace aios::crypto::detail::slh
