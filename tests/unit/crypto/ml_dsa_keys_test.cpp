// ML-DSA keys in DER: the example seed of RFC 9881 appendix C, digests of what OpenSSL 3.5 exports for it, both
// forms of private keys, and every way to spoil them.
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/ml_dsa_keys.hpp"
#include "crypto/sha2.hpp"
#include "tests/support/hex.hpp"
#include "tests/unit/crypto/ml_dsa_pair.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::MlDsaPair;
using test::to_hex;
using Buffer = std::vector<std::byte>;

constexpr const char* kSeed = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

// What OpenSSL 3.5.8 exports as spki for the seed 00..1f, as SHA-256.
struct Known {
    const char* spki_prefix;
    const char* spki_digest;
    const char* pkcs8_prefix;
};
template <typename A>
const Known kKnown = {};
template <>
const Known kKnown<MlDsa44> = {"30820532300b060960864801650304031103820521 00",
                               "837832708c5236d951581f1fddf2b79991b3424a0486d16da1ddad0fd69701be",
                               "3034020100300b060960864801650304031104228020"};
template <>
const Known kKnown<MlDsa65> = {"308207b2300b0609608648016503040312038207a100",
                               "b8b62131bfbe84433efb2273d7f5b87f7a22854a2cfd366fc2aead86d837c52d",
                               "3034020100300b060960864801650304031204228020"};
template <>
const Known kKnown<MlDsa87> = {"30820a32300b060960864801650304031303820a2100",
                               "07e57c4f14dbad1267f621ec3777b4e2e6c4fbc4c22fbb87510ff8e0b3c6a642",
                               "3034020100300b060960864801650304031304228020"};

template <typename A>
class MlDsaKeys : public testing::Test {
protected:
    MlDsaKeys() : pair_(std::make_unique<MlDsaPair<A>>(from_hex(kSeed))) {}

    Error decode_private(Bytes der) {
        const auto result =
            decode_private_key<A>(der, other_.seed, other_.public_key, other_.secret_key, other_.generate);
        return result ? Error{} : result.error();
    }
    // OneAsymmetricKey with this version, private key and rest.
    Buffer private_key(std::uint32_t version, Bytes choice, Bytes rest = {}) {
        Buffer buffer(choice.size() + rest.size() + 100);
        der::Writer out(buffer);
        out.begin(der::Tag::sequence).integer(version);
        detail::write_algorithm(out, kMlDsaSet<A>);
        out.octet_string(choice).raw(rest).end();
        buffer.resize(out.finish()->size());
        return buffer;
    }
    Buffer both(Bytes seed, Bytes expanded) {
        Buffer buffer(seed.size() + expanded.size() + 20);
        der::Writer out(buffer);
        out.begin(der::Tag::sequence).octet_string(seed).octet_string(expanded).end();
        buffer.resize(out.finish()->size());
        return buffer;
    }
    static Buffer element(der::Tag tag, Bytes contents) {
        Buffer buffer(contents.size() + 6);
        der::Writer out(buffer);
        out.element(tag, contents);
        buffer.resize(out.finish()->size());
        return buffer;
    }

    std::unique_ptr<MlDsaPair<A>> pair_;
    std::unique_ptr<MlDsaPair<A>> other_owner_ = std::make_unique<MlDsaPair<A>>(Buffer(32));
    MlDsaPair<A>& other_ = *other_owner_;
};

using Algorithms = testing::Types<MlDsa44, MlDsa65, MlDsa87>;
TYPED_TEST_SUITE(MlDsaKeys, Algorithms);

TYPED_TEST(MlDsaKeys, PublicKeyAsOpensslWritesIt) {
    Buffer buffer(kEncodedPublicKeySize<TypeParam>);
    const auto der = encode_public_key<TypeParam>(this->pair_->public_key, buffer);
    ASSERT_TRUE(der);
    ASSERT_EQ(der->size(), buffer.size());
    EXPECT_EQ(to_hex(der->first(22)), to_hex(from_hex(kKnown<TypeParam>.spki_prefix)));
    EXPECT_EQ(to_hex(Sha256::hash(*der)), kKnown<TypeParam>.spki_digest);
    EXPECT_EQ(public_key_set(*der), kMlDsaSet<TypeParam>);
    ASSERT_TRUE(decode_public_key<TypeParam>(*der, this->other_.public_key));
    EXPECT_EQ(this->other_.public_key, this->pair_->public_key);
    buffer.pop_back();
    EXPECT_EQ(encode_public_key<TypeParam>(this->pair_->public_key, buffer).error(), Error::buffer_small);
}

TYPED_TEST(MlDsaKeys, PrivateKeyAsTheStandardShowsIt) {
    Buffer buffer(kEncodedPrivateKeySize);
    const auto der = encode_private_key<TypeParam>(this->pair_->seed, buffer);
    ASSERT_TRUE(der);
    EXPECT_EQ(to_hex(*der), std::string(kKnown<TypeParam>.pkcs8_prefix) + kSeed);
    ASSERT_EQ(this->decode_private(*der), Error{});
    EXPECT_TRUE(this->other_.seed == this->pair_->seed);
    EXPECT_TRUE(this->other_.secret_key == this->pair_->secret_key);
    EXPECT_EQ(this->other_.public_key, this->pair_->public_key);
    Buffer small(buffer.size() - 1);
    EXPECT_EQ(encode_private_key<TypeParam>(this->pair_->seed, small).error(), Error::buffer_small);
    EXPECT_EQ(small, Buffer(small.size())); // no part of the secret
}

TYPED_TEST(MlDsaKeys, BothFormsMustAgree) {
    const auto seed = from_hex(kSeed);
    Buffer expanded(this->pair_->secret_key.bytes().begin(), this->pair_->secret_key.bytes().end());
    EXPECT_EQ(this->decode_private(this->private_key(0, this->both(seed, expanded))), Error{});
    EXPECT_TRUE(this->other_.secret_key == this->pair_->secret_key);
    for (const std::size_t at : {std::size_t{0}, std::size_t{40}, std::size_t{100}, expanded.size() - 1}) {
        Buffer changed = expanded;
        changed[at] ^= std::byte{1};
        EXPECT_EQ(this->decode_private(this->private_key(0, this->both(seed, changed))), Error::bad_format);
        EXPECT_EQ(to_hex(this->other_.seed.bytes()), std::string(64, '0'));
        EXPECT_EQ(to_hex(this->other_.secret_key.bytes()), std::string(2 * TypeParam::kSecretKeySize, '0'));
        EXPECT_EQ(to_hex(this->other_.public_key.bytes()), std::string(2 * TypeParam::kPublicKeySize, '0'));
    }
    EXPECT_EQ(this->decode_private(this->private_key(0, this->both(Buffer(32), expanded))), Error::bad_format);
    const Buffer alone = this->element(der::Tag::octet_string, expanded);
    EXPECT_EQ(this->decode_private(this->private_key(0, alone)), Error::unsupported);
    expanded.pop_back();
    EXPECT_EQ(this->decode_private(this->private_key(0, this->both(seed, expanded))), Error::bad_format);
    EXPECT_EQ(this->decode_private(this->private_key(0, this->element(der::Tag::octet_string, expanded))),
              Error::bad_format);
}

TYPED_TEST(MlDsaKeys, VersionPublicKeyAndAttributes) {
    const Buffer seed = this->element(der::context_primitive(0), from_hex(kSeed));
    Buffer bits(1);
    bits.insert(bits.end(), this->pair_->public_key.bytes().begin(), this->pair_->public_key.bytes().end());
    const Buffer key = this->element(der::context_primitive(1), bits);
    const Buffer attributes = from_hex("a0083006 06022a03 3100");
    Buffer all = attributes;
    all.insert(all.end(), key.begin(), key.end());
    Buffer swapped = key;
    swapped.insert(swapped.end(), attributes.begin(), attributes.end());

    EXPECT_EQ(this->decode_private(this->private_key(1, seed, key)), Error{});
    EXPECT_EQ(this->decode_private(this->private_key(0, seed, attributes)), Error{});
    EXPECT_EQ(this->decode_private(this->private_key(1, seed, all)), Error{});
    EXPECT_EQ(this->decode_private(this->private_key(1, seed, swapped)), Error::bad_format);
    EXPECT_EQ(this->decode_private(this->private_key(0, seed, key)), Error::bad_format);
    EXPECT_EQ(this->decode_private(this->private_key(1, seed)), Error::bad_format);
    EXPECT_EQ(this->decode_private(this->private_key(2, seed)), Error::unsupported);
    EXPECT_EQ(this->decode_private(this->private_key(0, seed, from_hex("a003020100"))), Error::bad_format);
    EXPECT_EQ(this->decode_private(this->private_key(0, seed, from_hex("0500"))), Error::bad_format);
    bits.back() ^= std::byte{1};
    EXPECT_EQ(this->decode_private(this->private_key(1, seed, this->element(der::context_primitive(1), bits))),
              Error::bad_format);
    bits.pop_back();
    EXPECT_EQ(this->decode_private(this->private_key(1, seed, this->element(der::context_primitive(1), bits))),
              Error::bad_format);
    for (const std::size_t size : {0U, 31U, 33U}) {
        EXPECT_EQ(this->decode_private(this->private_key(0, this->element(der::context_primitive(0), Buffer(size)))),
                  Error::bad_format);
    }
}

TYPED_TEST(MlDsaKeys, SpoiltEncodingsAreRefused) {
    Buffer buffer(kEncodedPublicKeySize<TypeParam>);
    const Bytes der = *encode_public_key<TypeParam>(this->pair_->public_key, buffer);
    auto& key = this->other_.public_key;
    // Every truncation, and the length of the outer sequence with it.
    for (std::size_t size = 0; size < der.size(); ++size)
        EXPECT_FALSE(decode_public_key<TypeParam>(der.first(size), key)) << size;
    Buffer longer(der.begin(), der.end());
    longer.push_back(std::byte{0});
    EXPECT_EQ(decode_public_key<TypeParam>(longer, key).error(), Error::bad_format);
    // Every bit in front of the key.
    for (std::size_t bit = 0; bit < 8 * std::size_t{22}; ++bit) {
        Buffer changed(der.begin(), der.end());
        changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_FALSE(decode_public_key<TypeParam>(changed, key)) << bit;
    }
    // Parameters: NULL, as other algorithms have it.
    Buffer with_null(der.size() + 20);
    der::Writer out(with_null);
    out.begin(der::Tag::sequence).begin(der::Tag::sequence);
    out.raw(der.subspan(6, 11)).element(der::Tag::null, {}).end();
    out.bit_string(der.subspan(22)).end();
    EXPECT_EQ(decode_public_key<TypeParam>(*out.finish(), key).error(), Error::bad_format);

    Buffer private_buffer(kEncodedPrivateKeySize);
    const Bytes secret = *encode_private_key<TypeParam>(this->pair_->seed, private_buffer);
    for (std::size_t size = 0; size < secret.size(); ++size)
        EXPECT_NE(this->decode_private(secret.first(size)), Error{}) << size;
    for (std::size_t bit = 0; bit < 8 * std::size_t{22}; ++bit) {
        Buffer changed(secret.begin(), secret.end());
        changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_NE(this->decode_private(changed), Error{}) << bit;
    }
}

TEST(MlDsaKeysOfAnotherSet, AreUnsupported) {
    const auto pair = std::make_unique<MlDsaPair<MlDsa44>>(from_hex(kSeed));
    Buffer buffer(kEncodedPublicKeySize<MlDsa44>);
    const Bytes der = *encode_public_key<MlDsa44>(pair->public_key, buffer);
    MlDsa65::PublicKey key;
    EXPECT_EQ(decode_public_key<MlDsa65>(der, key).error(), Error::unsupported);
    // Ed25519 (RFC 8410).
    const auto ed25519 = from_hex("302a300506032b6570032100" + std::string(64, '1'));
    EXPECT_EQ(public_key_set(ed25519).error(), Error::unsupported);
}

} // namespace
} // namespace aios::crypto
