// SLH-DSA (FIPS 205), all parameter sets; without addrnd signing is
// deterministic.
#include "crypto/slh_dsa.hpp"

#include <memory>

#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

template <typename Dsa>
Answer generate(const Request& request) {
    typename Dsa::SecretSeed secret_seed;
    typename Dsa::PrfKey prf_key;
    typename Dsa::PublicSeed public_seed;
    HOST_TRY(take(request, "skseed", secret_seed));
    HOST_TRY(take(request, "skprf", prf_key));
    HOST_TRY(take(request, "pkseed", public_seed));
    typename Dsa::PublicKey public_key;
    typename Dsa::SecretKey secret_key;
    const auto done = Dsa::generate(secret_seed, prf_key, public_seed, public_key, secret_key,
                                    *std::make_unique<typename Dsa::Workspace>(), stop_at_signal());
    if (!done) return refused(done.error());
    return ok({{"pk", public_key.bytes()}, {"sk", secret_key.bytes()}});
}

template <typename Dsa>
Answer sign(const Request& request) {
    const auto message = HOST_TRY(message_of(request));
    typename Dsa::Randomness randomness;
    if (request.has("addrnd")) HOST_TRY(take(request, "addrnd", randomness));
    typename Dsa::SecretKey secret_key;
    if (!fits(request, "sk", secret_key)) return invalid();
    if (!message) return refused(message.error());
    const auto signature = std::make_unique<typename Dsa::Signature>();
    const auto done = Dsa::sign(secret_key, *message, request.has("addrnd") ? &randomness : nullptr, *signature,
                                *std::make_unique<typename Dsa::Workspace>(), stop_at_signal());
    if (!done) return refused(done.error());
    return ok({{"sig", signature->bytes()}});
}

template <typename Dsa>
Answer verify(const Request& request) {
    const auto message = HOST_TRY(message_of(request));
    typename Dsa::PublicKey public_key;
    const auto signature = std::make_unique<typename Dsa::Signature>();
    if (!message || !fits(request, "pk", public_key) || !fits(request, "sig", *signature)) return invalid();
    const auto verdict = Dsa::verify(public_key, *message, *signature, *std::make_unique<typename Dsa::Workspace>());
    return verdict == crypto::Verdict::valid ? "valid" : invalid();
}

template <typename Dsa>
constexpr std::array<Row, 3> rows(std::string_view name) {
    return {{{name, "keygen", "skseed skprf pkseed", "", generate<Dsa>},
             {name, "sign", "sk msg", "ctx addrnd hash internal", sign<Dsa>},
             {name, "verify", "pk msg sig", "ctx hash internal", verify<Dsa>}}};
}

constexpr auto kRows =
    joined(rows<crypto::SlhDsaSha2_128s>("SLH-DSA-SHA2-128s"), rows<crypto::SlhDsaSha2_128f>("SLH-DSA-SHA2-128f"),
           rows<crypto::SlhDsaSha2_192s>("SLH-DSA-SHA2-192s"), rows<crypto::SlhDsaSha2_192f>("SLH-DSA-SHA2-192f"),
           rows<crypto::SlhDsaSha2_256s>("SLH-DSA-SHA2-256s"), rows<crypto::SlhDsaSha2_256f>("SLH-DSA-SHA2-256f"),
           rows<crypto::SlhDsaShake_128s>("SLH-DSA-SHAKE-128s"), rows<crypto::SlhDsaShake_128f>("SLH-DSA-SHAKE-128f"),
           rows<crypto::SlhDsaShake_192s>("SLH-DSA-SHAKE-192s"), rows<crypto::SlhDsaShake_192f>("SLH-DSA-SHAKE-192f"),
           rows<crypto::SlhDsaShake_256s>("SLH-DSA-SHAKE-256s"), rows<crypto::SlhDsaShake_256f>("SLH-DSA-SHAKE-256f"));

} // namespace

std::span<const Row> slh_dsa_rows() { return kRows; }

} // namespace aios::host::kat
