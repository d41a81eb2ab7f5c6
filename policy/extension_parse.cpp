// Texts of the extension types. See extension.hpp. Each parser takes the whole text or nothing.
#include "policy/extension.hpp"

namespace aios::policy {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads from the front of a text.
struct Reader {
    std::string_view rest;

    bool take(char c) {
        if (rest.empty() || rest.front() != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    bool take(std::string_view word) {
        if (!rest.starts_with(word)) return false;
        rest.remove_prefix(word.size());
        return true;
    }
    // Exactly `count` digits.
    std::optional<unsigned> digits(unsigned count) {
        if (rest.size() < count) return std::nullopt;
        unsigned value = 0;
        for (unsigned i = 0; i < count; ++i) {
            if (!is_digit(rest[i])) return std::nullopt;
            value = value * 10 + static_cast<unsigned>(rest[i] - '0');
        }
        rest.remove_prefix(count);
        return value;
    }
    // One to `most` digits without a leading zero, at most `limit`.
    std::optional<unsigned> number(unsigned most, unsigned limit) {
        unsigned length = 0;
        while (length < rest.size() && is_digit(rest[length]))
            ++length;
        if (length == 0 || length > most || (length > 1 && rest.front() == '0')) return std::nullopt;
        const auto value = digits(length);
        if (!value || *value > limit) return std::nullopt;
        return value;
    }
};

bool read_ipv4(Reader& in, std::uint8_t* address) {
    for (unsigned i = 0; i < 4; ++i) {
        if (i != 0 && !in.take('.')) return false;
        const auto part = in.number(3, 255);
        if (!part) return false;
        address[i] = static_cast<std::uint8_t>(*part);
    }
    return true;
}

std::optional<unsigned> hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

// Eight groups of one to four hexadecimal digits; one run of zero groups may be "::" (RFC 4291 section 2.2, without
// form 3).
bool read_ipv6(Reader& in, std::uint8_t* address) {
    unsigned groups = 0;
    std::optional<unsigned> gap; // how many groups stand before "::"
    if (in.take("::")) gap = 0;
    while (groups < 8) {
        unsigned value = 0, length = 0;
        while (length < 4 && length < in.rest.size()) {
            const auto digit = hex_digit(in.rest[length]);
            if (!digit) break;
            value = value * 16 + *digit;
            ++length;
        }
        if (length == 0) {
            if (groups == 0 || gap == groups) break; // nothing follows "::"
            return false;
        }
        in.rest.remove_prefix(length);
        address[groups * 2] = static_cast<std::uint8_t>(value >> 8);
        address[groups * 2 + 1] = static_cast<std::uint8_t>(value);
        ++groups;
        if (in.rest.starts_with("::")) {
            if (gap) return false;
            in.take("::");
            gap = groups;
        } else if (groups == 8 || !in.take(':')) {
            break;
        }
    }
    if (!gap) return groups == 8;
    if (groups == 8) return false; // "::" stands for one group at least
    const unsigned behind = groups - *gap;
    std::memmove(address + 16 - behind * 2, address + *gap * 2, behind * 2);
    std::memset(address + *gap * 2, 0, (8 - groups) * 2);
    return true;
}

bool is_leap(unsigned year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

unsigned days_in_month(unsigned year, unsigned month) {
    constexpr std::uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

// Days from 1 January 1970 in the proleptic Gregorian calendar.
std::int64_t days_since_epoch(unsigned year, unsigned month, unsigned day) {
    // Leap days before `year`, counted from year 0, which is one.
    const std::int64_t y = year;
    std::int64_t days = y * 365 + (y == 0 ? 0 : (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400 + 1);
    for (unsigned m = 1; m < month; ++m)
        days += days_in_month(year, m);
    constexpr std::int64_t kEpoch = 719'528; // days from year 0 to 1970
    return days + day - 1 - kEpoch;
}

} // namespace

std::optional<IpNetwork> parse_ip(std::string_view text) {
    IpNetwork network;
    Reader in{text};
    const bool is_v6 = text.find(':') != std::string_view::npos;
    if (is_v6 ? !read_ipv6(in, network.address) : !read_ipv4(in, network.address)) return std::nullopt;
    network.bits = is_v6 ? 128 : 32;
    network.prefix = network.bits;
    if (in.take('/')) {
        const auto prefix = in.number(is_v6 ? 3 : 2, network.bits);
        if (!prefix) return std::nullopt;
        network.prefix = static_cast<std::uint8_t>(*prefix);
    }
    if (!in.rest.empty()) return std::nullopt;
    return network;
}

std::optional<std::int64_t> parse_decimal(std::string_view text) {
    Reader in{text};
    const bool negative = in.take('-');
    const std::size_t point = in.rest.find('.');
    if (point == std::string_view::npos || point == 0) return std::nullopt;
    const std::string_view fraction = in.rest.substr(point + 1);
    if (fraction.empty() || fraction.size() > 4) return std::nullopt;
    std::int64_t value = 0; // negative throughout: the range has one more there
    auto digit = [&](char c) {
        return is_digit(c) && !__builtin_mul_overflow(value, std::int64_t{10}, &value) &&
               !__builtin_sub_overflow(value, std::int64_t{c - '0'}, &value);
    };
    for (char c : in.rest.substr(0, point))
        if (!digit(c)) return std::nullopt;
    for (unsigned i = 0; i < 4; ++i)
        if (!digit(i < fraction.size() ? fraction[i] : '0')) return std::nullopt;
    if (negative) return value;
    if (value == INT64_MIN) return std::nullopt;
    return -value;
}

std::optional<std::int64_t> parse_datetime(std::string_view text) {
    Reader in{text};
    const auto year = in.digits(4);
    if (!year || !in.take('-')) return std::nullopt;
    const auto month = in.digits(2);
    if (!month || *month < 1 || *month > 12 || !in.take('-')) return std::nullopt;
    const auto day = in.digits(2);
    if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
    std::int64_t value = days_since_epoch(*year, *month, *day) * 86'400'000;
    if (in.rest.empty()) return value;

    if (!in.take('T')) return std::nullopt;
    const auto hour = in.digits(2);
    if (!hour || *hour > 23 || !in.take(':')) return std::nullopt;
    const auto minute = in.digits(2);
    if (!minute || *minute > 59 || !in.take(':')) return std::nullopt;
    const auto second = in.digits(2);
    if (!second || *second > 59) return std::nullopt;
    value += std::int64_t{*hour} * 3'600'000 + *minute * 60'000 + *second * 1000;
    if (in.take('.')) {
        const auto milliseconds = in.digits(3);
        if (!milliseconds) return std::nullopt;
        value += *milliseconds;
    }
    if (in.take('Z')) {
        if (!in.rest.empty()) return std::nullopt;
        return value;
    }
    const bool east = in.take('+');
    if (!east && !in.take('-')) return std::nullopt;
    const auto hours = in.digits(2);
    const auto minutes = in.digits(2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59 || !in.rest.empty()) return std::nullopt;
    const std::int64_t zone = std::int64_t{*hours} * 3'600'000 + *minutes * 60'000;
    return east ? value - zone : value + zone;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::int64_t milliseconds;
    };
    constexpr Unit kUnits[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
    Reader in{text};
    const bool negative = in.take('-');
    if (in.rest.empty()) return std::nullopt;
    std::int64_t value = 0; // negative throughout: the range has one more there
    unsigned next = 0;      // units come in this order, each once
    while (!in.rest.empty()) {
        std::size_t length = 0;
        std::int64_t amount = 0;
        for (; length < in.rest.size() && is_digit(in.rest[length]); ++length) {
            if (__builtin_mul_overflow(amount, std::int64_t{10}, &amount) ||
                __builtin_sub_overflow(amount, std::int64_t{in.rest[length] - '0'}, &amount))
                return std::nullopt;
        }
        if (length == 0) return std::nullopt;
        in.rest.remove_prefix(length);
        std::size_t name = 0;
        while (name < in.rest.size() && !is_digit(in.rest[name]))
            ++name;
        while (next < std::size(kUnits) && kUnits[next].name != in.rest.substr(0, name))
            ++next;
        if (next == std::size(kUnits)) return std::nullopt;
        in.rest.remove_prefix(name);
        if (__builtin_mul_overflow(amount, kUnits[next].milliseconds, &amount) ||
            __builtin_add_overflow(value, amount, &value))
            return std::nullopt;
        ++next;
    }
    if (negative) return value;
    if (value == INT64_MIN) return std::nullopt;
    return -value;
}

} // namespace aios::policy
