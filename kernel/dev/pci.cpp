// See pci.hpp.
#include "kernel/dev/pci.hpp"

#include "kernel/arch/machine.hpp"

namespace aios::dev {
namespace {

constexpr std::uint16_t kSelect = 0xcf8, kData = 0xcfc;
constexpr std::uint8_t kHeaderType = 0x0e, kSecondaryBus = 0x19, kFirstBar = 0x10;

void select(PciAddress at, std::uint8_t offset) {
    arch::port_write32(kSelect, 1u << 31 | std::uint32_t{at.bus} << 16 | std::uint32_t{at.device} << 11 |
                                    std::uint32_t{at.function} << 8 | (offset & 0xfcu));
}

struct Wanted {
    std::uint16_t vendor, device, other;
};

Result<PciAddress> find_on(std::uint8_t bus, const Wanted& wanted, unsigned depth) {
    for (std::uint8_t device = 0; device < 32; ++device) {
        unsigned functions = 1;
        for (std::uint8_t function = 0; function < functions; ++function) {
            const PciAddress at{bus, device, function};
            const std::uint32_t id = pci_read32(at, 0);
            if ((id & 0xffff) == 0xffff) continue;
            const std::uint8_t type = pci_read8(at, kHeaderType);
            if (function == 0 && (type & 0x80) != 0) functions = 8;
            const auto found = static_cast<std::uint16_t>(id >> 16);
            if ((id & 0xffff) == wanted.vendor && (found == wanted.device || found == wanted.other)) return at;
            if ((type & 0x7f) != 1 || depth == 0) continue;
            const std::uint8_t below = pci_read8(at, kSecondaryBus);
            if (below <= bus) continue; // not set up, or a loop
            if (const auto inner = find_on(below, wanted, depth - 1)) return inner;
        }
    }
    return fail(Error::not_found);
}

} // namespace

std::uint32_t pci_read32(PciAddress at, std::uint8_t offset) {
    select(at, offset);
    return arch::port_read32(kData);
}
std::uint16_t pci_read16(PciAddress at, std::uint8_t offset) {
    return static_cast<std::uint16_t>(pci_read32(at, offset) >> (offset % 4 * 8));
}
std::uint8_t pci_read8(PciAddress at, std::uint8_t offset) {
    return static_cast<std::uint8_t>(pci_read32(at, offset) >> (offset % 4 * 8));
}
void pci_write16(PciAddress at, std::uint8_t offset, std::uint16_t value) {
    select(at, offset);
    arch::port_write16(static_cast<std::uint16_t>(kData + offset % 4), value);
}

Result<PciAddress> pci_find(std::uint16_t vendor, std::uint16_t device, std::uint16_t other_device) {
    return find_on(0, {vendor, device, other_device}, 4);
}

Result<std::uint64_t> pci_memory_bar(PciAddress at, unsigned index) {
    if (index > 5) return fail(Error::bad_format);
    const auto offset = static_cast<std::uint8_t>(kFirstBar + index * 4);
    const std::uint32_t low = pci_read32(at, offset);
    if ((low & 1) != 0) return fail(Error::bad_format);
    std::uint64_t base = low & ~15u;
    if ((low >> 1 & 3) == 2) {
        if (index == 5) return fail(Error::bad_format);
        base |= std::uint64_t{pci_read32(at, static_cast<std::uint8_t>(offset + 4))} << 32;
    }
    if (base == 0) return fail(Error::bad_format);
    return base;
}

} // namespace aios::dev
