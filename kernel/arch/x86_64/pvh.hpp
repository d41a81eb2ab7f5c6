// The PVH boot protocol's start info, turned into a HandOff. Pure: physical memory is reached through a function, so
// that host tests can give any. Nothing here may use an absolute address: it runs before relocation. Structures: Xen
// public/arch-x86/hvm/start_info.h, version 1.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "boot/handoff.hpp"

namespace aios::arch::x86 {

struct PvhStartInfo {
    std::uint32_t magic, version, flags, module_count;
    std::uint64_t modules, command_line, rsdp, memory_map;
    std::uint32_t memory_map_entries, reserved;
};
struct PvhModule {
    std::uint64_t address, bytes, command_line, reserved;
};
struct PvhMemory {
    std::uint64_t base, bytes;
    std::uint32_t type, reserved;
};
inline constexpr std::uint32_t kPvhMagic = 0x336e'c578;
inline constexpr std::uint32_t kPvhMaxModules = 16;
inline constexpr std::uint32_t kPvhMaxMemory = 256;
inline constexpr std::uint64_t kAddressLimit = 1ull << 52; // physical addresses are shorter

// `bytes` readable bytes at a physical address, or nullptr if it cannot be read (host tests; beyond the identity map).
using PhysicalView = const void* (*)(void* context, std::uint64_t address, std::uint64_t bytes);

// Fills `out` from the start info at `info`. `image_base` and `image_bytes` are where the kernel lies. Module 0 is the
// container. Errors: bad_format (magic, version, a count or an address that cannot be), no_space (too many ranges),
// bad_argument (the container overlaps the kernel).
Result<> pvh_convert(PhysicalView view, void* context, std::uint64_t info, std::uint64_t image_base,
                     std::uint64_t image_bytes, std::uint64_t entry_tsc, boot::HandOff& out);

} // namespace aios::arch::x86
