// Kernel text: the ring and the level. Lock: Rank::serial, over the ring and the serial line. Whoever panics goes round it
// (log_break_lock): the CPU that holds it is stopped, perhaps in the middle of its line.
#include "kernel/arch/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/log_ring.hpp"
#include "kernel/arch/x86_64/serial.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {
namespace {

constinit std::atomic<bool> lock_broken{false};
constinit std::atomic<LogLevel> highest{LogLevel::info};
constinit sync::Protected<arch::x86::LogRing, sync::Rank::serial> ring;

constexpr std::string_view prefix_of(LogLevel level) {
    switch (level) {
    case LogLevel::error:
        return "error: ";
    case LogLevel::warning:
        return "warning: ";
    case LogLevel::info:
    case LogLevel::debug:
        return "";
    }
    return "";
}

} // namespace

void set_log_level(LogLevel level) { highest.store(level, std::memory_order_relaxed); }

void log_line(LogLevel level, std::string_view line) {
    if (level > highest.load(std::memory_order_relaxed)) return;
    const auto write = [&](arch::x86::LogRing& tail) {
        for (const std::string_view piece : {prefix_of(level), line, std::string_view("\n")}) {
            arch::x86::serial_write(piece);
            tail.add(piece);
        }
    };
    if (lock_broken.load(std::memory_order_relaxed)) return write(ring.in_panic());
    ring.with(write);
}

namespace arch::x86 {

void log_break_lock() { lock_broken.store(true, std::memory_order_relaxed); }
const LogRing& log_ring() { return ring.in_panic(); }

} // namespace arch::x86
} // namespace aios
