// A parameter set as a value: the operations are compiled once and take it as an argument, so that three sets do not
// need three copies of the code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aios::crypto::detail::ml_dsa {

inline constexpr std::uint32_t kGamma2Of44 = (8380417 - 1) / 88;
inline constexpr std::uint32_t kGamma2Of65 = (8380417 - 1) / 32; // and of ML-DSA-87
inline constexpr std::uint32_t kGamma1Of44 = 1U << 17;

// FIPS 204 section 4, table 1, and the sizes that follow from it.
struct Shape {
    std::size_t k, l, tau, c_bytes, omega;
    std::int32_t eta, gamma1, gamma2;

    [[nodiscard]] constexpr std::int32_t beta() const { return static_cast<std::int32_t>(tau) * eta; }
    // One polynomial, encoded.
    [[nodiscard]] constexpr std::size_t eta_bytes() const { return eta == 2 ? 96 : 128; }
    [[nodiscard]] constexpr std::size_t z_bytes() const { return gamma1 == kGamma1Of44 ? 576 : 640; }
    [[nodiscard]] constexpr std::size_t w1_bytes() const { return gamma2 == kGamma2Of44 ? 192 : 128; }
    [[nodiscard]] constexpr std::size_t hint_offset() const { return c_bytes + l * z_bytes(); }
};
inline constexpr std::size_t kT1Bytes = 320;
inline constexpr std::size_t kT0Bytes = 416;
// One polynomial of w1, with the four bytes that vector stores write past it.
inline constexpr std::size_t kW1Buffer = 192 + 4;

template <typename Parameters>
inline constexpr Shape kShape = {Parameters::k,
                                 Parameters::l,
                                 Parameters::tau,
                                 Parameters::c_bytes,
                                 Parameters::omega,
                                 static_cast<std::int32_t>(Parameters::eta),
                                 static_cast<std::int32_t>(Parameters::gamma1),
                                 static_cast<std::int32_t>(Parameters::gamma2)};

} // namespace aios::crypto::detail::ml_dsa
