// Certificates from any bytes: what is accepted lies inside the input, and verification answers "invalid", as nobody
// guesses a signature. Because nobody guesses a key either, the input also becomes the fields of certificates whose
// rest is well-formed: once the names, times and extensions, once the extensions alone.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "crypto/x509.hpp"
#include "tests/support/certificate_builder.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

bool is_inside(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check(Bytes input) {
    const auto certificate = parse_certificate(input);
    if (!certificate) return;
    for (const Bytes part : {certificate->tbs, certificate->serial, certificate->issuer, certificate->subject,
                             certificate->public_key, certificate->signature, certificate->subject_alt_name})
        AIOS_ASSERT(is_inside(part, input));
    AIOS_ASSERT(certificate->public_key.size() == public_key_size(certificate->key_set));
    AIOS_ASSERT(certificate->signature.size() == signature_size(certificate->signature_set));
    AIOS_ASSERT(!certificate->serial.empty() && certificate->serial.size() <= 20);
    AIOS_ASSERT(!certificate->path_length || certificate->is_ca);
    static X509Workspace workspace;
    const TrustAnchor anchor{
        .subject = certificate->issuer, .key_set = certificate->key_set, .public_key = certificate->public_key};
    const std::array<Certificate, 3> chain{*certificate, *certificate, *certificate};
    for (std::size_t length = 1; length <= chain.size(); ++length) {
        const auto verdict = verify_chain(std::span(chain).first(length), anchor, certificate->not_before,
                                          CertificateUse::digital_signature, workspace);
        AIOS_ASSERT(verdict == Verdict::invalid);
    }
}

test::Octets certificate_of(const test::CertificateBuilder& builder) {
    const test::Octets tbs = builder.tbs<MlDsa44>();
    const std::vector<std::byte> signature(MlDsa44::kSignatureSize);
    return test::der_of([&](der::Writer& out) {
        out.begin(der::Tag::sequence).raw(tbs).raw(builder.algorithm<MlDsa44>()).bit_string(signature).end();
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: the fuzzer's bytes, read as bytes.
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    check(input);

    static const MlDsa44::PublicKey key;
    test::CertificateBuilder builder;
    builder.key<MlDsa44>(key);
    builder.extensions = {test::Octets(input.begin(), input.end())};
    check(certificate_of(builder));
    builder.extensions.clear();
    builder.serial.clear();
    builder.inner_algorithm = test::Octets();
    // All between the version and the key, cut out of the input: the second part of the validity is empty.
    builder.issuer.assign(input.begin(), input.end());
    builder.not_before.clear();
    builder.not_after.clear();
    check(certificate_of(builder));
    if (size < 4) return 0;
    const test::CertificateBuilder good;
    builder.serial = good.serial;
    builder.inner_algorithm = builder.algorithm<MlDsa44>();
    builder.issuer = good.issuer;
    const std::size_t times = data[0] % size;
    const std::size_t name = times + data[1] % (size - times);
    builder.not_before.assign(input.begin() + 2,
                              input.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(2, times)));
    builder.not_after = good.not_after;
    builder.subject.assign(input.begin() + static_cast<std::ptrdiff_t>(times),
                           input.begin() + static_cast<std::ptrdiff_t>(name));
    if (builder.not_before.empty()) builder.not_before = good.not_before;
    if (builder.subject.empty()) builder.subject = good.subject;
    builder.unique_ids.assign(input.begin() + static_cast<std::ptrdiff_t>(name), input.end());
    check(certificate_of(builder));
    return 0;
}
