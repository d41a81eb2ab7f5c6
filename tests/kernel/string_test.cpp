// The memory functions, over lengths and distances around their step of eight bytes.
#include <cstring>

#include "tests/kernel/test.hpp"

namespace {

constexpr std::size_t kBytes = 128;

void fill(unsigned char* bytes) {
    for (std::size_t i = 0; i < kBytes; ++i)
        bytes[i] = static_cast<unsigned char>(i * 7 + 1);
}

KERNEL_TEST(string_move_overlap) {
    unsigned char moved[kBytes], wanted[kBytes], source[kBytes];
    for (std::size_t length = 0; length <= 40; ++length) {
        for (std::size_t to = 0; to <= 40; ++to) {
            fill(moved);
            fill(wanted);
            fill(source);
            for (std::size_t i = 0; i < length; ++i)
                wanted[to + i] = source[20 + i];
            std::memmove(moved + to, moved + 20, length);
            for (std::size_t i = 0; i < kBytes; ++i)
                KERNEL_EXPECT(moved[i] == wanted[i]);
        }
    }
}

KERNEL_TEST(string_set_and_compare) {
    unsigned char a[kBytes], b[kBytes];
    for (std::size_t length = 0; length <= 40; ++length) {
        fill(a);
        fill(b);
        std::memset(a + 3, 0xa5, length);
        for (std::size_t i = 0; i < kBytes; ++i)
            KERNEL_EXPECT(a[i] == (i >= 3 && i < 3 + length ? 0xa5 : b[i]));
        fill(a);
        KERNEL_EXPECT(std::memcmp(a, b, length) == 0);
        if (length == 0) continue;
        ++a[length - 1];
        KERNEL_EXPECT(std::memcmp(a, b, length) > 0);
        KERNEL_EXPECT(std::memcmp(b, a, length) < 0);
        KERNEL_EXPECT(std::memcmp(a, b, length - 1) == 0);
    }
}

} // namespace
