// HMAC_DRBG (NIST SP 800-90A revision 1, section 10.1.2): random bytes from entropy that the caller brings. There is no
// entropy source here, and nothing is handed out before instantiate() has been given enough entropy.
//
// Always holds: after every call the state has moved on, so a state that leaks later does not tell what was handed out
// (backtracking resistance). The state is wiped when the object ends. Not thread-safe: one generator a CPU or a lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/hmac.hpp"
#include "crypto/sha2.hpp"

namespace aios::crypto {

template <typename Hash>
class HmacDrbg : Pinned {
public:
    // SP 800-90A table 2: the most bytes of one request, and the most requests between reseeds.
    static constexpr std::size_t kMaxRequest = std::size_t{1} << 16;
    static constexpr std::uint64_t kMaxReseedInterval = std::uint64_t{1} << 48;

    // The security strength in bytes (SP 800-57 part 1, table 3): the least entropy that instantiate and reseed accept.
    static constexpr std::size_t kSecurityStrength = Hash::kDigestSize >= 32 ? 32 : 24;

    HmacDrbg() = default;

    // Reseed after `interval` requests, 1 to kMaxReseedInterval.
    explicit HmacDrbg(std::uint64_t interval) : interval_(std::clamp<std::uint64_t>(interval, 1, kMaxReseedInterval)) {}

    ~HmacDrbg() {
        secure_wipe(key_);
        secure_wipe(value_);
    }

    // Section 10.1.2.3. `entropy` has full entropy of at least kSecurityStrength bytes; `nonce` at least half of that,
    // or the entropy is that much longer. Error: bad_argument.
    [[nodiscard]] Result<> instantiate(Bytes entropy, Bytes nonce, Bytes personalization = {}) {
        if (entropy.size() < kSecurityStrength) return fail(Error::bad_argument);
        if (entropy.size() + nonce.size() < kSecurityStrength + kSecurityStrength / 2) return fail(Error::bad_argument);
        key_.fill(std::byte{0});
        value_.fill(std::byte{1});
        mix({entropy, nonce, personalization});
        reseed_counter_ = 1;
        return {};
    }

    // Section 10.1.2.4. Errors: bad_state before instantiate; bad_argument for too little entropy.
    [[nodiscard]] Result<> reseed(Bytes entropy, Bytes additional = {}) {
        if (!is_instantiated()) return fail(Error::bad_state);
        if (entropy.size() < kSecurityStrength) return fail(Error::bad_argument);
        mix({entropy, additional});
        reseed_counter_ = 1;
        return {};
    }

    // Section 10.1.2.5: fills `out`. Errors: bad_state before instantiate; too_large above kMaxRequest; not_ready when
    // the reseed interval is over, until reseed. On an error `out` is unchanged.
    [[nodiscard]] Result<> generate(MutableBytes out, Bytes additional = {}) {
        if (!is_instantiated()) return fail(Error::bad_state);
        if (out.size() > kMaxRequest) return fail(Error::too_large);
        if (needs_reseed()) return fail(Error::not_ready);
        if (!additional.empty()) mix({additional});
        fill(out);
        mix({additional});
        ++reseed_counter_;
        return {};
    }

    // Takes the state of `from`, which is as before instantiate() afterwards. So a generator can be made beside the one in
    // use, where there is time for it.
    void take_over(HmacDrbg& from) {
        key_ = from.key_;
        value_ = from.value_;
        reseed_counter_ = std::exchange(from.reseed_counter_, 0);
        interval_ = from.interval_;
        secure_wipe(from.key_);
        secure_wipe(from.value_);
    }

    [[nodiscard]] bool is_instantiated() const { return reseed_counter_ != 0; }
    [[nodiscard]] bool needs_reseed() const { return reseed_counter_ > interval_; }
    // One more than the requests since the last seed; 0 before instantiate.
    [[nodiscard]] std::uint64_t reseed_counter() const { return reseed_counter_; }

private:
    // Steps 3 and 4 of section 10.1.2.5. A function of its own, as is mix: the MACs in their frames are large and never
    // on the stack together.
    [[gnu::noinline]] void fill(MutableBytes out) {
        Hmac<Hash> mac(key_);
        while (!out.empty()) {
            mac.update(value_);
            value_ = mac.finish();
            const std::size_t taken = std::min(out.size(), value_.size());
            std::copy_n(value_.begin(), taken, out.begin());
            out = out.subspan(taken);
        }
    }

    // HMAC_DRBG_Update, section 10.1.2.2, with the provided data in pieces.
    [[gnu::noinline]] void mix(std::initializer_list<Bytes> provided) {
        bool any = false;
        for (const Bytes piece : provided)
            any = any || !piece.empty();
        for (const std::byte round : {std::byte{0}, std::byte{1}}) {
            {
                Hmac<Hash> mac(key_);
                mac.update(value_);
                mac.update({&round, 1});
                for (const Bytes piece : provided)
                    mac.update(piece);
                key_ = mac.finish();
            }
            value_ = Hmac<Hash>::compute(key_, value_);
            if (!any) return;
        }
    }

    typename Hash::Digest key_{};
    typename Hash::Digest value_{};
    std::uint64_t reseed_counter_ = 0;
    std::uint64_t interval_ = kMaxReseedInterval;
};

using HmacDrbgSha256 = HmacDrbg<Sha256>;

} // namespace aios::crypto
