#include "tools/aios/host/text.hpp"

#include <charconv>
#include <format>

#include "base/utf8.hpp"

namespace aios::host {

namespace {

enum class Controls { keep, escape, escape_but_lines };

std::string convert(std::string_view bytes, Controls controls) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const utf8::Decoded next = utf8::decode(bytes);
        const char32_t c = next.code_point;
        const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
        if (!next.valid) {
            out += "\xef\xbf\xbd";
        } else if (!control || controls == Controls::keep ||
                   (controls == Controls::escape_but_lines && (c == '\n' || c == '\t'))) {
            out += bytes.substr(0, next.length);
        } else if (controls == Controls::escape_but_lines && c == '\r' && bytes.substr(1).starts_with('\n')) {
            // CRLF shows as a line end
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += std::format("\\x{:02x}", static_cast<unsigned>(c));
        }
        bytes.remove_prefix(next.length);
    }
    return out;
}

} // namespace

std::string to_utf8(std::string_view bytes) { return convert(bytes, Controls::keep); }
std::string printable(std::string_view bytes) { return convert(bytes, Controls::escape); }
std::string shortened(std::string_view bytes) {
    constexpr std::size_t kShown = 400;
    const std::string all = printable(bytes);
    return all.size() <= kShown ? all : to_utf8(std::string_view(all).substr(0, kShown)) + " ...";
}
std::string printable_lines(std::string_view bytes) { return convert(bytes, Controls::escape_but_lines); }

std::string with_thousands(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string human_bytes(std::uint64_t bytes) {
    const auto value = static_cast<double>(bytes);
    if (bytes < 1000) return counted(bytes, "byte");
    if (bytes < 1'000'000) return std::format("{:.1f} kB", value / 1e3);
    if (bytes < 1'000'000'000) return std::format("{:.1f} MB", value / 1e6);
    return std::format("{:.1f} GB", value / 1e9);
}

std::string human_nanoseconds(std::uint64_t number) {
    const auto value = static_cast<double>(number);
    if (number < 1'000'000) return std::format("{:.0f} us", value / 1e3);
    if (number < 10'000'000'000) return std::format("{:.1f} ms", value / 1e6);
    return std::format("{:.1f} s", value / 1e9);
}

std::string counted(std::uint64_t count, std::string_view what) {
    const auto bar = what.find('|');
    if (bar != std::string_view::npos)
        return std::format("{} {}", with_thousands(count), count == 1 ? what.substr(0, bar) : what.substr(bar + 1));
    return std::format("{} {}{}", with_thousands(count), what, count == 1 ? "" : "s");
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc{} || stop != end || number < low || number > high) return std::nullopt;
    return number;
}

std::string lower_first(std::string_view text) {
    std::string out(text);
    // An abbreviation such as "I/O error" keeps its capital.
    const bool word = out.size() > 1 && out[1] >= 'a' && out[1] <= 'z';
    if (word && out[0] >= 'A' && out[0] <= 'Z') out[0] = static_cast<char>(out[0] - 'A' + 'a');
    return out;
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes)
        out += std::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

} // namespace aios::host
