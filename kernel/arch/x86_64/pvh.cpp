// Start info to HandOff; see pvh.hpp.
#include "kernel/arch/x86_64/pvh.hpp"

#include <cstring>

#include "base/bits.hpp"
#include "boot/memory_map.hpp"

namespace aios::arch::x86 {
namespace {

// The types of the E820 map (ACPI 6.5 table 15.4). What is not plain RAM or ACPI data is reserved.
boot::MemoryKind kind_of(std::uint32_t type) {
    if (type == 1) return boot::MemoryKind::usable;
    if (type == 3) return boot::MemoryKind::acpi;
    return boot::MemoryKind::reserved;
}

// Copies `count` structures: the protocol promises no alignment, and qboot aligns them to 4 bytes.
template <typename T>
Result<> fetch(PhysicalView view, void* context, std::uint64_t address, std::uint64_t count, T* out) {
    if (address == 0) return fail(Error::bad_format);
    const void* from = view(context, address, count * sizeof(T));
    if (from == nullptr) return fail(Error::bad_format);
    std::memcpy(out, from, count * sizeof(T));
    return {};
}

} // namespace

Result<> pvh_convert(PhysicalView view, void* context, std::uint64_t info, std::uint64_t image_base,
                     std::uint64_t image_bytes, std::uint64_t entry_tsc, boot::HandOff& out) {
    PvhStartInfo start;
    TRY(fetch(view, context, info, 1, &start));
    if (start.magic != kPvhMagic || start.version < 1) return fail(Error::bad_format);
    if (start.module_count > kPvhMaxModules) return fail(Error::bad_format);
    if (start.memory_map_entries == 0 || start.memory_map_entries > kPvhMaxMemory) return fail(Error::bad_format);

    out.magic = boot::kHandOffMagic;
    out.version = boot::kHandOffVersion;
    out.path = boot::BootPath::pvh;
    out.kernel_base = image_base;
    out.kernel_bytes = image_bytes;
    out.container_base = 0;
    out.container_bytes = 0;
    out.rsdp = start.rsdp;
    out.command_line = start.command_line;
    out.entry_tsc = entry_tsc;
    out.seed_bytes = 0;

    boot::MemoryRange claims[2];
    std::uint32_t claim_count = 0;
    claims[claim_count++] = {image_base, align_up(image_bytes, boot::kMapPage), boot::MemoryKind::kernel, 0};
    if (start.module_count != 0) {
        PvhModule module;
        TRY(fetch(view, context, start.modules, 1, &module));
        if (module.bytes != 0) {
            if (module.address % boot::kMapPage != 0 || module.bytes > kAddressLimit ||
                module.address > kAddressLimit - module.bytes)
                return fail(Error::bad_format);
            out.container_base = module.address;
            out.container_bytes = module.bytes;
            claims[claim_count++] = {module.address, align_up(module.bytes, boot::kMapPage),
                                     boot::MemoryKind::container, 0};
        }
    }

    PvhMemory memory[kPvhMaxMemory];
    TRY(fetch(view, context, start.memory_map, start.memory_map_entries, memory));
    boot::MemoryRange firmware[kPvhMaxMemory];
    for (std::uint32_t i = 0; i < start.memory_map_entries; ++i)
        firmware[i] = {memory[i].base, memory[i].bytes, kind_of(memory[i].type), 0};
    out.range_count =
        TRY(boot::memory_map_build({firmware, start.memory_map_entries}, {claims, claim_count}, out.ranges));
    return {};
}

} // namespace aios::arch::x86
