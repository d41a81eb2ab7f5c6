// Both AEADs on an attacker's bytes: opening what was never sealed fails and leaves the output; what is sealed opens
// again, and not after a change; the backends agree; buffers that overlap in part are refused. The first bytes choose
// sizes and places, the rest is key, nonce, associated data and text.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/aes/gcm.hpp"
#include "crypto/aes_gcm.hpp"
#include "crypto/backend.hpp"
#include "crypto/chacha20_poly1305.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

void require(bool condition) {
    if (!condition) std::abort();
}

// As many bytes as are there, the rest zeros.
template <std::size_t Size>
void take(ByteReader& reader, std::span<std::byte, Size> to) {
    const Bytes run = *reader.bytes(std::min(reader.remaining(), Size));
    std::copy(run.begin(), run.end(), to.begin());
}

template <typename Algorithm>
void run(ByteReader reader) {
    typename Algorithm::Key key;
    typename Algorithm::Nonce nonce;
    typename Algorithm::Tag forged;
    const std::size_t change = reader.le<std::uint16_t>().value_or(0);
    const std::size_t shift = reader.u8().value_or(0);
    const std::size_t aad_size = reader.u8().value_or(0);
    take(reader, key.bytes());
    take(reader, nonce.bytes());
    take(reader, forged.bytes());
    const Bytes aad = *reader.bytes(std::min(reader.remaining(), aad_size));
    const Bytes text = reader.rest();

    std::vector<std::byte> first;
    typename Algorithm::Tag first_tag;
    for (const Backend backend : {Backend::portable, Backend::avx2_plain, Backend::avx2}) {
        if (!use_backend(backend)) continue;
        std::vector<std::byte> out(text.size(), std::byte{0x5a});
        const std::vector<std::byte> untouched = out;
        // The text as a ciphertext, with a tag of the attacker's choice.
        const auto forgery = Algorithm::open(key, nonce, aad, text, forged, out);
        require(!forgery.has_value() && forgery.error() == Error::integrity && out == untouched);

        typename Algorithm::Tag tag;
        require(Algorithm::seal(key, nonce, aad, text, out, tag).has_value());
        if (backend == Backend::portable) {
            first = out;
            first_tag = tag;
        } else {
            require(out == first && tag == first_tag);
        }
        std::vector<std::byte> opened(text.size());
        require(Algorithm::open(key, nonce, aad, out, tag, opened).has_value());
        require(std::equal(text.begin(), text.end(), opened.begin()));

        // One bit of ciphertext and tag changed.
        const std::size_t bit = change % (8 * (out.size() + tag.kSize));
        const std::byte flip = std::byte{1} << bit % 8;
        (bit / 8 < out.size() ? out[bit / 8] : tag.bytes()[bit / 8 - out.size()]) ^= flip;
        require(!Algorithm::open(key, nonce, aad, out, tag, out).has_value());
        (bit / 8 < out.size() ? out[bit / 8] : tag.bytes()[bit / 8 - out.size()]) ^= flip;
        require(out == first);

        // In place, or moved by less than a length.
        std::vector<std::byte> memory(text.size() + shift);
        const MutableBytes in = MutableBytes(memory).first(text.size());
        std::copy(text.begin(), text.end(), in.begin());
        const auto moved = Algorithm::seal(key, nonce, aad, in, MutableBytes(memory).subspan(shift), tag);
        require(moved.has_value() == (shift == 0 || shift >= text.size()));
        if (moved)
            require(std::equal(first.begin(), first.end(), memory.end() - static_cast<std::ptrdiff_t>(text.size())));
    }
}

// Key sizes, IVs and tags of any length: refused or the same from both engines.
void run_inner(ByteReader reader) {
    const std::size_t key_size = reader.u8().value_or(0) % 40;
    const std::size_t iv_size = reader.u8().value_or(0);
    const std::size_t tag_size = reader.u8().value_or(0) % 20;
    const Bytes key = *reader.bytes(std::min(reader.remaining(), key_size));
    const Bytes iv = *reader.bytes(std::min(reader.remaining(), iv_size));
    std::vector<std::byte> tag(tag_size);
    const Bytes text = reader.rest();
    std::vector<std::byte> first;
    for (const Backend backend : {Backend::portable, Backend::avx2_plain, Backend::avx2}) {
        if (!use_backend(backend)) continue;
        std::vector<std::byte> out(text.size());
        const auto sealed = crypto::detail::aes::gcm_seal(key, iv, iv, text, out, tag);
        if (!sealed) {
            require(sealed.error() == Error::bad_argument);
            continue;
        }
        std::vector<std::byte> sealed_bytes = out;
        sealed_bytes.insert(sealed_bytes.end(), tag.begin(), tag.end());
        require(crypto::detail::aes::gcm_open(key, iv, iv, out, tag, out).has_value());
        require(std::equal(text.begin(), text.end(), out.begin()));
        if (backend == Backend::portable) first = sealed_bytes;
        require(sealed_bytes == first);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: bytes are bytes.
    const ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
    run<Aes256Gcm>(reader);
    run<ChaCha20Poly1305>(reader);
    run_inner(reader);
    return 0;
}
