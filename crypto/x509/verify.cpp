// Verification of signatures and chains (RFC 5280 section 6.1). See x509.hpp.
#include <algorithm>

#include "crypto/x509.hpp"

namespace aios::crypto {

namespace {

// Names are compared as they are encoded: CAs copy their own subject (section 4.1.2.4), and what is not equal so is
// taken as different.
bool is_same_name(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

template <typename Algorithm>
Verdict verify_with(const Certificate& certificate, Bytes public_key, X509Workspace& workspace) {
    return workspace.with<Algorithm>([&](auto& part) {
        if (!part.public_key.assign(public_key) || !part.signature.assign(certificate.signature)) {
            return Verdict::invalid;
        }
        const auto message = SignedMessage::pure(certificate.tbs);
        if (!message) return Verdict::invalid;
        return Algorithm::verify(part.public_key, *message, part.signature, part.verify);
    });
}

bool may_sign_certificates(const Certificate& certificate) {
    return certificate.is_ca && (!certificate.key_usage || (*certificate.key_usage & kKeyCertSign) != 0);
}

bool is_good_for(const Certificate& certificate, CertificateUse use) {
    switch (use) {
    case CertificateUse::digital_signature:
        return !certificate.key_usage || (*certificate.key_usage & kDigitalSignature) != 0;
    case CertificateUse::certificate_signing:
        return may_sign_certificates(certificate);
    }
    return false;
}

// The state of section 6.1.2 that is kept here: who has to have issued the next certificate, and how many CA
// certificates may still come.
class Path {
public:
    explicit Path(const TrustAnchor& anchor) : issuer_(anchor) {}

    // Section 6.1.3: is this certificate issued by the last one, and in force?
    Verdict check(const Certificate& certificate, std::int64_t time, X509Workspace& workspace) const {
        if (!is_same_name(certificate.issuer, issuer_.subject)) return Verdict::invalid;
        if (time < certificate.not_before || time > certificate.not_after) return Verdict::invalid;
        if (certificate.has_unknown_critical) return Verdict::invalid;
        return verify_certificate_signature(certificate, issuer_.key_set, issuer_.public_key, workspace);
    }

    // Section 6.1.4: goes on below a certificate that was checked, if that may issue others.
    bool descend(const Certificate& certificate) {
        if (!may_sign_certificates(certificate)) return false;
        auto length = issuer_.path_length;
        if (length && !is_same_name(certificate.issuer, certificate.subject)) { // (l): self-issued ones do not count
            if (*length == 0) return false;
            length = *length - 1;
        }
        if (certificate.path_length) {
            length = length ? std::min(*length, *certificate.path_length) : *certificate.path_length;
        }
        issuer_ = {.subject = certificate.subject,
                   .key_set = certificate.key_set,
                   .public_key = certificate.public_key,
                   .path_length = length};
        return true;
    }

private:
    TrustAnchor issuer_;
};

} // namespace

Result<TrustAnchor> trust_anchor(const Certificate& root) {
    if (!may_sign_certificates(root) || root.has_unknown_critical) return fail(Error::bad_argument);
    return TrustAnchor{.subject = root.subject,
                       .key_set = root.key_set,
                       .public_key = root.public_key,
                       .path_length = root.path_length};
}

Verdict verify_certificate_signature(const Certificate& certificate, MlDsaSet key_set, Bytes public_key,
                                     X509Workspace& workspace) {
    if (certificate.signature_set != key_set) return Verdict::invalid;
    switch (key_set) {
    case MlDsaSet::ml_dsa_44:
        return verify_with<MlDsa44>(certificate, public_key, workspace);
    case MlDsaSet::ml_dsa_65:
        return verify_with<MlDsa65>(certificate, public_key, workspace);
    case MlDsaSet::ml_dsa_87:
        return verify_with<MlDsa87>(certificate, public_key, workspace);
    }
    return Verdict::invalid;
}

Verdict verify_chain(std::span<const Certificate> chain, const TrustAnchor& anchor, std::int64_t time,
                     CertificateUse use, X509Workspace& workspace) {
    if (chain.empty() || chain.size() > kMaxChain) return Verdict::invalid;
    Path path(anchor);
    for (std::size_t i = chain.size() - 1; i > 0; --i) {
        if (path.check(chain[i], time, workspace) != Verdict::valid) return Verdict::invalid;
        if (!path.descend(chain[i])) return Verdict::invalid;
    }
    if (!is_good_for(chain[0], use)) return Verdict::invalid;
    return path.check(chain[0], time, workspace);
}

} // namespace aios::crypto
