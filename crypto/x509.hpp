// X.509 v3 certificates (RFC 5280) signed with ML-DSA and for ML-DSA keys (RFC 9881): parsing, and verification of a
// chain up to a trust anchor.
//
//   std::array<Certificate, 2> chain = {TRY(parse_certificate(leaf_der)), TRY(parse_certificate(ca_der))};
//   const TrustAnchor anchor = TRY(trust_anchor(root));
//   if (verify_chain(chain, anchor, unix_time, CertificateUse::digital_signature, workspace) == Verdict::valid) ...
//
// Parsing checks all that one certificate says by itself: strict DER, version 3, equal algorithms inside and outside,
// serial number, times, extensions that are there once and well-formed where they are known, and the key usages that
// ML-DSA allows. Verification checks what stands between certificates. A critical extension that cannot be evaluated
// here makes every verification invalid. Not here: name constraints, policies, revocation, building of chains, and
// comparison of the subject with a name that is wanted; for that the caller has `subject` and `subject_alt_name`.
// Nothing allocates or recurses; a Certificate points into its encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa_set.hpp"

namespace aios::crypto {

// Bits of keyUsage (RFC 5280 section 4.2.1.3): bit n of the standard is 1 << n.
enum KeyUsage : std::uint16_t {
    kDigitalSignature = 1 << 0,
    kNonRepudiation = 1 << 1,
    kKeyEncipherment = 1 << 2,
    kDataEncipherment = 1 << 3,
    kKeyAgreement = 1 << 4,
    kKeyCertSign = 1 << 5,
    kCrlSign = 1 << 6,
    kEncipherOnly = 1 << 7,
    kDecipherOnly = 1 << 8,
};

// A certificate that was read. Nothing of it may be believed before it is verified.
struct Certificate {
    Bytes tbs;    // tbsCertificate, which is signed
    Bytes serial; // contents of the integer: positive, at most 20 octets
    Bytes issuer; // whole names, as they are encoded
    Bytes subject;
    std::int64_t not_before; // seconds since 1970; both ends belong to the period
    std::int64_t not_after;

    MlDsaSet key_set;
    Bytes public_key;
    MlDsaSet signature_set;
    Bytes signature;

    bool is_ca; // basicConstraints, cA
    std::optional<std::uint32_t> path_length;
    std::optional<std::uint16_t> key_usage;
    Bytes subject_alt_name;    // the value of the extension; empty if it is absent
    bool has_unknown_critical; // an extension that is critical and not evaluated
};

// `der` is one certificate with nothing behind it. Errors: bad_format, truncated; unsupported for other versions and
// for algorithms other than ML-DSA; too_large for more than 32 extensions.
[[nodiscard]] Result<Certificate> parse_certificate(Bytes der);

// Whom the caller trusts (RFC 5280 section 6.1.1 (d)): a name and a key. `path_length` bounds the CA certificates
// below.
struct TrustAnchor {
    Bytes subject;
    MlDsaSet key_set;
    Bytes public_key;
    std::optional<std::uint32_t> path_length = {};
};

// The anchor that a root certificate stands for. The certificate is trusted as it is: its signature and its period are
// not checked. Error: bad_argument if it is not that of a CA, or may not sign certificates, or holds a critical
// extension that is not evaluated.
[[nodiscard]] Result<TrustAnchor> trust_anchor(const Certificate& root);

// What the first certificate of a chain shall be good for, where it has a keyUsage.
enum class CertificateUse : std::uint8_t { digital_signature, certificate_signing };

inline constexpr std::size_t kMaxChain = 8;

// Temporaries of a verification. The members of the union live during a call.
class X509Workspace : Pinned {
public:
    template <typename Algorithm>
    struct Part {
        typename Algorithm::VerifyWorkspace verify;
        typename Algorithm::PublicKey public_key;
        typename Algorithm::Signature signature;
    };

    X509Workspace() {}
    ~X509Workspace() {}

    // Calls `body` with the part for an algorithm, which exists for so long.
    template <typename Algorithm, typename Body>
    auto with(const Body& body) {
        Part<Algorithm>* const part = std::construct_at(&member(static_cast<Algorithm*>(nullptr)));
        const auto result = body(*part);
        std::destroy_at(part);
        return result;
    }

private:
    Part<MlDsa44>& member(const MlDsa44*) { return ml_dsa_44_; }
    Part<MlDsa65>& member(const MlDsa65*) { return ml_dsa_65_; }
    Part<MlDsa87>& member(const MlDsa87*) { return ml_dsa_87_; }

    union {
        Part<MlDsa44> ml_dsa_44_;
        Part<MlDsa65> ml_dsa_65_;
        Part<MlDsa87> ml_dsa_87_;
    };
};

// Whether the signature of `certificate` is by this key, and nothing else (RFC 9881 section 3).
[[nodiscard]] Verdict verify_certificate_signature(const Certificate& certificate, MlDsaSet key_set, Bytes public_key,
                                                   X509Workspace& workspace);

// RFC 5280 section 6.1 for a chain that begins with the certificate in question and ends with the one that the anchor
// signed: 1 to kMaxChain certificates. `time` is in seconds since 1970.
[[nodiscard]] Verdict verify_chain(std::span<const Certificate> chain, const TrustAnchor& anchor, std::int64_t time,
                                   CertificateUse use, X509Workspace& workspace);

} // namespace aios::crypto
