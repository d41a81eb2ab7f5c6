// ML-DSA (FIPS 204): signing takes the seed or the expanded key, the message or
// mu; without rnd it is deterministic.
#include "crypto/ml_dsa.hpp"

#include <memory>

#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

template <typename Dsa>
Answer generate(const Request& request) {
    typename Dsa::Seed seed;
    HOST_TRY(take(request, "seed", seed));
    typename Dsa::PublicKey public_key;
    typename Dsa::SecretKey secret_key;
    Dsa::generate(seed, public_key, secret_key, *std::make_unique<typename Dsa::GenerateWorkspace>());
    return ok({{"pk", public_key.bytes()}, {"sk", secret_key.bytes()}});
}

template <typename Dsa>
Answer sign(const Request& request) {
    if (request.has("seed") == request.has("sk"))
        return failure(Exit::bad_input, "exactly one of the fields seed and sk has to be there");
    const auto message = HOST_TRY(message_of(request));
    typename Dsa::Randomness randomness;
    if (request.has("rnd")) HOST_TRY(take(request, "rnd", randomness));
    typename Dsa::SecretKey secret_key;
    if (request.has("seed")) {
        typename Dsa::Seed seed;
        HOST_TRY(take(request, "seed", seed));
        typename Dsa::PublicKey public_key;
        Dsa::generate(seed, public_key, secret_key, *std::make_unique<typename Dsa::GenerateWorkspace>());
    } else if (!fits(request, "sk", secret_key)) {
        return invalid();
    }
    if (!message) return refused(message.error());
    typename Dsa::Signature signature;
    const auto done = Dsa::sign(secret_key, *message, request.has("rnd") ? &randomness : nullptr, signature,
                                *std::make_unique<typename Dsa::SignWorkspace>(), stop_at_signal());
    if (!done) return refused(done.error());
    return ok({{"sig", signature.bytes()}});
}

template <typename Dsa>
Answer verify(const Request& request) {
    const auto message = HOST_TRY(message_of(request));
    typename Dsa::PublicKey public_key;
    typename Dsa::Signature signature;
    if (!message || !fits(request, "pk", public_key) || !fits(request, "sig", signature)) return invalid();
    const auto verdict =
        Dsa::verify(public_key, *message, signature, *std::make_unique<typename Dsa::VerifyWorkspace>());
    return verdict == crypto::Verdict::valid ? "valid" : invalid();
}

template <typename Dsa>
constexpr std::array<Row, 3> rows(std::string_view name) {
    return {{{name, "keygen", "seed", "", generate<Dsa>},
             {name, "sign", "", "seed sk msg mu ctx rnd hash internal", sign<Dsa>},
             {name, "verify", "pk sig", "msg mu ctx hash internal", verify<Dsa>}}};
}

constexpr auto kRows =
    joined(rows<crypto::MlDsa44>("ML-DSA-44"), rows<crypto::MlDsa65>("ML-DSA-65"), rows<crypto::MlDsa87>("ML-DSA-87"));

} // namespace

std::span<const Row> ml_dsa_rows() { return kRows; }

} // namespace aios::host::kat
