#include "tools/aios/input/quotations.hpp"

#include <algorithm>
#include <cstring>
#include <format>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

std::vector<std::size_t> find_line_ends(std::string_view text) {
    std::vector<std::size_t> ends;
    for (std::size_t begin = 0; begin < text.size(); begin = ends.back() + 1)
        ends.push_back(std::min(text.find('\n', begin), text.size()));
    return ends;
}

// In linear time, whatever the two look like.
bool contains(std::string_view text, std::string_view part) {
    return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

} // namespace

void PackedDocuments::add(std::string inside, std::string name, std::string bytes) {
    documents_.insert_or_assign(std::move(inside), Document{std::move(name), std::move(bytes), {}});
}

std::string_view PackedDocuments::name_of(std::string_view inside) const {
    const auto found = documents_.find(inside);
    return found != documents_.end() ? std::string_view(found->second.name) : inside;
}

Quotation PackedDocuments::check(std::string_view inside, std::uint64_t first, std::uint64_t last,
                                 std::string_view text) {
    const auto found = documents_.find(inside);
    if (found == documents_.end()) return Quotation::no_document;
    Document& document = found->second;
    const std::string_view all = document.bytes;
    std::vector<std::size_t>& ends = document.line_ends;
    if (ends.empty()) ends = find_line_ends(all);
    if (first < 1 || last < first || last > ends.size()) return Quotation::no_lines;
    const std::size_t line_begin = first == 1 ? 0 : ends[first - 2] + 1;
    const std::size_t line_end = ends[first - 1];
    if (text.empty()) return Quotation::other_text; // nothing is quoted
    if (static_cast<std::uint64_t>(std::ranges::count(text, '\n')) != last - first) return Quotation::other_text;
    const std::size_t rest_of_first = text.find('\n');
    if (rest_of_first == std::string_view::npos) // within one line
        return contains(all.substr(line_begin, line_end - line_begin), text) ? Quotation::verified
                                                                             : Quotation::other_text;
    // It goes to the end of the first line, so there is one place where it can begin. As it has as many line ends as
    // the lines that it cites, it ends in the last of them if it is there.
    const bool fits = rest_of_first <= line_end - line_begin;
    return fits && all.substr(line_end - rest_of_first).starts_with(text) ? Quotation::verified : Quotation::other_text;
}

std::string describe_misquote(Quotation found, std::string_view file, std::uint64_t first, std::uint64_t last,
                              std::string_view text) {
    const auto what = [&]() -> std::string {
        switch (found) {
        case Quotation::verified:
            break;
        case Quotation::no_document:
            return ", which is no document of this run";
        case Quotation::no_lines:
            return std::format(", which has no lines {}-{}", first, last);
        case Quotation::other_text:
            return std::format(" lines {}-{}", first, last);
        }
        return "";
    };
    if (found == Quotation::verified) return {};
    return std::format("not in {}{}: {}", shortened(file), what(), text.empty() ? "(no text)" : shortened(text));
}

} // namespace aios::host
