// ExpandS: the secret vectors s1 and s2. See sampling.hpp.
#include <algorithm>

#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa/sampling.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

std::size_t reject_bounded(std::int32_t eta, Polynomial& to, std::size_t have, const std::byte* from,
                           std::size_t size) {
    return use_avx2() ? reject_bounded_avx2(eta, to, have, from, size)
                      : reject_bounded_portable(eta, to, have, from, size);
}

} // namespace

std::size_t reject_bounded_portable(std::int32_t eta, Polynomial& to, std::size_t have, const std::byte* from,
                                    std::size_t size) {
    const std::uint32_t limit = eta == 2 ? 15 : 9;
    for (std::size_t i = 0; i < 2 * size && have < kN; ++i) {
        const std::uint32_t value = static_cast<std::uint32_t>(from[i / 2]) >> (4 * (i % 2)) & 15;
        // Which half bytes were rejected says nothing about the values of those that were not.
        if (declassified((value - limit) >> 31) == 0) continue;
        // 205/1024 is near enough to 1/5 here: no division of a secret.
        const std::uint32_t residue = eta == 2 ? value - (value * 205 >> 10) * 5 : value;
        to[have++] = eta - static_cast<std::int32_t>(residue);
    }
    return have;
}

void expand_secret(const Shape& shape, std::span<const std::byte, 64> rho_prime, std::size_t first, Polynomial* into,
                   SecretScratch& scratch) {
    for (std::size_t i = 0; i < 4; ++i) {
        auto& input = scratch.input[i];
        std::copy(rho_prime.begin(), rho_prime.end(), input.begin());
        input[64] = static_cast<std::byte>(first + i);
        input[65] = std::byte{0};
    }
    scratch.absorb();
    std::array<std::size_t, 4> have{};
    // Two blocks hold 544 half bytes; of those 15/16 (eta = 2) or 9/16 (eta = 4) are accepted.
    std::size_t blocks = 2;
    for (bool complete = false; !complete; blocks = 1) {
        scratch.squeeze(blocks);
        complete = true;
        for (std::size_t i = 0; i < 4; ++i) {
            have[i] =
                reject_bounded(shape.eta, into[i], have[i], scratch.out[i].data(), blocks * Shake256x4::kBlockSize);
            complete = complete && have[i] == kN;
        }
    }
}

} // namespace aios::crypto::detail::ml_dsa
