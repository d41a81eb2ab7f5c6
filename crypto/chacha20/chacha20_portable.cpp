// ChaCha20, one block at a time. See chacha20.hpp.
#include <bit>

#include "base/bytes.hpp"
#include "crypto/chacha20/chacha20.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto::detail::chacha20 {

namespace {

// Section 2.1.
[[gnu::always_inline]] inline void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c,
                                                 std::uint32_t& d) {
    a += b;
    d = std::rotl(d ^ a, 16);
    c += d;
    b = std::rotl(b ^ c, 12);
    a += b;
    d = std::rotl(d ^ a, 8);
    c += d;
    b = std::rotl(b ^ c, 7);
}

// The block function, section 2.3.
void next_block(State& state, std::array<std::uint32_t, 16>& x) {
    x = state.words;
    for (unsigned i = 0; i < kDoubleRounds; ++i) {
        quarter_round(x[0], x[4], x[8], x[12]);
        quarter_round(x[1], x[5], x[9], x[13]);
        quarter_round(x[2], x[6], x[10], x[14]);
        quarter_round(x[3], x[7], x[11], x[15]);
        quarter_round(x[0], x[5], x[10], x[15]);
        quarter_round(x[1], x[6], x[11], x[12]);
        quarter_round(x[2], x[7], x[8], x[13]);
        quarter_round(x[3], x[4], x[9], x[14]);
    }
    for (std::size_t i = 0; i < 16; ++i)
        x[i] += state.words[i];
    ++state.words[12];
}

} // namespace

void set_up(State& state, Bytes key, Bytes nonce, std::uint32_t counter) {
    state.words[0] = 0x61707865;
    state.words[1] = 0x3320646e;
    state.words[2] = 0x79622d32;
    state.words[3] = 0x6b206574;
    for (std::size_t i = 0; i < 8; ++i)
        state.words[4 + i] = load_le<std::uint32_t>(key.data() + 4 * i);
    state.words[12] = counter;
    for (std::size_t i = 0; i < 3; ++i)
        state.words[13 + i] = load_le<std::uint32_t>(nonce.data() + 4 * i);
}

void Portable::keystream(State& state, std::byte* out) {
    std::array<std::uint32_t, 16> x;
    next_block(state, x);
    for (std::size_t i = 0; i < 16; ++i)
        store_le(out + 4 * i, x[i]);
    secure_wipe_object(x);
}

void Portable::apply(State& state, std::byte*, const std::byte* in, std::byte* out, std::size_t batches) {
    std::array<std::uint32_t, 16> x;
    for (; batches > 0; --batches, in += kBlockSize, out += kBlockSize) {
        next_block(state, x);
        for (std::size_t i = 0; i < 16; ++i)
            store_le(out + 4 * i, load_le<std::uint32_t>(in + 4 * i) ^ x[i]);
    }
    secure_wipe_object(x);
}

} // namespace aios::crypto::detail::chacha20
