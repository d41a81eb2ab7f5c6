// Builds the hand-off block and leaves the firmware; see depart.hpp. Everything that the kernel finds, except its image
// and the container, lies in one run of pages that the map marks `boot`: the block, the command line, a GDT, a stack,
// page tables that map all memory onto itself. So nothing of the firmware's is in use any more, and all its boot memory
// is handed on as usable.
#include "boot/uefi/depart.hpp"

#include <algorithm>
#include <cstring>

#include "boot/identity_map.hpp"
#include "boot/memory_map.hpp"
#include "boot/uefi/cpu.hpp"

namespace aios::efi {
namespace {

constexpr std::uint64_t kGdtCode64 = 0x00af'9b00'0000'ffff;
constexpr std::uint64_t kGdtData = 0x00cf'9300'0000'ffff;
constexpr int kExitTries = 8;

// The start of the boot pages; page tables follow.
struct BootBlock {
    boot::HandOff hand_off;
    char command_line[kMaxCommandLine + 1];
    alignas(16) std::uint64_t gdt[3];
    alignas(kPage) std::uint8_t stack[8 * kPage];
};
static_assert(sizeof(BootBlock) % kPage == 0);

struct BootPages {
    Pages pages;
    BootBlock* block = nullptr;
    std::uint64_t page_tables = 0;
};

// 32 bytes from the firmware's generator, else from the processor's, else none.
void fill_seed(Firmware& firmware, boot::HandOff& hand_off) {
    if (firmware.random(hand_off.seed)) {
        hand_off.seed_bytes = sizeof(hand_off.seed);
        return;
    }
    std::memset(hand_off.seed, 0, sizeof(hand_off.seed));
    if (!cpu_has_rdrand()) return;
    for (std::size_t at = 0; at < sizeof(hand_off.seed); at += sizeof(std::uint64_t)) {
        std::uint64_t value = 0;
        if (!cpu_random(value)) return;
        std::memcpy(hand_off.seed + at, &value, sizeof(value));
        hand_off.seed_bytes = static_cast<std::uint32_t>(at + sizeof(value));
    }
}

// The end of the memory that the kernel may want to touch before it has its own page tables; at least 4 GiB.
std::uint64_t memory_top(std::span<const boot::MemoryRange> ranges) {
    std::uint64_t top = kFourGib;
    for (const boot::MemoryRange& range : ranges)
        if (range.kind != boot::MemoryKind::reserved) top = std::max(top, range.base + range.bytes);
    return top;
}

Result<BootPages> make_boot_pages(Firmware& firmware, std::uint64_t top) {
    boot::IdentityPage page = cpu_has_gib_pages() ? boot::IdentityPage::one_gib : boot::IdentityPage::two_mib;
    std::size_t table_pages = TRY(boot::identity_map_pages(top, page));
    BootPages boot{.pages = TRY(firmware.pages_below(kFourGib, sizeof(BootBlock) + table_pages * kPage))};
    std::memset(boot.pages.span().data(), 0, sizeof(BootBlock));
    // SAFETY: the pages are aligned, zeroed and this holder's alone; BootBlock is an aggregate of plain data.
    boot.block = reinterpret_cast<BootBlock*>(boot.pages.base());
    boot.page_tables = boot.pages.base() + sizeof(BootBlock);
    // SAFETY: the page tables follow the block in the same pages.
    std::span<std::uint64_t> tables(reinterpret_cast<std::uint64_t*>(boot.page_tables),
                                    table_pages * kPage / sizeof(std::uint64_t));
    TRY(boot::identity_map_build(tables, boot.page_tables, top, page));
    return boot;
}

std::uint64_t address_of(const void* pointer) {
    // SAFETY: UEFI maps all memory onto itself, so the address is the physical one.
    return reinterpret_cast<std::uint64_t>(pointer);
}

void fill_hand_off(Firmware& firmware, BootBlock& block, const LoadedKernel& kernel, const LoadedContainer& container,
                   const CommandLine& line, std::uint64_t entry_tsc) {
    boot::HandOff& hand_off = block.hand_off;
    hand_off.magic = boot::kHandOffMagic;
    hand_off.version = boot::kHandOffVersion;
    hand_off.path = boot::BootPath::uefi;
    hand_off.kernel_base = kernel.image.base();
    hand_off.kernel_bytes = kernel.image.bytes();
    hand_off.container_base = container.pages.base();
    hand_off.container_bytes = container.bytes;
    hand_off.rsdp = firmware.configuration_table(kAcpi20Guid);
    if (hand_off.rsdp == 0) hand_off.rsdp = firmware.configuration_table(kAcpi10Guid);
    if (line.length != 0) {
        std::memcpy(block.command_line, line.text, line.length + 1);
        hand_off.command_line = address_of(block.command_line);
    }
    hand_off.entry_tsc = entry_tsc;
    fill_seed(firmware, hand_off);
    block.gdt[1] = kGdtCode64;
    block.gdt[2] = kGdtData;
}

Result<> fill_map(const MapSnapshot& map, const BootPages& boot) {
    boot::HandOff& hand_off = boot.block->hand_off;
    const boot::MemoryRange claims[] = {
        {hand_off.kernel_base, hand_off.kernel_bytes, boot::MemoryKind::kernel, 0},
        {hand_off.container_base, (hand_off.container_bytes + kPage - 1) / kPage * kPage, boot::MemoryKind::container,
         0},
        {boot.pages.base(), boot.pages.bytes(), boot::MemoryKind::boot, 0},
    };
    auto firmware_ranges = TRY(map.ranges(MapMoment::after_exit));
    hand_off.range_count = TRY(boot::memory_map_build(firmware_ranges, claims, hand_off.ranges));
    return {};
}

// The map's key is stale when the firmware has allocated in between (a timer, the console): then both are made anew.
Result<> leave_firmware(Firmware& firmware, MapSnapshot& map, const BootPages& boot) {
    for (int i = 0; i < kExitTries; ++i) {
        TRY(firmware.map_read(map));
        TRY(fill_map(map, boot));
        if (firmware.exit(map.key)) return {};
    }
    return fail(Error::busy);
}

} // namespace

Result<> depart(Firmware& firmware, const LoadedKernel& kernel, const LoadedContainer& container,
                const CommandLine& line, std::uint64_t entry_tsc) {
    constexpr std::string_view kStep = "hand-off";
    if (cpu_five_levels())
        return firmware.refuse(kStep, "the firmware uses five-level paging; switch it off in the firmware's setup",
                               Error::unsupported);
    MapSnapshot map;
    if (!firmware.map_read(map)) return firmware.refuse(kStep, "the firmware gives no memory map", Error::device);
    auto ranges = map.ranges(MapMoment::after_exit);
    if (!ranges) return firmware.refuse(kStep, "the firmware's memory map is not well-formed", ranges.error());
    auto boot = make_boot_pages(firmware, memory_top(*ranges));
    if (!boot) return firmware.refuse(kStep, "no memory below 4 GiB is free for the hand-off block", boot.error());
    fill_hand_off(firmware, *boot->block, kernel, container, line, entry_tsc);

    firmware.print({"aios-loader: kernel and container are in memory, starting"});
    if (auto left = leave_firmware(firmware, map, *boot); !left)
        return firmware.refuse(kStep, "the firmware does not let go of the machine", left.error());
    cpu_depart({
        .gdt = {sizeof(boot->block->gdt) - 1, address_of(boot->block->gdt)},
        .page_tables = boot->page_tables,
        .stack_top = address_of(boot->block->stack) + sizeof(boot->block->stack),
        .entry = kernel.entry,
        .hand_off = address_of(&boot->block->hand_off),
    });
}

} // namespace aios::efi
