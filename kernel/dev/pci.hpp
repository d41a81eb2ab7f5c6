// PCI configuration space by ports 0xcf8 and 0xcfc (PCI Local Bus 3.0 section 3.2.2.3.2), and the search for a device.
// Boot CPU only, before other CPUs use devices: the port pair has no lock.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace aios::dev {

// Offsets in configuration space (section 6.1), and of what a capability of the vendor begins with (6.7).
namespace pci {
inline constexpr std::uint8_t kCommand = 4, kStatus = 6, kCapabilities = 0x34;
inline constexpr std::uint8_t kNextCapability = 1;
inline constexpr std::uint16_t kMemorySpace = 1 << 1, kBusMaster = 1 << 2, kNoInterrupts = 1 << 10; // of kCommand
inline constexpr std::uint16_t kHasCapabilities = 1 << 4;                                           // of kStatus
inline constexpr std::uint8_t kVendorSpecific = 9;                                                  // a capability id
inline constexpr int kMostCapabilities = 48; // so many fit: a list that is longer runs in a circle
} // namespace pci

struct PciAddress {
    std::uint8_t bus = 0, device = 0, function = 0;
};

[[nodiscard]] std::uint32_t pci_read32(PciAddress at, std::uint8_t offset); // offset: a multiple of 4
[[nodiscard]] std::uint16_t pci_read16(PciAddress at, std::uint8_t offset); // of 2
[[nodiscard]] std::uint8_t pci_read8(PciAddress at, std::uint8_t offset);
void pci_write16(PciAddress at, std::uint8_t offset, std::uint16_t value);

// The first device with this vendor and one of two device ids, behind bridges too. not_found.
Result<PciAddress> pci_find(std::uint16_t vendor, std::uint16_t device, std::uint16_t other_device);
// The physical base of memory BAR `index` (0 to 5). bad_format: a port BAR or one that firmware has not assigned.
Result<std::uint64_t> pci_memory_bar(PciAddress at, unsigned index);

} // namespace aios::dev
