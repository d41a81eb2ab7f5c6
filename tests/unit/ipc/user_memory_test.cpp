// The typed pointers against addresses and counts that an agent makes up: nothing wraps, nothing leaves its span, and
// what touches nothing is fine wherever it lies.
#include <gtest/gtest.h>

#include "kernel/mm/user_memory.hpp"
#include "tests/unit/ipc/support.hpp"

namespace aios::test {
namespace {

constexpr std::uint64_t kTop = ~0ull;

// SAFETY: user memory is the test's own here.
std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

TEST(UserMemory, arrays_are_read_and_written_by_index) {
    std::uint64_t words[4] = {1, 2, 3, 4};
    EXPECT_EQ(UserIn<std::uint64_t>(address_of(words)).read(2).value_or(0), 3u);
    std::uint64_t two[2] = {};
    ASSERT_TRUE(UserIn<std::uint64_t>(address_of(words)).read_array(1, two, 2));
    EXPECT_EQ(two[0], 2u);
    EXPECT_EQ(two[1], 3u);
    ASSERT_TRUE(UserOut<std::uint64_t>(address_of(words)).write(9, 3));
    EXPECT_EQ(words[3], 9u);
    EXPECT_EQ(words[2], 3u);
}

TEST(UserMemory, nothing_wraps) {
    std::uint64_t word = 0;
    constexpr std::uint64_t kBad[] = {kTop, kTop - 7, arch::kUserHigh, arch::kUserHigh - 4, 1ull << 63, 0};
    for (const std::uint64_t address : kBad) {
        EXPECT_FALSE(UserIn<std::uint64_t>(address).read()) << address;
        EXPECT_FALSE(UserOut<std::uint64_t>(address).write(word)) << address;
        EXPECT_FALSE(UserOut<std::uint64_t>(address).is_plausible()) << address;
    }
    // An index that comes round to the variable.
    const std::uint64_t at = address_of(&word);
    constexpr std::uint64_t kRound[] = {1ull << 61, 1ull << 63, kTop, kTop / 8 + 1};
    for (const std::uint64_t index : kRound) {
        EXPECT_FALSE(UserIn<std::uint64_t>(at).read(index)) << index;
        EXPECT_FALSE(UserOut<std::uint64_t>(at).write(1, index)) << index;
        EXPECT_FALSE(UserOut<std::uint64_t>(at).is_plausible(index)) << index;
    }
    // An offset that does, within a size that was made up.
    std::byte byte{};
    EXPECT_FALSE(UserSpan(kTop - 15, kTop).read(at + 16, MutableBytes(&byte, 1)));
    EXPECT_FALSE(UserSpan(at, kTop).write(kTop, Bytes(&byte, 1)));
    EXPECT_FALSE(UserSpan(at, kTop).is_plausible());
    EXPECT_EQ(word, 0u);
}

TEST(UserMemory, a_span_ends_where_it_ends) {
    std::byte bytes[8]{};
    std::byte two[2] = {std::byte{1}, std::byte{2}};
    const UserSpan span(address_of(bytes), 6);
    EXPECT_TRUE(span.write(4, two));
    EXPECT_FALSE(span.write(5, two));
    EXPECT_FALSE(span.read(6, MutableBytes(two, 1)));
    EXPECT_TRUE(span.read(6, MutableBytes()));
    EXPECT_EQ(bytes[6], std::byte{});
}

TEST(UserMemory, nothing_is_fine_wherever_it_lies) {
    constexpr std::uint64_t kAnywhere[] = {0, 1, arch::kUserHigh, kTop};
    for (const std::uint64_t address : kAnywhere) {
        EXPECT_TRUE(UserIn<char>(address).read_array(0, nullptr, 0)) << address;
        EXPECT_TRUE(UserOut<std::uint64_t>(address).write_array(kTop, nullptr, 0)) << address;
        EXPECT_TRUE(UserOut<std::uint64_t>(address).is_plausible(0)) << address;
        EXPECT_TRUE(UserSpan(address, 0).is_plausible()) << address;
    }
}

} // namespace
} // namespace aios::test
