// The end of a system that cannot go on. Stops the other CPUs by NMI, says why on the serial line (registers,
// backtrace, where the other CPUs were, what the reporters of other folders add, the tail of the log), and leaves with
// its own status. Takes no lock and never allocates. A panic inside a panic goes on with what is left to report.
// SAFETY: frame pointers are followed inside the kernel half alone; a wrong one ends in a second panic, which goes on
// without it.
#include "kernel/arch/x86_64/panic.hpp"

#include <atomic>

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/log_ring.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace aios {
namespace {

constexpr unsigned kMaxReporters = 8;
constinit std::atomic<int> panicking_cpu{-1};
constinit std::atomic<std::uint64_t> stopped_at[arch::kMaxCpus];
constinit void (*reporters[kMaxReporters])() = {};
constinit unsigned reporter_count = 0;
char message_text[kLogLineBytes];
std::string_view message;
constinit unsigned depth = 0;

template <typename... Args>
void say(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[kLogLineBytes];
    arch::x86::serial_write(format_to(buffer, format, args...));
    arch::x86::serial_write("\n");
}

// Addresses as the linker knows them, for a symbolizer; others as they are.
std::uint64_t link_address(std::uint64_t address) {
    const std::uint64_t offset = address - arch::x86::boot_facts.image_base;
    return offset < static_cast<std::uint64_t>(image_end - image_start) ? offset + arch::x86::kImageLinkBase : address;
}

void backtrace(std::uint64_t rip, std::uint64_t frame_pointer) {
    say("backtrace (link addresses):");
    say("  {:x}", link_address(rip));
    for (int depth_left = 32; depth_left != 0; --depth_left) {
        if (frame_pointer < 0xffff'8000'0000'0000 || frame_pointer % 8 != 0) return;
        // SAFETY: a frame pointer of kernel code; a wrong one at worst ends in a second panic, which goes on without
        // it.
        const auto* frame = reinterpret_cast<const std::uint64_t*>(frame_pointer);
        if (frame[1] == 0 || link_address(frame[1]) == frame[1]) return;
        say("  {:x}", link_address(frame[1]));
        if (frame[0] <= frame_pointer || frame[0] - frame_pointer > arch::kKernelStackBytes) return;
        frame_pointer = frame[0];
    }
}

void stop_others() {
    arch::x86::send_nmi_to_others();
    const std::uint64_t until = arch::x86::read_tsc() + arch::x86::tsc_per_second() / 20;
    while (arch::x86::read_tsc() < until) {
        bool all = true;
        for (unsigned cpu = 0; cpu < arch::kMaxCpus; ++cpu) {
            if (static_cast<int>(cpu) == panicking_cpu.load() || !arch::x86::cpu_blocks[cpu].up.load()) continue;
            all = all && stopped_at[cpu].load(std::memory_order_acquire) != 0;
        }
        if (all) return;
        asm volatile("pause");
    }
}

[[noreturn]] void leave() {
    // The count goes down first: a reporter that panics is not run again.
    while (reporter_count != 0)
        reporters[--reporter_count]();
    arch::debug_exit(arch::ExitStatus::panicked);
    arch::halt_forever();
}

// True for the first panic of this system; a later one on the same CPU goes on, one on another CPU waits to be stopped.
bool begin(std::string_view line) {
    arch::interrupts_disable();
    const int self = static_cast<int>(arch::x86::this_cpu_or_boot());
    int expected = -1;
    if (!panicking_cpu.compare_exchange_strong(expected, self) && expected != self) {
        for (;;)
            asm volatile("hlt");
    }
    if (depth++ != 0) {
        say("panic inside the panic: {}", line);
        if (depth > kMaxReporters + 2) {
            arch::debug_exit(arch::ExitStatus::panicked);
            arch::halt_forever();
        }
        return false;
    }
    arch::x86::log_break_lock();
    stop_others();
    message = format_to(message_text, "{}", line);
    say("panic on CPU {}: {}", self, line);
    return true;
}

void report_rest() {
    for (unsigned cpu = 0; cpu < arch::kMaxCpus; ++cpu) {
        if (const std::uint64_t rip = stopped_at[cpu].load()) say("CPU {} was at {:x}", cpu, link_address(rip));
    }
}

void log_tail() {
    const auto tail = arch::x86::log_ring().tail(1024);
    say("the log ended with:");
    arch::x86::serial_write(tail.first);
    arch::x86::serial_write(tail.second);
    say("end of the log");
}

} // namespace

void panic_line(std::string_view line) {
    if (begin(line)) {
        backtrace(reinterpret_cast<std::uint64_t>(__builtin_return_address(0)),
                  reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)));
        report_rest();
        log_tail();
    }
    leave();
}

namespace arch {

void add_panic_reporter(void (*reporter)()) {
    if (reporter_count < kMaxReporters) reporters[reporter_count++] = reporter;
}

std::string_view panic_message() { return message; }

bool is_panicking() { return panicking_cpu.load(std::memory_order_relaxed) >= 0; }

void halt_others_and_stop() { panic_line("stopped"); }

namespace x86 {

void panic_trap(const TrapFrame& frame, std::uint64_t address, const char* what) {
    char buffer[160];
    if (begin(format_to(buffer, "{}: exception {}, error {:x}, address {:x}", what, frame.vector, frame.error,
                        address))) {
        say("rip {:016x} cs {:x} rflags {:x} rsp {:016x} ss {:x}", link_address(frame.rip), frame.cs, frame.rflags,
            frame.rsp, frame.ss);
        say("rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x}", frame.rax, frame.rbx, frame.rcx, frame.rdx);
        say("rsi {:016x} rdi {:016x} rbp {:016x} r8  {:016x}", frame.rsi, frame.rdi, frame.rbp, frame.r8);
        say("r9  {:016x} r10 {:016x} r11 {:016x} r12 {:016x}", frame.r9, frame.r10, frame.r11, frame.r12);
        say("r13 {:016x} r14 {:016x} r15 {:016x} cr3 {:016x}", frame.r13, frame.r14, frame.r15, read_cr3());
        backtrace(frame.rip, frame.rbp);
        report_rest();
        log_tail();
    }
    leave();
}

void stop_if_panicking(const TrapFrame& frame) {
    const int panicking = panicking_cpu.load();
    CpuBlock& block = this_cpu();
    if (panicking < 0 || panicking == static_cast<int>(block.index)) return;
    stopped_at[block.index].store(frame.rip, std::memory_order_release);
    for (;;)
        asm volatile("cli; hlt");
}

} // namespace x86
} // namespace arch
} // namespace aios
