// GHASH (SP 800-38D section 6.4) with integer multiplication, whose time does not depend on its operands on x86-64.
//
// A product of polynomials over GF(2) is an integer product without carries. Each operand is cut into five parts that
// hold every fifth bit. In the product of two parts at most 13 ones meet in one place: the carries reach four places up
// and never the next place that counts; a mask takes them away.
#include "crypto/aes/gcm.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "crypto/aes/ghash.hpp"

namespace aios::crypto::detail::aes {

namespace {

using Wide = unsigned __int128;

constexpr std::size_t kParts = 5;

// Bits 0, 5, 10, ... of 128.
consteval Wide every_fifth_bit() {
    Wide mask = 0;
    for (int i = 0; i < 128; i += 5)
        mask |= Wide{1} << i;
    return mask;
}
constexpr Wide kEveryFifth = every_fifth_bit();

// The product without carries.
[[gnu::always_inline]] inline Wide multiply(std::uint64_t a, std::uint64_t b) {
    std::uint64_t a_part[kParts];
    std::uint64_t b_part[kParts];
    for (std::size_t i = 0; i < kParts; ++i) {
        a_part[i] = a & static_cast<std::uint64_t>(kEveryFifth << i);
        b_part[i] = b & static_cast<std::uint64_t>(kEveryFifth << i);
    }
    Wide product = 0;
    for (std::size_t place = 0; place < kParts; ++place) {
        Wide sum = 0;
        for (std::size_t i = 0; i < kParts; ++i)
            sum ^= Wide{a_part[i]} * b_part[(place + kParts - i) % kParts];
        product |= sum & (kEveryFifth << place);
    }
    return product;
}

// The product of a block and the prepared H (Karatsuba's way), reduced.
FieldElement multiply(FieldElement a, FieldElement h) {
    const Wide low = multiply(a.low, h.low);
    const Wide high = multiply(a.high, h.high);
    const Wide middle = multiply(a.low ^ a.high, h.low ^ h.high) ^ low ^ high;
    std::uint64_t w0 = static_cast<std::uint64_t>(low);
    std::uint64_t w1 = static_cast<std::uint64_t>(low >> 64) ^ static_cast<std::uint64_t>(middle);
    std::uint64_t w2 = static_cast<std::uint64_t>(high) ^ static_cast<std::uint64_t>(middle >> 64);
    std::uint64_t w3 = static_cast<std::uint64_t>(high >> 64);
    // The lower half holds x^128 and up: each word, times x^7 + x^2 + x + 1, is added 128 places higher.
    w1 ^= w0 << 63 ^ w0 << 62 ^ w0 << 57;
    w2 ^= w0 ^ w0 >> 1 ^ w0 >> 2 ^ w0 >> 7;
    w2 ^= w1 << 63 ^ w1 << 62 ^ w1 << 57;
    w3 ^= w1 ^ w1 >> 1 ^ w1 >> 2 ^ w1 >> 7;
    return {w3, w2};
}

} // namespace

void Portable::prepare(const Block& h, std::size_t, HashKey& key) {
    const FieldElement prepared =
        divide_by_x({load_be<std::uint64_t>(h.bytes.data()), load_be<std::uint64_t>(h.bytes.data() + 8)});
    key.words[0] = prepared.high;
    key.words[1] = prepared.low;
}

void Portable::ghash(const HashKey& key, Block& hash, Bytes data) {
    const FieldElement h = {key.words[0], key.words[1]};
    FieldElement state = {load_be<std::uint64_t>(hash.bytes.data()), load_be<std::uint64_t>(hash.bytes.data() + 8)};
    while (!data.empty()) {
        Block block;
        const std::size_t taken = std::min(data.size(), kBlockSize);
        std::copy_n(data.begin(), taken, block.bytes.begin());
        state.high ^= load_be<std::uint64_t>(block.bytes.data());
        state.low ^= load_be<std::uint64_t>(block.bytes.data() + 8);
        state = multiply(state, h);
        data = data.subspan(taken);
    }
    store_be(hash.bytes.data(), state.high);
    store_be(hash.bytes.data() + 8, state.low);
}

} // namespace aios::crypto::detail::aes
