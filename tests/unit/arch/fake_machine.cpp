#include "tests/unit/arch/fake_machine.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace aios::test {

FakeMachine* machine = nullptr;
unsigned timer_hooks = 0;

namespace {

std::uint32_t& word_of(arch::x86::CpuId& words, char word) {
    return word == 'a' ? words.eax : word == 'b' ? words.ebx : word == 'c' ? words.ecx : words.edx;
}

constexpr std::uint64_t kEnabled = 1 << 11, kExtended = 1 << 10;

bool mode_change_is_legal(std::uint64_t from, std::uint64_t to) { // SDM volume 3 table 11-5
    const auto mode = [](std::uint64_t base) { return base & (kEnabled | kExtended); };
    if (mode(to) == kExtended) return false;
    if (mode(from) == mode(to)) return true;
    if (mode(from) == 0) return mode(to) == kEnabled;
    if (mode(from) == kEnabled) return true;
    return mode(to) == 0;
}

} // namespace

FakeMachine::FakeMachine() {
    leaves[{0, 0}] = {0x1f, 0x756e'6547, 0x6c65'746e, 0x4965'6e69}; // GenuineIntel
    leaves[{1, 0}] = {0, 0, 0xffff'ffff & ~(1u << 31), 0xffff'ffff};
    leaves[{7, 0}] = {2, 0xffff'ffff, 0xffff'ffff, 0xffff'ffff};
    leaves[{0x8000'0000, 0}] = {0x8000'0008, 0, 0, 0};
    leaves[{0x8000'0001, 0}] = {0, 0, 0xffff'ffff, 0xffff'ffff};
    // x87 SSE AVX, MPX (2), AVX-512 (3), PT, protection keys, PASID, CET (2), AMX (2)
    leaves[{0xd, 0}] = {0x6'02ff, 11008, 11008, 0};
    leaves[{0xd, 1}] = {0x1f, 0, 0x1900, 0};
    leaves[{0xd, 2}] = {256, 576, 0, 0};
    leaves[{0xd, 3}] = {64, 960, 0, 0};
    leaves[{0xd, 4}] = {64, 1024, 0, 0};
    leaves[{0xd, 5}] = {64, 1088, 0, 0};
    leaves[{0xd, 6}] = {512, 1152, 0, 0};
    leaves[{0xd, 7}] = {1024, 1664, 0, 0};
    leaves[{0xd, 9}] = {8, 2688, 0, 0};
    leaves[{0xd, 17}] = {64, 2752, 2, 0};
    leaves[{0xd, 18}] = {8192, 2816, 6, 0};
    cr4_bits = 0x1'03ff'ffff;
    xcr0_bits = 0x6'02ff;
    msr[arch::x86::kMsrApicBase] = 0xfee0'0000 | kEnabled;
    msr[arch::x86::kMsrEfer] = 0xd00;
    for (const std::uint32_t number : {0x10au, 0x174u, 0x277u, 0x6e0u, 0xda0u, 0xc000'0081u, 0xc000'0082u, 0xc000'0083u,
                                       0xc000'0084u, 0xc000'0101u, 0xc000'0102u, 0xc000'0103u})
        msr[number] = 0;
    msr[0x10a] = 1; // not affected by Meltdown
    for (std::uint32_t number = 0x800; number < 0x840; ++number)
        msr[number] = 0;
}

void FakeMachine::set_bit(std::uint32_t leaf, std::uint32_t subleaf, char word, unsigned bit, bool value) {
    std::uint32_t& at = word_of(leaves[{leaf, subleaf}], word);
    at = value ? at | 1u << bit : at & ~(1u << bit);
}

bool FakeMachine::bit(std::uint32_t leaf, std::uint32_t subleaf, char word, unsigned bit) const {
    arch::x86::CpuId words = leaves.at({leaf, subleaf});
    return (word_of(words, word) >> bit & 1) != 0;
}

} // namespace aios::test

namespace aios::arch::x86 {

using test::Fault;
using test::machine;

CpuBlock cpu_blocks[kMaxCpus];

void out8(std::uint16_t port, std::uint8_t value) { machine->out(port, value); }
void out16(std::uint16_t port, std::uint16_t value) { machine->out(port, value); }
void out32(std::uint16_t port, std::uint32_t value) { machine->out(port, value); }
std::uint8_t in8(std::uint16_t port) { return static_cast<std::uint8_t>(machine->in(port)); }
std::uint16_t in16(std::uint16_t port) { return static_cast<std::uint16_t>(machine->in(port)); }
std::uint32_t in32(std::uint16_t port) { return machine->in(port); }

std::uint64_t read_msr(std::uint32_t number) {
    const auto at = machine->msr.find(number);
    if (at == machine->msr.end()) throw Fault("rdmsr of a register that is not there");
    return at->second;
}

void write_msr(std::uint32_t number, std::uint64_t value) {
    const auto at = machine->msr.find(number);
    if (at == machine->msr.end()) throw Fault("wrmsr of a register that is not there");
    const bool extended = (machine->msr[kMsrApicBase] & 1 << 10) != 0;
    if (number >= 0x800 && number < 0x900 && !extended) throw Fault("x2APIC register outside of its mode");
    if (number == kMsrApicBase && !test::mode_change_is_legal(at->second, value)) throw Fault("APIC mode");
    if (number == kMsrEfer && (value & ~0x1'ff01ull) != 0) throw Fault("reserved bit of EFER");
    if (number == kMsrEfer && ((value ^ at->second) & kEferLongMode) != 0)
        throw Fault("long mode changed under paging");
    machine->written.emplace_back(number, value);
    at->second = value;
}

std::uint64_t read_cr0() { return machine->cr0; }
void write_cr0(std::uint64_t value) {
    constexpr std::uint64_t kCet = 1 << 23;
    if ((machine->cr4 & kCet) != 0 && (value & kCr0WriteProtect) == 0) throw Fault("write protection off under CET");
    if ((value & kCr0Paging) == 0 || (value & kCr0Protected) == 0) throw Fault("paging off in long mode");
    machine->cr0 = value | kCr0Extension;
}
std::uint64_t read_cr4() { return machine->cr4; }
void write_cr4(std::uint64_t value) {
    if ((value & ~machine->cr4_bits) != 0) throw Fault("reserved bit of CR4");
    if (((value ^ machine->cr4) & kCr4FiveLevels) != 0) throw Fault("five-level paging changed in long mode");
    if ((value & kCr4Pae) == 0) throw Fault("PAE off in long mode");
    machine->cr4 = value;
}
void write_xcr0(std::uint64_t value) { // SDM volume 1 section 13.3
    if ((machine->cr4 & kCr4XSave) == 0) throw Fault("XSETBV without OSXSAVE");
    if ((value & ~machine->xcr0_bits) != 0 || (value & 1) == 0) throw Fault("component of XCR0");
    if ((value & 4) != 0 && (value & 2) == 0) throw Fault("AVX without SSE");
    if ((value & 0xe0) != 0 && (value & 0xe4) != 0xe4) throw Fault("part of AVX-512");
    machine->xcr0 = value;
}
void init_fpu() { machine->fpu_is_fresh = true; }
void drop_breakpoints() { machine->dr7 = 0x400; }
void store_fence() { machine->written.emplace_back(0, 0); }
void* read_gs_word() { return cpu_blocks; }

CpuId cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    const auto at = machine->leaves.find({leaf, subleaf});
    return at == machine->leaves.end() ? CpuId{} : at->second;
}
std::uint64_t read_tsc() { return machine->tsc += machine->tsc_step; }

Result<volatile void*> map_window(std::uint64_t, std::uint64_t, Caching) { return machine->apic_page.data(); }
void serial_init() {}
void serial_write(std::string_view) {}

} // namespace aios::arch::x86

namespace aios::arch {

bool interrupts_disable() { return false; }
void interrupts_enable() {}
bool interrupts_enabled() { return false; }
void relax() {}
void debug_exit(ExitStatus) {}
void halt_forever() { throw test::Fault("halted"); }
namespace upcall {
void timer() { ++test::timer_hooks; }
} // namespace upcall

} // namespace aios::arch

namespace aios {
void log_line(LogLevel, std::string_view) {}
void panic_line(std::string_view line) { throw test::Fault(std::string(line)); }
} // namespace aios
