// The Sig_structure of COSE (RFC 9052 section 4.4), hashed in pieces to ML-DSA's message representative mu. See
// cose.hpp.
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "crypto/cose.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto {

std::optional<MlDsaSet> set_of_cose_number(std::int64_t number) {
    for (const MlDsaSet set : {MlDsaSet::ml_dsa_44, MlDsaSet::ml_dsa_65, MlDsaSet::ml_dsa_87}) {
        if (number == cose_number(set)) return set;
    }
    return std::nullopt;
}

namespace detail {

MlDsaTr ml_dsa_tr(Bytes public_key) {
    MlDsaTr tr;
    Shake256 hash;
    hash.update(public_key);
    hash.squeeze(tr);
    return tr;
}

MlDsaMu cose_sign1_mu(Bytes tr, Bytes protected_header, Bytes external_aad, Bytes payload) {
    // FIPS 204 algorithm 2: pure signatures, and no context (RFC 9964 section 5).
    constexpr std::array<std::byte, 2> kPureWithoutContext{};
    // An array of four, of which the first is the text "Signature1".
    constexpr std::array<std::byte, 2> kArrayAndTextHead{std::byte{0x84}, std::byte{0x6a}};
    Shake256 hash;
    hash.update(tr);
    hash.update(kPureWithoutContext);
    hash.update(kArrayAndTextHead);
    hash.update(as_bytes("Signature1"));
    for (const Bytes piece : {protected_header, external_aad, payload}) {
        std::array<std::byte, cbor::kMaxHead> head;
        hash.update(Bytes(head).first(cbor::bytes_head(piece.size(), head)));
        hash.update(piece);
    }
    MlDsaMu mu;
    hash.squeeze(mu);
    return mu;
}

} // namespace detail
} // namespace aios::crypto
