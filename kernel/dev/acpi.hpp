// What the kernel wants to know from ACPI (specification 6.5): processors and I/O APICs (MADT), the HPET, ACPI's timer,
// how to switch off and reset (FADT, \_S5 of the DSDT), and where virtio devices stand in memory (DSDT). Only tables
// are read, no AML is run. Every length is checked against what the table's checksummed header says, so firmware can be
// wrong but not harmful. Pure: memory is reached through AcpiMemory, which host tests and the fuzzer implement.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "base/static_vector.hpp"
#include "base/types.hpp"
#include "kernel/dev/virtio_places.hpp"

namespace aios::dev {

class AcpiMemory {
public:
    // `bytes` readable bytes at a physical address; not_found if there is no such memory.
    virtual Result<Bytes> view(std::uint64_t address, std::uint64_t bytes) = 0;

protected:
    ~AcpiMemory() = default;
};

struct AcpiIoApic {
    std::uint8_t id;
    std::uint64_t address;
    std::uint32_t first_line; // its first global system interrupt
};
struct AcpiOverride { // an ISA interrupt that is wired differently
    std::uint8_t source;
    std::uint32_t line;
    bool active_low, level;
};
struct AcpiRegister {       // generic address structure
    std::uint8_t space = 0; // 0 memory, 1 port, 2 PCI configuration
    std::uint64_t address = 0;
};

inline constexpr std::uint32_t kAcpiMaxTableBytes = 1 << 20;

struct AcpiFacts {
    StaticVector<std::uint32_t, 64> processors; // local APIC ids of those that can be started
    std::uint32_t processors_left_out = 0;      // more than we can use
    StaticVector<AcpiIoApic, 8> io_apics;
    StaticVector<AcpiOverride, 16> overrides;
    std::uint64_t local_apic = 0; // 0: as the processor says
    std::uint64_t hpet = 0;       // registers, 0 if there is none
    std::uint16_t acpi_timer = 0; // port, 0 if there is none
    VirtioPlaces virtio;          // of the DSDT
    std::optional<AcpiRegister> reset;
    std::uint8_t reset_value = 0;
    std::uint16_t power_port_a = 0, power_port_b = 0; // PM1a_CNT, PM1b_CNT; 0 if there is none
    std::optional<AcpiRegister> sleep_control;        // of reduced hardware, in place of the ports
    std::uint16_t smi_port = 0;
    std::uint8_t acpi_enable = 0;
    std::optional<std::uint8_t> sleep_type_a, sleep_type_b; // of S5
    std::uint32_t tables_refused = 0;                       // wrong length or checksum
};

// Reads everything from the RSDP on. bad_format: the RSDP or the root table cannot be used; single bad tables are left
// out and counted.
Result<AcpiFacts> acpi_read(AcpiMemory& memory, std::uint64_t rsdp);

// One table each, from its header on: truncated or bad_format. For tests.
Result<> acpi_read_madt(Bytes table, AcpiFacts& facts);
Result<> acpi_read_fadt(Bytes table, AcpiFacts& facts, std::uint64_t& dsdt);
Result<> acpi_read_hpet(Bytes table, AcpiFacts& facts);
Result<> acpi_find_s5(Bytes dsdt, AcpiFacts& facts); // not_found if it names no \_S5
void acpi_find_virtio(Bytes dsdt, AcpiFacts& facts); // adds devices of the kind LNRO0005, as far as there is room

} // namespace aios::dev
