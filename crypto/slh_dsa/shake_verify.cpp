// Verification with the SHAKE parameter sets, an object file of its own so that it can be linked alone.
#include "crypto/slh_dsa/verify.hpp"

namespace aios::crypto::detail::slh {

template Verdict verify(const Set&, Bytes, const SignedMessage&, Bytes, Core<ShakeHash>&, MutableBytes);

} // namespace aios::crypto::detail::slh
