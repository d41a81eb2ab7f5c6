// Kernel text: the line lock, the ring and the level. The lock is a plain flag, because sync stands above arch; whoever
// panics goes round it (log_break_lock).
#include "kernel/arch/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/log_ring.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace aios {
namespace {

constinit std::atomic<bool> line_lock{false};
constinit std::atomic<bool> lock_broken{false};
constinit std::atomic<LogLevel> highest{LogLevel::info};
constinit arch::x86::LogRing ring;

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
    arch::InterruptGuard guard;
    while (!lock_broken.load(std::memory_order_relaxed) && line_lock.exchange(true, std::memory_order_acquire))
        arch::relax();
    for (const std::string_view piece : {prefix_of(level), line, std::string_view("\n")}) {
        arch::x86::serial_write(piece);
        ring.add(piece);
    }
    line_lock.store(false, std::memory_order_release);
}

namespace arch::x86 {

void log_break_lock() { lock_broken.store(true, std::memory_order_relaxed); }
const LogRing& log_ring() { return ring; }

} // namespace arch::x86
} // namespace aios
