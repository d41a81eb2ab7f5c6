// Authenticated encryption with secret keys and secret texts, key derivation, and X25519 with secret scalars. Whether a
// tag was right is public; nonces and associated data are too.
#include <array>

#include "crypto/aes_gcm.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "crypto/hkdf.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "crypto/x25519.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;

// More than all wide steps of both ciphers, and a last block that is not full.
constexpr std::size_t kTextSize = 2711;
constexpr std::size_t kAadSize = 37;

// Seals in the clear what is then opened, or compared.
template <typename Aead>
struct Sealed {
    typename Aead::Key key;
    typename Aead::Nonce nonce;
    typename Aead::Tag tag;
    std::array<std::byte, kAadSize> aad;
    std::array<std::byte, kTextSize> plaintext;
    std::array<std::byte, kTextSize> ciphertext;

    [[nodiscard]] bool make() {
        fill(key.bytes(), 1);
        fill(nonce.bytes(), 2);
        fill(aad, 3);
        fill(plaintext, 4);
        return Aead::seal(key, nonce, aad, plaintext, ciphertext, tag).has_value();
    }
};

template <typename Aead>
bool seal() {
    Sealed<Aead> message;
    if (!message.make()) return false;
    std::array<std::byte, kTextSize> ciphertext;
    typename Aead::Tag tag;
    classify(message.key.bytes());
    classify(message.plaintext);
    const auto done = Aead::seal(message.key, message.nonce, message.aad, message.plaintext, ciphertext, tag);
    return done && is_secret(ciphertext) && reveal_equal(ciphertext, message.ciphertext) &&
           reveal_equal(tag.bytes(), message.tag.bytes());
}

template <typename Aead>
bool open() {
    Sealed<Aead> message;
    if (!message.make()) return false;
    std::array<std::byte, kTextSize> plaintext;
    classify(message.key.bytes());
    const auto opened = Aead::open(message.key, message.nonce, message.aad, message.ciphertext, message.tag, plaintext);
    return opened && is_secret(plaintext) && reveal_equal(plaintext, message.plaintext);
}

template <typename Aead>
bool open_refused() {
    Sealed<Aead> message;
    if (!message.make()) return false;
    std::array<std::byte, kTextSize> plaintext;
    message.tag.bytes()[15] ^= std::byte{1};
    classify(message.key.bytes());
    const auto opened = Aead::open(message.key, message.nonce, message.aad, message.ciphertext, message.tag, plaintext);
    return !opened && opened.error() == Error::integrity;
}

template <typename Hash>
bool derive_key() {
    std::array<std::byte, 100> secret;
    std::array<std::byte, 20> salt;
    std::array<std::byte, 150> expected;
    std::array<std::byte, 150> out;
    fill(secret, 1);
    fill(salt, 2);
    if (!Hkdf<Hash>::derive(salt, secret, salt, expected)) return false;
    classify(secret);
    return Hkdf<Hash>::derive(salt, secret, salt, out) && is_secret(out) && reveal_equal(out, expected);
}

bool x25519_public_key() {
    X25519::Secret secret;
    X25519::PublicKey expected;
    X25519::PublicKey out;
    fill(secret.bytes(), 1);
    X25519::public_key(secret, expected);
    classify(secret.bytes());
    X25519::public_key(secret, out);
    return reveal_equal(out.bytes(), expected.bytes());
}

bool x25519_derive() {
    X25519::Secret secret;
    X25519::PublicKey theirs;
    X25519::SharedSecret expected;
    X25519::SharedSecret out;
    fill(secret.bytes(), 1);
    fill(theirs.bytes(), 2);
    if (!X25519::derive(secret, theirs, expected)) return false;
    classify(secret.bytes());
    return X25519::derive(secret, theirs, out) && is_secret(out.bytes()) && reveal_equal(out.bytes(), expected.bytes());
}

// A point of small order is refused; that it is one is public.
bool x25519_refused() {
    X25519::Secret secret;
    X25519::PublicKey theirs;
    X25519::SharedSecret out;
    fill_secret(secret.bytes(), 1);
    const auto derived = X25519::derive(secret, theirs, out);
    return !derived && derived.error() == Error::bad_format;
}

constexpr Check kChecks[] = {
    {"aes_256_gcm_seal", seal<Aes256Gcm>},
    {"aes_256_gcm_open", open<Aes256Gcm>},
    {"aes_256_gcm_open_refused", open_refused<Aes256Gcm>},
    {"chacha20_poly1305_seal", seal<ChaCha20Poly1305>},
    {"chacha20_poly1305_open", open<ChaCha20Poly1305>},
    {"chacha20_poly1305_open_refused", open_refused<ChaCha20Poly1305>},
    {"hkdf_sha2_256", derive_key<Sha256>},
    {"hkdf_sha2_512", derive_key<Sha512>},
    {"hkdf_sha3_256", derive_key<Sha3_256>},
    {"x25519_public_key", x25519_public_key},
    {"x25519_derive", x25519_derive},
    {"x25519_refused", x25519_refused},
};

} // namespace

std::span<const Check> aead_checks() { return kChecks; }

} // namespace aios::test
