// Page tables that map physical memory onto itself, from 0 up to a limit: what the kernel runs on until it has its own.
// Four levels, pages of 1 GiB where the processor has them, else of 2 MiB; writable and executable, because nothing is
// known yet of what lies where. Memory types are the MTRRs' matter. Intel SDM volume 3 section 4.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace aios::boot {

enum class IdentityPage : std::uint8_t { two_mib, one_gib };

// How many table pages a map of [0, top) takes (top is rounded up to 1 GiB). Errors: too_large (above 128 TiB).
[[nodiscard]] Result<std::size_t> identity_map_pages(std::uint64_t top, IdentityPage page);

// Fills `tables` (512 entries a page, exactly identity_map_pages pages), which lies at the page-aligned physical
// address `tables_base`. The first page is the root, what CR3 takes. Errors: too_large, bad_argument (wrong size or
// alignment).
[[nodiscard]] Result<> identity_map_build(std::span<std::uint64_t> tables, std::uint64_t tables_base, std::uint64_t top,
                                          IdentityPage page);

} // namespace aios::boot
