// Hashes in lanes against the hash of one message: every length, lengths mixed in one batch, prefixes, NIST's examples,
// and jobs that share memory. Each engine of its own, and what sha256_batch() takes with every backend.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/sha2_batch.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

using Buffer = std::vector<std::byte>;

Buffer random_bytes(std::mt19937& random, std::size_t size) {
    Buffer bytes(size);
    std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
    return bytes;
}

Digest256 hash_of(Bytes prefix, Bytes message) {
    Buffer whole(prefix.begin(), prefix.end());
    whole.insert(whole.end(), message.begin(), message.end());
    return Sha256::hash(whole);
}

// As a kernel does it that saves the registers around a few blocks: three here.
void compress_in_pieces(Sha256LaneWords& words, const std::byte* const (&from)[8], std::size_t count) {
    const std::byte* at[8];
    std::ranges::copy(from, at);
    for (; count != 0; count -= std::min<std::size_t>(count, 3)) {
        sha256_compress_eight_avx2(words, at, std::min<std::size_t>(count, 3));
        for (const std::byte*& lane : at)
            lane += 64 * 3;
    }
}

// Runs the batch once with each engine that there is. The digests have to come out as `expected`.
void expect_all(std::vector<Sha256Job> jobs, const std::vector<Digest256>& expected) {
    std::vector<Digest256> digests(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i)
        jobs[i].digest = &digests[i];
    Sha256BatchWorkspace workspace;
    const auto check = [&](const char* engine) {
        for (std::size_t i = 0; i < jobs.size(); ++i)
            ASSERT_EQ(test::to_hex(digests[i]), test::to_hex(expected[i]))
                << engine << ", job " << i << " of " << jobs.size() << ": " << jobs[i].prefix.size() << " and "
                << jobs[i].message.size() << " bytes";
        std::ranges::fill(digests, Digest256{});
    };
    test::for_each_backend([&] {
        sha256_batch(jobs, workspace);
        check("chosen");
        if (!is_supported(Backend::avx2)) return;
        sha256_batch_avx2(jobs, workspace); // whatever the choice
        check("avx2");
        sha256_batch_by(compress_in_pieces, jobs, workspace);
        check("in pieces");
    });
    sha256_batch_portable(jobs);
    check("portable");
}

std::vector<Digest256> digests_of(const std::vector<Sha256Job>& jobs) {
    std::vector<Digest256> expected;
    for (const Sha256Job& job : jobs)
        expected.push_back(hash_of(job.prefix, job.message));
    return expected;
}

TEST(Sha256Batch, EveryLengthInOneBatch) {
    std::mt19937 random(1);
    const Buffer source = random_bytes(random, 400);
    std::vector<Sha256Job> jobs;
    for (std::size_t size = 0; size <= 300; ++size)
        jobs.push_back({.prefix = {}, .message = Bytes(source).subspan(size % 64, size), .digest = nullptr});
    expect_all(jobs, digests_of(jobs));
    std::ranges::shuffle(jobs, random);
    expect_all(jobs, digests_of(jobs));
}

TEST(Sha256Batch, EveryPrefixWithLengthsAroundTheBlocks) {
    std::mt19937 random(2);
    const Buffer source = random_bytes(random, 400);
    const Buffer prefixes = random_bytes(random, 63);
    std::vector<Sha256Job> jobs;
    for (std::size_t prefix = 0; prefix <= 63; ++prefix)
        for (const std::size_t size : {0, 1, 54, 55, 56, 62, 63, 64, 65, 119, 120, 127, 128, 129, 191, 192})
            jobs.push_back(
                {.prefix = Bytes(prefixes).first(prefix), .message = Bytes(source).first(size), .digest = nullptr});
    expect_all(jobs, digests_of(jobs));
}

// As many jobs as lanes, fewer, more; one long message among short ones; pages of a page tree.
TEST(Sha256Batch, AnyNumberOfJobs) {
    std::mt19937 random(3);
    const Buffer source = random_bytes(random, 20000);
    const std::byte leaf[] = {std::byte{0}};
    for (std::size_t count = 0; count <= 40; ++count) {
        for (const std::size_t most : {std::size_t{64}, std::size_t{1000}, std::size_t{4097}}) {
            std::vector<Sha256Job> jobs;
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t size = i % 11 == 5 ? 16384 + random() % 200 : random() % most;
                jobs.push_back({.prefix = Bytes(leaf).first(random() % 2),
                                .message = Bytes(source).subspan(random() % 3000, size),
                                .digest = nullptr});
            }
            expect_all(jobs, digests_of(jobs));
        }
    }
}

TEST(Sha256Batch, TenThousandRandomJobs) {
    std::mt19937 random(4);
    const Buffer source = random_bytes(random, 6000);
    for (int batch = 0; batch < 400; ++batch) {
        std::vector<Sha256Job> jobs;
        const std::size_t count = 1 + random() % 50;
        for (std::size_t i = 0; i < count; ++i)
            jobs.push_back(
                {.prefix = Bytes(source).subspan(random() % 500, random() % 64),
                 .message = Bytes(source).subspan(random() % 500, random() % (random() % 8 == 0 ? 5000 : 300)),
                 .digest = nullptr});
        expect_all(jobs, digests_of(jobs));
    }
}

// FIPS 180-4 refers to these examples of NIST.
TEST(Sha256Batch, PublishedExamples) {
    const std::string million(1000000, 'a');
    const std::string two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const std::pair<std::string_view, const char*> examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {two_blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};
    std::vector<Sha256Job> jobs;
    std::vector<Digest256> expected;
    for (int i = 0; i < 12; ++i) {
        const auto& [text, digest] = examples[i % 4];
        jobs.push_back({.prefix = {}, .message = as_bytes(text), .digest = nullptr});
        const Buffer bytes = test::from_hex(digest);
        std::ranges::copy(bytes, expected.emplace_back().begin());
    }
    expect_all(jobs, expected);
}

} // namespace
} // namespace aios::crypto
