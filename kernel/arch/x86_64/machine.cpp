// Ports, physical memory windows, hardware random numbers and the last resort of a reset, for the folders above.
#include "kernel/arch/machine.hpp"

#include "base/checked.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/page_entry.hpp"

namespace aios::arch {
namespace {

bool physmap_has(std::uint64_t physical) {
    if (physical >= x86::kPhysmapMaxBytes) return false;
    const std::uint64_t address = x86::boot_facts.physmap_base + physical;
    std::uint64_t entry = x86::boot_facts.kernel_root | x86::kPtePresent;
    for (unsigned level = 4; level >= 1; --level) {
        entry = x86::table_of(entry)[x86::index_at(address, level)];
        if ((entry & x86::kPtePresent) == 0) return false;
        if (level > 1 && (entry & x86::kPteLarge) != 0) return true;
    }
    return true;
}

} // namespace

Result<Bytes> view_physical(PhysAddr address, std::uint64_t bytes) {
    const std::uint64_t end = TRY(checked_add(address.value, bytes));
    if (end > 1ull << 52) return fail(Error::not_found);
    bool covered = true;
    for (std::uint64_t at = address.value & ~(kPageSize - 1); at < end && covered; at += kPageSize)
        covered = physmap_has(at);
    // SAFETY: mapped, readable memory either way.
    if (covered) return Bytes(static_cast<const std::byte*>(physmap(address)), bytes);
    const auto window = TRY(x86::map_window(address.value, bytes, Caching::memory));
    return Bytes(static_cast<const std::byte*>(const_cast<const void*>(window)), bytes);
}

Result<volatile void*> map_registers(PhysAddr address, std::uint64_t bytes) {
    return x86::map_window(address.value, bytes, Caching::device_registers);
}

std::uint8_t port_read8(std::uint16_t port) { return x86::in8(port); }
std::uint16_t port_read16(std::uint16_t port) { return x86::in16(port); }
std::uint32_t port_read32(std::uint16_t port) { return x86::in32(port); }
void port_write8(std::uint16_t port, std::uint8_t value) { x86::out8(port, value); }
void port_write16(std::uint16_t port, std::uint16_t value) { x86::out16(port, value); }
void port_write32(std::uint16_t port, std::uint32_t value) { x86::out32(port, value); }

void triple_fault() {
    const struct [[gnu::packed]] {
        std::uint16_t limit = 0;
        std::uint64_t base = 0;
    } nothing;
    interrupts_disable();
    // SAFETY: the end is wanted: with no interrupt table, an exception becomes a shutdown, which resets the machine.
    asm volatile("lidt %0; ud2" : : "m"(nothing));
    halt_forever();
}

std::optional<std::uint64_t> hardware_random() {
    if (!x86::features().rdrand) return std::nullopt;
    for (int tries = 0; tries < 32; ++tries) {
        std::uint64_t value;
        if (x86::read_random(value)) return value;
    }
    return std::nullopt;
}

} // namespace aios::arch
