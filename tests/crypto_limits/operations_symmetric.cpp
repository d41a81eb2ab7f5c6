// Hashes, MAC, key derivation and random generator. See operation.hpp.
#include "crypto/backend.hpp"
#include "crypto/hmac.hpp"
#include "crypto/hmac_drbg.hpp"
#include "crypto/secret.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha2_batch.hpp"
#include "crypto/sha3.hpp"
#include "tests/crypto_limits/operation.hpp"

using namespace aios;
using namespace aios::crypto;
using aios::test::operation_message;

namespace {

template <typename Hash>
bool hash() {
    static typename Hash::Digest digest;
    digest = Hash::hash(operation_message);
    return true;
}

constinit Sha256BatchWorkspace batch_workspace{};

template <typename Xof>
bool squeeze() {
    static std::array<std::byte, 500> out;
    static Xof xof;
    xof.reset();
    xof.update(operation_message);
    xof.squeeze(out);
    return true;
}

template <typename Hash>
bool mac() {
    static typename Hash::Digest tag;
    tag = Hmac<Hash>::compute(Bytes(operation_message).first(100), operation_message);
    return true;
}

// Neither constructed nor ended at run time: it would be linked into every program that is measured.
template <typename Hash>
[[clang::no_destroy]] constinit HmacDrbg<Hash> generator;

template <typename Hash>
bool instantiate() {
    const Bytes message(operation_message);
    return generator<Hash>.instantiate(message.first(48), message.first(16)).has_value();
}

template <typename Hash>
bool generate() {
    static std::array<std::byte, 100> out;
    return generator<Hash>.generate(out, Bytes(operation_message).first(16)).has_value();
}

} // namespace

extern "C" {

bool nothing() { return true; }

bool sha2_256() { return hash<Sha256>(); }
bool sha2_256_batch() {
    static Digest256 digests[9];
    static constinit Sha256Job jobs[9] = {};
    for (std::size_t i = 0; i < 9; ++i)
        jobs[i] = {.prefix = Bytes(operation_message).first(1), .message = operation_message, .digest = &digests[i]};
    sha256_batch(jobs, batch_workspace);
    return true;
}
bool sha2_512() { return hash<Sha512>(); }
bool sha3_256() { return hash<Sha3_256>(); }
bool sha3_512() { return hash<Sha3_512>(); }
bool shake128() { return squeeze<Shake128>(); }
bool shake256() { return squeeze<Shake256>(); }
bool hmac_sha2_256() { return mac<Sha256>(); }
bool hmac_sha2_512() { return mac<Sha512>(); }
bool hmac_sha3_256() { return mac<Sha3_256>(); }

bool hmac_drbg_sha2_256_instantiate() { return instantiate<Sha256>(); }
bool hmac_drbg_sha2_256_generate() { return generate<Sha256>(); }
bool hmac_drbg_sha2_512_instantiate() { return instantiate<Sha512>(); }
bool hmac_drbg_sha2_512_generate() { return generate<Sha512>(); }

bool equal_32() {
    const Bytes message(operation_message);
    return equal_in_constant_time(message.first(32), message.first(32));
}

} // extern "C"

namespace aios::test {

namespace {

constexpr Operation kOperations[] = {
    {"SHA2-256", "hash", sha2_256},
    {"SHA2-256", "batch", sha2_256_batch, sizeof(Sha256BatchWorkspace)},
    {"SHA2-512", "hash", sha2_512},
    {"SHA3-256", "hash", sha3_256},
    {"SHA3-512", "hash", sha3_512},
    {"SHAKE128", "squeeze", shake128},
    {"SHAKE256", "squeeze", shake256},
    {"HMAC-SHA2-256", "compute", hmac_sha2_256},
    {"HMAC-SHA2-512", "compute", hmac_sha2_512},
    {"HMAC-SHA3-256", "compute", hmac_sha3_256},
    {"HMAC-DRBG-SHA2-256", "instantiate", hmac_drbg_sha2_256_instantiate},
    {"HMAC-DRBG-SHA2-256", "generate", hmac_drbg_sha2_256_generate},
    {"HMAC-DRBG-SHA2-512", "instantiate", hmac_drbg_sha2_512_instantiate},
    {"HMAC-DRBG-SHA2-512", "generate", hmac_drbg_sha2_512_generate},
    {"equal_in_constant_time", "", equal_32},
};

} // namespace

std::span<const Operation> symmetric_operations() { return kOperations; }

#ifdef AIOS_KERNEL
bool take_avx2(bool wanted) { return !wanted; }
#else
bool take_avx2(bool wanted) { return use_backend(wanted ? Backend::avx2 : Backend::portable).has_value(); }
#endif

} // namespace aios::test
