// ChaCha20, Poly1305 and their AEAD: the examples of RFC 8439.
#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/chacha20/chacha20.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

const char* const kSunscreen = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
                               "future, sunscreen would be it.";
const char* const kJabberwocky = "'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\nAll mimsy "
                                 "were the borogoves,\nAnd the mome raths outgrabe.";
const char* const kIetf = "Any submission to the IETF intended by the Contributor for publication as all or part of an "
                          "IETF Internet-Draft or RFC and any statement made within the context of an IETF activity is "
                          "considered an \"IETF Contribution\". Such statements include oral statements in IETF "
                          "sessions, as well as written and electronic communications made at any time or place, which "
                          "are addressed to";
const char* const kKeyOfCarroll = "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0";
const std::string kZeroKey(64, '0');

std::string as_hex(std::string_view text) { return to_hex(as_bytes(text)); }

// Sections 2.3.2 and 2.4.2, appendices A.1 and A.2. The plaintext of a block function is zeros.
TEST(ChaCha20, Rfc8439) {
    struct Example {
        std::string key;
        const char* nonce;
        std::uint32_t counter;
        std::string plaintext;
        const char* ciphertext;
    };
    const std::string zeros(128, '0');
    const Example examples[] = {
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "000000090000004a00000000", 1, zeros,
         "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
         "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "000000000000004a00000000", 1,
         as_hex(kSunscreen),
         "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
         "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
         "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
         "5af90bbf74a35be6b40b8eedf2785e42874d"},
        {kZeroKey, "000000000000000000000000", 0, zeros,
         "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
         "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
        {kZeroKey, "000000000000000000000000", 1, zeros,
         "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
         "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
        {kZeroKey.substr(2) + "01", "000000000000000000000000", 1, zeros,
         "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
         "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
        {"00ff" + kZeroKey.substr(4), "000000000000000000000000", 2, zeros,
         "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
         "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
        {kZeroKey, "000000000000000000000002", 0, zeros,
         "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
         "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d"},
        {kZeroKey.substr(2) + "01", "000000000000000000000002", 1, as_hex(kIetf),
         "a3fbf07df3fa2fde4f376ca23e82737041605d9f4f4f57bd8cff2c1d4b7955ec2a97948bd3722915c8f3d337f7d370050e9e96d647"
         "b7c39f56e031ca5eb6250d4042e02785ececfa4b4bb5e8ead0440e20b6e8db09d881a7c6132f420e52795042bdfa7773d8a9051447"
         "b3291ce1411c680465552aa6c405b7764d5e87bea85ad00f8449ed8f72d0d662ab052691ca66424bc86d2df80ea41f43abf937d325"
         "9dc4b2d0dfb48a6c9139ddd7f76966e928e635553ba76c5c879d7b35d49eb2e62b0871cdac638939e25e8a1e0ef9d5280fa8ca328b"
         "351c3c765989cbcf3daa8b6ccc3aaf9f3979c92b3720fc88dc95ed84a1be059c6499b9fda236e7e818b04b0bc39c1e876b193bfe55"
         "69753f88128cc08aaa9b63d1a16f80ef2554d7189c411f5869ca52c5b83fa36ff216b9c1d30062bebcfd2dc5bce0911934fda79a86"
         "f6e698ced759c3ff9b6477338f3da4f9cd8514ea9982ccafb341b2384dd902f3d1ab7ac61dd29c6f21ba5b862f3730e37cfdc4fd80"
         "6c22f221"},
        {kKeyOfCarroll, "000000000000000000000002", 42, as_hex(kJabberwocky),
         "62e6347f95ed87a45ffae7426f27a1df5fb69110044c0d73118effa95b01e5cf"
         "166d3df2d721caf9b21e5fb14c616871fd84c54f9d65b283196c7fe4f60553eb"
         "f39c6402c42234e32a356b3e764312a61a5532055716ead6962568f87d3f3f77"
         "04c6a8d1bcd1bf4d50d6154b6da731b187b58dfd728afa36757a797ac188d1"}};
    test::for_each_backend([&] {
        for (const Example& example : examples) {
            const auto plaintext = from_hex(example.plaintext);
            std::vector<std::byte> out(plaintext.size());
            detail::chacha20::encrypt(from_hex(example.key), from_hex(example.nonce), example.counter, plaintext, out);
            EXPECT_EQ(to_hex(out), example.ciphertext);
        }
    });
}

std::string poly1305(std::string_view key, Bytes message) {
    detail::chacha20::Poly1305 mac;
    detail::chacha20::poly1305_begin(mac, from_hex(key));
    detail::chacha20::poly1305_blocks(mac, message.data(), message.size() / 16);
    if (message.size() % 16 != 0) poly1305_last(mac, message.subspan(message.size() & ~std::size_t{15}));
    return to_hex(poly1305_end(mac));
}

// Section 2.5.2 and appendix A.3.
TEST(Poly1305, Rfc8439) {
    const std::string half(32, '0');
    const std::string ones(32, 'f');
    const std::string r = "36e5f6b5c5e06070f0efca96227a863e";
    const struct {
        std::string key;
        std::string message;
        const char* tag;
    } examples[] = {
        {"85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
         as_hex("Cryptographic Forum Research Group"), "a8061dc1305136c6c22b8baf0c0127a9"},
        {kZeroKey, std::string(128, '0'), "00000000000000000000000000000000"},
        {half + r, as_hex(kIetf), "36e5f6b5c5e06070f0efca96227a863e"},
        {r + half, as_hex(kIetf), "f3477e7cd95417af89a6b8794c310cf0"},
        {kKeyOfCarroll, as_hex(kJabberwocky), "4541669a7eaaee61e708dc7cbcc5eb62"},
        {"02" + kZeroKey.substr(2), ones, "03000000000000000000000000000000"},
        {"02" + half.substr(2) + ones, "02" + half.substr(2), "03000000000000000000000000000000"},
        {"01" + kZeroKey.substr(2), ones + "f0" + ones.substr(2) + "11" + half.substr(2),
         "05000000000000000000000000000000"},
        {"01" + kZeroKey.substr(2),
         ones + "fbfefefefefefefefefefefefefefefe"
                "01010101010101010101010101010101",
         "00000000000000000000000000000000"},
        {"02" + kZeroKey.substr(2), "fd" + ones.substr(2), "faffffffffffffffffffffffffffffff"},
        {"01000000000000000400000000000000" + half,
         "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000" + half + "01" + half.substr(2),
         "14000000000000005500000000000000"},
        {"01000000000000000400000000000000" + half,
         "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000" + half, "13000000000000000000000000000000"},
    };
    for (const auto& example : examples)
        EXPECT_EQ(poly1305(example.key, from_hex(example.message)), example.tag) << example.message;
}

// Four lanes against one: every number of blocks, 10,000 random messages, and numbers at the edges of the limbs.
TEST(Poly1305, LanesGiveTheSame) {
    if (!use_avx2()) GTEST_SKIP() << "this processor has no AVX2";
    using namespace detail::chacha20;
    std::mt19937_64 random(1);
    std::array<std::byte, 32> key;
    std::vector<std::byte> data(16 * 120);
    for (std::size_t i = 0; i < 10000; ++i) {
        const unsigned kind = random() % 4; // all bits set, nearly all, or random
        for (std::byte& byte : key)
            byte = kind == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
        for (std::byte& byte : data)
            byte = kind < 2 ? std::byte{0xff} : static_cast<std::byte>(random());
        if (kind == 1) data[random() % data.size()] = std::byte{0xfe};
        Poly1305 mac;
        poly1305_begin(mac, key);
        const std::size_t before = random() % 20;
        const std::size_t count = i < 100 ? i : random() % 100;
        poly1305_blocks(mac, data.data(), before);
        Poly1305 lanes = mac;
        poly1305_blocks(mac, data.data() + 16 * before, count);
        poly1305_blocks_avx2(lanes, data.data() + 16 * before, count);
        ASSERT_EQ(to_hex(poly1305_end(lanes)), to_hex(poly1305_end(mac))) << count << " blocks after " << before;
    }
}

// Section 2.8.2 and appendix A.5.
TEST(ChaCha20Poly1305, Rfc8439) {
    const struct {
        const char* key;
        const char* nonce;
        const char* aad;
        std::string plaintext;
        const char* ciphertext;
        const char* tag;
    } examples[] = {
        {"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
         "50515253c0c1c2c3c4c5c6c7", as_hex(kSunscreen),
         "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
         "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
         "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
         "3ff4def08e4b7a9de576d26586cec64b6116",
         "1ae10b594f09e26a7e902ecbd0600691"},
        {kKeyOfCarroll, "000000000102030405060708", "f33388860000000000004e91",
         as_hex("Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, "
                "or obsoleted by other documents at any time. It is inappropriate to use Internet-Drafts as reference "
                "material or to cite them other than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d"),
         "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
         "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
         "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
         "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
         "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
         "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
         "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
         "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
         "a6ad5cb4022b02709b",
         "eead9d67890cbb22392336fea1851f38"}};
    test::for_each_backend([&] {
        for (const auto& example : examples) {
            ChaCha20Poly1305::Key key;
            ChaCha20Poly1305::Nonce nonce;
            ChaCha20Poly1305::Tag tag;
            ASSERT_TRUE(key.assign(from_hex(example.key)) && nonce.assign(from_hex(example.nonce)));
            const auto plaintext = from_hex(example.plaintext);
            std::vector<std::byte> out(plaintext.size());
            ASSERT_TRUE(ChaCha20Poly1305::seal(key, nonce, from_hex(example.aad), plaintext, out, tag));
            EXPECT_EQ(to_hex(out), example.ciphertext);
            EXPECT_EQ(to_hex(tag.bytes()), example.tag);
            ASSERT_TRUE(ChaCha20Poly1305::open(key, nonce, from_hex(example.aad), out, tag, out));
            EXPECT_EQ(out, plaintext);
        }
    });
}

} // namespace
} // namespace aios::crypto
