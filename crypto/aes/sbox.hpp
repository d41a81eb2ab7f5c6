// The S-box of AES (FIPS 197 section 5.1.1) as a circuit: no table, no secret index, no branch. One call substitutes as
// many bytes as a word has bits.
//
// The gates are those of Boyar and Peralta, "A depth-16 circuit for the AES S-box" (2011): a linear layer that names
// the bits needed of an element of GF((2^4)^2), its inverse by way of GF(2^4), and a linear layer back. The tests
// compare it with the definition for all 256 bytes.
#pragma once

namespace aios::crypto::detail::aes {

// bit[i] holds bit i of every byte; bit[0] the lowest.
template <typename Word>
[[gnu::always_inline]] inline void substitute(Word (&bit)[8]) {
    // Sums of input bits. The name says which: x9a is the sum of the bits that are set in 0x9a.
    const Word x01 = bit[0];
    const Word x03 = bit[1] ^ bit[0];
    const Word x0a = bit[3] ^ bit[1];
    const Word x11 = bit[4] ^ bit[0];
    const Word x14 = bit[4] ^ bit[2];
    const Word x24 = bit[5] ^ bit[2];
    const Word x44 = bit[6] ^ bit[2];
    const Word x60 = bit[6] ^ bit[5];
    const Word x82 = bit[7] ^ bit[1];
    const Word x84 = bit[7] ^ bit[2];
    const Word x90 = bit[7] ^ bit[4];
    const Word x61 = x60 ^ x01;
    const Word x2e = x24 ^ x0a;
    const Word x4e = x44 ^ x0a;
    const Word x4f = x61 ^ x2e;
    const Word x63 = x60 ^ x03;
    const Word x71 = x60 ^ x11;
    const Word x96 = x82 ^ x14;
    const Word x9a = x90 ^ x0a;
    const Word x9b = x9a ^ x01;
    const Word xac = x82 ^ x2e;
    const Word xb4 = x90 ^ x24;
    const Word xde = x9a ^ x44;
    const Word xe1 = x90 ^ x71;
    const Word xae = xe1 ^ x4f;
    const Word xe7 = x84 ^ x63;
    const Word xfa = x9a ^ x60;
    const Word x7e = x84 ^ xfa;

    // The element of GF(2^4) that has to be inverted: the norm of the element of GF((2^4)^2).
    const Word high = x96 & x9a;
    const Word low = x82 & x2e;
    const Word cross = x90 & x4e;
    const Word left = (x14 & xb4) ^ cross;
    const Word right = (x84 & xfa) ^ cross;
    const Word n0 = xde ^ high ^ (xe7 & x9b) ^ left;
    const Word n1 = (x71 & x01) ^ high ^ x7e ^ right;
    const Word n2 = xac ^ low ^ (x63 & x61) ^ left;
    const Word n3 = (xe1 & x4f) ^ low ^ right ^ xae;

    // Its inverse, and the sums of the inverse's bits that the products below need.
    const Word n01 = n0 ^ n1;
    const Word n23 = n2 ^ n3;
    const Word n02 = n0 & n2;
    const Word i0 = n1 ^ ((n3 ^ n02) & n01);
    const Word i1 = (n01 & (n0 & n3)) ^ n01 ^ n02;
    const Word i2 = n3 ^ ((n1 ^ n02) & n23);
    const Word i3 = (n23 & (n1 & n2)) ^ n23 ^ n02;
    const Word i13 = i1 ^ i3;
    const Word i02 = i0 ^ i2;
    const Word i01 = i0 ^ i1;
    const Word i23 = i2 ^ i3;
    const Word i0123 = i02 ^ i13;

    // The inverse times the conjugate.
    const Word p0 = i23 & x9a;
    const Word p1 = i3 & x9b;
    const Word p2 = i2 & x01;
    const Word p3 = i01 & x2e;
    const Word p4 = i1 & x61;
    const Word p5 = i0 & x4f;
    const Word p6 = i02 & x4e;
    const Word p7 = i0123 & xb4;
    const Word p8 = i13 & xfa;
    const Word p9 = i23 & x96;
    const Word p10 = i3 & xe7;
    const Word p11 = i2 & x71;
    const Word p12 = i01 & x82;
    const Word p13 = i1 & x63;
    const Word p14 = i0 & xe1;
    const Word p15 = i02 & x90;
    const Word p16 = i0123 & x14;
    const Word p17 = i13 & x84;

    // Back to the polynomial basis, and the affine map; its constant 0x63 is in the four complements.
    const Word s0 = p15 ^ p16;
    const Word s1 = p4 ^ p10;
    const Word s2 = p0 ^ p2;
    const Word s3 = p1 ^ p9;
    const Word s4 = p8 ^ p12;
    const Word s5 = p3 ^ s0;
    const Word s6 = p0 ^ s3;
    const Word s7 = p5 ^ p13;
    const Word s8 = p6 ^ p7;
    const Word s9 = p7 ^ s4;
    const Word s10 = p14 ^ s2;
    bit[7] = s5 ^ p9 ^ s1 ^ s8;
    bit[6] = static_cast<Word>(~(p10 ^ s0 ^ s6 ^ s8));
    bit[5] = static_cast<Word>(~(p17 ^ s4 ^ s10 ^ p6 ^ p15));
    bit[4] = s5 ^ s1 ^ s6;
    bit[3] = s0 ^ s1 ^ s3 ^ p2 ^ p5;
    bit[2] = s5 ^ s9 ^ s10 ^ p11 ^ s1;
    bit[1] = static_cast<Word>(~(p4 ^ s0 ^ s7 ^ s9));
    bit[0] = static_cast<Word>(~(s5 ^ p12 ^ s7 ^ s2));
}

} // namespace aios::crypto::detail::aes
