// Hashes with secret input, MACs, key derivation, the random generator and comparisons.
#include <array>

#include "crypto/backend.hpp"
#include "crypto/hmac.hpp"
#include "crypto/hmac_drbg.hpp"
#include "crypto/secret.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha2_batch.hpp"
#include "crypto/sha3.hpp"
#include "tests/constant_time/check.hpp"

namespace aios::test {

namespace {

using namespace crypto;

// Longer than a block of every hash.
constexpr std::size_t kMessageSize = 300;

template <typename Hash>
bool hash_of_secret() {
    std::array<std::byte, kMessageSize> message;
    fill(message, 1);
    const auto expected = Hash::hash(message);
    classify(message);
    const auto digest = Hash::hash(message);
    return is_secret(digest) && reveal_equal(digest, expected);
}

// More messages than lanes, of several lengths. `batch` is one of the engines.
template <typename Run>
bool batch_of_secrets(const Run& batch) {
    std::array<std::byte, kMessageSize> message;
    std::array<Sha256Job, 11> jobs;
    std::array<Digest256, jobs.size()> expected;
    std::array<Digest256, jobs.size()> digests;
    fill(message, 1);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i] = {
            .prefix = Bytes(message).first(i % 3), .message = Bytes(message).subspan(3, 27 * i), .digest = &digests[i]};
        Sha256 hash;
        hash.update(jobs[i].prefix);
        hash.update(jobs[i].message);
        expected[i] = hash.finish();
    }
    static Sha256BatchWorkspace workspace;
    classify(message);
    batch(jobs, workspace);
    bool right = true;
    for (std::size_t i = 0; i < jobs.size(); ++i)
        right = (i < 2 || is_secret(digests[i])) && reveal_equal(digests[i], expected[i]) && right;
    return right;
}

bool batch_by_choice() { return batch_of_secrets(sha256_batch); }

bool batch_by_avx2() { return !is_supported(Backend::avx2) || batch_of_secrets(sha256_batch_avx2); }

template <typename Xof>
bool xof_of_secret() {
    std::array<std::byte, kMessageSize> message;
    std::array<std::byte, kMessageSize> expected;
    std::array<std::byte, kMessageSize> out;
    fill(message, 1);
    const auto compute = [&](MutableBytes to) {
        Xof xof;
        xof.update(message);
        xof.squeeze(to);
    };
    compute(expected);
    classify(message);
    compute(out);
    return is_secret(out) && reveal_equal(out, expected);
}

template <typename Hash, std::size_t KeySize>
bool mac_with_secret_key() {
    std::array<std::byte, KeySize> key;
    std::array<std::byte, kMessageSize> message;
    fill(key, 1);
    fill(message, 2);
    const auto expected = Hmac<Hash>::compute(key, message);
    classify(key);
    classify(message);
    const auto tag = Hmac<Hash>::compute(key, message);
    return is_secret(tag) && reveal_equal(tag, expected);
}

template <typename Hash>
bool random_from_secret_entropy() {
    std::array<std::byte, 48> entropy;
    std::array<std::byte, 100> expected;
    std::array<std::byte, 100> out;
    fill(entropy, 1);
    const auto compute = [&](MutableBytes to) {
        HmacDrbg<Hash> generator;
        const Bytes seed(entropy);
        return generator.instantiate(seed.first(32), seed.subspan(32)) && generator.generate(to) &&
               generator.reseed(seed) && generator.generate(to, seed.first(16));
    };
    const bool first = compute(expected);
    classify(entropy);
    const bool second = compute(out);
    return first && second && is_secret(out) && reveal_equal(out, expected);
}

bool comparison() {
    std::array<std::byte, 33> a;
    std::array<std::byte, 33> b;
    bool right = true;
    for (std::size_t at = 0; at <= a.size(); ++at) {
        fill(a, 1);
        fill(b, 1);
        if (at < b.size()) b[at] ^= std::byte{0x80};
        classify(a);
        classify(b);
        // The answer is public: this branch is allowed.
        if (equal_in_constant_time(a, b) != (at == a.size())) right = false;
    }
    return right;
}

bool secret_octets() {
    SecretOctets<struct TestTag, 32> a;
    SecretOctets<struct TestTag, 32> b;
    std::array<std::byte, 32> octets;
    fill_secret(octets, 1);
    const bool assigned = a.assign(octets).has_value() && b.assign(octets).has_value();
    bool right = assigned && a == b;
    b.bytes()[31] ^= std::byte{1};
    if (a == b) right = false;
    b.wipe();
    return right && !is_secret(b.bytes());
}

constexpr Check kChecks[] = {
    {"sha2_256", hash_of_secret<Sha256>},
    {"sha2_512", hash_of_secret<Sha512>},
    {"sha2_256_batch", batch_by_choice},
    {"sha2_256_batch_avx2", batch_by_avx2},
    {"sha3_256", hash_of_secret<Sha3_256>},
    {"sha3_512", hash_of_secret<Sha3_512>},
    {"shake128", xof_of_secret<Shake128>},
    {"shake256", xof_of_secret<Shake256>},
    {"hmac_sha2_256", mac_with_secret_key<Sha256, 32>},
    {"hmac_sha2_256_long_key", mac_with_secret_key<Sha256, 100>},
    {"hmac_sha2_384", mac_with_secret_key<Sha384, 48>},
    {"hmac_sha2_512", mac_with_secret_key<Sha512, 64>},
    {"hmac_sha3_256", mac_with_secret_key<Sha3_256, 32>},
    {"hmac_sha3_512_long_key", mac_with_secret_key<Sha3_512, 100>},
    {"hmac_drbg_sha2_256", random_from_secret_entropy<Sha256>},
    {"hmac_drbg_sha2_512", random_from_secret_entropy<Sha512>},
    {"equal_in_constant_time", comparison},
    {"secret_octets", secret_octets},
};

} // namespace

std::span<const Check> symmetric_checks() { return kChecks; }

} // namespace aios::test
