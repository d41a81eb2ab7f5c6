// Small names that every folder uses: byte spans, size literals, and a base class that forbids copying. Nothing here
// runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace aios {

// Bytes that are read, and bytes that are written. Neither owns anything.
using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// Base for objects with an identity: what is linked into lists or pointed at must not be copied or moved.
class Pinned {
public:
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

protected:
    constexpr Pinned() = default;
    constexpr ~Pinned() = default;
};

inline namespace literals {

consteval std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
consteval std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
consteval std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

} // namespace literals

} // namespace aios
