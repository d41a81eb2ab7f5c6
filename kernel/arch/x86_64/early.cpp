// From the loader's identity map to the kernel's own address space: picks random places, builds page tables (image W^X,
// physmap without execute), applies relocations. Everything here runs at the physical address, before relocation: no
// absolute address, no constant table of pointers, no virtual call. Page tables come from a store inside the image
// (early_table), so that no memory needs to be managed yet. Intel SDM volume 3 section 4.5 (four-level paging).
// SAFETY: addresses are identity mapped here, and what is read or written lies in the image, its tables, or the
// hand-off.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bits.hpp"
#include "kernel/arch/x86_64/command_line.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/pvh.hpp"
#include "kernel/arch/x86_64/requirements.hpp"

extern "C" {
std::uintptr_t __stack_chk_guard = 0; // set below, before any function that checks it is left
extern char smap_sites_start[], smap_sites_end[];
void kernel_entry(); // start.cpp, at its final address
}

namespace aios::arch::x86 {

BootFacts boot_facts;

namespace {

constexpr std::size_t kEarlyTables = 96; // enough for 64 GiB in 2 MiB pages; with 1 GiB pages for all that is allowed
alignas(4096) std::uint64_t table_store[kEarlyTables][512];
std::size_t tables_used = 0;
boot::HandOff pvh_block;

// Addresses of the image as it lies now, in the identity map.
std::uint64_t here(const void* pointer) { return std::bit_cast<std::uint64_t>(pointer); }
std::uint64_t* table_at(std::uint64_t physical) { return std::bit_cast<std::uint64_t*>(physical & kPteFrame); }

// splitmix64 (public domain, S. Vigna): spreads few bits of seed. Only layout depends on it; keys come from the DRBG.
std::uint64_t mix(std::uint64_t& state) {
    std::uint64_t z = state += 0x9e37'79b9'7f4a'7c15;
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
}

std::uint64_t gather_seed() {
    std::uint64_t seed = read_tsc();
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(boot_facts.handoff.seed_bytes, 32); ++i)
        seed = std::rotl(seed, 8) ^ boot_facts.handoff.seed[i];
    mix(seed);
    if ((cpuid(1).ecx & (1u << 30)) != 0) {
        std::uint64_t value = 0;
        for (int tries = 0; tries < 16; ++tries) {
            if (read_random(value)) break;
        }
        seed ^= value;
    }
    return seed;
}

// Maps one page of 4 KiB (level 1), 2 MiB (2) or 1 GiB (3).
void map(std::uint64_t root, std::uint64_t address, std::uint64_t entry, unsigned level) {
    std::uint64_t* table = table_at(root);
    for (unsigned at = 4; at > level; --at) {
        std::uint64_t& slot = table[(address >> (12 + 9 * (at - 1))) & 511];
        if (slot == 0) {
            const std::uint64_t next = early_table();
            if (next == 0) refuse_early("its memory needs more page tables than the kernel image has room for.");
            slot = next | kPtePresent | kPteWrite;
        }
        table = table_at(slot);
    }
    table[(address >> (12 + 9 * (level - 1))) & 511] = entry | (level > 1 ? kPteLarge : 0);
}

std::uint64_t image_page_rights(std::uint64_t physical) {
    if (physical < here(image_text_end)) return 0;
    if (physical < here(image_rodata_end)) return kPteNoExecute;
    return kPteWrite | kPteNoExecute;
}

void map_image(std::uint64_t root) {
    for (std::uint64_t at = here(image_start); at < here(image_end); at += 4096) {
        const std::uint64_t entry = at | kPtePresent | kPteGlobal | image_page_rights(at);
        map(root, boot_facts.image_slide + at, entry, 1);
    }
    // Until the jump to the final address is done, this code also runs where it lies. kernel_entry removes it.
    for (std::uint64_t at = align_down(here(image_start), kLargePage); at < here(image_end); at += kLargePage)
        map(root, at, at | kPtePresent | kPteWrite, 2);
}

bool is_memory(boot::MemoryKind kind) { return kind != boot::MemoryKind::reserved; }

// True if every byte of [base, base + bytes) is RAM.
bool all_memory(std::uint64_t base, std::uint64_t bytes) {
    std::uint64_t at = base;
    for (std::uint32_t i = 0; i < boot_facts.handoff.range_count; ++i) {
        const auto& range = boot_facts.handoff.ranges[i];
        if (!is_memory(range.kind) || range.base + range.bytes <= at) continue;
        if (range.base > at) return false;
        at = range.base + range.bytes;
        if (at >= base + bytes) return true;
    }
    return false;
}

// The physmap of one 2 MiB chunk. The image's text and constants stay read-only here too: no second, writable way to
// them.
void map_chunk(std::uint64_t root, std::uint64_t chunk) {
    const std::uint64_t bits = kPtePresent | kPteGlobal | kPteNoExecute;
    if (chunk + kLargePage <= here(image_start) || chunk >= align_up(here(image_end), kLargePage)) {
        map(root, boot_facts.physmap_base + chunk, chunk | bits | kPteWrite, 2);
        return;
    }
    for (std::uint64_t at = chunk; at < chunk + kLargePage; at += 4096) {
        const bool locked = at >= here(image_start) && at < here(image_rodata_end);
        map(root, boot_facts.physmap_base + at, at | bits | (locked ? 0 : kPteWrite), 1);
    }
}

void map_physical_memory(std::uint64_t root) {
    const bool huge_pages = has_leaf(0x8000'0001) && (cpuid(0x8000'0001).edx & (1u << 26)) != 0;
    std::uint64_t done = 0;
    for (std::uint32_t i = 0; i < boot_facts.handoff.range_count; ++i) {
        const auto& range = boot_facts.handoff.ranges[i];
        if (!is_memory(range.kind) || range.base >= kPhysmapMaxBytes) continue;
        const std::uint64_t end = std::min(range.base + range.bytes, kPhysmapMaxBytes);
        std::uint64_t at = std::max(align_down(range.base, kLargePage), done);
        while (at < end) {
            const bool image_near = at < here(image_end) && at + kHugePage > here(image_start);
            if (huge_pages && is_aligned(at, kHugePage) && !image_near && all_memory(at, kHugePage)) {
                map(root, boot_facts.physmap_base + at, at | kPtePresent | kPteWrite | kPteGlobal | kPteNoExecute, 3);
                at += kHugePage;
            } else {
                map_chunk(root, at);
                at += kLargePage;
            }
        }
        done = at;
        boot_facts.physmap_end = end;
    }
}

// Memory below 1 MiB is ours: one page of it starts the other CPUs. The rest is too little to be worth managing.
void take_low_memory() {
    constexpr std::uint64_t kLow = 0xa0000;
    auto& handoff = boot_facts.handoff;
    for (std::uint32_t i = 0; i < handoff.range_count; ++i) {
        auto& range = handoff.ranges[i];
        if (range.kind != boot::MemoryKind::usable || range.base >= kLow) continue;
        const std::uint64_t end = std::min(range.base + range.bytes, kLow);
        if (end - range.base >= 2 * 4096) boot_facts.trampoline_page = align_down(end, 4096) - 4096;
    }
}

void copy_hand_off(const boot::HandOff& from) {
    if (from.magic != boot::kHandOffMagic || from.version != boot::kHandOffVersion ||
        from.range_count > boot::kMaxMemoryRanges)
        refuse_early("the loader's hand-off block is of another version; use loader and kernel of one build.");
    std::memcpy(&boot_facts.handoff, &from, sizeof(from));
    // SAFETY: the hand-off says that NUL-ended text lies there, inside the identity map; we stop at our own limit.
    const auto* text = std::bit_cast<const char*>(from.command_line);
    std::size_t length = 0;
    if (from.command_line != 0) {
        while (length + 1 < kCommandLineBytes && text[length] != '\0') {
            boot_facts.command_line[length] = text[length];
            ++length;
        }
    }
    boot_facts.command_line[length] = '\0';
}

struct Rela { // ELF64_Rela
    std::uint64_t offset, info;
    std::int64_t addend;
};

// The linker leaves only R_X86_64_RELATIVE (8): word at `offset` = base + addend.
void relocate() {
    const auto* end = std::bit_cast<const Rela*>(here(rela_end));
    for (const auto* rela = std::bit_cast<const Rela*>(here(rela_start)); rela < end; ++rela) {
        if ((rela->info & 0xffff'ffff) != 8) refuse_early("the kernel image has a relocation that it should not have.");
        auto* word = std::bit_cast<std::uint64_t*>(rela->offset - kImageLinkBase + here(image_start));
        *word = static_cast<std::uint64_t>(rela->addend) - kImageLinkBase + boot_facts.image_base;
    }
}

void choose_places(std::uint64_t& random) {
    boot_facts.physmap_base = kPhysmapLow + (mix(random) % kPhysmapSlots) * kHugePage;
    const std::uint64_t image_bytes = align_up(here(image_end) - here(image_start), kLargePage);
    const std::uint64_t places = ((0ull - kImageLow) - image_bytes) / kLargePage - 1; // the last 2 MiB stay free
    boot_facts.image_base = kImageLow + (mix(random) % places) * kLargePage;
    boot_facts.image_slide = boot_facts.image_base - here(image_start);
    const std::uint64_t room = kDeviceSpaceBase - kKernelSpaceBase - kKernelRangeBytes;
    boot_facts.kernel_range_base = kKernelSpaceBase + (mix(random) % (room / kLargePage)) * kLargePage;
    boot_facts.kernel_range_bytes = kKernelRangeBytes;
}

// Opens the kernel to user pages and closes it again at the marked places, where the processor has SMAP
// (entry_macros.h).
struct SmapSite {
    std::int32_t distance; // from this field to the three bytes
    std::uint32_t opcode;
};

void patch_smap_sites() {
    if (!has_leaf(7) || (cpuid(7).ebx & (1u << 20)) == 0) return;
    const auto* end = std::bit_cast<const SmapSite*>(here(smap_sites_end));
    for (const auto* site = std::bit_cast<const SmapSite*>(here(smap_sites_start)); site < end; ++site) {
        auto* code =
            std::bit_cast<std::uint8_t*>(here(site) + static_cast<std::uint64_t>(std::int64_t{site->distance}));
        code[0] = 0x0f;
        code[1] = 0x01;
        code[2] = static_cast<std::uint8_t>(site->opcode);
    }
}

// The processor is as the kernel needs it, and in a known state: whatever else firmware had switched on in CR4 is off.
// Five-level paging can only be left with paging off, for which nothing is prepared here.
void take_processor() {
    if ((read_cr4() & kCr4FiveLevels) != 0)
        refuse_early("firmware left the processor in five-level paging; switch it off there (la57=off).");
    const std::string_view missing = missing_feature();
    if (!missing.empty()) refuse_early("the processor lacks ", missing);
    write_cr4(kCr4Pae);
}

} // namespace

std::uint64_t early_table() {
    if (tables_used == kEarlyTables) return 0;
    return here(table_store[tables_used++]) - (boot_facts.kernel_root != 0 ? boot_facts.image_slide : 0);
}

struct EarlyResult {
    std::uint64_t root, entry, stack;
};

extern "C" [[gnu::no_stack_protector]] void early_main(const boot::HandOff* handoff, EarlyResult* result) {
    take_processor();
    copy_hand_off(*handoff);
    if (const auto seed = command_line_number(boot_facts.command_line, "seed")) {
        boot_facts.seed_fixed = true;
        boot_facts.fixed_seed = *seed;
    }
    std::uint64_t random = boot_facts.seed_fixed ? boot_facts.fixed_seed : gather_seed();
    choose_places(random);
    take_low_memory();
    __stack_chk_guard = mix(random) & ~0xffull; // a zero byte stops string overruns

    write_msr(kMsrEfer, read_msr(kMsrEfer) | kEferNoExecute);
    write_cr0(read_cr0() & ~kCr0WriteProtect); // relocations go into pages that a loader may have made read-only
    relocate();
    patch_smap_sites();
    const std::uint64_t root = early_table();
    map_image(root);
    map_physical_memory(root);
    // Upper levels of the ranges that are filled later exist from the start: all address spaces share them.
    const std::uint64_t space = early_table();
    if (space == 0) refuse_early("its memory needs more page tables than the kernel image has room for.");
    table_at(root)[(kKernelSpaceBase >> 39) & 511] = space | kPtePresent | kPteWrite;
    write_cr0(read_cr0() | kCr0WriteProtect);
    write_cr4(kCr4Pae | kCr4GlobalPages);

    result->root = root;
    result->entry = here(std::bit_cast<const void*>(&kernel_entry)) + boot_facts.image_slide;
    result->stack = here(boot_stack_top) + boot_facts.image_slide;
    boot_facts.kernel_root = root; // last: from here on early_table() runs at the final address
}

extern "C" boot::HandOff* pvh_hand_off(std::uint64_t info, std::uint64_t entry_tsc) {
    take_processor(); // before code that needs more of it; early_main does it again for loaders
    const PhysicalView view = [](void*, std::uint64_t address, std::uint64_t bytes) -> const void* {
        constexpr std::uint64_t kMapped = 4ull << 30;
        if (address >= kMapped || bytes > kMapped - address) return nullptr;
        return std::bit_cast<const void*>(address);
    };
    const std::uint64_t base = here(image_start);
    if (!pvh_convert(view, nullptr, info, base, here(image_end) - base, entry_tsc, pvh_block))
        refuse_early("the virtual machine monitor's start information cannot be used.");
    return &pvh_block;
}

} // namespace aios::arch::x86
