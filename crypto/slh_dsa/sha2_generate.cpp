// Key generation with the SHA-2 parameter sets, an object file of its own so that it can be linked alone.
#include "crypto/slh_dsa/generate.hpp"

namespace aios::crypto::detail::slh {

template Result<> generate(const Set&, Bytes, Bytes, Bytes, MutableBytes, MutableBytes, Core<Sha2Hash>&, MutableBytes,
                           StopCallback);

} // namespace aios::crypto::detail::slh
