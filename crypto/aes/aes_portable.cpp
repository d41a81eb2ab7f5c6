// AES (FIPS 197) without tables: four blocks at once, bitsliced. Eight words hold one bit of every byte each; bit
// 16 * row + 4 * column + block of word i is bit i of the byte in that row and column of that block. So SubBytes is the
// circuit of sbox.hpp, ShiftRows moves bits inside of 16-bit quarters, and the rows of MixColumns are rotations by 16.
#include "crypto/aes/gcm.hpp"

#include <algorithm>
#include <bit>

#include "base/bits.hpp"
#include "base/bytes.hpp"
#include "crypto/aes/sbox.hpp"
#include "crypto/secret.hpp"

namespace aios::crypto::detail::aes {

namespace {

using Word = std::uint64_t;

constexpr std::size_t kBlocks = 4; // that are encrypted at once

struct Slices {
    Word bit[8];
};

// Exchanges the bits `mask` << Shift of `a` with the bits `mask` of `b`.
template <int Shift>
[[gnu::always_inline]] inline void exchange(Word& a, Word& b, Word mask) {
    const Word difference = ((a >> Shift) ^ b) & mask;
    b ^= difference;
    a ^= difference << Shift;
}

// Bit i of byte b of word j becomes bit j of byte b of word i. Its own inverse.
void transpose(Slices& s) {
    for (std::size_t i = 0; i < 8; i += 2)
        exchange<1>(s.bit[i], s.bit[i + 1], 0x5555555555555555);
    for (std::size_t i = 0; i < 4; ++i)
        exchange<2>(s.bit[i + (i & 2)], s.bit[i + (i & 2) + 2], 0x3333333333333333);
    for (std::size_t i = 0; i < 4; ++i)
        exchange<4>(s.bit[i], s.bit[i + 4], 0x0f0f0f0f0f0f0f0f);
}

// Byte i of `column` becomes byte 2i; and back.
Word spread(std::uint32_t column) {
    Word word = column;
    word = (word | word << 16) & 0x0000ffff0000ffff;
    return (word | word << 8) & 0x00ff00ff00ff00ff;
}
std::uint32_t gather(Word word) {
    word &= 0x00ff00ff00ff00ff;
    word = (word | word >> 8) & 0x0000ffff0000ffff;
    return static_cast<std::uint32_t>(word | word >> 16);
}

// Four blocks of four columns each, to slices and back.
void to_slices(const std::uint32_t (&columns)[4 * kBlocks], Slices& s) {
    for (std::size_t block = 0; block < kBlocks; ++block) {
        s.bit[block] = spread(columns[4 * block]) | spread(columns[4 * block + 2]) << 8;
        s.bit[block + 4] = spread(columns[4 * block + 1]) | spread(columns[4 * block + 3]) << 8;
    }
    transpose(s);
}
void from_slices(Slices& s, std::uint32_t (&columns)[4 * kBlocks]) {
    transpose(s);
    for (std::size_t block = 0; block < kBlocks; ++block) {
        columns[4 * block] = gather(s.bit[block]);
        columns[4 * block + 1] = gather(s.bit[block + 4]);
        columns[4 * block + 2] = gather(s.bit[block] >> 8);
        columns[4 * block + 3] = gather(s.bit[block + 4] >> 8);
    }
}

// SubWord (section 5.2): the S-box on the four bytes of a word.
std::uint32_t substitute_word(std::uint32_t word) {
    constexpr std::uint32_t kEachByte = 0x01010101;
    std::uint32_t bit[8];
    for (std::size_t i = 0; i < 8; ++i)
        bit[i] = word >> i & kEachByte;
    substitute(bit);
    std::uint32_t result = 0;
    for (std::size_t i = 0; i < 8; ++i)
        result |= (bit[i] & kEachByte) << i;
    return result;
}

// AddRoundKey (section 5.1.4). Four round keys lie in one group of eight words, as blocks do; the key of one round is
// copied to all four blocks.
[[gnu::always_inline]] inline void add_round_key(Slices& s, const RoundKeys& keys, unsigned round) {
    const std::size_t group = std::size_t{round / 4} * 8;
    for (std::size_t i = 0; i < 8; ++i) {
        const Word key = keys.words[group + i] >> (round % 4) & 0x1111111111111111;
        s.bit[i] ^= (key << 4) - key;
    }
}

// ShiftRows (section 5.1.2): row r moves by r columns. By two first in rows 2 and 3, then by one in rows 1 and 3.
[[gnu::always_inline]] inline void shift_rows(Slices& s) {
    for (Word& word : s.bit) {
        const Word difference = (word ^ word >> 8) & 0x00ff00ff00000000;
        word ^= difference | difference << 8;
        word = (word & 0x0000ffff0000ffff) | (word >> 4 & 0x0fff00000fff0000) | (word << 12 & 0xf0000000f0000000);
    }
}

// MixColumns (section 5.1.3): 2a + 3b + c + d for each byte a and the three below it, as 2(a + b) + b + (c + d).
[[gnu::always_inline]] inline void mix_columns(Slices& s) {
    Word below[8];
    Word pair[8];
    for (std::size_t i = 0; i < 8; ++i) {
        below[i] = std::rotr(s.bit[i], 16);
        pair[i] = s.bit[i] ^ below[i];
    }
    for (std::size_t i = 0; i < 8; ++i) {
        Word doubled = pair[(i + 7) % 8];
        if (i == 1 || i == 3 || i == 4) doubled ^= pair[7]; // x^8 = x^4 + x^3 + x + 1
        s.bit[i] = doubled ^ below[i] ^ std::rotr(pair[i], 32);
    }
}

// CIPHER (section 5.1) on four blocks, in place.
void encrypt_columns(const RoundKeys& keys, std::uint32_t (&columns)[4 * kBlocks]) {
    Slices s;
    to_slices(columns, s);
    add_round_key(s, keys, 0);
    for (unsigned round = 1;; ++round) {
        substitute(s.bit);
        shift_rows(s);
        if (round == keys.rounds) break;
        mix_columns(s);
        add_round_key(s, keys, round);
    }
    add_round_key(s, keys, keys.rounds);
    from_slices(s, columns);
}

} // namespace

void Portable::expand(Bytes key, RoundKeys& keys) {
    const std::size_t key_words = key.size() / 4;
    keys.rounds = rounds_of_key(key.size());
    std::array<std::uint32_t, 64> schedule{}; // four words a round; the groups of four rounds are filled up with zeros
    const WipeAtEnd wipe(schedule);
    for (std::size_t i = 0; i < key_words; ++i)
        schedule[i] = load_le<std::uint32_t>(key.data() + 4 * i);
    std::uint32_t round_constant = 1;
    for (std::size_t i = key_words; i < 4 * (std::size_t{keys.rounds} + 1); ++i) {
        std::uint32_t word = schedule[i - 1];
        if (i % key_words == 0) {
            word = substitute_word(std::rotr(word, 8)) ^ round_constant;
            round_constant = round_constant << 1 ^ (round_constant >> 7) * 0x11b;
        } else if (key_words > 6 && i % key_words == 4) {
            word = substitute_word(word);
        }
        schedule[i] = schedule[i - key_words] ^ word;
    }
    for (std::size_t group = 0; group < 4; ++group) {
        std::uint32_t columns[4 * kBlocks];
        std::copy_n(schedule.begin() + static_cast<std::ptrdiff_t>(16 * group), 16, columns);
        Slices s;
        to_slices(columns, s);
        std::copy_n(s.bit, 8, keys.words.begin() + static_cast<std::ptrdiff_t>(8 * group));
    }
}

void Portable::encrypt(const RoundKeys& keys, Block& first, Block& second) {
    std::uint32_t columns[4 * kBlocks] = {};
    for (std::size_t i = 0; i < 4; ++i) {
        columns[i] = load_le<std::uint32_t>(first.bytes.data() + 4 * i);
        columns[4 + i] = load_le<std::uint32_t>(second.bytes.data() + 4 * i);
    }
    encrypt_columns(keys, columns);
    for (std::size_t i = 0; i < 4; ++i) {
        store_le(first.bytes.data() + 4 * i, columns[i]);
        store_le(second.bytes.data() + 4 * i, columns[4 + i]);
    }
    secure_wipe_object(columns);
}

void Portable::gctr(const RoundKeys& keys, Block& counter, Bytes in, MutableBytes out) {
    std::uint32_t fixed[3];
    for (std::size_t i = 0; i < 3; ++i)
        fixed[i] = load_le<std::uint32_t>(counter.bytes.data() + 4 * i);
    std::uint32_t count = load_be<std::uint32_t>(counter.bytes.data() + 12);
    store_be(counter.bytes.data() + 12, count + static_cast<std::uint32_t>(div_ceil(in.size(), kBlockSize)));
    std::uint32_t columns[4 * kBlocks];
    for (std::size_t at = 0; at < in.size(); at += kBlocks * kBlockSize) {
        for (std::size_t block = 0; block < kBlocks; ++block) {
            std::copy_n(fixed, 3, columns + 4 * block);
            columns[4 * block + 3] = std::byteswap(count++); // inc32, SP 800-38D section 6.2
        }
        encrypt_columns(keys, columns);
        const std::size_t size = std::min(in.size() - at, kBlocks * kBlockSize);
        for (std::size_t i = 0; i < size / 4; ++i)
            store_le(out.data() + at + 4 * i, load_le<std::uint32_t>(in.data() + at + 4 * i) ^ columns[i]);
        for (std::size_t i = size & ~std::size_t{3}; i < size; ++i)
            out[at + i] = in[at + i] ^ static_cast<std::byte>(columns[i / 4] >> (8 * (i % 4)) & 0xff);
    }
    secure_wipe_object(columns);
}

void Portable::gctr_and_ghash(const RoundKeys& keys, Block& counter, const HashKey& key, Block& hash, Bytes in,
                              MutableBytes out) {
    gctr(keys, counter, in, out);
    ghash(key, hash, out);
}

} // namespace aios::crypto::detail::aes
