// The structure of a certificate (RFC 5280 section 4.1). See x509.hpp.
#include <algorithm>

#include "crypto/ml_dsa_keys.hpp"
#include "crypto/x509/parts.hpp"

namespace aios::crypto {

namespace detail::x509 {

// RDNSequence: sequence of sets, each of at least one pair of type and value.
Result<Name> read_name(der::Reader& in) {
    der::Reader after = in;
    const auto element = TRY(after.element(der::Tag::sequence));
    der::Reader sets(element.contents);
    while (!sets.at_end()) {
        der::Reader set = TRY(sets.enter(der::Tag::set));
        do {
            der::Reader pair = TRY(set.sequence());
            TRY(pair.oid());
            TRY(pair.element());
            TRY(pair.finish());
        } while (!set.at_end());
    }
    in = after;
    return Name{.whole = element.whole, .is_empty = element.contents.empty()};
}

} // namespace detail::x509

namespace {

using namespace detail::x509;

constexpr std::uint32_t kVersion3 = 2;
constexpr std::size_t kMaxSerial = 20;

// Version and serial number (sections 4.1.2.1 and 4.1.2.2).
Result<> read_version_and_serial(der::Reader& in, Certificate& certificate) {
    constexpr der::Tag kVersionTag = der::context_constructed(0);
    if (in.next_is(der::Tag::integer)) return fail(Error::unsupported); // version 1 is left out
    der::Reader version = TRY(in.enter(kVersionTag));
    if (TRY(version.small_integer()) != kVersion3) return fail(Error::unsupported);
    TRY(version.finish());

    certificate.serial = TRY(in.integer());
    const bool is_negative = (certificate.serial[0] & std::byte{0x80}) != std::byte{0};
    const bool is_zero = certificate.serial.size() == 1 && certificate.serial[0] == std::byte{0};
    if (is_negative || is_zero || certificate.serial.size() > kMaxSerial) return fail(Error::bad_format);
    return {};
}

Result<> read_validity(der::Reader& in, Certificate& certificate) {
    der::Reader validity = TRY(in.sequence());
    certificate.not_before = TRY(read_time(validity));
    certificate.not_after = TRY(read_time(validity));
    return validity.finish();
}

// issuerUniqueID and subjectUniqueID (section 4.1.2.8) are passed over.
Result<> skip_unique_ids(der::Reader& in) {
    for (const std::uint8_t number : {1, 2}) {
        const der::Tag tag = der::context_primitive(number);
        if (in.next_is(tag)) TRY(in.bit_string(tag));
    }
    return {};
}

// tbsCertificate.
Result<> read_tbs(der::Reader in, Certificate& certificate) {
    TRY(read_version_and_serial(in, certificate));
    certificate.signature_set = TRY(detail::read_algorithm(in));
    const Name issuer = TRY(read_name(in));
    if (issuer.is_empty) return fail(Error::bad_format); // section 4.1.2.4
    certificate.issuer = issuer.whole;
    TRY(read_validity(in, certificate));
    const Name subject = TRY(read_name(in));
    certificate.subject = subject.whole;
    const auto key = TRY(detail::parse_public_key(in));
    certificate.key_set = key.set;
    certificate.public_key = key.key;
    TRY(skip_unique_ids(in));

    ExtensionFacts facts;
    if (!in.at_end()) {
        der::Reader tagged = TRY(in.enter(der::context_constructed(3)));
        const der::Reader extensions = TRY(tagged.sequence());
        TRY(tagged.finish());
        facts = TRY(read_extensions(extensions, certificate));
    }
    TRY(in.finish());
    // A subject without a name has critical other names, and is not a CA (sections 4.1.2.6 and 4.2.1.6).
    if (subject.is_empty && (certificate.is_ca || !facts.subject_alt_name_is_critical)) return fail(Error::bad_format);
    return {};
}

} // namespace

Result<Certificate> parse_certificate(Bytes der) {
    der::Reader in(der);
    der::Reader fields = TRY(in.sequence());
    TRY(in.finish());
    Certificate certificate{};
    const auto tbs = TRY(fields.element(der::Tag::sequence));
    certificate.tbs = tbs.whole;
    TRY(read_tbs(der::Reader(tbs.contents), certificate));
    // Section 4.1.1.2: the same algorithm as inside. It has no parameters, so equal sets are equal encodings.
    const MlDsaSet set = TRY(detail::read_algorithm(fields));
    if (set != certificate.signature_set) return fail(Error::bad_format);
    certificate.signature = TRY(fields.whole_bit_string());
    if (certificate.signature.size() != signature_size(set)) return fail(Error::bad_format);
    TRY(fields.finish());
    return certificate;
}

} // namespace aios::crypto
