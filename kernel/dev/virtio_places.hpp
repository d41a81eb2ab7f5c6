// Where virtio devices stand in memory (virtio 1.1 section 4.2): said by ACPI's tables, or by words
// virtio_mmio.device=SIZE@BASE:LINE of the command line, as a virtual machine monitor without such tables adds them.
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/static_vector.hpp"

namespace aios::dev {

struct VirtioPlace {
    std::uint64_t base;
    std::uint64_t bytes;
};
using VirtioPlaces = StaticVector<VirtioPlace, 32>;

inline constexpr std::uint64_t kVirtioMmioBytes = 0x100; // registers before the device's own configuration

// Left out: one that is too small, not aligned, beyond 52 bits, there already, or one for which there is no room.
void add_virtio_place(VirtioPlaces& places, const VirtioPlace& place);

// Adds those of the command line. SIZE and BASE are decimal, or hexadecimal behind 0x; K, M and G are understood.
void read_virtio_words(std::string_view command_line, VirtioPlaces& places);

} // namespace aios::dev
