// See apic.hpp. Registers by their xAPIC offsets; in x2APIC mode the same registers are MSRs at 0x800 + offset / 16.
#include "kernel/arch/x86_64/apic.hpp"

#include <atomic>

#include "base/assert.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/apic_registers.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

namespace aios::arch::x86 {
namespace {

enum Register : std::uint32_t {
    id = 0x20,
    task_priority = 0x80,
    end = 0xb0,
    spurious = 0xf0,
    command_low = 0x300,
    command_high = 0x310,
    timer_entry = 0x320,
    line0 = 0x350,
    line1 = 0x360,
    error_entry = 0x370,
};
constexpr std::uint32_t kMasked = 1 << 16;
constexpr std::uint32_t kSending = 1 << 12;
constexpr std::uint32_t kAssert = 1 << 14;
constexpr std::uint32_t kInit = 5 << 8, kStartup = 6 << 8, kNmi = 4 << 8;
constexpr std::uint64_t kBaseEnabled = 1 << 11, kBaseExtended = 1 << 10;
constexpr std::uint32_t kBroadcast = 255; // of 8-bit ids

volatile std::uint32_t* registers = nullptr;
bool extended = false; // x2APIC
bool ready = false;

} // namespace

std::uint32_t apic_read(std::uint32_t offset) {
    if (extended) return static_cast<std::uint32_t>(read_msr(0x800 + offset / 16));
    return registers[offset / 4];
}
void apic_write(std::uint32_t offset, std::uint32_t value) {
    if (extended) return write_msr(0x800 + offset / 16, value);
    registers[offset / 4] = value;
}

namespace {

void send_command(std::uint32_t apic_id, std::uint32_t command) {
    if (extended) return write_msr(0x800 + command_low / 16, (std::uint64_t{apic_id} << 32) | command);
    InterruptGuard guard; // two registers make one command
    while ((apic_read(command_low) & kSending) != 0)
        relax();
    apic_write(command_high, apic_id << 24);
    apic_write(command_low, command);
}

} // namespace

Result<> map_local_apic(std::uint64_t physical) {
    const std::uint64_t base = read_msr(kMsrApicBase);
    extended = (base & kBaseExtended) != 0; // firmware's choice; leaving it again needs a reset of the APIC
    if (!extended) {
        if (physical == 0) physical = base & 0x000f'ffff'ffff'f000;
        // SAFETY: the page holds the local APIC's registers, mapped uncached.
        registers = static_cast<volatile std::uint32_t*>(TRY(map_window(physical, 4096, Caching::device_registers)));
    }
    ready = true;
    return {};
}

bool has_local_apic() { return ready; }
bool apic_reaches(std::uint32_t apic_id) { return extended || apic_id < kBroadcast; }

namespace {

// Brings this CPU's APIC into the mode of the boot CPU's, whatever firmware left it in. The ways from one to another
// are few (SDM volume 3 section 11.12.5): x2APIC is left only by switching the APIC off, and entered only from xAPIC.
void enter_mode() {
    std::uint64_t base = read_msr(kMsrApicBase);
    if ((base & kBaseExtended) != 0 && !extended) {
        base &= ~(kBaseEnabled | kBaseExtended);
        write_msr(kMsrApicBase, base);
    }
    if ((base & kBaseEnabled) == 0) {
        base |= kBaseEnabled;
        write_msr(kMsrApicBase, base);
    }
    if (extended && (base & kBaseExtended) == 0) write_msr(kMsrApicBase, base | kBaseExtended);
}

} // namespace

constinit std::atomic<std::uint64_t> cpus_up{0};

void init_local_apic() {
    enter_mode();
    apic_write(task_priority, 0);
    apic_write(line0, kMasked);
    apic_write(line1, kMasked);
    apic_write(error_entry, kMasked);
    apic_write(timer_entry, kMasked);
    apic_write(spurious, 0x100 | kVectorSpurious);
    this_cpu().apic_id = local_apic_id();
    // From here on other CPUs ask things of this one; what it cached of the kernel's mappings before is dropped.
    this_cpu().up.store(true, std::memory_order_seq_cst);
    cpus_up.fetch_or(1ull << this_cpu().index, std::memory_order_seq_cst);
    const std::uint64_t cr4 = read_cr4();
    write_cr4(cr4 & ~kCr4GlobalPages);
    write_cr4(cr4);
}

std::uint32_t local_apic_id() { return extended ? apic_read(id) : apic_read(id) >> 24; }
void end_of_interrupt() { apic_write(end, 0); }

void send_interrupt(std::uint32_t apic_id, unsigned vector) { send_command(apic_id, kAssert | vector); }
void send_init(std::uint32_t apic_id) { send_command(apic_id, kAssert | kInit); }
void send_startup(std::uint32_t apic_id, std::uint8_t page) { send_command(apic_id, kAssert | kStartup | page); }
void send_nmi_to_others() {
    if (!ready) return;
    // One by one: a CPU that was never started is in firmware's hands and must not be woken.
    for (const CpuBlock& block : cpu_blocks) {
        if (block.up.load(std::memory_order_acquire) && block.apic_id != local_apic_id())
            send_command(block.apic_id, kAssert | kNmi);
    }
}

} // namespace aios::arch::x86
