// See platform.hpp.
#include "kernel/dev/platform.hpp"

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"

namespace aios::dev {
namespace {

constinit AcpiFacts facts;

class PhysicalMemory final : public AcpiMemory {
public:
    Result<Bytes> view(std::uint64_t address, std::uint64_t bytes) override {
        return arch::view_physical({address}, bytes);
    }
};

} // namespace

void init_platform() {
    if (const std::uint64_t rsdp = arch::hand_off().rsdp; rsdp == 0) {
        log(LogLevel::warning, "no ACPI tables: one CPU");
    } else {
        PhysicalMemory memory;
        if (const auto read = acpi_read(memory, rsdp))
            facts = *read;
        else
            log(LogLevel::warning, "the ACPI tables cannot be used ({}): one CPU", read.error());
    }
    read_virtio_words(arch::command_line(), facts.virtio);
    if (facts.tables_refused != 0) log(LogLevel::warning, "{} ACPI tables were refused", facts.tables_refused);
    if (facts.processors_left_out != 0)
        log(LogLevel::warning, "{} processors are more than the kernel can use", facts.processors_left_out);
    for (const AcpiIoApic& io : facts.io_apics) {
        if (const auto added = arch::add_io_apic(io.address, io.first_line); !added)
            log(LogLevel::warning, "I/O APIC {} cannot be used: {}", io.id, added.error());
    }
}

const AcpiFacts& platform() { return facts; }

} // namespace aios::dev
