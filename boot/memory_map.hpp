// Turns a firmware memory map into the hand-off's: sorted by base, merged, page aligned, without overlaps.
// Where firmware ranges overlap, the more restricted kind wins (reserved, then acpi, then usable). Claims (the kernel
// image, the container, the boot block) win over everything and keep their exact bounds.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "boot/handoff.hpp"

namespace aios::boot {

inline constexpr std::uint64_t kMapPage = 4096;

// `firmware`: in any order, is sorted in place; a usable range is shrunk to whole pages, any other is grown to them.
// `claims`: page aligned, not empty, not overlapping each other. `out`: at least as many as there are claims.
// Returns how many ranges of `out` were filled. If there are more ranges than `out` holds, ranges are left out in this
// order: reserved (smallest first), usable (smallest first), acpi; never a claim. What no range names is not memory for
// the kernel. Errors: bad_argument (a claim breaks its rules), no_space (`out` is smaller than `claims`).
[[nodiscard]] Result<std::uint32_t> memory_map_build(std::span<MemoryRange> firmware,
                                                     std::span<const MemoryRange> claims, std::span<MemoryRange> out);

// The lowest address, a multiple of `alignment` (a power of two), from which `bytes` lie in one usable range of
// `ranges` (any order) and end at or below `limit`. Errors: out_of_memory.
[[nodiscard]] Result<std::uint64_t> memory_map_find(std::span<const MemoryRange> ranges, std::uint64_t bytes,
                                                    std::uint64_t alignment, std::uint64_t limit);

} // namespace aios::boot
