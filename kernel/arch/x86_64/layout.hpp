// Where things are: symbols of the linker script, the kernel's virtual layout, and what the early boot code leaves
// behind.
//   physmap       all RAM, no execute, at a random multiple of 1 GiB in [0xffff8000'00000000, 0xffffc000'00000000)
//   kernel space  [kKernelSpaceBase, + 512 GiB): lower half for mm (stacks), upper half for device registers (arch)
//   image         random multiple of 2 MiB in the top 2 GiB
#pragma once

#include <cstddef>
#include <cstdint>

#include "boot/handoff.hpp"

extern "C" {
extern char image_start[], image_text_end[], image_rodata_end[], image_end[];
extern char rela_start[], rela_end[];
extern char boot_stack_bottom[], boot_stack_top[];
}

namespace aios::arch::x86 {

inline constexpr std::uint64_t kImageLinkBase = 0x200000;
inline constexpr std::uint64_t kLargePage = 2ull << 20, kHugePage = 1ull << 30;
inline constexpr std::uint64_t kPhysmapLow = 0xffff'8000'0000'0000;
inline constexpr std::uint64_t kPhysmapSlots = 32768;         // of 1 GiB, for the random base
inline constexpr std::uint64_t kPhysmapMaxBytes = 1ull << 40; // RAM above is left unused
inline constexpr std::uint64_t kKernelSpaceBase = 0xffff'e000'0000'0000;
inline constexpr std::uint64_t kKernelRangeBytes = 16ull << 30;
inline constexpr std::uint64_t kDeviceSpaceBase = 0xffff'e040'0000'0000;
inline constexpr std::uint64_t kDeviceSpaceBytes = 256ull << 30;
inline constexpr std::uint64_t kImageLow = 0xffff'ffff'8000'0000;

// Page table entry bits (SDM volume 3 section 4.5).
inline constexpr std::uint64_t kPtePresent = 1, kPteWrite = 2, kPteUser = 4, kPteWriteThrough = 8, kPteNoCache = 16,
                               kPteAccessed = 32, kPteDirty = 64, kPteLarge = 128, kPteGlobal = 256,
                               kPteNoExecute = 1ull << 63;
inline constexpr std::uint64_t kPteFrame = 0x000f'ffff'ffff'f000;

inline constexpr std::size_t kCommandLineBytes = 4096;

// Written by early_main before anything else runs; constant afterwards.
struct BootFacts {
    boot::HandOff handoff;                // a copy; its addresses are physical still
    char command_line[kCommandLineBytes]; // cut off there; "" if there is none
    std::uint64_t physmap_base;
    std::uint64_t physmap_end;       // first physical address past all RAM
    std::uint64_t image_base;        // virtual
    std::uint64_t image_slide;       // virtual minus physical address of the image
    std::uint64_t kernel_root;       // physical address of the kernel's PML4
    std::uint64_t kernel_range_base; // mm's part of the kernel space
    std::uint64_t kernel_range_bytes;
    std::uint64_t trampoline_page; // below 1 MiB, ours; 0 if there is none
    std::uint64_t fixed_seed;      // seed=N, valid if seed_fixed
    bool seed_fixed;
};
extern BootFacts boot_facts;

// A frame for a page table, zeroed, from the image's own small store: physical address, or 0 when it is used up.
std::uint64_t early_table();

} // namespace aios::arch::x86
