// ML-KEM with keys and ciphertexts of an attacker: a key is refused exactly if a number in it is q or more, or if its
// hash is wrong; everything else gives a result, which is the same with every backend. A ciphertext that was not made
// for the message that it decrypts to gives J(z || c).
//
// The first byte chooses the parameter set and what to break; the rest is repeated as far as it is needed.
#include <algorithm>
#include <cstdint>

#include "base/assert.hpp"
#include "crypto/backend.hpp"
#include "crypto/ml_kem.hpp"
#include "crypto/sha3.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

constexpr std::uint8_t kWrongHash = 4;     // of the stored key
constexpr std::uint8_t kHonest = 8;        // both keys are generated
constexpr std::uint8_t kDecapsulates = 16; // what was encapsulated, not the input

class Input {
public:
    explicit Input(Bytes data) : data_(data) {}

    void fill(MutableBytes out) {
        for (std::byte& byte : out)
            byte = data_.empty() ? std::byte{0} : data_[at_++ % data_.size()];
    }

private:
    Bytes data_;
    std::size_t at_ = 0;
};

bool is_canonical(Bytes numbers) {
    for (std::size_t i = 0; i < numbers.size(); i += 3) {
        const auto bits = static_cast<unsigned>(numbers[i]) | static_cast<unsigned>(numbers[i + 1]) << 8 |
                          static_cast<unsigned>(numbers[i + 2]) << 16;
        if ((bits & 0xfff) >= 3329 || bits >> 12 >= 3329) return false;
    }
    return true;
}

template <typename Kem>
void try_keys(std::uint8_t choice, Input input) {
    static typename Kem::Workspace workspace;
    constexpr std::size_t kNumbers = Kem::kEncapsulationKeySize - 32;
    typename Kem::Randomness m;
    typename Kem::Randomness z;
    typename Kem::EncapsulationKey ek;
    typename Kem::DecapsulationKey dk;
    typename Kem::Ciphertext received;
    input.fill(m.bytes());
    input.fill(z.bytes());
    input.fill(received.bytes());
    if ((choice & kHonest) != 0) {
        Kem::generate(m, z, ek, dk, workspace);
    } else {
        input.fill(ek.bytes());
        const auto stored = dk.bytes();
        input.fill(stored.first(kNumbers));
        std::ranges::copy(ek.bytes(), stored.begin() + kNumbers);
        std::ranges::copy(Sha3_256::hash(ek.bytes()), stored.end() - 64);
        std::ranges::copy(z.bytes(), stored.end() - 32);
    }
    if ((choice & kWrongHash) != 0) dk.bytes()[kNumbers + Kem::kEncapsulationKeySize + 5] ^= std::byte{32};

    const bool valid = is_canonical(ek.bytes().first(kNumbers));
    AIOS_ASSERT(Kem::check(ek).has_value() == valid);
    AIOS_ASSERT(Kem::check(dk).has_value() == ((choice & kWrongHash) == 0));

    typename Kem::Ciphertext sent[2];
    typename Kem::SharedSecret encapsulated[2];
    typename Kem::SharedSecret decapsulated[2];
    for (const Backend backend : {Backend::portable, Backend::avx2}) {
        const auto i = static_cast<std::size_t>(backend);
        if (!use_backend(backend)) continue;
        AIOS_ASSERT(Kem::encapsulate(ek, m, sent[i], encapsulated[i], workspace).has_value() == valid);
        AIOS_ASSERT(sent[i] == sent[0] && encapsulated[i] == encapsulated[0]);
        const bool uses_sent = (choice & kDecapsulates) != 0 && valid;
        const auto& ciphertext = uses_sent ? sent[i] : received;
        const bool done = Kem::decapsulate(dk, ciphertext, decapsulated[i], workspace).has_value();
        AIOS_ASSERT(done == Kem::check(dk).has_value());
        AIOS_ASSERT(decapsulated[i] == decapsulated[0]);
        if (done && uses_sent && (choice & kHonest) != 0) AIOS_ASSERT(decapsulated[i] == encapsulated[i]);
        if (done && !uses_sent && (choice & kHonest) != 0) {
            Shake256 xof;
            xof.update(z.bytes());
            xof.update(ciphertext.bytes());
            typename Kem::SharedSecret rejected;
            xof.squeeze(rejected.bytes());
            AIOS_ASSERT(decapsulated[i] == rejected);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // SAFETY: std::byte may alias anything.
    const Input input(Bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1));
    switch (data[0] % 4) {
    case 0:
        try_keys<MlKem512>(data[0], input);
        break;
    case 1:
        try_keys<MlKem768>(data[0], input);
        break;
    default:
        try_keys<MlKem1024>(data[0], input);
        break;
    }
    return 0;
}
