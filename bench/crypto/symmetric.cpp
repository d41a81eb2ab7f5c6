// Hashes, MACs and authenticated encryption: bytes a tick, on 16 KiB and on 64 bytes.
#include <memory>
#include <vector>

#include "bench/crypto/data.hpp"
#include "bench/crypto/operation.hpp"
#include "crypto/aes_gcm.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "crypto/hmac.hpp"
#include "crypto/sha2.hpp"
#include "crypto/sha3.hpp"

namespace aios::bench {

namespace {

constexpr std::size_t kSizes[] = {64, 16384};
constexpr std::size_t kLong = 16384;

// What a computation gave is stored here, so that no compiler leaves it out.
volatile std::byte sink;

template <typename Make>
void add(std::vector<Operation>& list, std::string algorithm, std::string operation, const Make& make,
         double least_ratio = 0) {
    for (const std::size_t size : kSizes)
        list.push_back({.algorithm = algorithm,
                        .operation = operation,
                        .bytes = size,
                        .weight = size == kLong ? Weight::usual : Weight::small,
                        .limits = {.least_ratio = size == kLong ? least_ratio : 0},
                        .ours = make(size)});
}

template <typename Hash>
Body digest(std::size_t size) {
    return [text = octets(size, 6)](std::size_t) {
        sink = Hash::hash(text)[0];
        return true;
    };
}

template <typename Xof>
Body squeeze(std::size_t size) {
    return [text = octets(size, 6)](std::size_t) {
        Xof xof;
        std::array<std::byte, 32> out;
        xof.update(text);
        xof.squeeze(out);
        sink = out[0];
        return true;
    };
}

template <typename Hash>
Body mac(std::size_t size) {
    return [text = octets(size, 6), key = octets(32, 7)](std::size_t) {
        sink = crypto::Hmac<Hash>::compute(key, text)[0];
        return true;
    };
}

template <typename Aead>
struct AeadState {
    typename Aead::Key key;
    typename Aead::Nonce nonce;
    typename Aead::Tag tag;
    std::vector<std::byte> text;
    std::vector<std::byte> sealed;
    std::vector<std::byte> opened;

    explicit AeadState(std::size_t size) : text(octets(size, 6)), sealed(size), opened(size) {
        fill(key, 7);
        fill(nonce, 8);
        seal();
    }
    bool seal() { return Aead::seal(key, nonce, {}, text, sealed, tag).has_value(); }
    bool open() { return Aead::open(key, nonce, {}, sealed, tag, opened).has_value(); }
};

template <typename Aead>
void add_aead(std::vector<Operation>& list, std::string name) {
    constexpr double kOfOpenssl = 0.8;
    add(
        list, name, "seal",
        [](std::size_t size) -> Body {
            return [state = std::make_shared<AeadState<Aead>>(size)](std::size_t) { return state->seal(); };
        },
        kOfOpenssl);
    add(
        list, name, "open",
        [](std::size_t size) -> Body {
            return [state = std::make_shared<AeadState<Aead>>(size)](std::size_t) { return state->open(); };
        },
        kOfOpenssl);
}

} // namespace

std::vector<Operation> symmetric_operations() {
    constexpr double kWithin = 1 / 1.3;
    std::vector<Operation> list;
    add(list, "SHA3-256", "digest", digest<crypto::Sha3_256>, kWithin);
    add(list, "SHA2-256", "digest", digest<crypto::Sha256>, 0.9);
    add(list, "SHA2-512", "digest", digest<crypto::Sha512>);
    add(list, "SHAKE128", "digest", squeeze<crypto::Shake128>);
    add(list, "HMAC-SHA2-256", "mac", mac<crypto::Sha256>, 0.9);
    add_aead<crypto::Aes256Gcm>(list, "AES-256-GCM");
    add_aead<crypto::ChaCha20Poly1305>(list, "CHACHA20-POLY1305");
    return list;
}

} // namespace aios::bench
