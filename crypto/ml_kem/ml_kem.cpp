// ML-KEM from K-PKE: the Fujisaki-Okamoto transform with implicit rejection, and the input checks (FIPS 203 sections 6
// and 7). See crypto/ml_kem.hpp.
#include "crypto/ml_kem.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/ml_kem/pke.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto {

namespace {

using ml_kem::kEncodedSize;
using ml_kem::kSha3_256;
using ml_kem::kSha3_512;
using ml_kem::kShake256;

// Ones if two secret runs of bytes differ, else zero. `size` is a multiple of 8.
std::uint64_t difference_mask(const std::byte* a, const std::byte* b, std::size_t size) {
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < size; i += 8)
        difference |= load_le<std::uint64_t>(a + i) ^ load_le<std::uint64_t>(b + i);
    return mask_if_nonzero(difference);
}

} // namespace

template <typename Parameters>
void MlKem<Parameters>::generate(const Randomness& d, const Randomness& z, EncapsulationKey& ek, DecapsulationKey& dk,
                                 Workspace& workspace) {
    using Pke = ml_kem::Pke<Parameters>;
    constexpr std::size_t k = Parameters::k;
    auto& t = workspace.temporaries_;
    auto& secrets = t.secrets;
    const WipeAtEnd wipe(secrets);

    // Algorithm 13, line 1: (rho, sigma) = G(d || k).
    const std::byte number{k};
    secrets.hashes.add_digest(kSha3_512, d.bytes().data(), {&number, 1}, secrets.seeds.data(), 64);
    secrets.hashes.run();
    std::byte* const rho = ek.bytes().data() + kEncodedSize * k;
    std::copy_n(secrets.seeds.data(), 32, rho);
    declassify(rho, 32); // part of the encapsulation key

    Pke::add_matrix(rho, t);
    Pke::add_key_noise(&secrets.seeds[32], t);
    secrets.hashes.run();
    std::byte* out = dk.bytes().data();
    Pke::finish_keys(ek.bytes().data(), out, t);
    declassify(ek.bytes()); // published

    // Algorithm 16, line 3: dk = dk_PKE || ek || H(ek) || z.
    out += kEncodedSize * k;
    out = std::copy(ek.bytes().begin(), ek.bytes().end(), out);
    secrets.hashes.add_digest(kSha3_256, ek.bytes().data(), ek.bytes().subspan(32), out, 32);
    secrets.hashes.run();
    std::copy_n(z.bytes().data(), 32, out + 32);
}

// Section 7.2: what ByteEncode(ByteDecode(ek)) changes has a number of q or more in it.
template <typename Parameters>
Result<> MlKem<Parameters>::check(const EncapsulationKey& ek) {
    std::uint32_t too_large = 0;
    ml_kem::Poly poly;
    for (std::size_t i = 0; i < Parameters::k; ++i)
        too_large |= ml_kem::decode(ek.bytes().data() + kEncodedSize * i, poly);
    if (too_large != 0) return fail(Error::bad_format);
    return {};
}

// Section 7.3. Both the key inside and its hash are public.
template <typename Parameters>
Result<> MlKem<Parameters>::check(const DecapsulationKey& dk) {
    const Bytes key = dk.bytes().subspan(kEncodedSize * Parameters::k);
    const auto hash = Sha3_256::hash(key.first(kEncapsulationKeySize));
    if (!equal_in_constant_time(hash, key.subspan(kEncapsulationKeySize, 32))) return fail(Error::bad_format);
    return {};
}

template <typename Parameters>
Result<> MlKem<Parameters>::encapsulate(const EncapsulationKey& ek, const Randomness& m, Ciphertext& ciphertext,
                                        SharedSecret& shared, Workspace& workspace) {
    using Pke = ml_kem::Pke<Parameters>;
    auto& t = workspace.temporaries_;
    auto& secrets = t.secrets;
    const std::byte* const key = ek.bytes().data();
    if (!Pke::decode_key(key, t)) return fail(Error::bad_format); // section 7.2
    const WipeAtEnd wipe(secrets);

    // Algorithm 17, line 1: (K, r) = G(m || H(ek)).
    secrets.hashes.add_digest(kSha3_256, key, ek.bytes().subspan(32), t.key_hash.data(), 32);
    Pke::add_transposed_matrix(key + kEncodedSize * Parameters::k, t);
    secrets.hashes.run();
    secrets.hashes.add_digest(kSha3_512, m.bytes().data(), t.key_hash, secrets.seeds.data(), 64);
    secrets.hashes.run();

    // Line 2.
    Pke::add_encryption_noise(&secrets.seeds[32], t);
    secrets.hashes.run();
    Pke::encrypt(m.bytes().data(), ciphertext.bytes().data(), t);
    declassify(ciphertext.bytes()); // sent
    std::copy_n(secrets.seeds.data(), 32, shared.bytes().data());
    return {};
}

template <typename Parameters>
Result<> MlKem<Parameters>::decapsulate(const DecapsulationKey& dk, const Ciphertext& ciphertext, SharedSecret& shared,
                                        Workspace& workspace) {
    using Pke = ml_kem::Pke<Parameters>;
    auto& t = workspace.temporaries_;
    auto& secrets = t.secrets;
    const WipeAtEnd wipe(secrets);

    // Algorithm 18, lines 1 to 4. The encapsulation key and its hash are public, though they are stored with secrets.
    const std::byte* const key = dk.bytes().data() + kEncodedSize * Parameters::k;
    const std::byte* const hash = key + kEncapsulationKeySize;
    const std::byte* const z = hash + 32;
    declassify(key, kEncapsulationKeySize + 32);

    // Lines 5 and 6: m' is decrypted, (K', r') = G(m' || h).
    Pke::decrypt(dk.bytes().data(), ciphertext.bytes().data(), secrets.message.data(), t);
    secrets.hashes.add_digest(kSha3_512, secrets.message.data(), {hash, 32}, secrets.seeds.data(), 64);
    secrets.hashes.run();

    // The hash check of section 7.3 and line 7, J(z || c), with what the encryption of line 8 needs.
    secrets.hashes.add_digest(kSha3_256, key, {key + 32, kEncapsulationKeySize - 32}, t.key_hash.data(), 32);
    secrets.hashes.add_digest(kShake256, z, ciphertext.bytes(), secrets.rejected.data(), 32);
    Pke::add_transposed_matrix(key + kEncodedSize * Parameters::k, t);
    Pke::add_encryption_noise(&secrets.seeds[32], t);
    secrets.hashes.run();
    if (!equal_in_constant_time(t.key_hash, {hash, 32})) return fail(Error::bad_format);
    static_cast<void>(Pke::decode_key(key, t)); // not part of the check of section 7.3: numbers are reduced
    Pke::encrypt(secrets.message.data(), secrets.ciphertext.data(), t);

    // Lines 9 to 11, without a branch.
    const std::uint64_t rejects =
        difference_mask(ciphertext.bytes().data(), secrets.ciphertext.data(), kCiphertextSize);
    for (std::size_t i = 0; i < 32; i += 8) {
        const auto accepted = load_le<std::uint64_t>(&secrets.seeds[i]);
        const auto rejected = load_le<std::uint64_t>(&secrets.rejected[i]);
        store_le(shared.bytes().data() + i, select(rejects, rejected, accepted));
    }
    return {};
}

template class MlKem<MlKem512Parameters>;
template class MlKem<MlKem768Parameters>;
template class MlKem<MlKem1024Parameters>;

} // namespace aios::crypto
