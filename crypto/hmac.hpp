// HMAC (FIPS 198-1, RFC 2104) over any hash of sha2.hpp or sha3.hpp.
//
//   Hmac<Sha256> mac(key);  mac.update(a);  auto tag = mac.finish();       or  Hmac<Sha256>::compute(key, a)
//
// The two padded-key blocks are hashed once, when the key is set: later messages under one key cost two blocks less.
// The keyed states are wiped when the object ends. Verify tags with equal_in_constant_time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/types.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

template <typename Hash>
class Hmac {
public:
    static constexpr std::size_t kTagSize = Hash::kDigestSize;
    using Tag = typename Hash::Digest;

    // A key of any length; FIPS 198-1 section 4.
    explicit Hmac(Bytes key) {
        std::array<std::byte, Hash::kBlockSize> block{};
        if (key.size() > block.size()) {
            auto digest = Hash::hash(key);
            std::copy(digest.begin(), digest.end(), block.begin());
            secure_wipe(digest);
        } else {
            std::copy(key.begin(), key.end(), block.begin());
        }
        for (std::byte& byte : block)
            byte ^= std::byte{0x36};
        inner_keyed_.update(block);
        for (std::byte& byte : block)
            byte ^= std::byte{0x36} ^ std::byte{0x5c};
        outer_keyed_.update(block);
        secure_wipe(block);
        running_ = inner_keyed_;
    }

    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;

    ~Hmac() {
        secure_wipe_object(inner_keyed_);
        secure_wipe_object(outer_keyed_);
        secure_wipe_object(running_);
    }

    void update(Bytes data) { running_.update(data); }

    // The tag of the message so far. The object then starts a new message under the same key.
    [[nodiscard]] Tag finish() {
        const auto inner = running_.finish();
        running_ = outer_keyed_; // in place of a third state on the stack
        running_.update(inner);
        const Tag tag = running_.finish();
        running_ = inner_keyed_;
        return tag;
    }

    [[nodiscard]] static Tag compute(Bytes key, Bytes data) {
        Hmac mac(key);
        mac.update(data);
        return mac.finish();
    }

private:
    Hash inner_keyed_;
    Hash outer_keyed_;
    Hash running_;
};

} // namespace aios::crypto
