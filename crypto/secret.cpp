// See secret.hpp. Volatile accesses keep the compiler from shortening the comparison and from dropping the stores.
#include "crypto/secret.hpp"

#include <bit>

#include "crypto/constant_time.hpp"

namespace aios::crypto {

bool equal_in_constant_time(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<std::uint8_t>(difference | static_cast<std::uint8_t>(a[i] ^ b[i]));
    }
    return declassified(static_cast<std::uint8_t>(difference == 0)) != 0;
}

void secure_wipe(MutableBytes secret) {
    // Words where they fit: workspaces of kilobytes are wiped at the end of every operation.
    using Word [[gnu::may_alias]] = std::uint64_t;
    while (!secret.empty() &&
           (std::bit_cast<std::uintptr_t>(secret.data()) % sizeof(Word) != 0 || secret.size() < sizeof(Word))) {
        *static_cast<volatile std::byte*>(secret.data()) = std::byte{0};
        secret = secret.subspan(1);
    }
    // SAFETY: aligned, whole words inside of `secret`; the type may alias anything.
    auto* words = reinterpret_cast<volatile Word*>(secret.data());
    const std::size_t count = secret.size() / sizeof(Word);
    for (std::size_t i = 0; i < count; ++i)
        words[i] = 0;
    volatile std::byte* rest = secret.data() + count * sizeof(Word);
    for (std::size_t i = 0; i < secret.size() % sizeof(Word); ++i)
        rest[i] = std::byte{0};
}

} // namespace aios::crypto
