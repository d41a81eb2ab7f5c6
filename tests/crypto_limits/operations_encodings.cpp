// COSE messages and keys, ML-DSA keys as DER, and X.509 certificates; with the largest parameter set. See
// operation.hpp.
#include "base/bytes.hpp"
#include "crypto/cose.hpp"
#include "crypto/cose_key.hpp"
#include "crypto/der.hpp"
#include "crypto/ml_dsa_keys.hpp"
#include "crypto/x509.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;
using aios::test::operation_message;

namespace {

using Dsa = MlDsa87;

// Not ended at run time: that would be linked into every program that is measured.
[[clang::no_destroy]] constinit Dsa::Seed seed;
[[clang::no_destroy]] constinit Dsa::Randomness random;
[[clang::no_destroy]] constinit Dsa::SecretKey secret_key;
[[clang::no_destroy]] Dsa::GenerateWorkspace generate_workspace;
[[clang::no_destroy]] CoseSignWorkspace<Dsa> sign_workspace;
[[clang::no_destroy]] CoseVerifyWorkspace<Dsa> verify_workspace;
[[clang::no_destroy]] X509Workspace x509_workspace;
constinit Dsa::PublicKey public_key;

constinit std::array<std::byte, 6000> cose_buffer{};
constinit std::array<std::byte, 6000> key_buffer{};
constinit std::array<std::byte, 4000> to_be_signed{};
constinit std::array<std::byte, 10000> certificate_buffer{};
constinit Bytes cose_message{};
constinit Bytes certificate{};

void name(der::Writer& out) {
    out.begin(der::Tag::sequence).begin(der::Tag::set).begin(der::Tag::sequence);
    constexpr std::array<std::byte, 3> kCommonName = {std::byte{0x55}, std::byte{4}, std::byte{3}};
    out.oid(kCommonName).element(der::Tag::utf8_string, as_bytes("root")).end().end().end();
}

// A certificate of version 3 without extensions, by and for the one key.
bool make_certificate() {
    der::Writer inner(to_be_signed);
    constexpr std::array<std::byte, 8> kVersionAndSerial = {std::byte{0xa0}, std::byte{3}, std::byte{2}, std::byte{1},
                                                            std::byte{2},    std::byte{2}, std::byte{1}, std::byte{1}};
    const auto key = encode_public_key<Dsa>(public_key, key_buffer);
    if (!key) return false;
    inner.begin(der::Tag::sequence).raw(kVersionAndSerial);
    crypto::detail::write_algorithm(inner, kMlDsaSet<Dsa>);
    name(inner);
    inner.begin(der::Tag::sequence).element(der::Tag::utc_time, as_bytes("240101000000Z"));
    inner.element(der::Tag::utc_time, as_bytes("340101000000Z")).end();
    name(inner);
    inner.raw(*key).end();
    const auto signed_part = inner.finish();
    if (!signed_part) return false;
    const auto message = SignedMessage::pure(*signed_part);
    if (!message || !Dsa::sign(secret_key, *message, nullptr, sign_workspace.signature, sign_workspace.sign))
        return false;
    der::Writer out(certificate_buffer);
    out.begin(der::Tag::sequence).raw(*signed_part);
    crypto::detail::write_algorithm(out, kMlDsaSet<Dsa>);
    out.bit_string(sign_workspace.signature.bytes()).end();
    const auto made = out.finish();
    if (made) certificate = *made;
    return made.has_value();
}

} // namespace

extern "C" {

bool encoding_private_key() {
    const auto made = encode_private_key<Dsa>(seed, key_buffer);
    return made && decode_private_key<Dsa>(*made, seed, public_key, secret_key, generate_workspace);
}
bool encoding_public_key() {
    const auto made = encode_public_key<Dsa>(public_key, key_buffer);
    return made && decode_public_key<Dsa>(*made, public_key);
}
bool encoding_cose_key() {
    const auto made = encode_cose_private_key<Dsa>(seed, public_key, {}, key_buffer);
    if (!made) return false;
    const auto parsed = parse_cose_key(*made);
    return parsed && load_cose_private_key<Dsa>(*parsed, seed, public_key, secret_key, generate_workspace);
}
bool encoding_cose_sign() {
    const auto made = cose_sign1<Dsa>(secret_key, {.payload = operation_message}, &random, cose_buffer, sign_workspace);
    if (made) cose_message = *made;
    return made.has_value();
}
bool encoding_cose_verify() {
    const auto parsed = parse_cose_sign1(cose_message);
    return parsed && cose_verify<Dsa>(public_key, *parsed, {}, verify_workspace) == Verdict::valid;
}
bool encoding_x509_verify() {
    const auto parsed = parse_certificate(certificate);
    if (!parsed) return false;
    const TrustAnchor anchor = {parsed->subject, kMlDsaSet<Dsa>, public_key.bytes()};
    constexpr std::int64_t kIn2026 = 1'770'000'000;
    return verify_chain({&*parsed, 1}, anchor, kIn2026, CertificateUse::digital_signature, x509_workspace) ==
           Verdict::valid;
}

} // extern "C"

namespace aios::test {

namespace {

constexpr Operation kOperations[] = {
    {"ML-DSA-87 PKCS#8", "write, read", encoding_private_key, sizeof(Dsa::GenerateWorkspace)},
    {"ML-DSA-87 SPKI", "write, read", encoding_public_key},
    {"ML-DSA-87 COSE_Key", "write, read", encoding_cose_key, sizeof(Dsa::GenerateWorkspace)},
    {"ML-DSA-87 COSE_Sign1", "sign", encoding_cose_sign, sizeof(CoseSignWorkspace<Dsa>)},
    {"ML-DSA-87 COSE_Sign1", "verify", encoding_cose_verify, sizeof(CoseVerifyWorkspace<Dsa>)},
    {"X.509 test", "certificate", make_certificate},
    {"X.509", "verify", encoding_x509_verify, sizeof(X509Workspace)},
};

} // namespace

std::span<const Operation> encoding_operations() { return kOperations; }

} // namespace aios::test
