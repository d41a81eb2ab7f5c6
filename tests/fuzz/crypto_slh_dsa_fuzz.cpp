// SLH-DSA verification of keys, messages and signatures that an attacker chose, with both backends, which have to
// agree. The input's first byte chooses the parameter set, the second the form of the message; then come the public
// key, one byte with the message's length, the message, and the signature, which is filled up by repeating what there
// is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "crypto/backend.hpp"
#include "tests/support/slh_dsa.hpp"

namespace {

using namespace aios;

template <typename Set>
void run(std::uint8_t form, Bytes rest) {
    struct Objects {
        typename Set::PublicKey key;
        typename Set::Signature signature;
        typename Set::Workspace workspace;
    };
    static const auto o = std::make_unique<Objects>();
    if (rest.size() < Set::kPublicKeySize + 1) return;
    if (!o->key.assign(rest.first(Set::kPublicKeySize))) std::abort();
    rest = rest.subspan(Set::kPublicKeySize);
    const std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(rest[0]), rest.size() - 1);
    const Bytes text = rest.subspan(1, length);
    rest = rest.subspan(1 + length);
    const auto signature = o->signature.bytes();
    for (std::size_t i = 0; i < signature.size(); ++i)
        signature[i] = rest.empty() ? std::byte{0} : rest[i % rest.size()];

    const auto message = form % 3 == 0   ? crypto::SignedMessage::pure(text, text)
                         : form % 3 == 1 ? crypto::SignedMessage::pre_hashed(crypto::PreHash::sha2_512_256, text)
                                         : crypto::SignedMessage::formatted(text);
    if (!message) std::abort();
    if (!crypto::use_backend(crypto::Backend::portable)) std::abort();
    const auto portable = Set::verify(o->key, *message, o->signature, o->workspace);
    if (!crypto::use_backend(crypto::Backend::avx2)) return;
    if (Set::verify(o->key, *message, o->signature, o->workspace) != portable) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // SAFETY: bytes are read as bytes.
    const Bytes rest = {reinterpret_cast<const std::byte*>(data + 2), size - 2};
    std::size_t number = 0;
    test::for_each_slh_set([&]<typename Set>(std::string_view, std::type_identity<Set>) {
        if (number++ == data[0] % 12) run<Set>(data[1], rest);
    });
    return 0;
}
