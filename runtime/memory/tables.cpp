// Finds the heads of tables: see tables.hpp.
#include "runtime/memory/tables.hpp"

#include <algorithm>
#include <array>

#include "runtime/memory/limits.hpp"

namespace aios::memory {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_blank(std::string_view line) {
    return std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

} // namespace

Layout layout_of(std::string_view name) {
    constexpr auto kEndings = std::to_array<std::string_view>({".csv", ".tsv", ".tab"});
    const bool separated = std::ranges::any_of(kEndings, [&](std::string_view ending) {
        return name.size() > ending.size() &&
               std::ranges::equal(name.substr(name.size() - ending.size()), ending, {}, lower);
    });
    return separated ? Layout::separated : Layout::text;
}

bool is_table_row(std::string_view line) { return line.starts_with('|'); }

bool is_table_rule(std::string_view row) {
    return is_table_row(row) && row.contains('-') &&
           std::ranges::all_of(row, [](char c) { return std::string_view("|-: \t\r").contains(c); });
}

void TableReader::line(std::string_view content, std::uint32_t number, std::size_t begin, std::size_t end) {
    const bool separated = layout_ == Layout::separated;
    in_table_ = separated ? !is_blank(content) : is_table_row(content);
    head_is_above_ = in_table_ && has_head_;
    if (!in_table_) {
        if (separated) return; // a blank line between rows
        rows_ = 0;
        has_head_ = false;
        return;
    }
    ++rows_;
    if (rows_ == 1)
        head_ = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin), number, number};
    const bool completes = separated ? rows_ == 1 : rows_ == 2 && is_table_rule(content);
    if (!completes) return;
    head_.bytes = static_cast<std::uint32_t>(end) - head_.offset;
    head_.last = number;
    has_head_ = head_.bytes <= kMaxTableHeadBytes;
}

} // namespace aios::memory
