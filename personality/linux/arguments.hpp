// What the argument column of coverage.def is made of: besides integers, of which a narrow one keeps the low half of its
// register as on Linux, and the user pointers of kernel/mm/user_memory.hpp, these.
#pragma once

#include "kernel/mm/user_memory.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

// A descriptor as the program gave it, or, where a call takes a directory to start from, kHere.
struct Descriptor {
    std::uint32_t number;
    constexpr explicit Descriptor(std::uint64_t value) : number(static_cast<std::uint32_t>(value)) {}
    bool operator==(const Descriptor&) const = default;
};
inline constexpr Descriptor kHere(static_cast<std::uint64_t>(kAtFdCwd)); // the working directory

// The size of a signal set, of which there is one that is answered.
struct SignalSetBytes {
    std::uint64_t value;
    constexpr explicit SignalSetBytes(std::uint64_t bytes) : value(bytes) {}
    [[nodiscard]] constexpr bool is_answered() const { return value == 8; }
};

// Flags of which those outside `answered` are refused with `otherwise` before the call does anything. The table says so, and
// tests/linux/arguments.cpp tries each bit.
template <std::uint64_t answered, Errno otherwise = kInvalid, typename Word = std::uint32_t>
struct Flags {
    std::uint64_t bits;
    static constexpr Errno kRefused = otherwise;
    constexpr explicit Flags(std::uint64_t value) : bits(static_cast<Word>(value)) {}
    [[nodiscard]] constexpr bool are_answered() const { return (bits & ~answered) == 0; }
    [[nodiscard]] constexpr bool has(std::uint64_t bit) const { return (bits & bit) != 0; }
};
// An unsigned long of flags.
template <std::uint64_t answered>
using WideFlags = Flags<answered, kInvalid, std::uint64_t>;

} // namespace aios::linux_abi
