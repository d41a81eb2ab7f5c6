// ML-DSA.Sign_internal, FIPS 204 algorithm 7.
//
// Secret are the key's K, s1, s2 and t0, the mask y, and all that comes of them, until the signature is complete. Four
// things are declassified: whether the key is well formed, which the caller is told; the challenge of each candidate,
// and at which of the two stages it was rejected, for the reasons that stand there; and the finished signature.
#include <algorithm>

#include "crypto/constant_time.hpp"
#include "crypto/ml_dsa.hpp"
#include "crypto/ml_dsa/encoding.hpp"
#include "crypto/ml_dsa/operations.hpp"
#include "crypto/ml_dsa/representative.hpp"
#include "crypto/ml_dsa/rounding.hpp"

namespace aios::crypto {

namespace detail::ml_dsa {

namespace {

// A true key needs more than 814 candidates with a chance below 2^-256 (FIPS 204 appendix C). A crafted one could have
// none that is accepted.
constexpr std::size_t kMaxCandidates = 1000;

class Signer {
public:
    Signer(const Shape& shape, const SignView& memory)
        : shape_(shape), memory_(memory), secrets_(memory.secrets), publics_(memory.publics) {}

    // skDecode, algorithm 25, and lines 1 to 7. Error: bad_format.
    [[nodiscard]] Result<> prepare(Bytes secret_key, const SignedMessage& message, Bytes randomness);

    // Lines 11 to 29: whether candidate `number` is a signature. Its challenge is then in `c_tilde`, z in the ring of
    // y, the hints in `high`.
    [[nodiscard]] bool try_candidate(std::size_t number, MutableBytes c_tilde);

    // sigEncode, algorithm 26.
    void encode(std::size_t number, MutableBytes signature);

private:
    [[nodiscard]] Polynomial& y(std::size_t number, std::size_t j) {
        return memory_.y[(number * shape_.l + j) % (shape_.l + 3)];
    }
    void make_masks(std::size_t number);
    void commit(std::size_t number, MutableBytes c_tilde);
    void multiply_by_challenge(const Polynomial& factor);

    const Shape& shape_;
    const SignView& memory_;
    SignSecrets& secrets_;
    SignPublics& publics_;
    std::size_t masks_ = 0; // made so far
};

Result<> Signer::prepare(Bytes secret_key, const SignedMessage& message, Bytes randomness) {
    const std::byte* in = &secret_key[128];
    std::uint32_t malformed = 0;
    for (std::size_t j = 0; j < shape_.l; ++j, in += shape_.eta_bytes())
        malformed |= unpack_eta(shape_, memory_.s1[j], in);
    for (std::size_t i = 0; i < shape_.k; ++i, in += shape_.eta_bytes())
        malformed |= unpack_eta(shape_, memory_.s2[i], in);
    // The caller is told; no secret of a true key depends on it.
    if (declassified(malformed) != 0) return fail(Error::bad_format);
    for (std::size_t j = 0; j < shape_.l; ++j)
        ntt(memory_.s1[j]);
    for (std::size_t i = 0; i < shape_.k; ++i, in += kT0Bytes) {
        ntt(memory_.s2[i]);
        unpack_t0(memory_.t0[i], in);
        ntt(memory_.t0[i]);
    }

    message_representative(secret_key.subspan(64, 64), message, publics_.mu);
    hash(secrets_.rho_second, secret_key.subspan(32, 32), randomness, publics_.mu);

    const std::size_t entries = shape_.k * shape_.l;
    for (std::size_t first = 0; first < entries; first += 4)
        expand_matrix(shape_, secret_key.first<32>(), first, memory_.matrix, entries, publics_.scratch);
    return {};
}

// Masks are counted through all candidates, which makes four at a time fit every l: those left over are the next
// candidate's.
void Signer::make_masks(std::size_t number) {
    for (; masks_ < (number + 1) * shape_.l; masks_ += 4)
        expand_mask(shape_, secrets_.rho_second, masks_, memory_.y, shape_.l + 3, secrets_.scratch);
}

// Lines 11 to 15: w = A y, its halves, and the challenge's hash.
void Signer::commit(std::size_t number, MutableBytes c_tilde) {
    std::array<const Polynomial*, kMaxTerms> row;
    std::array<const Polynomial*, kMaxTerms> y_hat;
    make_masks(number);
    for (std::size_t j = 0; j < shape_.l; ++j) {
        memory_.y_hat[j] = y(number, j);
        ntt(memory_.y_hat[j]);
        y_hat[j] = &memory_.y_hat[j];
    }
    secrets_.xof.reset();
    secrets_.xof.update(publics_.mu);
    for (std::size_t i = 0; i < shape_.k; ++i) {
        for (std::size_t j = 0; j < shape_.l; ++j)
            row[j] = &memory_.matrix[i * shape_.l + j];
        dot(memory_.low[i], row.data(), y_hat.data(), shape_.l);
        inverse_ntt(memory_.low[i]);
        decompose(shape_.gamma2, memory_.low[i], memory_.high[i]);
        encode_w1(shape_.gamma2, secrets_.packed.data(), memory_.high[i]);
        secrets_.xof.update(Bytes(secrets_.packed).first(shape_.w1_bytes()));
    }
    secrets_.xof.squeeze(c_tilde);
}

void Signer::multiply_by_challenge(const Polynomial& factor) {
    multiply(secrets_.product, publics_.challenge, factor);
    inverse_ntt(secrets_.product);
}

bool Signer::try_candidate(std::size_t number, MutableBytes c_tilde) {
    commit(number, c_tilde);
    // The challenge of an accepted candidate is published. That of a rejected one is a hash of w1 = HighBits(A y) for a
    // fresh y that is then thrown away: who can compute it from c-tilde has inverted the hash, and could as well learn
    // c-tilde by guessing w1. The security proofs let the adversary see it.
    declassify(c_tilde);
    sample_in_ball(shape_, publics_.challenge, c_tilde);
    ntt(publics_.challenge);

    // Lines 20 to 23. That LowBits(w - c s2) is short is the same as that LowBits(w) - c s2 is, and rejects more often
    // than z: it comes first. A candidate is rejected with the same chance whatever s1 and s2 are, since for each of
    // them the accepted values of a coefficient are equally many; so whether it was, and at which stage, may be known.
    std::uint32_t rejected = 0;
    for (std::size_t i = 0; i < shape_.k; ++i) {
        multiply_by_challenge(memory_.s2[i]);
        rejected |= subtract_and_compare(memory_.low[i], secrets_.product, shape_.gamma2 - shape_.beta());
    }
    if (declassified(rejected) != 0) return false;
    for (std::size_t j = 0; j < shape_.l; ++j) {
        multiply_by_challenge(memory_.s1[j]);
        rejected |= add_and_compare(y(number, j), secrets_.product, shape_.gamma1 - shape_.beta());
    }
    if (declassified(rejected) != 0) return false;

    // Lines 25 to 28. Only the one answer is made public, and if it is yes the hints themselves.
    std::uint32_t hints = 0;
    for (std::size_t i = 0; i < shape_.k; ++i) {
        multiply_by_challenge(memory_.t0[i]);
        rejected |= reduce_and_compare(secrets_.product, shape_.gamma2);
        hints += make_hint(shape_.gamma2, memory_.low[i], secrets_.product, memory_.high[i]);
    }
    rejected |= static_cast<std::uint32_t>(shape_.omega - hints) >> 31;
    return declassified(rejected) == 0;
}

void Signer::encode(std::size_t number, MutableBytes signature) {
    std::byte* out = &signature[shape_.c_bytes];
    for (std::size_t j = 0; j < shape_.l; ++j, out += shape_.z_bytes())
        pack_z(shape_, out, y(number, j));
    // The hints are part of the signature, and so is z.
    declassify(memory_.high, shape_.k * sizeof(Polynomial));
    pack_hints(shape_, out, memory_.high);
    declassify(signature);
}

} // namespace

Result<> sign(const Shape& shape, Bytes secret_key, const SignedMessage& message, Bytes randomness,
              MutableBytes signature, const SignView& memory, StopCallback stop) {
    Signer signer(shape, memory);
    const auto c_tilde = signature.first(shape.c_bytes);
    std::ranges::fill(signature, std::byte{0});
    TRY(signer.prepare(secret_key, message, randomness));
    for (std::size_t number = 0; number < kMaxCandidates; ++number) {
        if (stop.wants_stop()) {
            std::ranges::fill(c_tilde, std::byte{0});
            return fail(Error::interrupted);
        }
        if (signer.try_candidate(number, c_tilde)) {
            signer.encode(number, signature);
            return {};
        }
    }
    std::ranges::fill(c_tilde, std::byte{0});
    return fail(Error::bad_format);
}

} // namespace detail::ml_dsa

template <typename Parameters>
Result<> MlDsa<Parameters>::sign(const SecretKey& secret_key, const SignedMessage& message,
                                 const Randomness* randomness, Signature& signature, SignWorkspace& workspace,
                                 StopCallback stop) {
    static constexpr std::array<std::byte, 32> kDeterministic{};
    auto& secrets = workspace.secrets_;
    const WipeAtEnd wipe(secrets);
    return detail::ml_dsa::sign(detail::ml_dsa::kShape<Parameters>, secret_key.bytes(), message,
                                randomness != nullptr ? Bytes(randomness->bytes()) : Bytes(kDeterministic),
                                signature.bytes(),
                                {.matrix = workspace.matrix_.data(),
                                 .s1 = secrets.s1.data(),
                                 .s2 = secrets.s2.data(),
                                 .t0 = secrets.t0.data(),
                                 .y = secrets.y.data(),
                                 .y_hat = secrets.y_hat.data(),
                                 .low = secrets.low.data(),
                                 .high = secrets.high.data(),
                                 .secrets = secrets.common,
                                 .publics = workspace.publics_},
                                stop);
}

template Result<> MlDsa44::sign(const SecretKey&, const SignedMessage&, const Randomness*, Signature&, SignWorkspace&,
                                StopCallback);
template Result<> MlDsa65::sign(const SecretKey&, const SignedMessage&, const Randomness*, Signature&, SignWorkspace&,
                                StopCallback);
template Result<> MlDsa87::sign(const SecretKey&, const SignedMessage&, const Randomness*, Signature&, SignWorkspace&,
                                StopCallback);

} // namespace aios::crypto
