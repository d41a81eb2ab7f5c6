// COSE_Sign1 and COSE_Key with ML-DSA: the example of RFC 9964 (the key whose seed is zero), round trips, and what
// must be refused.
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "crypto/cose.hpp"
#include "crypto/cose_key.hpp"
#include "crypto/sha2.hpp"
#include "tests/support/hex.hpp"
#include "tests/unit/crypto/ml_dsa_pair.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::MlDsaPair;
using test::to_hex;
using Buffer = std::vector<std::byte>;

template <typename A>
class Cose : public testing::Test {
protected:
    // Signs deterministically.
    Buffer sign(const CoseContent& content) {
        const auto size = cose_sign1_size<A>(content);
        EXPECT_TRUE(size);
        if (!size) return {};
        Buffer buffer(*size);
        const auto message = cose_sign1<A>(pair_->secret_key, content, nullptr, buffer, *sign_workspace_);
        EXPECT_TRUE(message);
        if (!message) return {};
        EXPECT_EQ(message->size(), buffer.size());
        return buffer;
    }
    Verdict verify(const CoseSign1& message, Bytes aad = {}) {
        return cose_verify<A>(pair_->public_key, message, aad, *verify_workspace_);
    }
    Verdict verify_detached(const CoseSign1& message, Bytes payload, Bytes aad = {}) {
        return cose_verify_detached<A>(pair_->public_key, message, payload, aad, *verify_workspace_);
    }
    bool accepts(Bytes bytes, Bytes aad = {}) {
        const auto message = parse_cose_sign1(bytes);
        return message && verify(*message, aad) == Verdict::valid;
    }
    // A message with these headers (as hex), correctly signed.
    Buffer with_headers(std::string_view protected_header, std::string_view unprotected = "a0") {
        const Buffer header = from_hex(protected_header);
        const Buffer payload = from_hex("aabb");
        const auto tr = detail::ml_dsa_tr(pair_->public_key.bytes());
        const auto mu = detail::cose_sign1_mu(tr, header, {}, payload);
        const auto message = SignedMessage::external_mu(mu);
        auto& workspace = *sign_workspace_;
        EXPECT_TRUE(A::sign(pair_->secret_key, *message, nullptr, workspace.signature, workspace.sign));
        Buffer out = from_hex("d284");
        const auto append_bytes = [&](Bytes bytes) {
            std::array<std::byte, cbor::kMaxHead> head;
            const std::size_t size = cbor::bytes_head(bytes.size(), head);
            out.insert(out.end(), head.begin(), head.begin() + static_cast<std::ptrdiff_t>(size));
            out.insert(out.end(), bytes.begin(), bytes.end());
        };
        append_bytes(header);
        const Buffer map = from_hex(unprotected);
        out.insert(out.end(), map.begin(), map.end());
        append_bytes(payload);
        append_bytes(workspace.signature.bytes());
        return out;
    }
    static std::string alg() {
        return std::string("0138") + (A::kPublicKeySize == 1312 ? "2f" : A::kPublicKeySize == 1952 ? "30" : "31");
    }

    std::unique_ptr<MlDsaPair<A>> pair_ = std::make_unique<MlDsaPair<A>>(Buffer(32));
    std::unique_ptr<CoseSignWorkspace<A>> sign_workspace_ = std::make_unique<CoseSignWorkspace<A>>();
    std::unique_ptr<CoseVerifyWorkspace<A>> verify_workspace_ = std::make_unique<CoseVerifyWorkspace<A>>();
};

using Algorithms = testing::Types<MlDsa44, MlDsa65, MlDsa87>;
TYPED_TEST_SUITE(Cose, Algorithms);

using Cose44 = Cose<MlDsa44>;

// RFC 9964 appendix A.2: the key id is the thumbprint of RFC 9679, the digest of the key without one.
TEST_F(Cose44, TheExampleOfTheStandard) {
    Buffer key_buffer(MlDsa44::kPublicKeySize + kCoseKeyOverhead);
    const auto key = encode_cose_key<MlDsa44>(this->pair_->public_key, {}, key_buffer);
    ASSERT_TRUE(key);
    const auto kid = Sha256::hash(*key);
    EXPECT_EQ(to_hex(kid), "b8969ab4b37da9f0684e42647eb8a0be8b5b661ebf5d76f0583bf5b8d3a8059a");

    const Buffer message =
        this->sign({.payload = as_bytes("hello post quantum signatures"), .header = {.key_id = Bytes(kid)}});
    const std::string text = to_hex(message);
    // The headers, the payload, and of the signature its challenge hash and the end of its hint.
    EXPECT_EQ(text.substr(0, 150 + 6),
              "d2845827a201382f045820b8969ab4b37da9f0684e42647eb8a0be8b5b661ebf5d76f0583bf5b8"
              "d3a8059aa0581d68656c6c6f20706f7374207175616e74756d207369676e617475726573590974");
    EXPECT_EQ(text.substr(156, 64), "2657237b7520fd4cb8803f69a6e4ab613f4816420cd38e6474e548a370c6f0a1");
    EXPECT_EQ(text.substr(text.size() - 38), "d4d5d6dd00000000000000000000000e232e45");
    EXPECT_TRUE(this->accepts(message));
}

TYPED_TEST(Cose, RoundTrips) {
    const Buffer payload = from_hex("00112233");
    const Buffer kid = from_hex("c0ffee");
    for (int mask = 0; mask < 64; ++mask) {
        CoseContent content;
        if (mask & 1) content.payload = payload;
        content.is_detached = (mask & 2) != 0;
        if (mask & 4) content.external_aad = kid;
        if (mask & 8) content.header.key_id = kid;
        if (mask & 16)
            content.header.content_type = "text/plain";
        else if (mask & 32)
            content.header.content_format = 60;
        content.tag = mask & 1 ? CoseTag::none : CoseTag::sign1;
        const Buffer bytes = this->sign(content);
        const auto message = parse_cose_sign1(bytes, content.tag);
        ASSERT_TRUE(message) << mask;
        EXPECT_FALSE(parse_cose_sign1(bytes, mask & 1 ? CoseTag::sign1 : CoseTag::none));
        EXPECT_EQ(message->set, kMlDsaSet<TypeParam>);
        EXPECT_EQ(message->header.key_id.has_value(), content.header.key_id.has_value());
        EXPECT_EQ(message->header.content_type, content.header.content_type);
        EXPECT_EQ(message->header.content_format, content.header.content_format);
        ASSERT_EQ(message->payload.has_value(), !content.is_detached);
        const Bytes aad = content.external_aad;
        const Buffer other = from_hex("01");
        if (content.is_detached) {
            EXPECT_EQ(this->verify_detached(*message, content.payload, aad), Verdict::valid);
            EXPECT_EQ(this->verify_detached(*message, other, aad), Verdict::invalid);
            EXPECT_EQ(this->verify_detached(*message, content.payload, other), Verdict::invalid);
            EXPECT_EQ(this->verify(*message, aad), Verdict::invalid);
        } else {
            EXPECT_EQ(to_hex(*message->payload), to_hex(content.payload));
            EXPECT_EQ(this->verify(*message, aad), Verdict::valid);
            EXPECT_EQ(this->verify(*message, other), Verdict::invalid);
            EXPECT_EQ(this->verify_detached(*message, content.payload, aad), Verdict::invalid);
        }
    }
}

TYPED_TEST(Cose, TheSigStructureIsWhatTheEncoderMakes) {
    for (const std::size_t size : {0U, 23U, 24U, 255U, 256U, 65'535U, 65'536U}) {
        const Buffer payload(size, std::byte{7});
        const Buffer header = from_hex("a1" + this->alg());
        const Buffer aad = from_hex("0102");
        Buffer buffer(size + 100);
        cbor::Encoder out(buffer);
        out.array(4).text("Signature1").bytes(header).bytes(aad).bytes(payload);
        const auto whole = SignedMessage::pure(*out.finish());
        auto& workspace = *this->sign_workspace_;
        ASSERT_TRUE(TypeParam::sign(this->pair_->secret_key, *whole, nullptr, workspace.signature, workspace.sign));
        const CoseSign1 message{.set = kMlDsaSet<TypeParam>,
                                .protected_header = header,
                                .header = {},
                                .payload = payload,
                                .signature = workspace.signature.bytes()};
        EXPECT_EQ(this->verify(message, aad), Verdict::valid) << size;
    }
}

TYPED_TEST(Cose, EveryChangedByteIsRefused) {
    const Buffer kid = from_hex("c0ffee");
    const Buffer bytes = this->sign({.payload = kid, .header = {.key_id = Bytes(kid)}});
    ASSERT_TRUE(this->accepts(bytes));
    std::mt19937 random(1);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Buffer changed = bytes;
        changed[i] ^= static_cast<std::byte>(1 << random() % 8);
        EXPECT_FALSE(this->accepts(changed)) << i;
        EXPECT_FALSE(parse_cose_sign1(Bytes(bytes).first(i))) << i;
    }
    Buffer longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_EQ(parse_cose_sign1(longer).error(), Error::bad_format);
}

TYPED_TEST(Cose, Headers) {
    const std::string alg = this->alg();
    const auto outcome = [&](const std::string& protected_header, const std::string& unprotected) -> std::string {
        const Buffer bytes = this->with_headers(protected_header, unprotected);
        const auto message = parse_cose_sign1(bytes);
        if (!message) return std::string(error_info(message.error()).name);
        return this->verify(*message) == Verdict::valid ? "valid" : "invalid";
    };
    EXPECT_EQ(outcome("a1" + alg, "a0"), "valid");
    EXPECT_EQ(outcome("a1" + alg, "a10441aa"), "valid");             // kid, unprotected
    EXPECT_EQ(outcome("a2" + alg + "0300", "a0"), "valid");          // content format
    EXPECT_EQ(outcome("a2" + alg + "0361 61", "a1182101"), "valid"); // media type; an unknown label
    EXPECT_EQ(outcome("a2" + alg + "1903e8f5", "a1617801"), "valid");
    EXPECT_EQ(outcome("a2" + alg + "028101", "a0"), "valid"); // crit: alg
    EXPECT_EQ(outcome("a3" + alg + "0281040441aa", "a0"), "valid");
    EXPECT_EQ(outcome("a3" + alg +
                          "02820403"
                          "0441aa",
                      "a10300"),
              "bad_format"); // the content type is not protected

    EXPECT_EQ(outcome("a2" + alg + "028104", "a0"), "bad_format");          // crit: kid, that is not there
    EXPECT_EQ(outcome("a2" + alg + "028104", "a10441aa"), "bad_format");    // or not protected
    EXPECT_EQ(outcome("a2" + alg + "0280", "a0"), "bad_format");            // crit: nothing
    EXPECT_EQ(outcome("a2" + alg + "0201", "a0"), "bad_format");            // not a list
    EXPECT_EQ(outcome("a2" + alg + "028140", "a0"), "bad_format");          // not a label
    EXPECT_EQ(outcome("a3" + alg + "028118211821f5", "a0"), "unsupported"); // crit: unknown
    EXPECT_EQ(outcome("a3" + alg + "02812020f5", "a0"), "unsupported");     // crit: -1
    EXPECT_EQ(outcome("a3" + alg + "028161786178f5", "a0"), "unsupported"); // crit: "x"
    EXPECT_EQ(outcome("a1" + alg, "a1028101"), "bad_format");               // crit, unprotected
    EXPECT_EQ(outcome("a0", "a1" + alg), "bad_format");                     // alg, unprotected
    EXPECT_EQ(outcome("a1" + alg, "a1" + alg), "bad_format");               // alg, twice
    EXPECT_EQ(outcome("", "a0"), "truncated");
    EXPECT_EQ(outcome("a0", "a0"), "bad_format");
    EXPECT_EQ(outcome("a10126", "a0"), "unsupported"); // ES256
    EXPECT_EQ(outcome("a10161 61", "a0"), "unsupported");
    EXPECT_EQ(outcome("a10140", "a0"), "bad_format");
    EXPECT_EQ(outcome("a2" + alg + "0441aa", "a10441aa"), "bad_format");     // kid in both
    EXPECT_EQ(outcome("a2" + alg + "1821f5", "a200001821f5"), "bad_format"); // another label in both
    EXPECT_EQ(outcome("a2" + alg + "20f5", "a21821f520f5"), "bad_format");
    EXPECT_EQ(outcome("a2" + alg + "6178f5", "a2617700"
                                             "6178f5"),
              "bad_format");
    EXPECT_EQ(outcome("a3" + alg + "0441aa0441aa", "a0"), "bad_format"); // twice in one
    EXPECT_EQ(outcome("a2"
                      "0441aa" +
                          alg,
                      "a0"),
              "bad_format");                                   // not in order
    EXPECT_EQ(outcome("a1" + alg + "00", "a0"), "bad_format"); // something behind the map
    EXPECT_EQ(outcome("a2" + alg + "0320", "a0"), "bad_format");
    EXPECT_EQ(outcome("a2" + alg + "0461 61", "a0"), "bad_format"); // kid as text
    EXPECT_EQ(outcome("a1" + alg, "80"), "bad_format");
    EXPECT_EQ(outcome("bf" + alg + "ff", "a0"), "bad_format");
}

TYPED_TEST(Cose, OtherStructuresAreRefused) {
    const Buffer bytes = this->with_headers("a1" + this->alg());
    ASSERT_TRUE(this->accepts(bytes));
    Buffer changed = bytes;
    changed[0] = std::byte{0xd1}; // another tag
    EXPECT_EQ(parse_cose_sign1(changed).error(), Error::bad_format);
    changed = bytes;
    changed[1] = std::byte{0x83};
    EXPECT_EQ(parse_cose_sign1(changed).error(), Error::bad_format);
    changed = bytes;
    changed.insert(changed.begin(), std::byte{0xd2}); // two tags
    EXPECT_EQ(parse_cose_sign1(changed).error(), Error::bad_format);
    const auto untagged = Bytes(bytes).subspan(1);
    EXPECT_EQ(parse_cose_sign1(untagged).error(), Error::bad_format);
    EXPECT_TRUE(parse_cose_sign1(untagged, CoseTag::none));
}

TYPED_TEST(Cose, WhatCannotBeWrittenIsRefused) {
    const Buffer long_kid(CoseContent::kMaxKeyId + 1);
    const std::string long_type(CoseContent::kMaxContentType + 1, 'a');
    const auto error = [](const CoseContent& content) { return cose_sign1_size<TypeParam>(content).error(); };
    EXPECT_EQ(error({.payload = {}, .header = {.key_id = Bytes(long_kid)}}), Error::bad_argument);
    EXPECT_EQ(error({.payload = {}, .header = {.content_type = std::string_view(long_type)}}), Error::bad_argument);
    EXPECT_EQ(error({.payload = {}, .header = {.content_type = std::string_view("\xff")}}), Error::bad_argument);
    EXPECT_EQ(error({.payload = {}, .header = {.content_format = 0, .content_type = std::string_view("a")}}),
              Error::bad_argument);
    // The longest that can, and a buffer that is too small by one.
    const CoseContent longest{.payload = {},
                              .header = {.key_id = Bytes(long_kid).first(CoseContent::kMaxKeyId),
                                         .content_type = std::string_view(long_type).substr(1)}};
    EXPECT_TRUE(this->accepts(this->sign(longest)));
    Buffer small(*cose_sign1_size<TypeParam>(longest) - 1);
    EXPECT_EQ(cose_sign1<TypeParam>(this->pair_->secret_key, longest, nullptr, small, *this->sign_workspace_).error(),
              Error::buffer_small);
    Buffer enough(small.size() + 1);
    const StopCallback stop([](void*) { return true; }, nullptr);
    EXPECT_EQ(
        cose_sign1<TypeParam>(this->pair_->secret_key, longest, nullptr, enough, *this->sign_workspace_, stop).error(),
        Error::interrupted);
    EXPECT_EQ(enough, Buffer(enough.size()));
}

TYPED_TEST(Cose, Keys) {
    const Buffer kid = from_hex("0102");
    Buffer buffer(TypeParam::kPublicKeySize + 32 + 2 + kCoseKeyOverhead);
    const auto public_bytes = encode_cose_key<TypeParam>(this->pair_->public_key, Bytes(kid), buffer);
    ASSERT_TRUE(public_bytes);
    const auto public_key = parse_cose_key(*public_bytes);
    ASSERT_TRUE(public_key);
    EXPECT_EQ(public_key->set, kMlDsaSet<TypeParam>);
    EXPECT_EQ(to_hex(public_key->public_key), to_hex(this->pair_->public_key.bytes()));
    EXPECT_EQ(to_hex(*public_key->key_id), "0102");
    EXPECT_FALSE(public_key->seed);
    EXPECT_TRUE(public_key->may_sign && public_key->may_verify);
    auto& pair = *this->pair_;
    const auto load = [&](const CoseKey& key) {
        return load_cose_private_key<TypeParam>(key, pair.seed, pair.public_key, pair.secret_key, pair.generate);
    };
    EXPECT_EQ(load(*public_key).error(), Error::bad_argument);

    Buffer private_buffer(buffer.size());
    const auto private_bytes =
        encode_cose_private_key<TypeParam>(pair.seed, pair.public_key, Bytes(kid), private_buffer);
    ASSERT_TRUE(private_bytes);
    EXPECT_EQ(to_hex(private_bytes->last(35)), "215820" + std::string(64, '0'));
    auto private_key = parse_cose_key(*private_bytes);
    ASSERT_TRUE(private_key && private_key->seed);
    EXPECT_TRUE(load(*private_key));
    for (std::size_t size = 0; size < private_bytes->size(); ++size) {
        EXPECT_FALSE(parse_cose_key(private_bytes->first(size))) << size;
        Buffer small(size);
        EXPECT_EQ(encode_cose_private_key<TypeParam>(pair.seed, pair.public_key, Bytes(kid), small).error(),
                  Error::buffer_small);
    }
    // A changed seed or public key does not fit the other.
    for (std::size_t i = 15; i < private_bytes->size(); ++i) {
        if (i % 37 != 0 && i + 33 < private_bytes->size()) continue;
        Buffer changed(private_bytes->begin(), private_bytes->end());
        changed[i] ^= std::byte{1};
        const auto key = parse_cose_key(changed);
        if (!key) continue; // a head
        EXPECT_FALSE(load(*key)) << i;
    }
    EXPECT_EQ(to_hex(pair.secret_key.bytes()), std::string(2 * TypeParam::kSecretKeySize, '0'));
}

TEST(CoseKeys, AreStrict) {
    const std::string pub = "205905"
                            "20" +
                            std::string(2 * 1312, '5');
    const auto outcome = [&](const std::string& text) {
        const Buffer bytes = from_hex(text);
        const auto key = parse_cose_key(bytes);
        if (!key) return std::string(error_info(key.error()).name);
        return std::string(key->may_sign ? "sign " : "") + (key->may_verify ? "verify" : "");
    };
    EXPECT_EQ(outcome("a3010703382f" + pub), "sign verify");
    EXPECT_EQ(outcome("a4010703382f"
                      "048102" +
                      pub),
              "verify");
    EXPECT_EQ(outcome("a4010703382f"
                      "04820102" +
                      pub),
              "sign verify");
    EXPECT_EQ(outcome("a4010703382f"
                      "04826178 01" +
                      pub),
              "sign ");
    EXPECT_EQ(outcome("a4010703382f"
                      "0480" +
                      pub),
              "bad_format");
    EXPECT_EQ(outcome("a4010703382f"
                      "0441aa" +
                      pub),
              "bad_format");
    EXPECT_EQ(outcome("a4010703382f"
                      "18 64 01" +
                      pub),
              "sign verify");                                // an unknown label
    EXPECT_EQ(outcome("a3010203382f" + pub), "unsupported"); // EC2
    EXPECT_EQ(outcome("a301617803382f" + pub), "unsupported");
    EXPECT_EQ(outcome("a301070326" + pub), "unsupported");
    EXPECT_EQ(outcome("a301070338 30" + pub), "bad_format"); // the size of another set
    EXPECT_EQ(outcome("a201 07" + pub), "bad_format");       // no algorithm
    EXPECT_EQ(outcome("a203382f" + pub), "bad_format");      // no type
    EXPECT_EQ(outcome("a2010703382f"), "bad_format");        // no public key
    EXPECT_EQ(outcome("a303382f0107" + pub), "bad_format");  // order
    EXPECT_EQ(outcome("a4010701 0703382f" + pub), "bad_format");
    EXPECT_EQ(outcome("a3010703382f" + pub + "00"), "bad_format");
    EXPECT_EQ(outcome("a4010703382f" + pub + "21 41 00"), "bad_format"); // a short seed
    EXPECT_EQ(outcome("a4010703382f" + pub + "215820" + std::string(64, '1')), "sign verify");
    EXPECT_EQ(outcome("d2a3010703382f" + pub), "bad_format");
}

} // namespace
} // namespace aios::crypto
