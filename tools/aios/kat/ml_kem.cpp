// ML-KEM (FIPS 203). The operations are the standard's internal ones, with the
// randomness given (section 6), after the input checks of section 7: a key or
// ciphertext that they refuse is invalid.
#include "crypto/ml_kem.hpp"

#include <memory>

#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

template <typename Kem>
Answer generate(const Request& request) {
    typename Kem::Randomness d;
    typename Kem::Randomness z;
    HOST_TRY(take(request, "d", d));
    HOST_TRY(take(request, "z", z));
    typename Kem::EncapsulationKey ek;
    typename Kem::DecapsulationKey dk;
    Kem::generate(d, z, ek, dk, *std::make_unique<typename Kem::Workspace>());
    return ok({{"ek", ek.bytes()}, {"dk", dk.bytes()}});
}

template <typename Kem>
Answer encapsulate(const Request& request) {
    typename Kem::Randomness m;
    HOST_TRY(take(request, "m", m));
    typename Kem::EncapsulationKey ek;
    if (!fits(request, "ek", ek)) return invalid();
    typename Kem::Ciphertext ciphertext;
    typename Kem::SharedSecret shared;
    const auto done = Kem::encapsulate(ek, m, ciphertext, shared, *std::make_unique<typename Kem::Workspace>());
    if (!done) return refused(done.error());
    return ok({{"c", ciphertext.bytes()}, {"k", shared.bytes()}});
}

template <typename Kem>
Answer decapsulate(const Request& request) {
    typename Kem::DecapsulationKey dk;
    typename Kem::Ciphertext ciphertext;
    if (!fits(request, "dk", dk) || !fits(request, "c", ciphertext)) return invalid();
    typename Kem::SharedSecret shared;
    const auto done = Kem::decapsulate(dk, ciphertext, shared, *std::make_unique<typename Kem::Workspace>());
    if (!done) return refused(done.error());
    return ok({{"k", shared.bytes()}});
}

template <typename Kem>
constexpr std::array<Row, 3> rows(std::string_view name) {
    return {{{name, "keygen", "d z", "", generate<Kem>},
             {name, "encaps", "ek m", "", encapsulate<Kem>},
             {name, "decaps", "dk c", "", decapsulate<Kem>}}};
}

constexpr auto kRows = joined(rows<crypto::MlKem512>("ML-KEM-512"), rows<crypto::MlKem768>("ML-KEM-768"),
                              rows<crypto::MlKem1024>("ML-KEM-1024"));

} // namespace

std::span<const Row> ml_kem_rows() { return kRows; }

} // namespace aios::host::kat
