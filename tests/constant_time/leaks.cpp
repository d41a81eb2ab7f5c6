// Functions that do what crypto/ must not: the check of the check. Nothing here is inlined or turned into a mask by a
// compiler: the calls and the volatile table keep branch and address where they are.
#include <array>
#include <cstring>

#include "crypto/constant_time.hpp"
#include "tests/constant_time/check.hpp"

// A register that guard_divisions.sh lends.
extern "C" {
extern std::uint64_t aios_guarded_r11;
std::uint64_t aios_guarded_r11 = 0;
}

namespace aios::test {

namespace {

volatile std::uint8_t table[256];
volatile std::uint8_t sink;

[[gnu::noinline]] void note(std::uint8_t value) { sink = value; }

[[gnu::noinline]] void note_twice(std::uint8_t value) {
    note(value);
    note(value);
}

// Two different functions: of one with two arguments, compilers make a conditional move.
[[gnu::noinline]] void branch_on(std::uint8_t secret) {
    if ((secret & 1) != 0)
        note(1);
    else
        note_twice(2);
}

[[gnu::noinline]] void index_with(std::uint8_t secret) { sink = table[secret]; }

// A comparison that ends at the first difference, as memcmp's callers write it.
[[gnu::noinline]] bool early_end(Bytes a, Bytes b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) return false;
    return true;
}

// A loop as long as a secret says.
[[gnu::noinline]] void loop_to(std::uint8_t secret) {
    for (std::uint8_t i = 0; i < secret; ++i)
        note(i);
}

// Its time depends on the operands. Valgrind sees it thanks to guard_divisions.sh.
[[gnu::noinline]] void divide(std::uint32_t secret, std::uint32_t by) { sink = static_cast<std::uint8_t>(secret / by); }
[[gnu::noinline]] void divide_byte(std::uint8_t secret, std::uint8_t by) {
    sink = static_cast<std::uint8_t>(secret / by);
}
[[gnu::noinline]] void divide_signed(std::int64_t by, std::int64_t secret) {
    sink = static_cast<std::uint8_t>(by % secret);
}

std::uint8_t secret_byte() {
    std::array<std::byte, 1> secret;
    fill_secret(secret, 1);
    return static_cast<std::uint8_t>(secret[0]);
}

constexpr Check kLeaks[] = {
    {"leak_branch",
     [] {
         branch_on(secret_byte());
         return true;
     }},
    {"leak_index",
     [] {
         index_with(secret_byte());
         return true;
     }},
    {"leak_early_end",
     [] {
         std::array<std::byte, 8> secret;
         std::array<std::byte, 8> other;
         fill_secret(secret, 1);
         fill(other, 1);
         return early_end(secret, other);
     }},
    {"leak_loop",
     [] {
         loop_to(secret_byte());
         return true;
     }},
    {"leak_division",
     [] {
         divide(secret_byte(), 3 + table[0]);
         return true;
     }},
    {"leak_signed_division",
     [] {
         divide_signed(1000 + table[0], secret_byte() | 1); // one bit is known
         return true;
     }},
    {"leak_division_of_byte",
     [] {
         divide_byte(secret_byte(), static_cast<std::uint8_t>(3 + table[0]));
         return true;
     }},
    {"leak_division_of_large_number",
     [] {
         divide(secret_byte() | 0x80000000u, 3 + table[0]);
         return true;
     }},
    // The marks go through the library: what a hash makes of a secret is a secret.
    {"leak_behind_hash",
     [] {
         std::array<std::byte, 32> secret;
         fill_secret(secret, 1);
         const auto digest = crypto::Sha3_256::hash(secret);
         branch_on(static_cast<std::uint8_t>(digest[31]));
         return true;
     }},
};

} // namespace

std::span<const Check> leaks() { return kLeaks; }

} // namespace aios::test
