// The four-way SHAKE against the plain one, for every backend: all input lengths around the block, several blocks out.
#include <vector>

#include <gtest/gtest.h>

#include "crypto/backend.hpp"
#include "crypto/keccak_x4.hpp"
#include "crypto/sha3.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto {
namespace {

template <typename Four, typename One>
void compare() {
    test::for_each_backend([] {
        for (std::size_t length = 0; length < 3 * Four::kBlockSize; ++length) {
            std::vector<std::vector<std::byte>> inputs(4, std::vector<std::byte>(length));
            for (std::size_t s = 0; s < 4; ++s)
                for (std::size_t i = 0; i < length; ++i)
                    inputs[s][i] = static_cast<std::byte>(length * 7 + s * 31 + i * 13);
            std::vector<std::vector<std::byte>> outputs(4, std::vector<std::byte>(3 * Four::kBlockSize));
            Four four;
            four.absorb(inputs[0], inputs[1], inputs[2], inputs[3]);
            four.squeeze_blocks({outputs[0].data(), outputs[1].data(), outputs[2].data(), outputs[3].data()}, 2);
            constexpr std::size_t kLast = 2 * Four::kBlockSize;
            four.squeeze_blocks({&outputs[0][kLast], &outputs[1][kLast], &outputs[2][kLast], &outputs[3][kLast]}, 1);
            for (std::size_t s = 0; s < 4; ++s) {
                One one;
                one.update(inputs[s]);
                std::vector<std::byte> expected(3 * Four::kBlockSize);
                one.squeeze(expected);
                ASSERT_EQ(test::to_hex(outputs[s]), test::to_hex(expected)) << length << " bytes, state " << s;
            }
        }
    });
}

TEST(KeccakX4, Shake128) { compare<Shake128x4, Shake128>(); }
TEST(KeccakX4, Shake256) { compare<Shake256x4, Shake256>(); }

} // namespace
} // namespace aios::crypto
