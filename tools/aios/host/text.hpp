// Text for people: bytes made printable, numbers and sizes, plural forms. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aios::host {

// Valid UTF-8 from any bytes: what is ill-formed becomes U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

// As to_utf8, and control characters become visible (\n, \x1b): safe to show on a terminal.
[[nodiscard]] std::string printable(std::string_view bytes);

// As printable, and at most 400 bytes of it, with " ..." after what is cut.
[[nodiscard]] std::string shortened(std::string_view bytes);

// As printable, but keeps line ends and tabs: for whole passages and console text.
[[nodiscard]] std::string printable_lines(std::string_view bytes);

[[nodiscard]] std::string with_thousands(std::uint64_t number);    // 20,000
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);        // 1.7 MB
[[nodiscard]] std::string human_nanoseconds(std::uint64_t number); // 12.3 ms

// "1 file", "2 files"; `what` may give both forms as "entry|entries".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);

// A whole number from `low` to `high`, decimal digits only.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high);

[[nodiscard]] std::string lower_first(std::string_view text);
[[nodiscard]] std::string hex(std::string_view bytes);

} // namespace aios::host
