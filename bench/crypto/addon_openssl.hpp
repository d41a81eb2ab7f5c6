// OpenSSL's operations by family; each gives an empty body for what it does not know. The symbols are those of the
// process that has loaded the addon.
#pragma once

#include <memory>

#include <openssl/evp.h>

#include "bench/crypto/operation.hpp"

namespace aios::bench::openssl {

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};

using Key = std::shared_ptr<EVP_PKEY>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

[[nodiscard]] Body kem_body(const Operation& operation);
[[nodiscard]] Body signature_body(const Operation& operation);
[[nodiscard]] Body agreement_body(const Operation& operation);
[[nodiscard]] Body digest_body(const Operation& operation);
[[nodiscard]] Body mac_body(const Operation& operation);
[[nodiscard]] Body aead_body(const Operation& operation);

} // namespace aios::bench::openssl
