// OneAsymmetricKey of ML-DSA (RFC 5958 section 2, RFC 9881 section 6). See ml_dsa_keys.hpp. Nothing here looks at the
// contents of the seed and the expanded key, so that its times depend on lengths alone.
#include <array>

#include "crypto/ml_dsa_keys.hpp"

namespace aios::crypto::detail {

namespace {

constexpr std::size_t kSeedSize = MlDsa44::Seed::kSize;
constexpr der::Tag kSeedTag = der::context_primitive(0);
constexpr der::Tag kAttributesTag = der::context_constructed(0);
constexpr der::Tag kPublicKeyTag = der::context_primitive(1);

std::size_t expanded_size(MlDsaSet set) {
    switch (set) {
    case MlDsaSet::ml_dsa_44:
        return MlDsa44::kSecretKeySize;
    case MlDsaSet::ml_dsa_65:
        return MlDsa65::kSecretKeySize;
    case MlDsaSet::ml_dsa_87:
        return MlDsa87::kSecretKeySize;
    }
    AIOS_UNREACHABLE();
}

// ML-DSA-xx-PrivateKey, a CHOICE of three.
Result<> parse_choice(Bytes der, MlDsaSet set, ParsedPrivateKey& key) {
    der::Reader in(der);
    if (in.next_is(der::Tag::octet_string)) {
        const Bytes expanded = TRY(in.octet_string());
        TRY(in.finish());
        return fail(expanded.size() == expanded_size(set) ? Error::unsupported : Error::bad_format);
    }
    if (in.next_is(kSeedTag)) {
        key.seed = TRY(in.octet_string(kSeedTag));
    } else {
        der::Reader both = TRY(in.sequence());
        key.seed = TRY(both.octet_string());
        key.expanded = TRY(both.octet_string());
        TRY(both.finish());
        if (key.expanded.size() != expanded_size(set)) return fail(Error::bad_format);
    }
    TRY(in.finish());
    if (key.seed.size() != kSeedSize) return fail(Error::bad_format);
    return {};
}

} // namespace

Result<ParsedPrivateKey> parse_private_key(MlDsaSet set, Bytes der) {
    der::Reader in(der);
    der::Reader fields = TRY(in.sequence());
    TRY(in.finish());
    const std::uint32_t version = TRY(fields.small_integer());
    if (version > 1) return fail(Error::unsupported);
    if (TRY(read_algorithm(fields)) != set) return fail(Error::unsupported);
    ParsedPrivateKey key{};
    const Bytes choice = TRY(fields.octet_string());
    TRY(parse_choice(choice, set, key));
    // Attributes say nothing about the key itself; their outer form is checked.
    if (fields.next_is(kAttributesTag)) {
        der::Reader attributes = TRY(fields.enter(kAttributesTag));
        while (!attributes.at_end())
            TRY(attributes.sequence());
    }
    if (fields.next_is(kPublicKeyTag)) {
        key.public_key = TRY(fields.whole_bit_string(kPublicKeyTag));
        if (key.public_key.size() != public_key_size(set)) return fail(Error::bad_format);
    }
    TRY(fields.finish());
    // Version 2 is the one with a public key.
    if (version != (key.public_key.empty() ? 0U : 1U)) return fail(Error::bad_format);
    return key;
}

Result<Bytes> write_private_key(MlDsaSet set, Bytes seed, MutableBytes out) {
    if (out.size() < kEncodedPrivateKeySize) return fail(Error::buffer_small); // before any secret is written
    der::Writer writer(out);
    writer.begin(der::Tag::sequence).integer(0);
    write_algorithm(writer, set);
    writer.begin(der::Tag::octet_string).element(kSeedTag, seed).end().end();
    return writer.finish();
}

} // namespace aios::crypto::detail
