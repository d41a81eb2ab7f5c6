// COSE_Sign1 and COSE_Key on any bytes: what is accepted lies inside the input and is consistent, and verification
// answers "invalid". Because nobody guesses a signature's length, the input also becomes the headers and the payload of
// a message whose signature has the right one.
#include <array>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "base/cbor.hpp"
#include "crypto/cose.hpp"
#include "crypto/cose_key.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

bool is_inside(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_message(Bytes input, CoseTag tag) {
    const auto message = parse_cose_sign1(input, tag);
    if (!message) return;
    AIOS_ASSERT(is_inside(message->protected_header, input) && is_inside(message->signature, input));
    AIOS_ASSERT(message->signature.size() == signature_size(message->set));
    if (message->payload) AIOS_ASSERT(is_inside(*message->payload, input));
    if (message->header.key_id) AIOS_ASSERT(is_inside(*message->header.key_id, input));
    AIOS_ASSERT(!(message->header.content_format && message->header.content_type));
    static MlDsa44::PublicKey key;
    static CoseVerifyWorkspace<MlDsa44> workspace;
    AIOS_ASSERT(cose_verify<MlDsa44>(key, *message, {}, workspace) == Verdict::invalid);
    AIOS_ASSERT(cose_verify_detached<MlDsa44>(key, *message, {}, {}, workspace) == Verdict::invalid);
}

// Protected and unprotected header from the input, cut at `split`, and a signature of zeros.
void check_headers(Bytes input, std::size_t split) {
    const std::vector<std::byte> signature(MlDsa44::kSignatureSize);
    std::vector<std::byte> message;
    const auto put = [&](Bytes bytes) { message.insert(message.end(), bytes.begin(), bytes.end()); };
    const auto put_string = [&](Bytes bytes) {
        std::array<std::byte, cbor::kMaxHead> head;
        put(Bytes(head).first(cbor::bytes_head(bytes.size(), head)));
        put(bytes);
    };
    message.push_back(std::byte{0x84});
    put_string(input.first(split));
    put(input.subspan(split));
    put_string({});
    put_string(signature);
    check_message(message, CoseTag::none);
}

void check_key(Bytes input) {
    const auto key = parse_cose_key(input);
    if (!key) return;
    AIOS_ASSERT(is_inside(key->public_key, input) && key->public_key.size() == public_key_size(key->set));
    if (key->seed) AIOS_ASSERT(is_inside(*key->seed, input) && key->seed->size() == 32);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: the fuzzer's bytes, read as bytes.
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    check_message(input, CoseTag::sign1);
    check_message(input, CoseTag::none);
    check_key(input);
    if (size == 0) return 0;
    const Bytes headers = input.subspan(1);
    check_headers(headers, data[0] % (headers.size() + 1));
    // A key of the right size behind whatever the input says; the count of the map is the input's.
    std::vector<std::byte> key(input.begin(), input.end());
    for (const std::uint8_t octet : {0x20, 0x59, 0x05, 0x20})
        key.push_back(std::byte{octet});
    key.insert(key.end(), MlDsa44::kPublicKeySize, std::byte{0});
    check_key(key);
    return 0;
}
