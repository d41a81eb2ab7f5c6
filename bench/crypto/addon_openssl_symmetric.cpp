// Hashes, HMAC and authenticated encryption of OpenSSL. Algorithms are fetched once, as its manual advises.
#include <vector>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "bench/crypto/addon_openssl.hpp"
#include "bench/crypto/data.hpp"

namespace aios::bench {

namespace openssl {

namespace {

// SAFETY: octets as C reads them.
const unsigned char* raw(const std::vector<std::byte>& bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

struct Aead {
    std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>> cipher;
    std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>> context{EVP_CIPHER_CTX_new()};
    std::vector<std::byte> key = octets(32, 7);
    std::vector<std::byte> nonce = octets(12, 8);
    std::vector<std::byte> text;
    std::vector<unsigned char> sealed;
    std::vector<unsigned char> opened;
    unsigned char tag[16];

    bool seal() {
        int size = 0;
        return EVP_EncryptInit_ex2(context.get(), cipher.get(), raw(key), raw(nonce), nullptr) == 1 &&
               EVP_EncryptUpdate(context.get(), sealed.data(), &size, raw(text), static_cast<int>(text.size())) == 1 &&
               EVP_EncryptFinal_ex(context.get(), sealed.data() + size, &size) == 1 &&
               EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) == 1;
    }
    bool open() {
        int size = 0;
        return EVP_DecryptInit_ex2(context.get(), cipher.get(), raw(key), raw(nonce), nullptr) == 1 &&
               EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
               EVP_DecryptUpdate(context.get(), opened.data(), &size, sealed.data(), static_cast<int>(sealed.size())) ==
                   1 &&
               EVP_DecryptFinal_ex(context.get(), opened.data() + size, &size) == 1;
    }
};

} // namespace

Body digest_body(const Operation& operation) {
    if (operation.operation != "digest") return {};
    const std::shared_ptr<EVP_MD> digest(EVP_MD_fetch(nullptr, operation.algorithm.c_str(), nullptr), EVP_MD_free);
    const std::shared_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    if (!digest || !context) return {};
    const bool extendable = operation.algorithm.starts_with("SHAKE");
    return [digest, context, extendable, text = octets(operation.bytes, 6)](std::size_t) {
        unsigned char out[64];
        return EVP_DigestInit_ex2(context.get(), digest.get(), nullptr) == 1 &&
               EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
               (extendable ? EVP_DigestFinalXOF(context.get(), out, 32)
                           : EVP_DigestFinal_ex(context.get(), out, nullptr)) == 1;
    };
}

Body mac_body(const Operation& operation) {
    if (operation.operation != "mac" || !operation.algorithm.starts_with("HMAC-")) return {};
    const std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    const std::shared_ptr<EVP_MAC_CTX> context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr, EVP_MAC_CTX_free);
    std::string digest = operation.algorithm.substr(5);
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                     OSSL_PARAM_construct_end()};
    const auto key = octets(32, 7);
    if (!context || EVP_MAC_init(context.get(), raw(key), key.size(), parameters) != 1) return {};
    return [context, key, text = octets(operation.bytes, 6)](std::size_t) {
        unsigned char out[64];
        std::size_t size = 0;
        return EVP_MAC_init(context.get(), raw(key), key.size(), nullptr) == 1 &&
               EVP_MAC_update(context.get(), raw(text), text.size()) == 1 &&
               EVP_MAC_final(context.get(), out, &size, sizeof(out)) == 1;
    };
}

Body aead_body(const Operation& operation) {
    const char* name = operation.algorithm == "AES-256-GCM"         ? "AES-256-GCM"
                       : operation.algorithm == "CHACHA20-POLY1305" ? "ChaCha20-Poly1305"
                                                                    : nullptr;
    if (name == nullptr) return {};
    const auto state = std::make_shared<Aead>();
    state->cipher.reset(EVP_CIPHER_fetch(nullptr, name, nullptr));
    state->text = octets(operation.bytes, 6);
    state->sealed.resize(operation.bytes);
    state->opened.resize(operation.bytes);
    if (!state->cipher || !state->seal()) return {};
    if (operation.operation == "seal") return [state](std::size_t) { return state->seal(); };
    return [state](std::size_t) { return state->open(); };
}

} // namespace openssl

Body openssl_body(const Operation& operation) {
    for (const auto family : {openssl::kem_body, openssl::signature_body, openssl::agreement_body, openssl::digest_body,
                              openssl::mac_body, openssl::aead_body})
        if (Body body = family(operation)) return body;
    return {};
}

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION); }

} // namespace aios::bench
