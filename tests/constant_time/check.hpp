// What the operations of this check are made of: secrets that valgrind memcheck takes for undefined memory, so that it
// reports each branch and each address that depends on them.
//
// An operation is run once with every backend. It passes if its result is right and valgrind reported nothing
// meanwhile. It also says whether its secret outcome is still marked: an operation that lost the marks on the way
// checked nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <valgrind/memcheck.h>

#include "base/types.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/sha3.hpp"

namespace aios::test {

struct Check {
    std::string_view name;
    bool (*run)(); // whether the result was right
};

[[nodiscard]] std::span<const Check> symmetric_checks();
[[nodiscard]] std::span<const Check> aead_checks();
[[nodiscard]] std::span<const Check> ml_kem_checks();
[[nodiscard]] std::span<const Check> ml_dsa_checks();
[[nodiscard]] std::span<const Check> encoding_checks();
[[nodiscard]] std::span<const Check> slh_dsa_checks();
// Functions that leak on purpose: each of them has to be reported.
[[nodiscard]] std::span<const Check> leaks();

// Bytes that are the same in every run and differ with the number.
inline void fill(MutableBytes out, std::uint8_t number) {
    const std::byte seed{number};
    crypto::Shake128 xof;
    xof.update({&seed, 1});
    xof.squeeze(out);
}

// The same, and marked as a secret.
inline void fill_secret(MutableBytes out, std::uint8_t number) {
    fill(out, number);
    crypto::classify(out);
}

// Whether a bit of it is marked. Asking makes no report.
inline bool is_secret(Bytes memory) {
    bool marked = false;
    for (const std::byte& byte : memory) {
        std::uint8_t bits = 0;
        static_cast<void>(VALGRIND_GET_VBITS(&byte, &bits, 1));
        marked = marked || bits != 0;
    }
    return marked;
}

// Compares in the open, when the operation is over.
inline bool reveal_equal(Bytes a, Bytes b) {
    crypto::declassify(a);
    crypto::declassify(b);
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) return false;
    return true;
}

} // namespace aios::test
