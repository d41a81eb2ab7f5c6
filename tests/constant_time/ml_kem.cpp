// ML-KEM with secret randomness and secret keys: key generation, encapsulation, and decapsulation of a ciphertext that
// is accepted and of one that is not, which must look alike.
#include "crypto/ml_kem.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;

// Static: workspaces are large. What the operations gave before with the same input in the open, and give with marks.
template <typename Kem>
struct Kept {
    static inline typename Kem::Workspace workspace;
    static inline typename Kem::EncapsulationKey ek;
    static inline typename Kem::EncapsulationKey expected_ek;
    static inline typename Kem::DecapsulationKey dk;
    static inline typename Kem::DecapsulationKey expected_dk;
    static inline typename Kem::Ciphertext ciphertext;
    static inline typename Kem::Ciphertext expected_ciphertext;
    static inline typename Kem::SharedSecret shared;
    static inline typename Kem::SharedSecret expected_shared;
};

template <typename Kem>
void generate(typename Kem::EncapsulationKey& ek, typename Kem::DecapsulationKey& dk, bool marked) {
    typename Kem::Randomness d;
    typename Kem::Randomness z;
    fill(d.bytes(), 1);
    fill(z.bytes(), 2);
    if (marked) {
        classify(d.bytes());
        classify(z.bytes());
    }
    Kem::generate(d, z, ek, dk, Kept<Kem>::workspace);
}

template <typename Kem>
bool ml_kem_generate() {
    using K = Kept<Kem>;
    generate<Kem>(K::expected_ek, K::expected_dk, false);
    generate<Kem>(K::ek, K::dk, true);
    const bool right = is_secret(K::dk.bytes()) && !is_secret(K::ek.bytes()) &&
                       reveal_equal(K::ek.bytes(), K::expected_ek.bytes()) &&
                       reveal_equal(K::dk.bytes(), K::expected_dk.bytes());
    return right;
}

template <typename Kem>
bool ml_kem_encapsulate() {
    using K = Kept<Kem>;
    generate<Kem>(K::ek, K::dk, false);
    typename Kem::Randomness m;
    fill(m.bytes(), 3);
    if (!Kem::encapsulate(K::ek, m, K::expected_ciphertext, K::expected_shared, K::workspace)) return false;
    classify(m.bytes());
    if (!Kem::encapsulate(K::ek, m, K::ciphertext, K::shared, K::workspace)) return false;
    return is_secret(K::shared.bytes()) && !is_secret(K::ciphertext.bytes()) &&
           reveal_equal(K::ciphertext.bytes(), K::expected_ciphertext.bytes()) &&
           reveal_equal(K::shared.bytes(), K::expected_shared.bytes());
}

// Whether a ciphertext is accepted is a secret too: the comparison's outcome reaches nothing but the shared secret.
template <typename Kem, bool Accepted>
bool ml_kem_decapsulate() {
    using K = Kept<Kem>;
    generate<Kem>(K::ek, K::dk, false);
    typename Kem::Randomness m;
    fill(m.bytes(), 3);
    if (!Kem::encapsulate(K::ek, m, K::ciphertext, K::shared, K::workspace)) return false;
    if (!Accepted) K::ciphertext.bytes()[7] ^= std::byte{4};
    if (!Kem::decapsulate(K::dk, K::ciphertext, K::expected_shared, K::workspace)) return false;
    classify(K::dk.bytes());
    const auto done = Kem::decapsulate(K::dk, K::ciphertext, K::shared, K::workspace);
    if (!done) return false;
    const bool right = is_secret(K::shared.bytes()) && reveal_equal(K::shared.bytes(), K::expected_shared.bytes());
    declassify(K::dk.bytes());
    return right;
}

} // namespace

std::span<const Check> ml_kem_checks() {
    static constexpr Check kChecks[] = {
        {"ml_kem_512_generate", ml_kem_generate<MlKem512>},
        {"ml_kem_512_encapsulate", ml_kem_encapsulate<MlKem512>},
        {"ml_kem_512_decapsulate", ml_kem_decapsulate<MlKem512, true>},
        {"ml_kem_512_decapsulate_rejected", ml_kem_decapsulate<MlKem512, false>},
        {"ml_kem_768_generate", ml_kem_generate<MlKem768>},
        {"ml_kem_768_encapsulate", ml_kem_encapsulate<MlKem768>},
        {"ml_kem_768_decapsulate", ml_kem_decapsulate<MlKem768, true>},
        {"ml_kem_768_decapsulate_rejected", ml_kem_decapsulate<MlKem768, false>},
        {"ml_kem_1024_generate", ml_kem_generate<MlKem1024>},
        {"ml_kem_1024_encapsulate", ml_kem_encapsulate<MlKem1024>},
        {"ml_kem_1024_decapsulate", ml_kem_decapsulate<MlKem1024, true>},
        {"ml_kem_1024_decapsulate_rejected", ml_kem_decapsulate<MlKem1024, false>},
    };
    return kChecks;
}

} // namespace aios::test
