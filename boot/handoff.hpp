// The versioned hand-off block: what the PVH entry and the UEFI loader tell the kernel. All addresses are physical. The block
// and what it points to lie in memory that the map marks `boot` (reclaimable once the kernel has copied it) or `reserved`.
#pragma once

#include <cstdint>

namespace aios::boot {

inline constexpr std::uint64_t kHandOffMagic = 0x464f444e4148'4941ull;
inline constexpr std::uint32_t kHandOffVersion = 1;
inline constexpr std::uint32_t kMaxMemoryRanges = 128;

enum class MemoryKind : std::uint32_t { usable = 1, reserved = 2, acpi = 3, boot = 4, kernel = 5, container = 6 };
enum class BootPath : std::uint32_t { pvh = 1, uefi = 2 };

struct MemoryRange {
    std::uint64_t base;
    std::uint64_t bytes;
    MemoryKind kind;
    std::uint32_t reserved;
};

struct HandOff {
    std::uint64_t magic;
    std::uint32_t version;
    BootPath path;
    std::uint64_t kernel_base; // where the image was loaded, 2 MiB aligned
    std::uint64_t kernel_bytes;
    std::uint64_t container_base; // 0 if there is none; page aligned
    std::uint64_t container_bytes;
    std::uint64_t rsdp;         // ACPI RSDP, or 0
    std::uint64_t command_line; // NUL-ended ASCII, or 0
    std::uint64_t entry_tsc;    // TSC at the first instruction of the boot path
    std::uint8_t seed[32];      // entropy from the loader, or zeros
    std::uint32_t seed_bytes;   // how many of them are meant
    std::uint32_t range_count;
    MemoryRange ranges[kMaxMemoryRanges]; // sorted by base, not overlapping
};

} // namespace aios::boot
