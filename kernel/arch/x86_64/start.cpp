// First code at the final address: drops the identity map, and goes on to kernel_main. Also what the hand-off said.
// SAFETY: addresses of the image and the physmap are what early.cpp mapped; halting for good is meant.
#include <__verbose_abort>
#include <new>

#include "base/assert.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/command_line.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/serial.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

using namespace aios;
using namespace aios::arch;

extern "C" {
using Initializer = void (*)();
extern Initializer init_array_start[], init_array_end[];

[[noreturn]] void kernel_entry() {
    // SAFETY: the root's physical page is inside the image, which is mapped at its slide. Nothing runs low any more.
    *reinterpret_cast<volatile std::uint64_t*>(x86::boot_facts.kernel_root + x86::boot_facts.image_slide) = 0;
    x86::write_cr3(x86::boot_facts.kernel_root);
    x86::serial_init();
    x86::name_cpu(0); // the first line of text takes a lock, and debug builds keep who holds it
    arch::upcall::kernel_main();
}

[[noreturn]] void __stack_chk_fail() { panic("stack overrun: the guard word was overwritten"); }
[[noreturn]] void __cxa_pure_virtual() { panic("pure virtual function called"); }
}

// libc++'s own checks end here.
void std::__libcpp_verbose_abort(const char* format, ...) { panic("libc++: {}", format); }

// The kernel destroys objects through mm::destroy; deleting destructors are emitted but never called.
void operator delete(void*) noexcept { panic("operator delete called"); }
void operator delete(void*, std::size_t) noexcept { panic("operator delete called"); }
void operator delete(void*, std::size_t, std::align_val_t) noexcept { panic("operator delete called"); }

namespace aios {

[[noreturn]] void assertion_failed(const char* text, const char* file, int line) {
    panic("assertion failed: {} ({}:{})", text, file, line);
}

namespace arch {

const boot::HandOff& hand_off() { return x86::boot_facts.handoff; }
std::string_view command_line() { return x86::boot_facts.command_line; }
std::optional<std::string_view> command_line_value(std::string_view name) {
    return x86::command_line_value(command_line(), name);
}
std::optional<std::uint64_t> command_line_number(std::string_view name) {
    return x86::command_line_number(command_line(), name);
}
std::optional<std::uint64_t> fixed_seed() {
    if (!x86::boot_facts.seed_fixed) return std::nullopt;
    return x86::boot_facts.fixed_seed;
}

void run_initializers() {
    for (Initializer* at = init_array_start; at != init_array_end; ++at)
        (*at)();
}

namespace {

// The pair of 8259 controllers: moved to vectors of their own, in case one answers once more, then masked for good.
// Lines come through the I/O APIC.
void disable_legacy_controller() {
    for (const std::uint16_t base : {std::uint16_t{0x20}, std::uint16_t{0xa0}}) {
        const bool first = base == 0x20;
        x86::out8(base, 0x11); // ICW1: start
        x86::out8(base + 1, static_cast<std::uint8_t>(first ? x86::kVectorLegacy : x86::kVectorLegacy + 8)); // ICW2
        x86::out8(base + 1, first ? 4 : 2); // ICW3: line 2
        x86::out8(base + 1, 1);             // ICW4
        x86::out8(base + 1, 0xff);          // mask
    }
}

} // namespace

void init_boot_cpu() {
    x86::read_features();
    x86::init_interrupt_table();
    x86::init_cpu(0, x86::boot_exception_stacks());
    disable_legacy_controller();
    if (!x86::map_local_apic(0)) panic("no address space for the local APIC");
    x86::init_local_apic();
}

bool needs_page_table_isolation() { return x86::features().needs_page_table_isolation; }

void debug_exit(ExitStatus status) { x86::out32(0xf4, static_cast<std::uint32_t>(status)); }

void halt_forever() {
    for (;;)
        asm volatile("cli; hlt");
}

void* physmap(PhysAddr address) { return reinterpret_cast<void*>(x86::boot_facts.physmap_base + address.value); }
PhysAddr physmap_to_phys(const void* pointer) {
    return {reinterpret_cast<std::uintptr_t>(pointer) - x86::boot_facts.physmap_base};
}
PhysAddr image_to_phys(const void* pointer) {
    return {reinterpret_cast<std::uintptr_t>(pointer) - x86::boot_facts.image_slide};
}

} // namespace arch
} // namespace aios
