// Key generation. See core.hpp.
#pragma once

#include "crypto/constant_time.hpp"
#include "crypto/slh_dsa/xmss.hpp"

namespace aios::crypto::detail::slh {

// slh_keygen_internal, algorithm 18.
template <typename Hash>
Result<> generate(const Set& set, Bytes sk_seed, Bytes sk_prf, Bytes pk_seed, MutableBytes public_key,
                  MutableBytes secret_key, Core<Hash>& core, MutableBytes chains, StopCallback stop) {
    const std::size_t n = set.n;
    core.set = set;
    core.poll = Poll(stop);
    core.chains = chains;
    std::copy(sk_seed.begin(), sk_seed.end(), core.sk_seed.begin());
    core.hash.bind(pk_seed);

    Result<> result = core.poll.now();
    if (result) result = xmss_tree(core, set.d - 1, 0, 0, nullptr);
    if (result) {
        declassify(core.root.data(), n); // PK.root is public
        std::copy(sk_seed.begin(), sk_seed.end(), secret_key.begin());
        std::copy(sk_prf.begin(), sk_prf.end(), secret_key.subspan(n).begin());
        std::copy(pk_seed.begin(), pk_seed.end(), secret_key.subspan(2 * n).begin());
        std::copy_n(core.root.begin(), n, secret_key.subspan(3 * n).begin());
        std::copy_n(secret_key.subspan(2 * n).begin(), 2 * n, public_key.begin());
    } else {
        std::fill(secret_key.begin(), secret_key.end(), std::byte{0});
        std::fill(public_key.begin(), public_key.end(), std::byte{0});
    }
    secure_wipe(chains);
    secure_wipe_object(core);
    return result;
}

} // namespace aios::crypto::detail::slh
