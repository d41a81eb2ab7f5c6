// The hashes and extendable-output functions (FIPS 180-4, FIPS 202), and HMAC over them (FIPS 198-1).
#include <vector>

#include "crypto/hmac.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"
#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

template <typename Hash>
Answer digest(const Request& request) {
    return ok({{"md", Hash::hash(request.bytes("msg"))}});
}

template <typename Xof>
Answer squeeze(const Request& request) {
    std::vector<std::byte> output(HOST_TRY(request.count("len", kMaxOutput)));
    Xof xof;
    xof.update(request.bytes("msg"));
    xof.squeeze(output);
    return ok({{"md", output}});
}

template <typename Hash>
Answer mac(const Request& request) {
    return ok({{"mac", crypto::Hmac<Hash>::compute(request.bytes("key"), request.bytes("msg"))}});
}

constexpr Row kHashRows[] = {
    {"SHA2-224", "digest", "msg", "", digest<crypto::Sha224>},
    {"SHA2-256", "digest", "msg", "", digest<crypto::Sha256>},
    {"SHA2-384", "digest", "msg", "", digest<crypto::Sha384>},
    {"SHA2-512", "digest", "msg", "", digest<crypto::Sha512>},
    {"SHA2-512/224", "digest", "msg", "", digest<crypto::Sha512_224>},
    {"SHA2-512/256", "digest", "msg", "", digest<crypto::Sha512_256>},
    {"SHA3-224", "digest", "msg", "", digest<crypto::Sha3_224>},
    {"SHA3-256", "digest", "msg", "", digest<crypto::Sha3_256>},
    {"SHA3-384", "digest", "msg", "", digest<crypto::Sha3_384>},
    {"SHA3-512", "digest", "msg", "", digest<crypto::Sha3_512>},
    {"SHAKE128", "digest", "msg len", "", squeeze<crypto::Shake128>},
    {"SHAKE256", "digest", "msg len", "", squeeze<crypto::Shake256>},
};

constexpr Row kMacRows[] = {
    {"HMAC-SHA2-224", "mac", "key msg", "", mac<crypto::Sha224>},
    {"HMAC-SHA2-256", "mac", "key msg", "", mac<crypto::Sha256>},
    {"HMAC-SHA2-384", "mac", "key msg", "", mac<crypto::Sha384>},
    {"HMAC-SHA2-512", "mac", "key msg", "", mac<crypto::Sha512>},
    {"HMAC-SHA2-512/224", "mac", "key msg", "", mac<crypto::Sha512_224>},
    {"HMAC-SHA2-512/256", "mac", "key msg", "", mac<crypto::Sha512_256>},
    {"HMAC-SHA3-224", "mac", "key msg", "", mac<crypto::Sha3_224>},
    {"HMAC-SHA3-256", "mac", "key msg", "", mac<crypto::Sha3_256>},
    {"HMAC-SHA3-384", "mac", "key msg", "", mac<crypto::Sha3_384>},
    {"HMAC-SHA3-512", "mac", "key msg", "", mac<crypto::Sha3_512>},
};

} // namespace

std::span<const Row> hash_rows() { return kHashRows; }
std::span<const Row> mac_rows() { return kMacRows; }

} // namespace aios::host::kat
