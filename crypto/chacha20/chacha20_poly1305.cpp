// The AEAD of RFC 8439 section 2.8 over either engine. Nothing is written before all arguments are checked, and no
// plaintext before the tag is.
#include "crypto/chacha20_poly1305.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/aead/buffers.hpp"
#include "crypto/backend.hpp"
#include "crypto/chacha20/chacha20.hpp"

namespace aios::crypto {

namespace detail::chacha20 {

namespace {

// out = in plus `stream`, which has at least as many bytes.
void add_stream(Bytes in, const std::byte* stream, std::byte* out) {
    std::size_t i = 0;
    for (; i + 8 <= in.size(); i += 8)
        store_le(out + i, load_le<std::uint64_t>(in.data() + i) ^ load_le<std::uint64_t>(stream + i));
    for (; i < in.size(); ++i)
        out[i] = in[i] ^ stream[i];
}

// A batch of key stream; and the memory that an engine works in, when the batch is used up.
template <typename Engine>
using Stream = std::array<std::byte, Engine::kWorkSize>;

// What one message needs. The first batch of key stream begins with block 0, the key of the authenticator; what comes
// behind it is used for text.
template <typename Engine>
struct Message {
    alignas(32) Stream<Engine> stream;
    State state;
    Poly1305 mac;
};

// Sections 2.6 and 2.8.
template <typename Engine>
void begin(Message<Engine>& message, Bytes key, Bytes nonce) {
    set_up(message.state, key, nonce, 0);
    Engine::keystream(message.state, message.stream.data());
    poly1305_begin(message.mac, Bytes(message.stream).first(32));
}

// Section 2.4, from the `used`th byte of the batch in `stream` on.
template <typename Engine>
void crypt(State& state, Stream<Engine>& stream, std::size_t used, Bytes in, MutableBytes out) {
    const std::size_t first = std::min(in.size(), Engine::kBatchSize - used);
    add_stream(in.first(first), stream.data() + used, out.data());
    const std::size_t batches = (in.size() - first) / Engine::kBatchSize;
    Engine::apply(state, stream.data(), in.data() + first, out.data() + first, batches);
    const std::size_t done = first + batches * Engine::kBatchSize;
    if (done == in.size()) return;
    Engine::keystream(state, stream.data());
    add_stream(in.subspan(done), stream.data(), out.data() + done);
}

// Data, filled up with zeros to a multiple of 16 bytes.
template <typename Engine>
void authenticate(Poly1305& mac, Bytes data) {
    const std::size_t blocks = data.size() / 16;
    Engine::authenticate(mac, data.data(), blocks);
    const Bytes rest = data.subspan(16 * blocks);
    if (rest.empty()) return;
    std::array<std::byte, 16> block{};
    std::copy(rest.begin(), rest.end(), block.begin());
    poly1305_blocks(mac, block.data(), 1);
}

// The tag, after the two texts.
Poly1305Tag end(Poly1305& mac, std::size_t aad_size, std::size_t text_size) {
    std::array<std::byte, 16> lengths;
    store_le(lengths.data(), std::uint64_t{aad_size});
    store_le(lengths.data() + 8, std::uint64_t{text_size});
    poly1305_blocks(mac, lengths.data(), 1);
    return poly1305_end(mac);
}

// Not inlined, nor is open(): the caller would hold the messages of both engines on its stack.
template <typename Engine>
[[gnu::noinline]] void seal(Bytes key, Bytes nonce, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                            MutableBytes tag) {
    Message<Engine> message;
    const WipeAtEnd wipe(message);
    begin(message, key, nonce);
    authenticate<Engine>(message.mac, aad);
    // As crypt() does it, but whole batches are authenticated while the next ones are encrypted.
    const std::size_t first = std::min(plaintext.size(), Engine::kBatchSize - kBlockSize);
    add_stream(plaintext.first(first), message.stream.data() + kBlockSize, ciphertext.data());
    const std::size_t batches = (plaintext.size() - first) / Engine::kBatchSize;
    const std::size_t done = first + batches * Engine::kBatchSize;
    std::size_t authenticated = 0;
    if (batches > 0) {
        static_assert((Engine::kBatchSize - kBlockSize) % 16 == 0);
        authenticated = 16 * Engine::seal(message.state, message.mac, message.stream.data(), first / 16,
                                          plaintext.data() + first, ciphertext.data() + first, batches);
    }
    if (done < plaintext.size()) {
        Engine::keystream(message.state, message.stream.data());
        add_stream(plaintext.subspan(done), message.stream.data(), ciphertext.data() + done);
    }
    authenticate<Engine>(message.mac, ciphertext.subspan(authenticated));
    const Poly1305Tag whole = end(message.mac, aad.size(), ciphertext.size());
    std::copy(whole.begin(), whole.end(), tag.begin());
}

template <typename Engine>
[[gnu::noinline]] Result<> open(Bytes key, Bytes nonce, Bytes aad, Bytes ciphertext, Bytes tag,
                                MutableBytes plaintext) {
    Message<Engine> message;
    const WipeAtEnd wipe(message);
    begin(message, key, nonce);
    authenticate<Engine>(message.mac, aad);
    authenticate<Engine>(message.mac, ciphertext);
    Poly1305Tag whole = end(message.mac, aad.size(), ciphertext.size());
    // Whether the message is authentic is the public result of section 2.8. The right tag is not: it would be a
    // forgery.
    const bool authentic = equal_in_constant_time(whole, tag);
    secure_wipe(whole);
    if (!authentic) return fail(Error::integrity);
    crypt<Engine>(message.state, message.stream, kBlockSize, ciphertext, plaintext);
    return {};
}

template <typename Engine>
void encrypt_with(Bytes key, Bytes nonce, std::uint32_t counter, Bytes in, MutableBytes out) {
    State state;
    alignas(32) Stream<Engine> stream;
    set_up(state, key, nonce, counter);
    crypt<Engine>(state, stream, Engine::kBatchSize, in, out);
    secure_wipe_object(state);
    secure_wipe(stream);
}

} // namespace

void encrypt(Bytes key, Bytes nonce, std::uint32_t counter, Bytes in, MutableBytes out) {
    if (use_avx2())
        encrypt_with<Avx2>(key, nonce, counter, in, out);
    else
        encrypt_with<Portable>(key, nonce, counter, in, out);
}

} // namespace detail::chacha20

Result<> ChaCha20Poly1305::seal(const Key& key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                                Tag& tag) {
    using namespace detail::chacha20;
    TRY(detail::check_buffers(aad, plaintext, ciphertext, kMaxAad, kMaxText));
    if (use_avx2())
        detail::chacha20::seal<Avx2>(key.bytes(), nonce.bytes(), aad, plaintext, ciphertext, tag.bytes());
    else
        detail::chacha20::seal<Portable>(key.bytes(), nonce.bytes(), aad, plaintext, ciphertext, tag.bytes());
    return {};
}

Result<> ChaCha20Poly1305::open(const Key& key, const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag,
                                MutableBytes plaintext) {
    using namespace detail::chacha20;
    TRY(detail::check_buffers(aad, ciphertext, plaintext, kMaxAad, kMaxText));
    if (use_avx2())
        return detail::chacha20::open<Avx2>(key.bytes(), nonce.bytes(), aad, ciphertext, tag.bytes(), plaintext);
    return detail::chacha20::open<Portable>(key.bytes(), nonce.bytes(), aad, ciphertext, tag.bytes(), plaintext);
}

} // namespace aios::crypto
