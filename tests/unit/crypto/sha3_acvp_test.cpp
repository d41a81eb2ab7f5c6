// Every case of NIST's ACVP files for SHA-3 and SHAKE: messages and outputs of any number of bits, the chained cases,
// and messages of up to 8 GiB. The library's interface takes whole bytes; a message's last bits are put into the sponge
// here together with the domain bits, as FIPS 202 appendix B.2 orders them.
#include <cstdio>
#include <future>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/sha3.hpp"
#include "tests/support/acvp.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using test::from_hex;
using test::to_hex;

// The first `out_bits` of output for the first `bits` of `message`; `suffix` are `suffix_bits` domain bits, without the
// padding's first bit.
std::vector<std::byte> sponge_of_bits(std::size_t rate, unsigned suffix, unsigned suffix_bits, Bytes message,
                                      std::size_t bits, std::size_t out_bits) {
    detail::Sponge sponge;
    sponge.absorb(rate, message.first(bits / 8));
    const unsigned left = bits % 8;
    unsigned last = suffix << left | 1U << (left + suffix_bits);
    if (left != 0) last |= static_cast<unsigned>(message[bits / 8]) >> (8 - left);
    if (last > 0x7f) { // no bit is left in this byte for the end of the padding
        const std::byte full{static_cast<std::uint8_t>(last)};
        sponge.absorb(rate, {&full, 1});
        last >>= 8;
    }
    sponge.pad(rate, static_cast<std::uint8_t>(last));
    std::vector<std::byte> out((out_bits + 7) / 8);
    sponge.squeeze(rate, out);
    if (out_bits % 8 != 0) out.back() <<= 8 - out_bits % 8;
    return out;
}

// A short content repeated up to `bits`.
template <typename Hash>
std::string hash_of_repeated(const std::vector<std::byte>& content, std::uint64_t bits) {
    std::vector<std::byte> run;
    while (run.size() < std::size_t{1} << 20)
        run.insert(run.end(), content.begin(), content.end());
    Hash hash;
    for (std::uint64_t left = bits / 8; left != 0;) {
        const auto taken = std::min<std::uint64_t>(left, run.size());
        hash.update(Bytes(run).first(taken));
        left -= taken;
    }
    return to_hex(hash.finish());
}

struct Large {
    std::future<std::string> ours;
    std::string expected;
};

template <typename Hash>
void run_acvp_sha3(const std::string& folder, int cases) {
    int ran = 0;
    std::vector<Large> large;
    const bool found = test::for_each_acvp_case(folder, [&](const auto& group, const auto& test, const auto& expected) {
        ++ran;
        const auto message = from_hex(test["msg"].text);
        const std::string& type = group["testType"].text;
        if (type == "AFT") {
            const auto bits = static_cast<std::size_t>(test["len"].number);
            EXPECT_EQ(to_hex(sponge_of_bits(Hash::kBlockSize, 2, 2, message, bits, 8 * Hash::kDigestSize)),
                      to_hex(from_hex(expected["md"].text)))
                << test["tcId"].number;
            if (bits % 8 == 0)
                EXPECT_EQ(to_hex(Hash::hash(Bytes(message).first(bits / 8))), to_hex(from_hex(expected["md"].text)));
        } else if (type == "MCT") {
            // A hundred results, each after a thousand hashes of the digest before.
            std::vector<std::byte> digest = message;
            for (const auto& step : expected["resultsArray"].items) {
                for (int i = 0; i < 1000; ++i) {
                    const auto next = Hash::hash(digest);
                    digest.assign(next.begin(), next.end());
                }
                EXPECT_EQ(to_hex(digest), to_hex(from_hex(step["md"].text)));
            }
        } else {
            ASSERT_EQ(type, "LDT");
            const auto& what = test["largeMsg"];
            ASSERT_EQ(what["expansionTechnique"].text, "repeating");
            large.push_back({std::async(std::launch::async, hash_of_repeated<Hash>, from_hex(what["content"].text),
                                        static_cast<std::uint64_t>(what["fullLength"].number)),
                             to_hex(from_hex(expected["md"].text))});
        }
    });
    if (!found) GTEST_SKIP() << "vectors/acvp/" << folder << " is not in the shared folder";
    for (Large& one : large)
        EXPECT_EQ(one.ours.get(), one.expected);
    std::printf("%s: %d cases\n", folder.c_str(), ran);
    EXPECT_EQ(ran, cases);
}

TEST(Sha3, AcvpSha3_256) { run_acvp_sha3<Sha3_256>("SHA3-256-2.0", 1199); }
TEST(Sha3, AcvpSha3_512) { run_acvp_sha3<Sha3_512>("SHA3-512-2.0", 687); }

template <typename Xof>
void run_acvp_shake(const std::string& folder, int cases) {
    int ran = 0;
    const bool found = test::for_each_acvp_case(folder, [&](const auto&, const auto& test, const auto& expected) {
        ++ran;
        const auto message = from_hex(test["msg"].text);
        const auto bits = static_cast<std::size_t>(test["len"].number);
        const auto out_bits = static_cast<std::size_t>(test["outLen"].number);
        EXPECT_EQ(to_hex(sponge_of_bits(Xof::kBlockSize, 15, 4, message, bits, out_bits)),
                  to_hex(from_hex(expected["md"].text)))
            << test["tcId"].number;
        if (bits % 8 != 0) return;
        std::vector<std::byte> out(out_bits / 8);
        Xof xof;
        xof.update(Bytes(message).first(bits / 8));
        xof.squeeze(out);
        EXPECT_EQ(to_hex(out), to_hex(Bytes(from_hex(expected["md"].text)).first(out.size())));
    });
    if (!found) GTEST_SKIP() << "vectors/acvp/" << folder << " is not in the shared folder";
    std::printf("%s: %d cases\n", folder.c_str(), ran);
    EXPECT_EQ(ran, cases);
}

TEST(Shake, AcvpShake128) { run_acvp_shake<Shake128>("SHAKE-128-FIPS202", 269); }
TEST(Shake, AcvpShake256) { run_acvp_shake<Shake256>("SHAKE-256-FIPS202", 237); }

} // namespace
} // namespace aios::crypto
