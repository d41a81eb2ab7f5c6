// Registers of a device at byte offsets of a mapped window, for the two transports of virtio.
#pragma once

#include <cstdint>

namespace aios::dev {

// SAFETY (these): `base` is a mapped register window that reaches as far; accesses have the width of the field.
template <typename T>
T read_register(volatile std::uint8_t* base, unsigned offset) {
    return *reinterpret_cast<volatile T*>(base + offset); // SAFETY: as above
}
template <typename T>
void write_register(volatile std::uint8_t* base, unsigned offset, T value) {
    *reinterpret_cast<volatile T*>(base + offset) = value; // SAFETY: as above
}

} // namespace aios::dev
