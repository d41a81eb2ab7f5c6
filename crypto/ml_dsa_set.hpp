// The parameter set of an ML-DSA key or signature as a value, for formats that name it at run time, with the sizes of
// FIPS 204 table 2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "crypto/ml_dsa.hpp"

namespace aios::crypto {

enum class MlDsaSet : std::uint8_t { ml_dsa_44, ml_dsa_65, ml_dsa_87 };

// The set of one of the types MlDsa44, MlDsa65, MlDsa87.
template <typename Algorithm>
inline constexpr MlDsaSet kMlDsaSet = Algorithm::kUnknownParameterSet;
template <>
inline constexpr MlDsaSet kMlDsaSet<MlDsa44> = MlDsaSet::ml_dsa_44;
template <>
inline constexpr MlDsaSet kMlDsaSet<MlDsa65> = MlDsaSet::ml_dsa_65;
template <>
inline constexpr MlDsaSet kMlDsaSet<MlDsa87> = MlDsaSet::ml_dsa_87;

[[nodiscard]] constexpr std::size_t public_key_size(MlDsaSet set) {
    switch (set) {
    case MlDsaSet::ml_dsa_44:
        return MlDsa44::kPublicKeySize;
    case MlDsaSet::ml_dsa_65:
        return MlDsa65::kPublicKeySize;
    case MlDsaSet::ml_dsa_87:
        return MlDsa87::kPublicKeySize;
    }
    AIOS_UNREACHABLE();
}

[[nodiscard]] constexpr std::size_t signature_size(MlDsaSet set) {
    switch (set) {
    case MlDsaSet::ml_dsa_44:
        return MlDsa44::kSignatureSize;
    case MlDsaSet::ml_dsa_65:
        return MlDsa65::kSignatureSize;
    case MlDsaSet::ml_dsa_87:
        return MlDsa87::kSignatureSize;
    }
    AIOS_UNREACHABLE();
}

} // namespace aios::crypto
