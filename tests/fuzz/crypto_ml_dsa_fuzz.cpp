// ML-DSA with an attacker's bytes: verification with any key, message, context and signature, and signing with any
// expanded secret key. Both backends give the same answer and the same bytes.
//
// A random signature is refused before much is computed. So the input says how to change a valid key or signature, or
// replaces it altogether:
//
//   byte 0: bits 0-1 the parameter set, bit 2 sign or verify, bit 3 change or replace, bits 4-5 the form of the message
//   byte 1: the length of the context; byte 2: that of the message; then context and message
//   the rest: changes of three bytes (a position, and what is added there), or the bytes that replace
#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/ml_dsa.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

constexpr int kCandidates = 8; // so many does a crafted key get

class Input {
public:
    explicit Input(Bytes bytes) : bytes_(bytes) {}
    std::uint8_t u8() { return bytes_.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(take(1)[0]); }
    Bytes take(std::size_t most) {
        const Bytes taken = bytes_.first(std::min(most, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }
    void apply(bool replace, MutableBytes first, MutableBytes second) {
        if (replace) {
            std::ranges::copy(take(first.size()), first.begin());
            std::ranges::copy(take(second.size()), second.begin());
            return;
        }
        while (bytes_.size() >= 3) {
            const Bytes change = take(3);
            // Counted from the end, where the hints are, as well as from the start.
            const std::size_t at = load_le<std::uint16_t>(change.data()) % (first.size() + second.size());
            std::byte& byte = at < first.size() ? first[at] : second[first.size() + second.size() - 1 - at];
            byte = static_cast<std::byte>(static_cast<unsigned>(byte) + static_cast<unsigned>(change[2]));
        }
    }

private:
    Bytes bytes_;
};

template <typename Algorithm>
struct Set {
    typename Algorithm::PublicKey public_key, valid_public_key;
    typename Algorithm::SecretKey secret_key, valid_secret_key;
    typename Algorithm::Signature signature, valid_signature, other_signature;
    typename Algorithm::GenerateWorkspace generate_workspace;
    typename Algorithm::SignWorkspace sign_workspace;
    typename Algorithm::VerifyWorkspace verify_workspace;

    // A valid signature of the empty message.
    Set() {
        const typename Algorithm::Seed seed;
        Algorithm::generate(seed, valid_public_key, valid_secret_key, generate_workspace);
        const auto message = SignedMessage::pure({});
        AIOS_ASSERT(Algorithm::sign(valid_secret_key, *message, nullptr, valid_signature, sign_workspace).has_value());
        AIOS_ASSERT(Algorithm::verify(valid_public_key, *message, valid_signature, verify_workspace) == Verdict::valid);
    }

    Result<> sign(const SignedMessage& message, Backend backend) {
        AIOS_ASSERT(use_backend(backend).has_value());
        int left = kCandidates;
        const StopCallback stop([](void* count) { return (*static_cast<int*>(count))-- == 0; }, &left);
        return Algorithm::sign(secret_key, message, nullptr, signature, sign_workspace, stop);
    }
    Verdict verify(const SignedMessage& message, Backend backend) {
        AIOS_ASSERT(use_backend(backend).has_value());
        return Algorithm::verify(public_key, message, signature, verify_workspace);
    }
};

template <typename Algorithm>
void run(std::uint8_t choice, const SignedMessage& message, Input& input) {
    static const auto set = std::make_unique<Set<Algorithm>>();
    const bool replace = (choice & 8) != 0;
    if ((choice & 4) != 0) {
        std::ranges::copy(set->valid_secret_key.bytes(), set->secret_key.bytes().begin());
        input.apply(replace, set->secret_key.bytes(), {});
        const auto portable = set->sign(message, Backend::portable);
        const auto signature = set->signature;
        AIOS_ASSERT(portable.has_value() || signature == typename Algorithm::Signature());
        if (!is_supported(Backend::avx2)) return;
        AIOS_ASSERT(set->sign(message, Backend::avx2) == portable);
        AIOS_ASSERT(set->signature == signature);
    } else {
        set->public_key = set->valid_public_key;
        set->signature = set->valid_signature;
        input.apply(replace, set->public_key.bytes(), set->signature.bytes());
        const Verdict portable = set->verify(message, Backend::portable);
        // Nobody forges: only what was signed, by that key, is valid.
        if (portable == Verdict::valid)
            AIOS_ASSERT(set->public_key == set->valid_public_key && set->signature == set->valid_signature);
        if (is_supported(Backend::avx2)) AIOS_ASSERT(set->verify(message, Backend::avx2) == portable);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: any memory may be read as bytes.
    Input input({reinterpret_cast<const std::byte*>(data), size});
    const std::uint8_t choice = input.u8();
    const std::size_t context_size = input.u8();
    const std::size_t message_size = input.u8();
    const Bytes context = input.take(context_size);
    const Bytes text = input.take(message_size);
    const auto message = [&]() -> Result<SignedMessage> {
        switch (choice >> 4 & 3) {
        case 0:
            return SignedMessage::pure(text, context);
        case 1:
            return SignedMessage::pre_hashed(static_cast<PreHash>(text.size() % 12), text, context);
        case 2:
            return SignedMessage::external_mu(text);
        default:
            return SignedMessage::formatted(text);
        }
    }();
    AIOS_ASSERT(message.has_value() || message.error() == Error::bad_argument);
    if (!message) return 0;
    switch (choice & 3) {
    case 0:
        run<MlDsa44>(choice, *message, input);
        break;
    case 1:
        run<MlDsa65>(choice, *message, input);
        break;
    default:
        run<MlDsa87>(choice, *message, input);
        break;
    }
    return 0;
}
