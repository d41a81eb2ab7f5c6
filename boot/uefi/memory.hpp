// Reads the memory map that UEFI's GetMemoryMap gives (UEFI 2.10 section 7.2) into ranges of the hand-off's kinds.
// Runs on the host too, in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "boot/handoff.hpp"

namespace aios::efi {

// When the map is to hold: while boot services run only free memory is usable; after them also what they and the loader
// used.
enum class MapMoment : std::uint8_t { boot_services, after_exit };

// `map` holds descriptors `descriptor_bytes` apart. Fills `out` in the map's order; page 0 is added as reserved, so
// that no null pointer ever names memory. Returns the number of ranges. Errors: bad_format (a stride below a
// descriptor's size), no_space (`out` needs one range more than there are descriptors).
[[nodiscard]] Result<std::size_t> memory_ranges_read(std::span<const std::uint8_t> map, std::size_t descriptor_bytes,
                                                     MapMoment moment, std::span<boot::MemoryRange> out);

} // namespace aios::efi
