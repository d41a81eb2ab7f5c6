// Cedar's extension types: ip, decimal, datetime, duration (docs.cedarpolicy.com, "Operators and functions"). Parsing
// from text and the arithmetic; no allocation.
#pragma once

#include <optional>

#include "policy/value.hpp"

namespace aios::policy {

// One number a function; compiled policies hold it, so numbers are never reused.
enum class Function : std::uint8_t {
    ip,
    decimal,
    datetime,
    duration, // constructors: one string
    less_than,
    less_than_or_equal,
    greater_than,
    greater_than_or_equal, // decimal
    is_ipv4,
    is_ipv6,
    is_loopback,
    is_multicast,
    is_in_range,
    offset,
    duration_since,
    to_date,
    to_time,
    to_milliseconds,
    to_seconds,
    to_minutes,
    to_hours,
    to_days,
};
inline constexpr unsigned kFunctionCount = 22;

struct FunctionInfo {
    std::string_view name;
    bool is_method; // called as value.name(...), the value being the first argument
    std::uint8_t arguments;
    Value::Kind parameter[2];
    Value::Kind result;
};
[[nodiscard]] const FunctionInfo& info_of(Function function);
[[nodiscard]] std::optional<Function> function_named(std::string_view name);

// nullopt: the text is not of that form, or outside of the range.
[[nodiscard]] std::optional<IpNetwork> parse_ip(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_decimal(std::string_view text);  // units of 1/10000
[[nodiscard]] std::optional<std::int64_t> parse_datetime(std::string_view text); // milliseconds since 1970
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text); // milliseconds

[[nodiscard]] bool is_loopback(const IpNetwork& network);
[[nodiscard]] bool is_multicast(const IpNetwork& network);
[[nodiscard]] bool is_in_range(const IpNetwork& inner, const IpNetwork& outer);
// Start of the day; nullopt: below the range of a datetime.
[[nodiscard]] std::optional<std::int64_t> day_of(std::int64_t datetime);
[[nodiscard]] std::int64_t time_of_day(std::int64_t datetime);

} // namespace aios::policy
