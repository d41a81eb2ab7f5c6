// Certificates: what parsing accepts and refuses, and chains in which one thing is wrong.
#include <array>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/x509.hpp"
#include "tests/support/certificate_builder.hpp"
#include "tests/unit/crypto/ml_dsa_pair.hpp"

namespace aios::crypto {
namespace {

using test::CertificateBuilder;
using test::common_name;
using test::extension;
using test::from_hex;
using test::Octets;
using test::to_hex;

constexpr std::int64_t kNow = 1'750'000'000; // in 2025

// Keys of three sets and their workspaces; made once.
struct Keys {
    test::MlDsaPair<MlDsa44> leaf{Octets(32, std::byte{1})};
    test::MlDsaPair<MlDsa65> middle{Octets(32, std::byte{2})};
    test::MlDsaPair<MlDsa87> root{Octets(32, std::byte{3})};
    test::MlDsaPair<MlDsa44> other{Octets(32, std::byte{4})};
    MlDsa44::SignWorkspace sign_44;
    MlDsa65::SignWorkspace sign_65;
    MlDsa87::SignWorkspace sign_87;
    X509Workspace verify;
};

class X509 : public testing::Test {
protected:
    static void SetUpTestSuite() { keys_ = std::make_unique<Keys>().release(); }
    static void TearDownTestSuite() { std::unique_ptr<Keys>{keys_}.reset(); }

    // root (87) -> middle (65) -> leaf (44); the root signs itself.
    static CertificateBuilder root() {
        CertificateBuilder builder;
        builder.subject = common_name("root");
        builder.key<MlDsa87>(keys_->root.public_key);
        builder.extensions = {test::ca_extension(), test::certificate_signer()};
        return builder;
    }
    static CertificateBuilder middle() {
        CertificateBuilder builder;
        builder.subject = common_name("middle");
        builder.key<MlDsa65>(keys_->middle.public_key);
        builder.extensions = {test::ca_extension(0), test::certificate_signer()};
        return builder;
    }
    static CertificateBuilder leaf() {
        CertificateBuilder builder;
        builder.issuer = common_name("middle");
        builder.key<MlDsa44>(keys_->leaf.public_key);
        builder.extensions = {test::digital_signer()};
        return builder;
    }
    static Octets by_root(const CertificateBuilder& builder) {
        return builder.sign<MlDsa87>(keys_->root.secret_key, keys_->sign_87);
    }
    static Octets by_middle(const CertificateBuilder& builder) {
        return builder.sign<MlDsa65>(keys_->middle.secret_key, keys_->sign_65);
    }
    static TrustAnchor anchor(std::optional<std::uint32_t> path_length = {}) {
        static const Octets name = common_name("root");
        return {.subject = name,
                .key_set = MlDsaSet::ml_dsa_87,
                .public_key = keys_->root.public_key.bytes(),
                .path_length = path_length};
    }

    static Error parse_error(const CertificateBuilder& builder) {
        const Octets der = by_middle(builder);
        const auto certificate = parse_certificate(der);
        return certificate ? Error{} : certificate.error();
    }
    static bool verify(const std::vector<Octets>& chain, const TrustAnchor& trusted, std::int64_t time = kNow,
                       CertificateUse use = CertificateUse::digital_signature) {
        std::vector<Certificate> certificates;
        for (const Octets& der : chain) {
            const auto certificate = parse_certificate(der);
            EXPECT_TRUE(certificate);
            if (!certificate) return false;
            certificates.push_back(*certificate);
        }
        return verify_chain(certificates, trusted, time, use, keys_->verify) == Verdict::valid;
    }
    static bool verify(const CertificateBuilder& leaf_builder, const CertificateBuilder& middle_builder,
                       std::int64_t time = kNow) {
        return verify({by_middle(leaf_builder), by_root(middle_builder)}, anchor(), time);
    }

    static Keys* keys_;
};
Keys* X509::keys_ = nullptr;

TEST_F(X509, FieldsOfACertificate) {
    CertificateBuilder builder = leaf();
    builder.serial = from_hex("021400"
                              "ffffffffffffffffffffffffffffffffffffff");
    builder.not_before = test::utc_time("700101000000Z");
    builder.not_after = test::generalized_time("99991231235959Z");
    builder.extensions.push_back(extension("551d11", false, "3003820161"));
    const Octets der = by_middle(builder);
    const auto certificate = parse_certificate(der);
    ASSERT_TRUE(certificate);
    EXPECT_EQ(to_hex(certificate->tbs), to_hex(builder.tbs<MlDsa65>()));
    EXPECT_EQ(certificate->serial.size(), 20U);
    EXPECT_EQ(to_hex(certificate->issuer), to_hex(common_name("middle")));
    EXPECT_EQ(to_hex(certificate->subject), to_hex(common_name("leaf")));
    EXPECT_EQ(certificate->not_before, 0);
    EXPECT_EQ(certificate->not_after, 253'402'300'799);
    EXPECT_EQ(certificate->key_set, MlDsaSet::ml_dsa_44);
    EXPECT_EQ(to_hex(certificate->public_key), to_hex(keys_->leaf.public_key.bytes()));
    EXPECT_EQ(certificate->signature_set, MlDsaSet::ml_dsa_65);
    EXPECT_FALSE(certificate->is_ca || certificate->path_length || certificate->has_unknown_critical);
    EXPECT_EQ(certificate->key_usage, kDigitalSignature);
    EXPECT_EQ(to_hex(certificate->subject_alt_name), "3003820161");
}

TEST_F(X509, Times) {
    const auto time = [](const Octets& encoded) -> std::optional<std::int64_t> {
        CertificateBuilder builder = leaf();
        builder.not_before = encoded;
        const Octets der = by_middle(builder);
        const auto certificate = parse_certificate(der);
        if (!certificate) return std::nullopt;
        return certificate->not_before;
    };
    EXPECT_EQ(time(test::utc_time("500101000000Z")), -631'152'000); // 1950
    EXPECT_EQ(time(test::utc_time("691231235959Z")), -1);
    EXPECT_EQ(time(test::utc_time("000229120000Z")), 951'825'600);
    EXPECT_EQ(time(test::utc_time("240229000000Z")), 1'709'164'800);
    EXPECT_EQ(time(test::utc_time("491231235959Z")), 2'524'607'999);
    EXPECT_EQ(time(test::generalized_time("20500101000000Z")), 2'524'608'000);
    EXPECT_EQ(time(test::generalized_time("21000228235959Z")), 4'107'542'399);
    for (const char* text :
         {"230229000000Z", "240001000000Z", "241301000000Z", "240100000000Z", "240132000000Z", "240431000000Z",
          "240101240000Z", "240101006000Z", "240101000060Z", "2401010000Z", "240101000000", "240101000000+0000",
          "24010100000aZ", "240101000000ZZ", "", "Z", "2a0101000000Z", "240101000000.5Z"})
        EXPECT_FALSE(time(test::utc_time(text))) << text;
    for (const char* text : {"20491231235959Z", "20240101000000Z", "21000229000000Z", "20500101000000.5Z",
                             "500101000000Z", "20500101000000", "2050010100Z"})
        EXPECT_FALSE(time(test::generalized_time(text))) << text;
}

TEST_F(X509, FieldsThatAreRefused) {
    EXPECT_EQ(parse_error(leaf()), Error{});
    const auto with = [](auto change) {
        CertificateBuilder builder = leaf();
        change(builder);
        return parse_error(builder);
    };
    const std::string twenty(40, '0');
    for (const std::string& serial :
         {std::string("020100"), std::string("0201ff"), std::string("020180"), std::string("02020001"),
          std::string("0200"), std::string("0401aa"), "021501" + twenty, "021500ff" + twenty.substr(2)}) {
        EXPECT_EQ(with([&](auto& builder) { builder.serial = from_hex(serial); }), Error::bad_format) << serial;
    }
    EXPECT_EQ(with([&](auto& builder) { builder.serial = from_hex("021401" + twenty.substr(2)); }), Error{});
    EXPECT_EQ(with([](auto& builder) { builder.version = {}; }), Error::unsupported);
    EXPECT_EQ(with([](auto& builder) { builder.version = from_hex("a003020100"); }), Error::unsupported);
    EXPECT_EQ(with([](auto& builder) { builder.version = from_hex("a003020101"); }), Error::unsupported);
    EXPECT_EQ(with([](auto& builder) { builder.version = from_hex("a003020103"); }), Error::unsupported);
    EXPECT_EQ(with([](auto& builder) { builder.version = from_hex("a0060201020500"); }), Error::bad_format);
    // Two algorithms, or one with parameters.
    EXPECT_EQ(with([](auto& builder) { builder.inner_algorithm = builder.template algorithm<MlDsa44>(); }),
              Error::bad_format);
    EXPECT_EQ(with([](auto& builder) { builder.outer_algorithm = builder.template algorithm<MlDsa87>(); }),
              Error::bad_format);
    const Octets with_null = from_hex("300d06096086480165030403120500");
    EXPECT_EQ(with([&](auto& builder) { builder.inner_algorithm = with_null; }), Error::bad_format);
    EXPECT_EQ(with([&](auto& builder) { builder.outer_algorithm = with_null; }), Error::bad_format);
    EXPECT_EQ(with([&](auto& builder) { builder.inner_algorithm = from_hex("300506032b6570"); }), Error::unsupported);
    EXPECT_EQ(with([](auto& builder) { builder.issuer = common_name(""); }), Error::bad_format);
    EXPECT_EQ(with([](auto& builder) { builder.subject = common_name(""); }), Error::bad_format);
    EXPECT_EQ(with([](auto& builder) { builder.subject = from_hex("30023100"); }), Error::truncated);
    EXPECT_EQ(with([](auto& builder) { builder.subject = from_hex("300431023000"); }), Error::truncated);
    EXPECT_EQ(with([](auto& builder) { builder.subject = from_hex("3008310630 0406022a03"); }), Error::truncated);
    EXPECT_EQ(with([](auto& builder) { builder.subject = from_hex("300c310a300806022a030c000500"); }),
              Error::bad_format);
    EXPECT_EQ(
        with([](auto& builder) { builder.key_info = from_hex("302a300506032b6570032100" + std::string(64, '1')); }),
        Error::unsupported);
    EXPECT_EQ(with([](auto& builder) { builder.unique_ids = from_hex("810200aa820200bb"); }), Error{});
    EXPECT_EQ(with([](auto& builder) { builder.unique_ids = from_hex("820200bb810200aa"); }), Error::bad_format);
    EXPECT_EQ(with([](auto& builder) { builder.behind_signature = from_hex("0500"); }), Error::bad_format);
}

TEST_F(X509, Extensions) {
    const auto with = [](std::vector<Octets> extensions) {
        CertificateBuilder builder = leaf();
        builder.extensions = std::move(extensions);
        return parse_error(builder);
    };
    const Octets unknown = extension("2a0304", false, "0500");
    EXPECT_EQ(with({}), Error{});
    EXPECT_EQ(with({unknown}), Error{});
    EXPECT_EQ(with({unknown, unknown}), Error::bad_format);
    EXPECT_EQ(with({test::digital_signer(), unknown, test::digital_signer()}), Error::bad_format);
    // basicConstraints
    EXPECT_EQ(with({extension("551d13", true, "3000")}), Error{});
    EXPECT_EQ(with({extension("551d13", true, "3003010100")}), Error::bad_format); // the default
    EXPECT_EQ(with({extension("551d13", true, "30030101ff00")}), Error::bad_format);
    EXPECT_EQ(with({extension("551d13", true, "3003020100")}), Error::bad_format); // a length for no CA
    EXPECT_EQ(with({extension("551d13", true, "30060101ff0201ff")}), Error::bad_format);
    EXPECT_EQ(with({extension("551d13", true, "30080101ff0201000500")}), Error::bad_format);
    EXPECT_EQ(with({extension("551d13", true, "")}), Error::truncated);
    EXPECT_EQ(with({test::ca_extension(1)}), Error{});
    EXPECT_EQ(with({test::ca_extension(1), test::digital_signer()}), Error::bad_format); // may sign no certificates
    EXPECT_EQ(with({test::ca_extension(), test::digital_signer()}), Error{});
    // keyUsage: RFC 9881 section 5
    for (const char* bits : {"0780", "0640", "0106", "0780", "02 84", "00c7"}) {
        const bool forbidden = std::string_view(bits) == "00c7";
        EXPECT_EQ(with({test::ca_extension(), test::key_usage(bits)}), forbidden ? Error::bad_format : Error{}) << bits;
    }
    for (const char* bits : {"0520", "0410", "0308", "0001", "070080", "05a0", "04 90", "0388", "0081", "078080",
                             "0600", "0580", "078000", "00", "07000000"})
        EXPECT_EQ(with({test::key_usage(bits)}), Error::bad_format) << bits;
    EXPECT_EQ(with({test::key_usage("0204")}), Error::bad_format); // signs certificates, and is no CA
    EXPECT_EQ(with({extension("551d0f", true, "030207800500")}), Error::bad_format);
    // subjectAltName
    EXPECT_EQ(with({extension("551d11", false, "3000")}), Error::truncated);
    EXPECT_EQ(with({extension("551d11", false, "30020500")}), Error::bad_format);
    // Outer form.
    EXPECT_EQ(with({from_hex("300a06022a03010100040100")}), Error::bad_format); // critical FALSE
    EXPECT_EQ(with({from_hex("300906022a03040100 0500")}), Error::bad_format);
    EXPECT_EQ(with({from_hex("300406022a03")}), Error::truncated);
    for (const char* field : {"a3023000", "a300", "a3053000050000", "a30430020500", "0500", "a40430020500"}) {
        CertificateBuilder builder = leaf();
        builder.extensions_field = from_hex(field);
        EXPECT_NE(parse_error(builder), Error{}) << field;
    }
    std::vector<Octets> many;
    for (int i = 0; i < 32; ++i)
        many.push_back(extension("2a0304" + to_hex({{static_cast<std::byte>(i)}}), false, "0500"));
    EXPECT_EQ(with(many), Error{});
    many.push_back(unknown);
    EXPECT_EQ(with(many), Error::too_large);

    CertificateBuilder unnamed = leaf();
    unnamed.subject = common_name("");
    unnamed.extensions = {extension("551d11", true, "3003820161")};
    EXPECT_EQ(parse_error(unnamed), Error{});
    unnamed.extensions = {extension("551d11", false, "3003820161")};
    EXPECT_EQ(parse_error(unnamed), Error::bad_format);
    unnamed.extensions = {extension("551d11", true, "3003820161"), test::ca_extension()};
    EXPECT_EQ(parse_error(unnamed), Error::bad_format);
}

TEST_F(X509, EveryChangedByteIsRefused) {
    const Octets der = by_middle(leaf());
    const auto middle_key = keys_->middle.public_key.bytes();
    std::mt19937 random(1);
    int parsed = 0;
    for (std::size_t i = 0; i < der.size(); ++i) {
        EXPECT_FALSE(parse_certificate(Bytes(der).first(i))) << i;
        Octets changed = der;
        changed[i] ^= static_cast<std::byte>(1 << random() % 8);
        const auto certificate = parse_certificate(changed);
        if (!certificate) continue;
        ++parsed;
        EXPECT_EQ(verify_certificate_signature(*certificate, MlDsaSet::ml_dsa_65, middle_key, keys_->verify),
                  Verdict::invalid)
            << i;
    }
    EXPECT_GT(parsed, 4000);
    Octets longer = der;
    longer.push_back(std::byte{0});
    EXPECT_EQ(parse_certificate(longer).error(), Error::bad_format);
}

TEST_F(X509, OneSignature) {
    const Octets der = by_middle(leaf());
    const auto certificate = parse_certificate(der);
    ASSERT_TRUE(certificate);
    const auto check = [&](MlDsaSet set, Bytes key) {
        return verify_certificate_signature(*certificate, set, key, keys_->verify) == Verdict::valid;
    };
    EXPECT_TRUE(check(MlDsaSet::ml_dsa_65, keys_->middle.public_key.bytes()));
    EXPECT_FALSE(check(MlDsaSet::ml_dsa_87, keys_->root.public_key.bytes()));
    EXPECT_FALSE(check(MlDsaSet::ml_dsa_44, keys_->leaf.public_key.bytes()));
    EXPECT_FALSE(check(MlDsaSet::ml_dsa_65, keys_->leaf.public_key.bytes())); // a key of another length
    EXPECT_FALSE(check(MlDsaSet::ml_dsa_65, {}));
}

TEST_F(X509, Chains) {
    const Octets leaf_der = by_middle(leaf());
    const Octets middle_der = by_root(middle());
    const Octets root_der = by_root(root());
    EXPECT_TRUE(verify({leaf_der, middle_der}, anchor()));
    EXPECT_TRUE(verify({leaf_der, middle_der, root_der}, anchor())); // the root itself may come along
    EXPECT_TRUE(verify({middle_der}, anchor(), kNow, CertificateUse::certificate_signing));
    EXPECT_FALSE(verify({middle_der}, anchor()));
    EXPECT_FALSE(verify({leaf_der, middle_der}, anchor(), kNow, CertificateUse::certificate_signing));
    EXPECT_FALSE(verify({}, anchor()));
    EXPECT_FALSE(verify({leaf_der}, anchor()));
    EXPECT_FALSE(verify({middle_der, leaf_der}, anchor()));
    EXPECT_FALSE(verify({leaf_der, root_der}, anchor()));

    const auto trusted = trust_anchor(*parse_certificate(root_der));
    ASSERT_TRUE(trusted);
    EXPECT_TRUE(verify({leaf_der, middle_der}, *trusted));
    EXPECT_EQ(trust_anchor(*parse_certificate(leaf_der)).error(), Error::bad_argument);
    const auto lower = trust_anchor(*parse_certificate(middle_der));
    ASSERT_TRUE(lower);
    EXPECT_EQ(lower->path_length, 0U);
    EXPECT_TRUE(verify({leaf_der}, *lower));

    TrustAnchor wrong_key = anchor();
    const auto key = std::make_unique<test::MlDsaPair<MlDsa87>>(Octets(32, std::byte{9}));
    wrong_key.public_key = key->public_key.bytes();
    EXPECT_FALSE(verify({leaf_der, middle_der}, wrong_key));
    TrustAnchor wrong_name = anchor();
    const Octets name = common_name("Root");
    wrong_name.subject = name;
    EXPECT_FALSE(verify({leaf_der, middle_der}, wrong_name));
}

TEST_F(X509, ChainsInWhichOneThingIsWrong) {
    const auto wrong_leaf = [](auto change) {
        CertificateBuilder builder = leaf();
        change(builder);
        return verify(builder, middle());
    };
    const auto wrong_middle = [](auto change) {
        CertificateBuilder builder = middle();
        change(builder);
        return verify(leaf(), builder);
    };
    EXPECT_TRUE(wrong_leaf([](auto&) {}));
    EXPECT_TRUE(wrong_leaf([](auto& builder) { builder.extensions = {}; }));
    EXPECT_FALSE(wrong_leaf([](auto& builder) { builder.issuer = common_name("other"); }));
    EXPECT_FALSE(wrong_leaf([](auto& builder) { builder.extensions = {test::key_usage("0640")}; }));
    EXPECT_FALSE(wrong_leaf([](auto& builder) { builder.extensions.push_back(extension("2a0304", true, "0500")); }));
    EXPECT_TRUE(wrong_leaf([](auto& builder) { builder.extensions.push_back(extension("2a0304", false, "0500")); }));
    // nameConstraints, policyConstraints, extendedKeyUsage: critical and not evaluated.
    for (const char* oid : {"551d1e", "551d24", "551d25"}) {
        EXPECT_FALSE(wrong_middle([&](auto& builder) { builder.extensions.push_back(extension(oid, true, "3000")); }));
    }
    EXPECT_FALSE(wrong_middle([](auto& builder) { builder.issuer = common_name("other"); }));
    EXPECT_FALSE(wrong_middle([](auto& builder) { builder.subject = common_name("other"); }));
    EXPECT_FALSE(wrong_middle([](auto& builder) { builder.extensions = {}; }));
    EXPECT_FALSE(wrong_middle([](auto& builder) { builder.extensions = {extension("551d13", true, "3000")}; }));
    EXPECT_FALSE(wrong_middle(
        [](auto& builder) { builder.extensions = {test::ca_extension(), test::key_usage("0102")}; })); // cRLSign only
    EXPECT_TRUE(wrong_middle([](auto& builder) { builder.extensions = {test::ca_extension()}; }));
    EXPECT_FALSE(wrong_middle([](auto& builder) { builder.template key<MlDsa44>(keys_->other.public_key); }));

    // The period of each, to the second.
    const auto at = [](std::int64_t time) { return verify(leaf(), middle(), time); };
    EXPECT_FALSE(at(1'704'067'199));
    EXPECT_TRUE(at(1'704'067'200));
    EXPECT_TRUE(at(2'019'686'400));
    EXPECT_FALSE(at(2'019'686'401));
    EXPECT_FALSE(wrong_middle([](auto& builder) { builder.not_after = test::utc_time("250101000000Z"); }));
    EXPECT_FALSE(wrong_leaf([](auto& builder) { builder.not_before = test::utc_time("260101000000Z"); }));
}

TEST_F(X509, PathLengths) {
    // middle -> second (a CA with the same key) -> leaf of that name.
    CertificateBuilder second = middle();
    second.issuer = common_name("middle");
    second.subject = common_name("second");
    second.extensions = {test::ca_extension()};
    CertificateBuilder end = leaf();
    end.issuer = common_name("second");
    const auto check = [&](std::optional<std::uint8_t> length, std::optional<std::uint32_t> of_anchor = {}) {
        CertificateBuilder first = middle();
        first.extensions[0] = length ? test::ca_extension(*length) : test::ca_extension();
        return verify({by_middle(end), by_middle(second), by_root(first)}, anchor(of_anchor));
    };
    EXPECT_TRUE(check({}));
    EXPECT_FALSE(check(0));
    EXPECT_TRUE(check(1));
    EXPECT_TRUE(check(127));
    EXPECT_FALSE(check({}, 0));
    EXPECT_FALSE(check({}, 1));
    EXPECT_TRUE(check({}, 2));
    EXPECT_FALSE(check(5, 1)); // a lower one cannot give more
    second.extensions = {test::ca_extension(0)};
    EXPECT_TRUE(check(1));
    // Certificates that a CA issued to itself do not count.
    second.subject = common_name("middle");
    end.issuer = common_name("middle");
    EXPECT_TRUE(check(0));
    // A chain that turns in a circle ends at the limit.
    const Octets circle = by_middle(second);
    std::vector<Octets> chain = {by_middle(end)};
    while (chain.size() < kMaxChain - 1)
        chain.push_back(circle);
    chain.push_back(by_root(middle()));
    EXPECT_TRUE(verify(chain, anchor()));
    chain.insert(chain.begin() + 1, circle);
    EXPECT_FALSE(verify(chain, anchor()));
}

} // namespace
} // namespace aios::crypto
