// COSE_Sign1 and COSE_Key (RFC 9052) with ML-DSA (RFC 9964): the algorithms -48, -49 and -50, the key type AKP (7).
//
//   Bytes message = TRY(cose_sign1<MlDsa65>(secret_key, {.payload = text}, &randomness, buffer, workspace));
//
//   const CoseSign1 message = TRY(parse_cose_sign1(bytes));
//   if (cose_verify<MlDsa65>(public_key, message, {}, workspace) == Verdict::valid) use(message.payload);
//
// Written and read is deterministic CBOR only (base/cbor.hpp). The algorithm is in the protected header and must be
// that of the key. A label occurs once in both headers together. Labels that are not known here are passed over, unless
// `crit` names them: then the message is refused. What is signed is the Sig_structure of section 4.4 with an empty
// ML-DSA context; it is hashed in pieces, so neither side builds it. Nothing allocates; parsed structures point into
// their input.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa_set.hpp"

namespace aios::crypto {

// What CBOR tag stands before a COSE_Sign1: 18, or none where the place says what it is.
enum class CoseTag : std::uint8_t { sign1, none };

// Header parameters (section 3.1). As a content type, either the number of a CoAP content format or a media type.
struct CoseHeader {
    std::optional<Bytes> key_id = {};
    std::optional<std::uint64_t> content_format = {};
    std::optional<std::string_view> content_type = {};
};

// The algorithm's number in the registry of COSE.
[[nodiscard]] constexpr std::int64_t cose_number(MlDsaSet set) { return -48 - static_cast<std::int64_t>(set); }
[[nodiscard]] std::optional<MlDsaSet> set_of_cose_number(std::int64_t number);

// A COSE_Sign1 message that was read. Nothing of it may be believed before it is verified.
struct CoseSign1 {
    MlDsaSet set;
    Bytes protected_header;       // the encoded map, as it is signed
    CoseHeader header;            // from both headers; only the protected ones are signed
    std::optional<Bytes> payload; // nothing: it is detached
    Bytes signature;              // signature_size(set) bytes
};

// Errors: bad_format, truncated; unsupported for another algorithm, or a critical label that is not known.
[[nodiscard]] Result<CoseSign1> parse_cose_sign1(Bytes message, CoseTag tag = CoseTag::sign1);

// What cose_sign1 signs and how it writes it. All of the header is put into the protected one.
struct CoseContent {
    static constexpr std::size_t kMaxKeyId = 64;
    static constexpr std::size_t kMaxContentType = 127;

    Bytes payload;
    bool is_detached = false; // the payload is signed, but not part of the message
    Bytes external_aad = {};  // signed, and never part of the message (section 4.3)
    CoseHeader header = {};
    CoseTag tag = CoseTag::sign1;
};

namespace detail {

// SHAKE256, 64 bytes, of a public key: tr of FIPS 204 algorithm 6.
inline constexpr std::size_t kTrSize = 64;
using MlDsaTr = std::array<std::byte, kTrSize>;
using MlDsaMu = std::array<std::byte, SignedMessage::kMuSize>;

[[nodiscard]] MlDsaTr ml_dsa_tr(Bytes public_key);

// mu of FIPS 204 algorithm 7 line 6 for a Sig_structure, with an empty context.
[[nodiscard]] MlDsaMu cose_sign1_mu(Bytes tr, Bytes protected_header, Bytes external_aad, Bytes payload);

// The longest protected header that is written: alg 4 octets, kid 3 + 64, content type 3 + 127.
inline constexpr std::size_t kMaxProtectedHeader = 208;
using ProtectedBuffer = std::array<std::byte, kMaxProtectedHeader>;

[[nodiscard]] Result<Bytes> write_protected_header(MlDsaSet set, const CoseHeader& header, ProtectedBuffer& out);
[[nodiscard]] Result<std::size_t> cose_sign1_size(MlDsaSet set, const CoseContent& content);
[[nodiscard]] Result<Bytes> write_cose_sign1(const CoseContent& content, Bytes protected_header, Bytes signature,
                                             MutableBytes out);

} // namespace detail

template <typename Algorithm>
struct CoseSignWorkspace {
    typename Algorithm::SignWorkspace sign;
    typename Algorithm::Signature signature;
};

template <typename Algorithm>
struct CoseVerifyWorkspace {
    typename Algorithm::VerifyWorkspace verify;
    typename Algorithm::Signature signature;
};

// How large the message will be. Error: bad_argument for a header that is too long or has two content types.
template <typename Algorithm>
[[nodiscard]] Result<std::size_t> cose_sign1_size(const CoseContent& content) {
    return detail::cose_sign1_size(kMlDsaSet<Algorithm>, content);
}

// Signs (section 4.4) and writes the message to the front of `out`; returns it. `randomness`, `stop` and further errors
// as in ML-DSA's sign. Errors: bad_argument as above; buffer_small. Nothing is written on an error.
template <typename Algorithm>
[[nodiscard]] Result<Bytes> cose_sign1(const typename Algorithm::SecretKey& secret_key, const CoseContent& content,
                                       const typename Algorithm::Randomness* randomness, MutableBytes out,
                                       CoseSignWorkspace<Algorithm>& workspace, StopCallback stop = {}) {
    const std::size_t size = TRY(cose_sign1_size<Algorithm>(content));
    if (out.size() < size) return fail(Error::buffer_small);
    detail::ProtectedBuffer buffer;
    const Bytes header = TRY(detail::write_protected_header(kMlDsaSet<Algorithm>, content.header, buffer));
    // tr is in the secret key (FIPS 204 algorithm 24), but a hash of the public key: not secret.
    detail::MlDsaTr tr;
    std::ranges::copy(secret_key.bytes().template subspan<64, detail::kTrSize>(), tr.begin());
    declassify(tr);
    const detail::MlDsaMu mu = detail::cose_sign1_mu(tr, header, content.external_aad, content.payload);
    const auto message = SignedMessage::external_mu(mu); // no TRY: it would copy a large object
    if (!message) return fail(message.error());
    TRY(Algorithm::sign(secret_key, *message, randomness, workspace.signature, workspace.sign, stop));
    return detail::write_cose_sign1(content, header, workspace.signature.bytes(), out);
}

// Verifies a message whose payload is detached (section 4.4). A message with a payload of its own is invalid.
template <typename Algorithm>
[[nodiscard]] Verdict cose_verify_detached(const typename Algorithm::PublicKey& public_key, const CoseSign1& message,
                                           Bytes payload, Bytes external_aad,
                                           CoseVerifyWorkspace<Algorithm>& workspace) {
    if (message.set != kMlDsaSet<Algorithm> || message.payload) return Verdict::invalid;
    if (!workspace.signature.assign(message.signature)) return Verdict::invalid;
    const detail::MlDsaTr tr = detail::ml_dsa_tr(public_key.bytes());
    const detail::MlDsaMu mu = detail::cose_sign1_mu(tr, message.protected_header, external_aad, payload);
    const auto signed_message = SignedMessage::external_mu(mu);
    if (!signed_message) return Verdict::invalid;
    return Algorithm::verify(public_key, *signed_message, workspace.signature, workspace.verify);
}

// Verifies a message with its payload. One whose payload is detached is invalid.
template <typename Algorithm>
[[nodiscard]] Verdict cose_verify(const typename Algorithm::PublicKey& public_key, const CoseSign1& message,
                                  Bytes external_aad, CoseVerifyWorkspace<Algorithm>& workspace) {
    if (!message.payload) return Verdict::invalid;
    CoseSign1 detached = message;
    detached.payload.reset();
    return cose_verify_detached<Algorithm>(public_key, detached, *message.payload, external_aad, workspace);
}

} // namespace aios::crypto
