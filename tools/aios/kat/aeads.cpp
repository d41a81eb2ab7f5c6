// Authenticated encryption: ChaCha20-Poly1305 (RFC 8439) and AES-256-GCM (SP
// 800-38D).
#include <vector>

#include "crypto/aes_gcm.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

namespace {

template <typename Aead>
Answer seal(const Request& request) {
    typename Aead::Key key;
    typename Aead::Nonce nonce;
    HOST_TRY(take(request, "key", key));
    HOST_TRY(take(request, "nonce", nonce));
    std::vector<std::byte> text(request.bytes("msg").size());
    typename Aead::Tag tag;
    const auto done = Aead::seal(key, nonce, request.bytes("aad"), request.bytes("msg"), text, tag);
    if (!done) return refused(done.error());
    return ok({{"ct", text}, {"tag", tag.bytes()}});
}

// A nonce or tag of another length than the algorithm has never belongs to a
// sealed message.
template <typename Aead>
Answer open(const Request& request) {
    typename Aead::Key key;
    HOST_TRY(take(request, "key", key));
    typename Aead::Nonce nonce;
    typename Aead::Tag tag;
    if (!fits(request, "nonce", nonce) || !fits(request, "tag", tag)) return invalid();
    std::vector<std::byte> text(request.bytes("ct").size());
    const auto done = Aead::open(key, nonce, request.bytes("aad"), request.bytes("ct"), tag, text);
    if (!done) return refused(done.error());
    return ok({{"msg", text}});
}

template <typename Aead>
constexpr std::array<Row, 2> rows(std::string_view name) {
    return {
        {{name, "seal", "key nonce msg", "aad", seal<Aead>}, {name, "open", "key nonce ct tag", "aad", open<Aead>}}};
}

constexpr auto kRows =
    joined(rows<crypto::ChaCha20Poly1305>("CHACHA20-POLY1305"), rows<crypto::Aes256Gcm>("AES-256-GCM"));

} // namespace

std::span<const Row> aead_rows() { return kRows; }

} // namespace aios::host::kat
