// Kernel text: one line at a time to the serial line and into a ring whose tail a panic prints. Any context; lines of
// several CPUs do not mix. Cut off at kLogLineBytes. Agents never write here: their output goes framed to the host
// port. panic() ends the system: it stops the other CPUs, prints and leaves with its own exit status
// (x86_64/panic.cpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/format.hpp"

namespace aios {

enum class LogLevel : std::uint8_t { error = 0, warning = 1, info = 2, debug = 3 };
inline constexpr std::size_t kLogLineBytes = 512;

void set_log_level(LogLevel level); // higher ones are dropped; loglevel=N on the command line
void log_line(LogLevel level, std::string_view line);
[[noreturn]] void panic_line(std::string_view line);

template <typename... Args>
void log(LogLevel level, FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[kLogLineBytes];
    log_line(level, format_to(buffer, format, args...));
}
template <typename... Args>
void log_info(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[kLogLineBytes];
    log_line(LogLevel::info, format_to(buffer, format, args...));
}
template <typename... Args>
[[noreturn]] void panic(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[kLogLineBytes];
    panic_line(format_to(buffer, format, args...));
}

} // namespace aios
