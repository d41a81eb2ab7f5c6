// The mode GCM over either engine. See gcm.hpp. Nothing is written before all arguments are checked, and no plaintext
// before the tag is.
#include "crypto/aes/gcm.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/aead/buffers.hpp"
#include "crypto/aes_gcm.hpp"
#include "crypto/backend.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto {

namespace detail::aes {

namespace {

// What one message needs: keys, state of the hash, and what hides the tag.
struct Message {
    RoundKeys keys;
    HashKey hash_key;
    Block hash;
    Block counter;
    Block mask; // AES of the pre-counter block J0
};

// The last block of GHASH: two lengths in bits.
Block length_block(std::uint64_t first, std::uint64_t second) {
    Block block;
    store_be(block.bytes.data(), 8 * first);
    store_be(block.bytes.data() + 8, 8 * second);
    return block;
}

void increment(Block& counter) {
    store_be(counter.bytes.data() + 12, load_be<std::uint32_t>(counter.bytes.data() + 12) + 1);
}

// Steps 1 and 2 of algorithms 4 and 5: the hash key and the pre-counter block. `text` is the longest run to be hashed.
template <typename Engine>
void begin(Message& message, Bytes key, Bytes iv, std::size_t text) {
    Engine::expand(key, message.keys);
    Block h;
    message.counter = Block();
    if (iv.size() == 12) {
        std::copy(iv.begin(), iv.end(), message.counter.bytes.begin());
        message.counter.bytes[15] = std::byte{1};
        message.mask = message.counter;
        Engine::encrypt(message.keys, h, message.mask);
        Engine::prepare(h, text, message.hash_key);
    } else {
        Block unused;
        Engine::encrypt(message.keys, h, unused);
        Engine::prepare(h, std::max(text, iv.size()), message.hash_key);
        Engine::ghash(message.hash_key, message.counter, iv);
        Engine::ghash(message.hash_key, message.counter, length_block(0, iv.size()).bytes);
        message.mask = message.counter;
        Engine::encrypt(message.keys, message.mask, unused);
    }
    secure_wipe(h.bytes);
    message.hash = Block();
    increment(message.counter);
}

// The whole tag, from the hash so far.
template <typename Engine>
Block end(Message& message, std::size_t aad_size, std::size_t text_size) {
    Engine::ghash(message.hash_key, message.hash, length_block(aad_size, text_size).bytes);
    Block tag;
    for (std::size_t i = 0; i < kBlockSize; ++i)
        tag.bytes[i] = message.hash.bytes[i] ^ message.mask.bytes[i];
    return tag;
}

// Not inlined, nor is open(): the caller would hold the messages of both engines on its stack.
template <typename Engine>
[[gnu::noinline]] void seal(Bytes key, Bytes iv, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                            MutableBytes tag) {
    Message message;
    const WipeAtEnd wipe(message);
    begin<Engine>(message, key, iv, std::max(aad.size(), plaintext.size()));
    Engine::ghash(message.hash_key, message.hash, aad);
    Engine::gctr_and_ghash(message.keys, message.counter, message.hash_key, message.hash, plaintext, ciphertext);
    const Block whole = end<Engine>(message, aad.size(), plaintext.size());
    std::copy_n(whole.bytes.begin(), tag.size(), tag.begin());
}

template <typename Engine>
[[gnu::noinline]] Result<> open(Bytes key, Bytes iv, Bytes aad, Bytes ciphertext, Bytes tag, MutableBytes plaintext) {
    Message message;
    const WipeAtEnd wipe(message);
    begin<Engine>(message, key, iv, std::max(aad.size(), ciphertext.size()));
    Engine::ghash(message.hash_key, message.hash, aad);
    Engine::ghash(message.hash_key, message.hash, ciphertext);
    Block whole = end<Engine>(message, aad.size(), ciphertext.size());
    // Whether the message is authentic is the public result (algorithm 5 step 8). The right tag is not: it would be a
    // forgery.
    const bool authentic = equal_in_constant_time(Bytes(whole.bytes).first(tag.size()), tag);
    secure_wipe(whole.bytes);
    if (!authentic) return fail(Error::integrity);
    Engine::gctr(message.keys, message.counter, ciphertext, plaintext);
    return {};
}

// Section 5.2.1.1 and 5.2.1.2.
Result<> check(Bytes key, Bytes iv, Bytes aad, Bytes input, Bytes output, std::size_t tag_size) {
    if (key.size() != 16 && key.size() != 32) return fail(Error::bad_argument);
    if (iv.empty()) return fail(Error::bad_argument);
    if (iv.size() > Aes256Gcm::kMaxAad) return fail(Error::too_large);
    if (tag_size != 4 && tag_size != 8 && (tag_size < 12 || tag_size > 16)) return fail(Error::bad_argument);
    return check_buffers(aad, input, output, Aes256Gcm::kMaxAad, Aes256Gcm::kMaxText);
}

} // namespace

Result<> gcm_seal(Bytes key, Bytes iv, Bytes aad, Bytes plaintext, MutableBytes ciphertext, MutableBytes tag) {
    TRY(check(key, iv, aad, plaintext, ciphertext, tag.size()));
    if (use_wide_aes_instructions())
        seal<WideInstructions>(key, iv, aad, plaintext, ciphertext, tag);
    else if (use_aes_instructions())
        seal<Instructions>(key, iv, aad, plaintext, ciphertext, tag);
    else
        seal<Portable>(key, iv, aad, plaintext, ciphertext, tag);
    return {};
}

Result<> gcm_open(Bytes key, Bytes iv, Bytes aad, Bytes ciphertext, Bytes tag, MutableBytes plaintext) {
    TRY(check(key, iv, aad, ciphertext, plaintext, tag.size()));
    if (use_wide_aes_instructions()) return open<WideInstructions>(key, iv, aad, ciphertext, tag, plaintext);
    if (use_aes_instructions()) return open<Instructions>(key, iv, aad, ciphertext, tag, plaintext);
    return open<Portable>(key, iv, aad, ciphertext, tag, plaintext);
}

} // namespace detail::aes

Result<> Aes256Gcm::seal(const Key& key, const Nonce& nonce, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                         Tag& tag) {
    return detail::aes::gcm_seal(key.bytes(), nonce.bytes(), aad, plaintext, ciphertext, tag.bytes());
}

Result<> Aes256Gcm::open(const Key& key, const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag,
                         MutableBytes plaintext) {
    return detail::aes::gcm_open(key.bytes(), nonce.bytes(), aad, ciphertext, tag.bytes(), plaintext);
}

} // namespace aios::crypto
