// See acpi.hpp. Section numbers are those of the ACPI specification 6.5.
#include "kernel/dev/acpi.hpp"

#include <algorithm>

#include "kernel/dev/acpi_field.hpp"

namespace aios::dev {
namespace {

constexpr std::size_t kHeaderBytes = kAcpiHeaderBytes;

bool sums_to_zero(Bytes bytes) {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes)
        sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(byte));
    return sum == 0;
}

template <typename T>
Result<T> at(Bytes table, std::size_t offset) {
    return acpi_field<T>(table, offset);
}

bool has_name(Bytes table, std::string_view name) { return table.size() >= 4 && as_text(table.first(4)) == name; }

// The whole table whose header is at `address`, checksum verified.
Result<Bytes> table_at(AcpiMemory& memory, std::uint64_t address) {
    const Bytes header = TRY(memory.view(address, kHeaderBytes));
    if (header.size() < kHeaderBytes) return fail(Error::truncated);
    const auto length = TRY(at<std::uint32_t>(header, 4));
    if (length < kHeaderBytes || length > kAcpiMaxTableBytes) return fail(Error::bad_format);
    const Bytes table = TRY(memory.view(address, length));
    if (table.size() != length) return fail(Error::truncated);
    if (!sums_to_zero(table)) return fail(Error::bad_format);
    return table;
}

void note_table(AcpiMemory& memory, std::uint64_t address, AcpiFacts& facts, std::uint64_t& dsdt) {
    const auto table = table_at(memory, address);
    if (!table) {
        ++facts.tables_refused;
        return;
    }
    Result<> read;
    if (has_name(*table, "APIC")) read = acpi_read_madt(*table, facts);
    if (has_name(*table, "FACP")) read = acpi_read_fadt(*table, facts, dsdt);
    if (has_name(*table, "HPET")) read = acpi_read_hpet(*table, facts);
    if (!read) ++facts.tables_refused;
}

} // namespace

Result<> acpi_read_madt(Bytes table, AcpiFacts& facts) { // 5.2.12
    constexpr std::uint32_t kEnabled = 1, kOnlineCapable = 2;
    facts.local_apic = TRY(at<std::uint32_t>(table, 36));
    std::size_t position = 44;
    const auto add_processor = [&](std::uint32_t id, std::uint32_t flags) {
        if ((flags & (kEnabled | kOnlineCapable)) == 0) return;
        if (std::ranges::find(facts.processors, id) != facts.processors.end()) return;
        if (!facts.processors.push_back(id)) ++facts.processors_left_out;
    };
    while (position < table.size()) {
        const auto type = TRY(at<std::uint8_t>(table, position));
        const auto length = TRY(at<std::uint8_t>(table, position + 1));
        if (length < 2 || length > table.size() - position) return fail(Error::bad_format);
        const Bytes entry = table.subspan(position, length);
        position += length;
        switch (type) {
        case 0: // processor local APIC
            add_processor(TRY(at<std::uint8_t>(entry, 3)), TRY(at<std::uint32_t>(entry, 4)));
            break;
        case 1: { // I/O APIC
            const AcpiIoApic io_apic{TRY(at<std::uint8_t>(entry, 2)), TRY(at<std::uint32_t>(entry, 4)),
                                     TRY(at<std::uint32_t>(entry, 8))};
            if (!facts.io_apics.push_back(io_apic)) return fail(Error::no_space);
            break;
        }
        case 2: { // interrupt source override
            const auto flags = TRY(at<std::uint16_t>(entry, 8));
            const AcpiOverride override{TRY(at<std::uint8_t>(entry, 3)), TRY(at<std::uint32_t>(entry, 4)),
                                        (flags & 3) == 3, (flags >> 2 & 3) == 3};
            if (!facts.overrides.push_back(override)) return fail(Error::no_space);
            break;
        }
        case 5: // local APIC address override
            facts.local_apic = TRY(at<std::uint64_t>(entry, 4));
            break;
        case 9: // processor local x2APIC
            add_processor(TRY(at<std::uint32_t>(entry, 4)), TRY(at<std::uint32_t>(entry, 8)));
            break;
        default:
            break; // others do not concern us
        }
    }
    return {};
}

Result<> acpi_read_fadt(Bytes table, AcpiFacts& facts, std::uint64_t& dsdt) { // 5.2.9
    constexpr std::uint32_t kResetSupported = 1 << 10, kReducedHardware = 1 << 20;
    const auto flags = TRY(at<std::uint32_t>(table, 112));
    dsdt = TRY(at<std::uint32_t>(table, 40));
    facts.smi_port = static_cast<std::uint16_t>(TRY(at<std::uint32_t>(table, 48)));
    facts.acpi_enable = TRY(at<std::uint8_t>(table, 52));
    facts.power_port_a = static_cast<std::uint16_t>(TRY(at<std::uint32_t>(table, 64)));
    facts.power_port_b = static_cast<std::uint16_t>(TRY(at<std::uint32_t>(table, 68)));
    if (table.size() >= 129 && (flags & kResetSupported) != 0) {
        const AcpiRegister reset{TRY(at<std::uint8_t>(table, 116)), TRY(at<std::uint64_t>(table, 120))};
        if (reset.space <= 2) facts.reset = reset;
        facts.reset_value = TRY(at<std::uint8_t>(table, 128));
    }
    if (table.size() >= 148) {
        if (const auto wide = TRY(at<std::uint64_t>(table, 140)); wide != 0) dsdt = wide;
    }
    if ((flags & kReducedHardware) != 0) { // 5.2.9.1: it has none of the ports, whatever stands there
        facts.power_port_a = facts.power_port_b = facts.smi_port = 0;
        if (table.size() < 256) return {};
        const AcpiRegister control{TRY(at<std::uint8_t>(table, 244)), TRY(at<std::uint64_t>(table, 248))};
        if (control.space <= 1 && control.address != 0) facts.sleep_control = control;
        return {};
    }
    facts.acpi_timer = static_cast<std::uint16_t>(TRY(at<std::uint32_t>(table, 76)));
    // The extended control block counts where it is a port.
    if (table.size() >= 184 && TRY(at<std::uint8_t>(table, 172)) == 1) {
        const auto wide = TRY(at<std::uint64_t>(table, 176));
        if (wide != 0 && wide <= 0xffff) facts.power_port_a = static_cast<std::uint16_t>(wide);
    }
    return {};
}

Result<> acpi_read_hpet(Bytes table, AcpiFacts& facts) { // IA-PC HPET 1.0a section 3.2.4
    if (TRY(at<std::uint8_t>(table, 40)) != 0) return fail(Error::unsupported);
    facts.hpet = TRY(at<std::uint64_t>(table, 44));
    return {};
}

Result<AcpiFacts> acpi_read(AcpiMemory& memory, std::uint64_t rsdp) { // 5.2.5
    const Bytes root = TRY(memory.view(rsdp, 20));
    if (root.size() < 20 || as_text(root.first(8)) != "RSD PTR " || !sums_to_zero(root.first(20)))
        return fail(Error::bad_format);
    std::uint64_t directory = TRY(at<std::uint32_t>(root, 16));
    std::size_t pointer_bytes = 4;
    if (TRY(at<std::uint8_t>(root, 15)) >= 2) {
        const Bytes extended = TRY(memory.view(rsdp, 36));
        if (extended.size() < 36 || !sums_to_zero(extended)) return fail(Error::bad_format);
        if (const auto xsdt = TRY(at<std::uint64_t>(extended, 24)); xsdt != 0) {
            directory = xsdt;
            pointer_bytes = 8;
        }
    }
    const Bytes table = TRY(table_at(memory, directory));
    if (!has_name(table, pointer_bytes == 8 ? "XSDT" : "RSDT")) return fail(Error::bad_format);

    AcpiFacts facts;
    std::uint64_t dsdt = 0;
    for (std::size_t position = kHeaderBytes; position + pointer_bytes <= table.size(); position += pointer_bytes) {
        const std::uint64_t address =
            pointer_bytes == 8 ? TRY(at<std::uint64_t>(table, position)) : TRY(at<std::uint32_t>(table, position));
        note_table(memory, address, facts, dsdt);
    }
    if (dsdt != 0) {
        const auto code = table_at(memory, dsdt);
        if (!code || !has_name(*code, "DSDT"))
            ++facts.tables_refused;
        else
            acpi_read_dsdt(*code, facts);
    }
    return facts;
}

} // namespace aios::dev
