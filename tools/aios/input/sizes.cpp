#include "tools/aios/input/sizes.hpp"

#include <charconv>
#include <format>
#include <vector>

#include "tools/aios/host/nearest.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using Value = std::expected<std::uint64_t, std::string>;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Value variable(std::string_view name, const Variables& variables) {
    if (const auto found = variables.find(name); found != variables.end()) return found->second;
    std::vector<std::string_view> known;
    for (const auto& [other, value] : variables)
        known.push_back(other);
    return std::unexpected(std::format("there is no variable '${}'{}", printable(name), did_you_mean(name, known)));
}

Value factor(std::string_view text, const Variables& variables) {
    if (text.starts_with('$')) return variable(text.substr(1), variables);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
    if (error != std::errc{} || (shift == 0 && !unit.empty()))
        return std::unexpected(std::format("'{}' is not a number; write bytes, or 64K, 16M, 1G", printable(text)));
    if (value > UINT64_MAX >> shift) return std::unexpected(std::format("'{}' is too large", printable(text)));
    return value << shift;
}

// Cuts at `sign`, evaluates the parts by `part` and joins their values by `join`, which answers true on overflow.
template <typename Part, typename Join>
Value fold(std::string_view text, char sign, std::uint64_t start, Part part, Join join) {
    std::uint64_t value = start;
    while (true) {
        const auto end = text.find(sign);
        const Value next = part(trimmed(text.substr(0, end)));
        if (!next) return next;
        if (join(value, *next, &value)) return std::unexpected("the size is too large");
        if (end == std::string_view::npos) return value;
        text.remove_prefix(end + 1);
    }
}

} // namespace

Value evaluate_size(std::string_view text, const Variables& variables) {
    const auto product = [&](std::string_view term) {
        return fold(
            term, '*', 1, [&](std::string_view part) { return factor(part, variables); },
            [](std::uint64_t a, std::uint64_t b, std::uint64_t* out) { return __builtin_mul_overflow(a, b, out); });
    };
    return fold(text, '+', 0, product,
                [](std::uint64_t a, std::uint64_t b, std::uint64_t* out) { return __builtin_add_overflow(a, b, out); });
}

} // namespace aios::host
