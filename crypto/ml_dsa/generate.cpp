// ML-DSA.KeyGen_internal, FIPS 204 algorithm 6.
//
// The matrix is public and is made row by row. rho and the public key are declassified: they are what is published.
#include <algorithm>

#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/operations.hpp"
#include "crypto/ml_dsa/representative.hpp"
#include "crypto/ml_dsa/rounding.hpp"

namespace aios::crypto {

namespace detail::ml_dsa {

void generate(const Shape& shape, std::span<const std::byte, 32> seed, MutableBytes public_key, MutableBytes secret_key,
              const GenerateView& memory) {
    const std::size_t k = shape.k;
    const std::size_t l = shape.l;
    auto& [t, scratch, seeds] = memory.common;

    // Line 1. The output is rho (32 bytes), rho' (64) and K (32).
    const std::array<std::byte, 2> domain = {static_cast<std::byte>(k), static_cast<std::byte>(l)};
    hash(seeds, seed, domain);
    const auto rho = std::span(seeds).first<32>();
    const auto rho_prime = std::span(seeds).subspan<32, 64>();
    declassify(rho); // part of the public key

    for (std::size_t first = 0; first < k + l; first += 4)
        expand_secret(shape, rho_prime, first, &memory.secrets[first], scratch);

    // skEncode, algorithm 24, as the parts come: rho, K, tr, s1, s2, t0.
    std::copy(rho.begin(), rho.end(), secret_key.begin());
    std::copy_n(seeds.begin() + 96, 32, secret_key.begin() + 32);
    std::byte* s_out = &secret_key[128];
    for (std::size_t i = 0; i < l + k; ++i, s_out += shape.eta_bytes())
        pack_eta(shape, s_out, memory.secrets[i]);
    std::byte* t0_out = s_out;
    std::copy(rho.begin(), rho.end(), public_key.begin());
    std::byte* t1_out = &public_key[32];

    std::array<const Polynomial*, kMaxTerms> s1;
    std::array<const Polynomial*, kMaxTerms> row;
    for (std::size_t j = 0; j < l; ++j) {
        ntt(memory.secrets[j]);
        s1[j] = &memory.secrets[j];
    }
    MatrixRows rows(shape, rho, memory.ring, memory.matrix_scratch);
    for (std::size_t i = 0; i < k; ++i, t1_out += kT1Bytes, t0_out += kT0Bytes) {
        // Line 5: t = A s1 + s2; line 6: its halves.
        rows.next(row.data());
        dot(t, row.data(), s1.data(), l);
        inverse_ntt(t);
        const Polynomial& s2 = memory.secrets[l + i];
        for (std::size_t n = 0; n < kN; ++n)
            t[n] = reduce_centred(t[n] + s2[n]);
        power2round(t, t1_out, t0_out);
    }
    declassify(public_key);
    hash(secret_key.subspan(64, 64), public_key);
}

} // namespace detail::ml_dsa

template <typename Parameters>
void MlDsa<Parameters>::generate(const Seed& seed, PublicKey& public_key, SecretKey& secret_key,
                                 GenerateWorkspace& workspace) {
    const WipeAtEnd wipe(workspace.secrets_);
    detail::ml_dsa::generate(detail::ml_dsa::kShape<Parameters>, seed.bytes(), public_key.bytes(), secret_key.bytes(),
                             {.secrets = workspace.secrets_.vectors.data(),
                              .ring = workspace.ring_.data(),
                              .common = workspace.secrets_.common,
                              .matrix_scratch = workspace.matrix_scratch_});
}

template void MlDsa44::generate(const Seed&, PublicKey&, SecretKey&, GenerateWorkspace&);
template void MlDsa65::generate(const Seed&, PublicKey&, SecretKey&, GenerateWorkspace&);
template void MlDsa87::generate(const Seed&, PublicKey&, SecretKey&, GenerateWorkspace&);

} // namespace aios::crypto
