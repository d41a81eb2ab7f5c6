// The end of a system that cannot go on: says why on the serial line, with a backtrace and the tail of the log, and
// leaves with its own status. Never takes a lock and never allocates.
#include <atomic>

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/log_ring.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace aios {
namespace {

constinit std::atomic<bool> panicking{false};

template <typename... Args>
void say(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[kLogLineBytes];
    arch::x86::serial_write(format_to(buffer, format, args...));
    arch::x86::serial_write("\n");
}

bool in_image(std::uint64_t address) {
    return address - arch::x86::boot_facts.image_base < static_cast<std::uint64_t>(image_end - image_start);
}

} // namespace

void panic_line(std::string_view line) {
    arch::interrupts_disable();
    if (panicking.exchange(true)) { // a panic inside the panic, or on a second CPU
        arch::debug_exit(arch::ExitStatus::panicked);
        arch::halt_forever();
    }
    arch::x86::log_break_lock();
    say("panic: {}", line);
    say("backtrace (link addresses, for addr2line):");
    auto* frame = static_cast<const std::uint64_t*>(__builtin_frame_address(0));
    for (int depth = 0; depth < 32 && frame != nullptr; depth++) {
        if (!in_image(frame[1])) break;
        say("  {:x}", frame[1] - arch::x86::boot_facts.image_base + arch::x86::kImageLinkBase);
        const auto* next = reinterpret_cast<const std::uint64_t*>(frame[0]);
        if (next <= frame || next > frame + arch::kKernelStackBytes / 8) break;
        frame = next;
    }
    arch::debug_exit(arch::ExitStatus::panicked);
    arch::halt_forever();
}

} // namespace aios
