// H_msg and PRF_msg of the SHA-2 parameter sets (FIPS 205 sections 11.2.1 and 11.2.2): SHA-256 for n = 16, else
// SHA-512.
#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/hmac.hpp"
#include "crypto/secret.hpp"
#include "crypto/sha2.hpp"
#include "crypto/slh_dsa/sha2_hash.hpp"

namespace aios::crypto::detail::slh {

namespace {

// MGF1(R || PK.seed || Hash(R || PK.seed || PK.root || M)); MGF1 is in RFC 8017, appendix B.2.1.
template <typename Hash>
void digest_with(Bytes r, Bytes public_key, const SignedMessage& message, MutableBytes out) {
    Hash hash;
    hash.update(r);
    hash.update(public_key);
    hash.update(message.prefix());
    hash.update(message.payload());
    const auto inner = hash.finish();
    std::uint32_t counter = 0;
    for (std::size_t at = 0; at < out.size(); at += Hash::kDigestSize, ++counter) {
        std::array<std::byte, 4> encoded;
        store_be(encoded.data(), counter);
        hash.update(r);
        hash.update(public_key.first(r.size()));
        hash.update(inner);
        hash.update(encoded);
        const auto block = hash.finish();
        std::copy_n(block.begin(), std::min(block.size(), out.size() - at), out.subspan(at).begin());
    }
}

template <typename Hash>
void randomizer_with(Bytes sk_prf, Bytes opt_rand, const SignedMessage& message, MutableBytes out) {
    Hmac<Hash> mac(sk_prf);
    mac.update(opt_rand);
    mac.update(message.prefix());
    mac.update(message.payload());
    const auto tag = mac.finish();
    std::copy_n(tag.begin(), out.size(), out.begin());
}

} // namespace

void Sha2Hash::digest(Bytes r, Bytes public_key, const SignedMessage& message, MutableBytes out) {
    if (r.size() == 16)
        digest_with<Sha256>(r, public_key, message, out);
    else
        digest_with<Sha512>(r, public_key, message, out);
}

void Sha2Hash::randomizer(Bytes sk_prf, Bytes opt_rand, const SignedMessage& message, MutableBytes out) {
    if (out.size() == 16)
        randomizer_with<Sha256>(sk_prf, opt_rand, message, out);
    else
        randomizer_with<Sha512>(sk_prf, opt_rand, message, out);
}

} // namespace aios::crypto::detail::slh
