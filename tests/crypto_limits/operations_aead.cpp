// Authenticated encryption, HKDF and X25519. See operation.hpp.
#include "crypto/aes_gcm.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "crypto/hkdf.hpp"
#include "crypto/sha2.hpp"
#include "crypto/x25519.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;
using aios::test::operation_message;

namespace {

// Not ended at run time: it would be linked into every program that is measured.
template <typename T>
[[clang::no_destroy]] constinit T fixed;

// Through all wide steps of both ciphers.
constinit std::array<std::byte, 2711> long_message{};
std::array<std::byte, long_message.size()> text;
std::array<std::byte, 100> key_material;

template <typename Aead>
bool seal() {
    return Aead::seal(fixed<typename Aead::Key>, fixed<typename Aead::Nonce>, Bytes(operation_message).first(20),
                      long_message, text, fixed<typename Aead::Tag>)
        .has_value();
}

// In place, what seal() has made.
template <typename Aead>
bool open() {
    return Aead::open(fixed<typename Aead::Key>, fixed<typename Aead::Nonce>, Bytes(operation_message).first(20), text,
                      fixed<typename Aead::Tag>, text)
        .has_value();
}

template <typename Hash>
bool derive() {
    return Hkdf<Hash>::derive(Bytes(operation_message).first(20), operation_message, Bytes(operation_message).first(10),
                              key_material)
        .has_value();
}

} // namespace

extern "C" {

bool aes_256_gcm_seal() { return seal<Aes256Gcm>(); }
bool aes_256_gcm_open() { return open<Aes256Gcm>(); }
bool chacha20_poly1305_seal() { return seal<ChaCha20Poly1305>(); }
bool chacha20_poly1305_open() { return open<ChaCha20Poly1305>(); }
bool hkdf_sha2_256() { return derive<Sha256>(); }
bool hkdf_sha2_512() { return derive<Sha512>(); }

bool x25519_public_key() {
    X25519::public_key(fixed<X25519::Secret>, fixed<X25519::PublicKey>);
    return true;
}

bool x25519_derive() {
    return X25519::derive(fixed<X25519::Secret>, fixed<X25519::PublicKey>, fixed<X25519::SharedSecret>).has_value();
}

} // extern "C"

namespace aios::test {

namespace {

constexpr Operation kOperations[] = {
    {"AES-256-GCM", "seal", aes_256_gcm_seal},
    {"AES-256-GCM", "open", aes_256_gcm_open},
    {"CHACHA20-POLY1305", "seal", chacha20_poly1305_seal},
    {"CHACHA20-POLY1305", "open", chacha20_poly1305_open},
    {"HKDF-SHA2-256", "derive", hkdf_sha2_256},
    {"HKDF-SHA2-512", "derive", hkdf_sha2_512},
    {"X25519", "public_key", x25519_public_key},
    {"X25519", "derive", x25519_derive},
};

} // namespace

std::span<const Operation> aead_operations() { return kOperations; }

} // namespace aios::test
