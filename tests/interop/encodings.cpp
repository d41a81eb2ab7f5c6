// Our side of the interoperation of encodings: keys as SubjectPublicKeyInfo, PKCS#8 and COSE_Key, COSE_Sign1 messages,
// X.509 certificates. Lines as those of `aios kat`, one answer a line: invalid is what a decoder or a check refused.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/cose.hpp"
#include "crypto/cose_key.hpp"
#include "crypto/ml_dsa_keys.hpp"
#include "crypto/x509.hpp"
#include "tools/aios/kat/row.hpp"
#include "tools/aios/options.hpp"

namespace aios::host::kat {
namespace {

// A key pair from the field seed.
template <typename Dsa>
struct Pair {
    typename Dsa::Seed seed;
    typename Dsa::PublicKey public_key;
    typename Dsa::SecretKey secret_key;

    Outcome<> generate(const Request& request) {
        HOST_TRY(take(request, "seed", seed));
        Dsa::generate(seed, public_key, secret_key, *std::make_unique<typename Dsa::GenerateWorkspace>());
        return {};
    }
};

std::optional<Bytes> optional_bytes(const Request& request, std::string_view name) {
    if (!request.has(name)) return std::nullopt;
    return request.bytes(name);
}

template <typename Dsa>
Answer write_keys(const Request& request) {
    Pair<Dsa> pair;
    HOST_TRY(pair.generate(request));
    std::vector<std::byte> spki(crypto::kEncodedPublicKeySize<Dsa>);
    std::vector<std::byte> pkcs8(crypto::kEncodedPrivateKeySize);
    std::vector<std::byte> cose(Dsa::kPublicKeySize + 256);
    std::vector<std::byte> cose_private(Dsa::kPublicKeySize + 256);
    const auto id = optional_bytes(request, "kid");
    const auto a = crypto::encode_public_key<Dsa>(pair.public_key, spki);
    const auto b = crypto::encode_private_key<Dsa>(pair.seed, pkcs8);
    const auto c = crypto::encode_cose_key<Dsa>(pair.public_key, id, cose);
    const auto d = crypto::encode_cose_private_key<Dsa>(pair.seed, pair.public_key, id, cose_private);
    if (!a || !b || !c || !d) return invalid();
    return ok({{"spki", *a}, {"pkcs8", *b}, {"cose", *c}, {"coseprivate", *d}});
}

template <typename Dsa>
Answer read_spki(const Request& request) {
    typename Dsa::PublicKey key;
    if (!crypto::decode_public_key<Dsa>(request.bytes("der"), key)) return invalid();
    return ok({{"pk", key.bytes()}});
}

template <typename Dsa>
Answer read_pkcs8(const Request& request) {
    Pair<Dsa> pair;
    if (!crypto::decode_private_key<Dsa>(request.bytes("der"), pair.seed, pair.public_key, pair.secret_key,
                                         *std::make_unique<typename Dsa::GenerateWorkspace>()))
        return invalid();
    return ok({{"seed", pair.seed.bytes()}, {"pk", pair.public_key.bytes()}});
}

template <typename Dsa>
Answer read_cose_key(const Request& request) {
    const auto key = crypto::parse_cose_key(request.bytes("key"));
    if (!key || key->set != crypto::kMlDsaSet<Dsa>) return invalid();
    if (!key->seed) return ok({{"pk", key->public_key}});
    Pair<Dsa> pair;
    if (!crypto::load_cose_private_key<Dsa>(*key, pair.seed, pair.public_key, pair.secret_key,
                                            *std::make_unique<typename Dsa::GenerateWorkspace>()))
        return invalid();
    return ok({{"pk", pair.public_key.bytes()}, {"seed", pair.seed.bytes()}});
}

template <typename Dsa>
Answer sign_cose(const Request& request) {
    Pair<Dsa> pair;
    HOST_TRY(pair.generate(request));
    const crypto::CoseContent content{.payload = request.bytes("msg"),
                                      .is_detached = HOST_TRY(request.flag("internal")),
                                      .external_aad = request.bytes("aad"),
                                      .header = {.key_id = optional_bytes(request, "kid"),
                                                 .content_format = std::nullopt,
                                                 .content_type = std::nullopt}};
    const auto size = crypto::cose_sign1_size<Dsa>(content);
    if (!size) return invalid();
    std::vector<std::byte> out(*size);
    const auto message = crypto::cose_sign1<Dsa>(pair.secret_key, content, nullptr, out,
                                                 *std::make_unique<crypto::CoseSignWorkspace<Dsa>>());
    if (!message) return invalid();
    return ok({{"cose", *message}});
}

template <typename Dsa>
Answer verify_cose(const Request& request) {
    typename Dsa::PublicKey key;
    HOST_TRY(take(request, "pk", key));
    const auto message = crypto::parse_cose_sign1(request.bytes("cose"));
    if (!message) return invalid();
    const auto workspace = std::make_unique<crypto::CoseVerifyWorkspace<Dsa>>();
    const auto verdict = request.has("msg") ? crypto::cose_verify_detached<Dsa>(key, *message, request.bytes("msg"),
                                                                                request.bytes("aad"), *workspace)
                                            : crypto::cose_verify<Dsa>(key, *message, request.bytes("aad"), *workspace);
    if (verdict != crypto::Verdict::valid) return invalid();
    return ok({{"msg", message->payload.value_or(Bytes())}, {"kid", message->header.key_id.value_or(Bytes())}});
}

// leaf, and an intermediate CA where there is one, under a root at a time.
Answer verify_certificates(const Request& request) {
    const auto root = crypto::parse_certificate(request.bytes("root"));
    const auto leaf = crypto::parse_certificate(request.bytes("leaf"));
    if (!root || !leaf) return invalid();
    std::vector<crypto::Certificate> chain = {*leaf};
    if (request.has("ca")) {
        const auto ca = crypto::parse_certificate(request.bytes("ca"));
        if (!ca) return invalid();
        chain.push_back(*ca);
    }
    const auto anchor = crypto::trust_anchor(*root);
    if (!anchor) return invalid();
    const std::size_t time = HOST_TRY(request.count("len", ~std::size_t{0} >> 1));
    const auto verdict =
        crypto::verify_chain(chain, *anchor, static_cast<std::int64_t>(time), crypto::CertificateUse::digital_signature,
                             *std::make_unique<crypto::X509Workspace>());
    return verdict == crypto::Verdict::valid ? "valid" : invalid();
}

template <typename Dsa>
constexpr std::array<Row, 6> rows(std::string_view name) {
    return {{{name, "write", "seed", "kid", write_keys<Dsa>},
             {name, "read-spki", "der", "", read_spki<Dsa>},
             {name, "read-pkcs8", "der", "", read_pkcs8<Dsa>},
             {name, "read-cose-key", "key", "", read_cose_key<Dsa>},
             {name, "sign-cose", "seed msg", "aad kid internal", sign_cose<Dsa>},
             {name, "verify-cose", "pk cose", "aad msg", verify_cose<Dsa>}}};
}

// `len` is the time in seconds since 1970, and `internal` says that the payload is detached: the plain fields that
// there are.
constexpr std::array<Row, 1> kCertificates = {{{"X509", "verify", "root leaf len", "ca", verify_certificates}}};

constexpr auto kRows = joined(rows<crypto::MlDsa44>("ML-DSA-44"), rows<crypto::MlDsa65>("ML-DSA-65"),
                              rows<crypto::MlDsa87>("ML-DSA-87"), kCertificates);

} // namespace
} // namespace aios::host::kat

int main() {
    using namespace aios::host::kat;
    std::vector<const Row*> rows;
    for (const Row& row : kRows)
        rows.push_back(&row);
    for (std::string line; std::getline(std::cin, line);) {
        std::puts(answer(line, rows).c_str());
        std::fflush(stdout);
    }
    return 0;
}
