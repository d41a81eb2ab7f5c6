// The operations of crypto/, one function each, for two measurements of a build: how much stack each operation needs
// (stack.cpp) and how large a program is that holds one algorithm alone (alone.cmake).
//
// The functions have C names, so that a linker can be told to start from them. Each makes one call of the library;
// keys, messages and results are static, so that the stack in use is that of the call. They are compiled with the
// host's and with the kernel's flags and need no C library. In the order of the table each finds what it needs.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/types.hpp"

namespace aios::test {

struct Operation {
    const char* algorithm;
    const char* name;
    bool (*run)(); // whether it did what it shall
    std::size_t workspace = 0;
};

[[nodiscard]] std::span<const Operation> symmetric_operations();
[[nodiscard]] std::span<const Operation> aead_operations();
[[nodiscard]] std::span<const Operation> ml_kem_operations();
[[nodiscard]] std::span<const Operation> ml_dsa_operations();
[[nodiscard]] std::span<const Operation> encoding_operations();
[[nodiscard]] std::span<const Operation> slh_dsa_operations();

// Takes the AVX2 path or the portable one. False if there is no such path here.
[[nodiscard]] bool take_avx2(bool wanted);

// What is hashed, sealed and signed.
inline constinit std::array<std::byte, 300> operation_message{};

} // namespace aios::test
