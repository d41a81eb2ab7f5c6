// X25519 with any secrets and points: all backends give the same, both sides get one shared secret, a point and its other encodings give one
// result, clamped bits do not count, and the answer bad_format depends on the point alone.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/x25519.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

void require(bool condition) {
    if (!condition) std::abort();
}

void fill(ByteReader& reader, std::span<std::byte, 32> to) {
    const Bytes run = *reader.bytes(std::min<std::size_t>(reader.remaining(), 32));
    std::copy(run.begin(), run.end(), to.begin());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: bytes are bytes.
    ByteReader reader({reinterpret_cast<const std::byte*>(data), size});
    X25519::Secret a;
    X25519::Secret b;
    X25519::PublicKey point;
    fill(reader, point.bytes());
    fill(reader, a.bytes());
    fill(reader, b.bytes());

    X25519::PublicKey of_a;
    X25519::PublicKey of_b;
    X25519::SharedSecret first;
    X25519::SharedSecret second;
    X25519::public_key(a, of_a);
    X25519::public_key(b, of_b);
    require(X25519::derive(a, of_b, first).has_value() && X25519::derive(b, of_a, second).has_value());
    require(first == second);

    require(use_backend(Backend::portable).has_value());
    const bool good = X25519::derive(a, point, first).has_value();
    if (use_backend(Backend::avx2)) require(X25519::derive(a, point, second).has_value() == good && first == second);
    require(X25519::derive(b, point, second).has_value() == good);
    require(good != (first == X25519::SharedSecret()));
    // The top bit, and p added where it fits.
    point.bytes()[31] ^= std::byte{0x80};
    require(X25519::derive(a, point, second).has_value() == good && first == second);
    const auto is_small = [&] {
        return point.bytes()[0] < std::byte{19} &&
               std::all_of(
                   point.bytes().begin() + 1, point.bytes().end() - 1, [](std::byte x) { return x == std::byte{}; }) &&
               (point.bytes()[31] & std::byte{0x7f}) == std::byte{};
    };
    if (is_small()) {
        std::fill(point.bytes().begin() + 1, point.bytes().end(), std::byte{0xff});
        point.bytes()[0] = static_cast<std::byte>(std::to_integer<unsigned>(point.bytes()[0]) + 0xed);
        require(X25519::derive(a, point, second).has_value() == good && first == second);
    }
    a.bytes()[0] ^= std::byte{7};
    a.bytes()[31] ^= std::byte{0xc0};
    require(X25519::derive(a, point, second).has_value() == good && first == second);
    return 0;
}
