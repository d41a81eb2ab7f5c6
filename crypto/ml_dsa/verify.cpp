// ML-DSA.Verify_internal, FIPS 204 algorithm 8.
//
// Key, message and signature are anybody's bytes, all of them public: this may branch on what it likes. A, t1 and w are
// never there as a whole: one row after another is made, used and hashed.
#include <algorithm>

#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/operations.hpp"
#include "crypto/ml_dsa/representative.hpp"
#include "crypto/ml_dsa/rounding.hpp"

namespace aios::crypto {

namespace detail::ml_dsa {

namespace {

// Whether a coefficient is `bound` or more in absolute value.
bool exceeds(const Polynomial& a, std::int32_t bound) {
    std::int32_t any = 0;
    for (const std::int32_t coefficient : a.coefficients)
        any |= (bound - 1 - coefficient) | (bound - 1 + coefficient);
    return any < 0;
}

} // namespace

Verdict verify(const Shape& shape, Bytes public_key, const SignedMessage& message, Bytes signature,
               const VerifyView& memory) {
    VerifyCommon& common = memory.common;
    // Lines 1 to 4 and 13: what is malformed or too long is refused before anything is computed.
    const Bytes c_tilde = signature.first(shape.c_bytes);
    const Bytes hints = signature.subspan(shape.hint_offset());
    if (!are_hints_well_formed(shape, hints)) return Verdict::invalid;
    for (std::size_t j = 0; j < shape.l; ++j) {
        unpack_z(shape, memory.z[j], &signature[shape.c_bytes + j * shape.z_bytes()]);
        if (exceeds(memory.z[j], shape.gamma1 - shape.beta())) return Verdict::invalid;
    }

    if (!message.is_mu()) hash(common.tr, public_key);
    message_representative(common.tr, message, common.mu);
    sample_in_ball(shape, common.challenge, c_tilde);
    ntt(common.challenge);
    for (std::int32_t& coefficient : common.challenge.coefficients)
        coefficient = -coefficient;

    // Lines 9 to 12. A row of A, followed by t1, times z, followed by -c.
    std::array<const Polynomial*, kMaxTerms> row;
    std::array<const Polynomial*, kMaxTerms> vector;
    for (std::size_t j = 0; j < shape.l; ++j) {
        ntt(memory.z[j]);
        vector[j] = &memory.z[j];
    }
    vector[shape.l] = &common.challenge;
    common.xof.reset();
    common.xof.update(common.mu);
    MatrixRows rows(shape, public_key.first<32>(), memory.ring, common.scratch);
    for (std::size_t i = 0; i < shape.k; ++i) {
        unpack_t1(common.t1, &public_key[32 + i * kT1Bytes]);
        ntt(common.t1);
        rows.next(row.data());
        row[shape.l] = &common.t1;
        dot(common.low, row.data(), vector.data(), shape.l + 1);
        inverse_ntt(common.low);
        decompose(shape.gamma2, common.low, common.high);
        for (const std::byte position : hints_of(shape, hints, i)) {
            const auto n = static_cast<std::size_t>(position);
            common.high[n] = use_hint(shape.gamma2, common.low[n], common.high[n]);
        }
        encode_w1(shape.gamma2, common.packed.data(), common.high);
        common.xof.update(Bytes(common.packed).first(shape.w1_bytes()));
    }
    const auto expected = MutableBytes(common.packed).first(shape.c_bytes);
    common.xof.squeeze(expected);
    return std::ranges::equal(expected, c_tilde) ? Verdict::valid : Verdict::invalid;
}

} // namespace detail::ml_dsa

template <typename Parameters>
Verdict MlDsa<Parameters>::verify(const PublicKey& public_key, const SignedMessage& message, const Signature& signature,
                                  VerifyWorkspace& workspace) {
    return detail::ml_dsa::verify(
        detail::ml_dsa::kShape<Parameters>, public_key.bytes(), message, signature.bytes(),
        {.z = workspace.z_.data(), .ring = workspace.ring_.data(), .common = workspace.common_});
}

template Verdict MlDsa44::verify(const PublicKey&, const SignedMessage&, const Signature&, VerifyWorkspace&);
template Verdict MlDsa65::verify(const PublicKey&, const SignedMessage&, const Signature&, VerifyWorkspace&);
template Verdict MlDsa87::verify(const PublicKey&, const SignedMessage&, const Signature&, VerifyWorkspace&);

} // namespace aios::crypto
