// See signed_message.hpp.
#include "crypto/signed_message.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto {

namespace {

template <typename Hash>
std::uint8_t digest_into(std::array<std::byte, 64>& out, Bytes message) {
    const auto digest = Hash::hash(message);
    std::ranges::copy(digest, out.begin());
    return static_cast<std::uint8_t>(digest.size());
}

template <typename Xof>
std::uint8_t squeeze_into(std::array<std::byte, 64>& out, Bytes message, std::size_t size) {
    Xof xof;
    xof.update(message);
    xof.squeeze(MutableBytes(out).first(size));
    return static_cast<std::uint8_t>(size);
}

// The last arc below 2.16.840.1.101.3.4.2 (FIPS 204 section 5.4.1, and the NIST register of object identifiers).
std::uint8_t last_arc(PreHash hash) {
    switch (hash) {
    case PreHash::sha2_256:
        return 1;
    case PreHash::sha2_384:
        return 2;
    case PreHash::sha2_512:
        return 3;
    case PreHash::sha2_224:
        return 4;
    case PreHash::sha2_512_224:
        return 5;
    case PreHash::sha2_512_256:
        return 6;
    case PreHash::sha3_224:
        return 7;
    case PreHash::sha3_256:
        return 8;
    case PreHash::sha3_384:
        return 9;
    case PreHash::sha3_512:
        return 10;
    case PreHash::shake128:
        return 11;
    case PreHash::shake256:
        return 12;
    }
    AIOS_UNREACHABLE();
}

std::uint8_t digest_with(PreHash hash, std::array<std::byte, 64>& out, Bytes message) {
    switch (hash) {
    case PreHash::sha2_224:
        return digest_into<Sha224>(out, message);
    case PreHash::sha2_256:
        return digest_into<Sha256>(out, message);
    case PreHash::sha2_384:
        return digest_into<Sha384>(out, message);
    case PreHash::sha2_512:
        return digest_into<Sha512>(out, message);
    case PreHash::sha2_512_224:
        return digest_into<Sha512_224>(out, message);
    case PreHash::sha2_512_256:
        return digest_into<Sha512_256>(out, message);
    case PreHash::sha3_224:
        return digest_into<Sha3_224>(out, message);
    case PreHash::sha3_256:
        return digest_into<Sha3_256>(out, message);
    case PreHash::sha3_384:
        return digest_into<Sha3_384>(out, message);
    case PreHash::sha3_512:
        return digest_into<Sha3_512>(out, message);
    case PreHash::shake128:
        return squeeze_into<Shake128>(out, message, 32);
    case PreHash::shake256:
        return squeeze_into<Shake256>(out, message, 64);
    }
    AIOS_UNREACHABLE();
}

} // namespace

Result<SignedMessage> SignedMessage::with_context(std::uint8_t domain, Bytes context) {
    if (context.size() > kMaxContext) return fail(Error::bad_argument);
    SignedMessage result;
    result.prefix_[0] = std::byte{domain};
    result.prefix_[1] = static_cast<std::byte>(context.size());
    std::ranges::copy(context, result.prefix_.begin() + 2);
    result.prefix_size_ = static_cast<std::uint16_t>(2 + context.size());
    return result;
}

Result<SignedMessage> SignedMessage::pure(Bytes message, Bytes context) {
    SignedMessage result = TRY(with_context(0, context));
    result.message_ = message;
    return result;
}

Result<SignedMessage> SignedMessage::pre_hashed(PreHash hash, Bytes message, Bytes context) {
    SignedMessage result = TRY(with_context(1, context));
    constexpr std::array<std::uint8_t, kOidSize - 1> kOid = {0x06, 0x09, 0x60, 0x86, 0x48,
                                                             0x01, 0x65, 0x03, 0x04, 0x02};
    for (const std::uint8_t octet : kOid)
        result.prefix_[result.prefix_size_++] = std::byte{octet};
    result.prefix_[result.prefix_size_++] = std::byte{last_arc(hash)};
    result.digest_size_ = digest_with(hash, result.digest_, message);
    result.is_digest_ = true;
    return result;
}

Result<SignedMessage> SignedMessage::external_mu(Bytes mu) {
    if (mu.size() != kMuSize) return fail(Error::bad_argument);
    SignedMessage result;
    result.message_ = mu;
    result.is_mu_ = true;
    return result;
}

SignedMessage SignedMessage::formatted(Bytes message) {
    SignedMessage result;
    result.message_ = message;
    return result;
}

} // namespace aios::crypto
