// SHA-2 and SHA-3: published examples, every length around the block sizes against digests made by another
// implementation, input in pieces, and the ACVP files where they are present.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "tests/support/acvp.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

template <typename Hash>
std::string hex_of(std::string_view text) {
    return to_hex(Hash::hash(as_bytes(text)));
}

std::vector<std::byte> pattern(std::size_t length) {
    std::vector<std::byte> data(length);
    for (std::size_t i = 0; i < length; ++i)
        data[i] = static_cast<std::byte>(7 * i + length);
    return data;
}

// FIPS 180-4 refers to these examples of NIST ("abc", the two-block messages, and a million times "a").
TEST(Sha2, PublishedExamples) {
    constexpr std::string_view kTwoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    constexpr std::string_view kTwoLongBlocks = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmn"
                                                "opjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    const std::string million(1000000, 'a');
    EXPECT_EQ(hex_of<Sha256>(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_of<Sha224>("abc"), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
    EXPECT_EQ(hex_of<Sha256>("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex_of<Sha384>("abc"), "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                                     "8086072ba1e7cc2358baeca134c825a7");
    EXPECT_EQ(hex_of<Sha512>("abc"), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    EXPECT_EQ(hex_of<Sha224>(kTwoBlocks), "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525");
    EXPECT_EQ(hex_of<Sha256>(kTwoBlocks), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex_of<Sha384>(kTwoLongBlocks), "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
                                              "fcc7c71a557e2db966c3e9fa91746039");
    EXPECT_EQ(hex_of<Sha512>(kTwoLongBlocks), "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
                                              "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
    EXPECT_EQ(hex_of<Sha224>(million), "20794655980c91d8bbb4c1ea97618a4bf03f42581948b2ee4ee7ad67");
    EXPECT_EQ(hex_of<Sha256>(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    EXPECT_EQ(hex_of<Sha384>(million), "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
                                       "07b8b3dc38ecc4ebae97ddd87f3d8985");
    EXPECT_EQ(hex_of<Sha512>(million), "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
                                       "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

TEST(Sha3, PublishedExamples) {
    EXPECT_EQ(hex_of<Sha3_224>(""), "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7");
    EXPECT_EQ(hex_of<Sha3_256>(""), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    EXPECT_EQ(hex_of<Sha3_384>(""), "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a"
                                    "c3713831264adb47fb6bd1e058d5f004");
    EXPECT_EQ(hex_of<Sha3_512>(""), "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
                                    "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
    EXPECT_EQ(hex_of<Sha3_224>("abc"), "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf");
    EXPECT_EQ(hex_of<Sha3_256>("abc"), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    std::array<std::byte, 32> out;
    Shake128 shake128;
    shake128.squeeze(out);
    EXPECT_EQ(to_hex(out), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    Shake256 shake256;
    shake256.squeeze(out);
    EXPECT_EQ(to_hex(out), "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

// The digest over the digests of 301 messages of 0 to 300 bytes, as another implementation gives it.
template <typename Hash>
std::string digest_of_all_lengths() {
    Hash all;
    for (std::size_t length = 0; length <= 300; ++length) {
        const auto data = pattern(length);
        const auto whole = Hash::hash(data);
        // The same message in two pieces and byte by byte.
        Hash pieces;
        pieces.update(Bytes(data).first(length / 3));
        pieces.update(Bytes(data).subspan(length / 3));
        EXPECT_EQ(pieces.finish(), whole) << length;
        for (const std::byte& byte : data)
            pieces.update({&byte, 1});
        EXPECT_EQ(pieces.finish(), whole) << length; // and finish() has started a new message
        all.update(whole);
    }
    return to_hex(all.finish());
}

TEST(Sha2, AllLengths) {
    EXPECT_EQ(digest_of_all_lengths<Sha224>(), "fd64e005f571477279664e8b0ee5e0a19de5edc4c37d71422f639ad8");
    EXPECT_EQ(digest_of_all_lengths<Sha256>(), "60d63ff40b5558727a9b786ac0be9300f7ca58fd9ddd3b2f3681b369018a87dc");
    EXPECT_EQ(digest_of_all_lengths<Sha384>(), "022ac2b92dcdb9358b044b9475cd22bacae49d2510f5493370847b4c61050cac"
                                               "c2325d1d80119adbc3ca9eaa7ecd3de7");
    EXPECT_EQ(digest_of_all_lengths<Sha512>(), "e1f2f7d5d8fc48db06ec2a0eed639593f549caffa40245747258761214a3ec07"
                                               "134903fde52ace6cfae161a82097ba01f33a97d48dd6a80d4521d96d7401357e");
}

TEST(Sha3, AllLengths) {
    EXPECT_EQ(digest_of_all_lengths<Sha3_224>(), "221d9b6c939acd11db7250bb139edd5e65ddc18bdfe5df33180a5d98");
    EXPECT_EQ(digest_of_all_lengths<Sha3_256>(), "69fd44e84eaa578a3fbe34556c6fb7edc16373be06260aadfb158090326efefd");
    EXPECT_EQ(digest_of_all_lengths<Sha3_384>(), "5abc6eff7e90d5d38e9e83f22afb2e3cdaf2ae6c1050ff339f577390f0c1c70d"
                                                 "f881413bb59710e715d0c43036a18111");
    EXPECT_EQ(digest_of_all_lengths<Sha3_512>(), "b32985df6c8042bded2d632b2216e39e4f502a38817064ceeb4fdbe5fd5d5fbc"
                                                 "4b0c84cf6815c531567e8919184e6ddacc0eddcd620be11c88536507f4c8c7a9");
}

template <typename Xof>
std::string xof_of_all_lengths() {
    Sha256 all;
    for (std::size_t length = 0; length <= 300; ++length) {
        const auto data = pattern(length);
        std::vector<std::byte> whole(length + 1);
        Xof xof;
        xof.update(data);
        xof.squeeze(whole);
        std::vector<std::byte> pieces(length + 1);
        Xof again;
        again.update(Bytes(data).first(length / 2));
        again.update(Bytes(data).subspan(length / 2));
        again.squeeze(MutableBytes(pieces).first(length / 3));
        again.squeeze(MutableBytes(pieces).subspan(length / 3));
        EXPECT_EQ(pieces, whole);
        all.update(whole);
    }
    return to_hex(all.finish());
}

TEST(Shake, AllLengths) {
    EXPECT_EQ(xof_of_all_lengths<Shake128>(), "53fa32bf50d076288c17a0b834eba4b4a74013466ccf270ff3dd909ad65e431b");
    EXPECT_EQ(xof_of_all_lengths<Shake256>(), "9a2d25138d083835cd5e74006ef290135db226d107577d494cf9e299d484f083");
}

} // namespace
} // namespace aios::crypto
