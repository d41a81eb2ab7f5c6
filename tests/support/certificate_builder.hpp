// Makes X.509 certificates signed with ML-DSA for tests: good ones, and ones in which a single thing is wrong. Each
// member is a part of the certificate, encoded already or easy to encode; a test changes the one it is about.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/der.hpp"
#include "crypto/ml_dsa_keys.hpp"
#include "tests/support/hex.hpp"

namespace aios::test {

using Octets = std::vector<std::byte>;

// What `write` writes.
template <typename Write>
Octets der_of(const Write& write) {
    crypto::der::Writer counter{MutableBytes()};
    write(counter);
    Octets result(counter.size());
    crypto::der::Writer out(result);
    write(out);
    return result;
}

// A name of one common name; an empty one has no parts.
inline Octets common_name(std::string_view text) {
    return der_of([&](crypto::der::Writer& out) {
        out.begin(crypto::der::Tag::sequence);
        if (!text.empty()) {
            out.begin(crypto::der::Tag::set).begin(crypto::der::Tag::sequence).oid(from_hex("550403"));
            out.element(crypto::der::Tag::utf8_string, as_bytes(text)).end().end();
        }
        out.end();
    });
}

// An extension with this object identifier (in hex) and value (in hex).
inline Octets extension(std::string_view oid, bool is_critical, std::string_view value) {
    return der_of([&](crypto::der::Writer& out) {
        out.begin(crypto::der::Tag::sequence).oid(from_hex(oid));
        if (is_critical) out.boolean(true);
        out.octet_string(from_hex(value)).end();
    });
}

inline Octets ca_extension() { return extension("551d13", true, "30030101ff"); }
inline Octets ca_extension(std::uint8_t path_length) {
    return extension("551d13", true, "30060101ff0201" + to_hex({{std::byte{path_length}}}));
}
// keyUsage as the contents of its bit string.
inline Octets key_usage(std::string_view bits) {
    const auto size = from_hex(bits).size();
    return extension("551d0f", true, "03" + to_hex({{static_cast<std::byte>(size)}}) + std::string(bits));
}
inline Octets certificate_signer() { return key_usage("0106"); }
inline Octets digital_signer() { return key_usage("0780"); }

inline Octets utc_time(std::string_view text) {
    return der_of([&](crypto::der::Writer& out) { out.element(crypto::der::Tag::utc_time, as_bytes(text)); });
}
inline Octets generalized_time(std::string_view text) {
    return der_of([&](crypto::der::Writer& out) { out.element(crypto::der::Tag::generalized_time, as_bytes(text)); });
}

struct CertificateBuilder {
    Octets version = from_hex("a003020102");
    Octets serial = from_hex("020101");
    std::optional<Octets> inner_algorithm = {}; // else that of the signer
    std::optional<Octets> outer_algorithm = {};
    Octets issuer = common_name("root");
    Octets not_before = utc_time("240101000000Z");
    Octets not_after = utc_time("340101000000Z");
    Octets subject = common_name("leaf");
    Octets key_info = {}; // SubjectPublicKeyInfo
    Octets unique_ids = {};
    std::vector<Octets> extensions = {};
    std::optional<Octets> extensions_field = {}; // in place of the whole [3]
    Octets behind_signature = {};

    template <typename Algorithm>
    void key(const typename Algorithm::PublicKey& key) {
        key_info.resize(crypto::kEncodedPublicKeySize<Algorithm>);
        (void)crypto::encode_public_key<Algorithm>(key, key_info);
    }

    template <typename Algorithm>
    [[nodiscard]] static Octets algorithm() {
        return der_of(
            [](crypto::der::Writer& out) { crypto::detail::write_algorithm(out, crypto::kMlDsaSet<Algorithm>); });
    }

    template <typename Algorithm>
    [[nodiscard]] Octets tbs() const {
        using crypto::der::Tag;
        return der_of([&](crypto::der::Writer& out) {
            out.begin(Tag::sequence).raw(version).raw(serial);
            out.raw(inner_algorithm ? *inner_algorithm : algorithm<Algorithm>()).raw(issuer);
            out.begin(Tag::sequence).raw(not_before).raw(not_after).end();
            out.raw(subject).raw(key_info).raw(unique_ids);
            if (extensions_field) {
                out.raw(*extensions_field);
            } else if (!extensions.empty()) {
                out.begin(crypto::der::context_constructed(3)).begin(Tag::sequence);
                for (const Octets& one : extensions)
                    out.raw(one);
                out.end().end();
            }
            out.end();
        });
    }

    // The certificate, signed deterministically.
    template <typename Algorithm>
    [[nodiscard]] Octets sign(const typename Algorithm::SecretKey& key,
                              typename Algorithm::SignWorkspace& workspace) const {
        using crypto::der::Tag;
        const Octets signed_part = tbs<Algorithm>();
        const auto message = crypto::SignedMessage::pure(signed_part);
        auto signature = std::make_unique<typename Algorithm::Signature>();
        if (!message || !Algorithm::sign(key, *message, nullptr, *signature, workspace)) return {};
        return der_of([&](crypto::der::Writer& out) {
            out.begin(Tag::sequence).raw(signed_part);
            out.raw(outer_algorithm ? *outer_algorithm : algorithm<Algorithm>());
            out.bit_string(signature->bytes()).raw(behind_signature).end();
        });
    }
};

} // namespace aios::test
