// What is signed: a message with its context string, in the pure or the pre-hash form of FIPS 204 (section 5.2, 5.4)
// and FIPS 205 (section 10.2), which are built alike.
//
//   auto message = TRY(SignedMessage::pure(text, context));
//   TRY(MlDsa65::sign(key, message, &randomness, signature, workspace));
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::crypto {

// The hash functions of the pre-hash form. SHAKE128 gives 32 bytes, SHAKE256 64.
enum class PreHash : std::uint8_t {
    sha2_224,
    sha2_256,
    sha2_384,
    sha2_512,
    sha2_512_224,
    sha2_512_256,
    sha3_224,
    sha3_256,
    sha3_384,
    sha3_512,
    shake128,
    shake256,
};

// Refers to the caller's message, which has to live as long.
class SignedMessage {
public:
    static constexpr std::size_t kMaxContext = 255;
    static constexpr std::size_t kMuSize = 64;

    // The message itself; `context` has at most kMaxContext bytes. Error: bad_argument.
    [[nodiscard]] static Result<SignedMessage> pure(Bytes message, Bytes context = {});

    // Its hash, computed here. A signature of this form never verifies as one of the pure form. Error: bad_argument.
    [[nodiscard]] static Result<SignedMessage> pre_hashed(PreHash hash, Bytes message, Bytes context = {});

    // ML-DSA only: the message representative mu, computed elsewhere (FIPS 204 section 6.2). SLH-DSA refuses it.
    // Error: bad_argument unless it has kMuSize bytes.
    [[nodiscard]] static Result<SignedMessage> external_mu(Bytes mu);

    // The formatted message M' itself, as the _internal functions of the standards take it. For known-answer tests:
    // nothing separates such a signature from others.
    [[nodiscard]] static SignedMessage formatted(Bytes message);

    [[nodiscard]] bool is_mu() const { return is_mu_; }

    // M' is prefix() followed by payload(); of an external mu, payload() is mu and there is no prefix.
    [[nodiscard]] Bytes prefix() const { return Bytes(prefix_).first(prefix_size_); }
    [[nodiscard]] Bytes payload() const { return is_digest_ ? Bytes(digest_).first(digest_size_) : message_; }

private:
    SignedMessage() = default;
    [[nodiscard]] static Result<SignedMessage> with_context(std::uint8_t domain, Bytes context);

    static constexpr std::size_t kOidSize = 11;

    std::array<std::byte, 2 + kMaxContext + kOidSize> prefix_;
    std::array<std::byte, 64> digest_;
    std::uint16_t prefix_size_ = 0;
    std::uint8_t digest_size_ = 0;
    bool is_digest_ = false;
    bool is_mu_ = false;
    Bytes message_;
};

} // namespace aios::crypto
