// Extensions of a certificate (RFC 5280 section 4.2): basicConstraints, keyUsage and subjectAltName are evaluated; the
// others are passed over, or remembered as critical and unknown.
#include <algorithm>
#include <array>

#include "crypto/x509/parts.hpp"

namespace aios::crypto::detail::x509 {

namespace {

constexpr std::size_t kMaxExtensions = 32;

// 2.5.29.x (section 4.2.1).
constexpr std::array<std::byte, 2> kCertificateExtensions = {std::byte{0x55}, std::byte{0x1d}};
constexpr std::uint8_t kKeyUsageArc = 15;
constexpr std::uint8_t kSubjectAltNameArc = 17;
constexpr std::uint8_t kBasicConstraintsArc = 19;

struct Extension {
    Bytes oid;
    bool is_critical;
    Bytes value;
};

Result<Extension> read_extension(der::Reader& in) {
    der::Reader fields = TRY(in.sequence());
    Extension extension{.oid = TRY(fields.oid()), .is_critical = false, .value = {}};
    if (fields.next_is(der::Tag::boolean)) {
        extension.is_critical = TRY(fields.boolean());
        if (!extension.is_critical) return fail(Error::bad_format); // DER leaves a default out
    }
    extension.value = TRY(fields.octet_string());
    TRY(fields.finish());
    return extension;
}

// Section 4.2.1.9. The path length is given for CAs only.
Result<> read_basic_constraints(Bytes value, Certificate& certificate) {
    der::Reader in(value);
    der::Reader fields = TRY(in.sequence());
    TRY(in.finish());
    if (fields.next_is(der::Tag::boolean)) {
        certificate.is_ca = TRY(fields.boolean());
        if (!certificate.is_ca) return fail(Error::bad_format);
    }
    if (!fields.at_end()) {
        if (!certificate.is_ca) return fail(Error::bad_format);
        certificate.path_length = TRY(fields.small_integer());
    }
    return fields.finish();
}

// Section 4.2.1.3, and which usages ML-DSA allows and forbids: RFC 9881 section 5.
Result<> read_key_usage(Bytes value, Certificate& certificate) {
    constexpr std::uint32_t kAllowed = kDigitalSignature | kNonRepudiation | kKeyCertSign | kCrlSign;
    der::Reader in(value);
    const der::BitString bits = TRY(in.bit_string());
    TRY(in.finish());
    if (bits.octets.empty() || bits.octets.size() > 2) return fail(Error::bad_format);
    // X.690 section 11.2.2: of named bits the last one is set.
    if ((static_cast<unsigned>(bits.octets.back()) >> bits.unused_bits & 1U) == 0) return fail(Error::bad_format);
    std::uint32_t usage = 0;
    for (std::size_t bit = 0; bit < 8 * bits.octets.size(); ++bit) {
        const auto octet = static_cast<std::uint32_t>(bits.octets[bit / 8]);
        usage |= (octet >> (7 - bit % 8) & 1U) << bit;
    }
    if ((usage & kAllowed) == 0 || (usage & ~kAllowed) != 0) return fail(Error::bad_format);
    certificate.key_usage = static_cast<std::uint16_t>(usage);
    return {};
}

// Section 4.2.1.6: at least one GeneralName, of which the outer form is checked.
Result<> read_subject_alt_name(Bytes value, Certificate& certificate) {
    der::Reader in(value);
    der::Reader names = TRY(in.sequence());
    TRY(in.finish());
    do {
        const auto name = TRY(names.element());
        if ((static_cast<std::uint8_t>(name.tag) & 0xc0) != 0x80) return fail(Error::bad_format);
    } while (!names.at_end());
    certificate.subject_alt_name = value;
    return {};
}

// Section 4.2: not twice. `before` begins with the first of `count` extensions that were read already.
Result<> check_new(Bytes oid, der::Reader before, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const Extension other = TRY(read_extension(before));
        if (std::ranges::equal(other.oid, oid)) return fail(Error::bad_format);
    }
    return {};
}

} // namespace

Result<ExtensionFacts> read_extensions(der::Reader extensions, Certificate& certificate) {
    ExtensionFacts facts;
    const der::Reader first = extensions;
    std::size_t count = 0;
    do {
        if (count == kMaxExtensions) return fail(Error::too_large);
        const Extension extension = TRY(read_extension(extensions));
        TRY(check_new(extension.oid, first, count));
        ++count;

        const bool is_standard = extension.oid.size() == kCertificateExtensions.size() + 1 &&
                                 std::ranges::equal(extension.oid.first(2), kCertificateExtensions);
        switch (is_standard ? static_cast<std::uint8_t>(extension.oid.back()) : 0) {
        case kBasicConstraintsArc:
            TRY(read_basic_constraints(extension.value, certificate));
            break;
        case kKeyUsageArc:
            TRY(read_key_usage(extension.value, certificate));
            break;
        case kSubjectAltNameArc:
            TRY(read_subject_alt_name(extension.value, certificate));
            facts.subject_alt_name_is_critical = extension.is_critical;
            break;
        default:
            if (extension.is_critical) certificate.has_unknown_critical = true;
            break;
        }
    } while (!extensions.at_end());

    // Who may sign certificates is a CA, and a path length is for those (sections 4.2.1.3 and 4.2.1.9).
    const bool signs_certificates = !certificate.key_usage || (*certificate.key_usage & kKeyCertSign) != 0;
    if (certificate.key_usage && signs_certificates && !certificate.is_ca) return fail(Error::bad_format);
    if (certificate.path_length && !signs_certificates) return fail(Error::bad_format);
    return facts;
}

} // namespace aios::crypto::detail::x509
