// Words of the kernel command line: "name=value", separated by spaces. Runs before relocation too.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace aios::arch::x86 {

// The value of the first word `name=...`, or nothing.
inline std::optional<std::string_view> command_line_value(std::string_view line, std::string_view name) {
    while (!line.empty()) {
        const std::size_t end = line.find(' ') == line.npos ? line.size() : line.find(' ');
        const std::string_view word = line.substr(0, end);
        line.remove_prefix(end == line.size() ? end : end + 1);
        if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=')
            return word.substr(name.size() + 1);
    }
    return std::nullopt;
}

// The same as a decimal number; nothing if it is not one or does not fit.
inline std::optional<std::uint64_t> command_line_number(std::string_view line, std::string_view name) {
    const auto text = command_line_value(line, name);
    if (!text || text->empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : *text) {
        if (c < '0' || c > '9') return std::nullopt;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value))
            return std::nullopt;
    }
    return value;
}

} // namespace aios::arch::x86
