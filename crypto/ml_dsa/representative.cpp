// See representative.hpp.
#include "crypto/ml_dsa/representative.hpp"

#include <algorithm>

#include "crypto/sha3.hpp"

namespace aios::crypto::detail::ml_dsa {

void hash(MutableBytes out, Bytes first, Bytes second, Bytes third) {
    Shake256 xof;
    xof.update(first);
    xof.update(second);
    xof.update(third);
    xof.squeeze(out);
}

void message_representative(Bytes tr, const SignedMessage& message, Mu mu) {
    if (message.is_mu())
        std::ranges::copy(message.payload(), mu.begin());
    else
        hash(mu, tr, message.prefix(), message.payload());
}

} // namespace aios::crypto::detail::ml_dsa
