// HKDF (RFC 5869): keys from secrets that are not uniform (a shared secret of X25519, of ML-KEM), over any hash of
// sha2.hpp or sha3.hpp.
//
//   TRY(Hkdf<Sha256>::derive(salt, secret, info, key.bytes()));      or extract once, then expand for each purpose
//
// `info` names what the key is for; two purposes must not share one. No state, no locks; the pseudorandom key and all
// intermediate blocks are wiped.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/hmac.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

template <typename Hash>
class Hkdf {
public:
    // Section 2.3.
    static constexpr std::size_t kMaxOutput = 255 * Hash::kDigestSize;

    using Prk = SecretOctets<struct HkdfPrkTag, Hash::kDigestSize>;

    // HKDF-Extract, section 2.2. `salt` may be empty and need not be secret; `ikm` is the secret.
    // Not inlined, so that derive() does not hold two keyed states on its stack.
    [[gnu::noinline]] static void extract(Bytes salt, Bytes ikm, Prk& prk) {
        auto tag = Hmac<Hash>::compute(salt, ikm); // HMAC fills a short key up with zeros: so is a salt that is absent
        std::copy(tag.begin(), tag.end(), prk.bytes().begin());
        secure_wipe(tag);
    }

    // HKDF-Expand, section 2.3. `out` does not overlap `info`. Error: too_large above kMaxOutput; then nothing is
    // written.
    [[nodiscard]] static Result<> expand(const Prk& prk, Bytes info, MutableBytes out) {
        if (out.size() > kMaxOutput) return fail(Error::too_large);
        Hmac<Hash> mac(prk.bytes());
        typename Hmac<Hash>::Tag block{};
        for (std::uint8_t number = 1; !out.empty(); ++number) {
            if (number > 1) mac.update(block);
            mac.update(info);
            const std::byte last{number};
            mac.update({&last, 1});
            block = mac.finish();
            const std::size_t size = std::min(out.size(), block.size());
            std::copy_n(block.begin(), size, out.begin());
            out = out.subspan(size);
        }
        secure_wipe(block);
        return {};
    }

    // Both. Error: too_large; then nothing is written.
    [[nodiscard]] static Result<> derive(Bytes salt, Bytes ikm, Bytes info, MutableBytes out) {
        if (out.size() > kMaxOutput) return fail(Error::too_large);
        Prk prk;
        extract(salt, ikm, prk);
        return expand(prk, info, out);
    }
};

} // namespace aios::crypto
