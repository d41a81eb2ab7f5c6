// ML-KEM, all three parameter sets. See operation.hpp.
#include "crypto/ml_kem.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;

namespace {

// Neither constructed nor ended at run time: it would be linked into every program that is measured.
template <typename Kem>
struct Objects {
    [[clang::no_destroy]] static inline constinit typename Kem::Randomness randomness;
    static inline constinit typename Kem::EncapsulationKey ek;
    [[clang::no_destroy]] static inline constinit typename Kem::DecapsulationKey dk;
    static inline constinit typename Kem::Ciphertext ciphertext;
    [[clang::no_destroy]] static inline constinit typename Kem::SharedSecret shared;
    static inline typename Kem::Workspace workspace;
};

template <typename Kem>
bool generate() {
    using O = Objects<Kem>;
    Kem::generate(O::randomness, O::randomness, O::ek, O::dk, O::workspace);
    return true;
}

template <typename Kem>
bool check_keys() {
    using O = Objects<Kem>;
    return Kem::check(O::ek) && Kem::check(O::dk);
}

template <typename Kem>
bool encapsulate() {
    using O = Objects<Kem>;
    return Kem::encapsulate(O::ek, O::randomness, O::ciphertext, O::shared, O::workspace).has_value();
}

template <typename Kem>
bool decapsulate() {
    using O = Objects<Kem>;
    return Kem::decapsulate(O::dk, O::ciphertext, O::shared, O::workspace).has_value();
}

} // namespace

extern "C" {

bool ml_kem_512_generate() { return generate<MlKem512>(); }
bool ml_kem_512_check() { return check_keys<MlKem512>(); }
bool ml_kem_512_encapsulate() { return encapsulate<MlKem512>(); }
bool ml_kem_512_decapsulate() { return decapsulate<MlKem512>(); }
bool ml_kem_768_generate() { return generate<MlKem768>(); }
bool ml_kem_768_check() { return check_keys<MlKem768>(); }
bool ml_kem_768_encapsulate() { return encapsulate<MlKem768>(); }
bool ml_kem_768_decapsulate() { return decapsulate<MlKem768>(); }
bool ml_kem_1024_generate() { return generate<MlKem1024>(); }
bool ml_kem_1024_check() { return check_keys<MlKem1024>(); }
bool ml_kem_1024_encapsulate() { return encapsulate<MlKem1024>(); }
bool ml_kem_1024_decapsulate() { return decapsulate<MlKem1024>(); }

} // extern "C"

namespace aios::test {

namespace {

constexpr Operation kOperations[] = {
    {"ML-KEM-512", "generate", ml_kem_512_generate, sizeof(MlKem512::Workspace)},
    {"ML-KEM-512", "check", ml_kem_512_check},
    {"ML-KEM-512", "encapsulate", ml_kem_512_encapsulate, sizeof(MlKem512::Workspace)},
    {"ML-KEM-512", "decapsulate", ml_kem_512_decapsulate, sizeof(MlKem512::Workspace)},
    {"ML-KEM-768", "generate", ml_kem_768_generate, sizeof(MlKem768::Workspace)},
    {"ML-KEM-768", "check", ml_kem_768_check},
    {"ML-KEM-768", "encapsulate", ml_kem_768_encapsulate, sizeof(MlKem768::Workspace)},
    {"ML-KEM-768", "decapsulate", ml_kem_768_decapsulate, sizeof(MlKem768::Workspace)},
    {"ML-KEM-1024", "generate", ml_kem_1024_generate, sizeof(MlKem1024::Workspace)},
    {"ML-KEM-1024", "check", ml_kem_1024_check},
    {"ML-KEM-1024", "encapsulate", ml_kem_1024_encapsulate, sizeof(MlKem1024::Workspace)},
    {"ML-KEM-1024", "decapsulate", ml_kem_1024_decapsulate, sizeof(MlKem1024::Workspace)},
};

} // namespace

std::span<const Operation> ml_kem_operations() { return kOperations; }

} // namespace aios::test
