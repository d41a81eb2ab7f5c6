// SubjectPublicKeyInfo and AlgorithmIdentifier of ML-DSA (RFC 9881 sections 2 and 4). See ml_dsa_keys.hpp.
#include <algorithm>
#include <array>

#include "crypto/ml_dsa_keys.hpp"

namespace aios::crypto {

namespace {

// 2.16.840.1.101.3.4.3.x, the NIST register of signature algorithms; x is 17, 18 and 19 for the three sets.
constexpr std::array<std::byte, 8> kSignatureAlgorithms = {std::byte{0x60}, std::byte{0x86}, std::byte{0x48},
                                                           std::byte{0x01}, std::byte{0x65}, std::byte{0x03},
                                                           std::byte{0x04}, std::byte{0x03}};
constexpr std::uint8_t kFirstArc = 17;

} // namespace

namespace detail {

Result<MlDsaSet> read_algorithm(der::Reader& in) {
    der::Reader after = in;
    der::Reader identifier = TRY(after.sequence());
    const Bytes oid = TRY(identifier.oid());
    if (oid.size() != kSignatureAlgorithms.size() + 1) return fail(Error::unsupported);
    if (!std::ranges::equal(oid.first(kSignatureAlgorithms.size()), kSignatureAlgorithms)) {
        return fail(Error::unsupported);
    }
    MlDsaSet set;
    switch (static_cast<std::uint8_t>(oid.back())) {
    case kFirstArc:
        set = MlDsaSet::ml_dsa_44;
        break;
    case kFirstArc + 1:
        set = MlDsaSet::ml_dsa_65;
        break;
    case kFirstArc + 2:
        set = MlDsaSet::ml_dsa_87;
        break;
    default:
        return fail(Error::unsupported);
    }
    TRY(identifier.finish()); // the parameters must be absent
    in = after;
    return set;
}

void write_algorithm(der::Writer& out, MlDsaSet set) {
    std::array<std::byte, kSignatureAlgorithms.size() + 1> oid;
    std::ranges::copy(kSignatureAlgorithms, oid.begin());
    oid.back() = static_cast<std::byte>(kFirstArc + static_cast<std::uint8_t>(set));
    out.begin(der::Tag::sequence).oid(oid).end();
}

Result<ParsedPublicKey> parse_public_key(der::Reader& in) {
    der::Reader after = in;
    der::Reader info = TRY(after.sequence());
    const MlDsaSet set = TRY(read_algorithm(info));
    const Bytes key = TRY(info.whole_bit_string());
    TRY(info.finish());
    if (key.size() != public_key_size(set)) return fail(Error::bad_format);
    in = after;
    return ParsedPublicKey{.set = set, .key = key};
}

Result<ParsedPublicKey> parse_public_key(Bytes der) {
    der::Reader in(der);
    const auto parsed = TRY(parse_public_key(in));
    TRY(in.finish());
    return parsed;
}

Result<Bytes> write_public_key(MlDsaSet set, Bytes key, MutableBytes out) {
    der::Writer writer(out);
    writer.begin(der::Tag::sequence);
    write_algorithm(writer, set);
    writer.bit_string(key).end();
    return writer.finish();
}

} // namespace detail

Result<MlDsaSet> public_key_set(Bytes der) { return TRY(detail::parse_public_key(der)).set; }

} // namespace aios::crypto
