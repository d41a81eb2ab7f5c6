// Decoders of ML-DSA keys on any bytes. What is accepted is encoded back to the same bytes, if it is in the one form
// that is written. Inputs come as they are and, because nobody guesses a key's length, behind the head of a good one.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/assert.hpp"
#include "crypto/ml_dsa_keys.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

template <typename A>
void check(Bytes input) {
    static typename A::PublicKey public_key;
    static typename A::SecretKey secret_key;
    static typename A::Seed seed;
    static typename A::GenerateWorkspace workspace;
    static std::array<std::byte, kEncodedPublicKeySize<A>> buffer;
    if (decode_public_key<A>(input, public_key)) {
        const auto again = encode_public_key<A>(public_key, buffer);
        AIOS_ASSERT(again && std::equal(again->begin(), again->end(), input.begin(), input.end()));
        const auto set = public_key_set(input);
        AIOS_ASSERT(set && *set == kMlDsaSet<A>);
    }
    if (decode_private_key<A>(input, seed, public_key, secret_key, workspace)) {
        const auto again = encode_private_key<A>(seed, buffer);
        AIOS_ASSERT(again.has_value());
        const bool same = std::equal(again->begin(), again->end(), input.begin(), input.end());
        AIOS_ASSERT(same || input.size() > kEncodedPrivateKeySize);
    }
}

// The encoding of a good key with the input's bytes over its front or its end.
template <typename A>
void check_changed(Bytes input) {
    static typename A::PublicKey public_key;
    std::vector<std::byte> der(kEncodedPublicKeySize<A>);
    AIOS_ASSERT(encode_public_key<A>(public_key, der).has_value());
    const std::size_t size = std::min(input.size(), der.size());
    for (std::size_t i = 0; i < size; ++i)
        der[i] ^= input[i];
    check<A>(der);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: the fuzzer's bytes, read as bytes.
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    check<MlDsa44>(input);
    check<MlDsa65>(input);
    check<MlDsa87>(input);
    check_changed<MlDsa44>(input);
    return 0;
}
