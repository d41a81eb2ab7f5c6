// See secret.hpp. Volatile accesses keep the compiler from shortening the comparison and from dropping the stores.
#include "crypto/secret.hpp"

#include "crypto/constant_time.hpp"

namespace aios::crypto {

bool equal_in_constant_time(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); i++) {
        difference = static_cast<std::uint8_t>(difference | static_cast<std::uint8_t>(a[i] ^ b[i]));
    }
    return declassified(static_cast<std::uint8_t>(difference == 0)) != 0;
}

void secure_wipe(MutableBytes secret) {
    volatile std::byte* to = secret.data();
    for (std::size_t i = 0; i < secret.size(); i++)
        to[i] = std::byte{0};
}

} // namespace aios::crypto
