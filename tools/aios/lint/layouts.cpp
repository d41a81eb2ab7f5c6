// Which fields a message has and where they stand is said by abi/messages.def alone. What gives away a layout that is
// spelled elsewhere: a key that must be the next one, a key or a size that is a number, an item picked out by its place.
#include <algorithm>
#include <cctype>
#include <format>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

// Encoders, decoders and their own tests; formats of others (COSE), and the container's.
constexpr std::string_view kPlaces[] = {"base/",
                                        "messages/",
                                        "crypto/",
                                        "tools/aios/input/bundle.cpp",
                                        "tests/fuzz/",
                                        "tests/unit/base/",
                                        "tests/unit/crypto/",
                                        "tests/unit/fs/",
                                        "tests/unit/host/bundle_test.cpp",
                                        "tests/unit/messages/"};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// `start` and, with any spaces between them, a digit.
bool has_number_after(std::string_view line, std::string_view start) {
    for (auto at = line.find(start); at != line.npos; at = line.find(start, at + 1)) {
        const auto next = line.find_first_not_of(' ', at + start.size());
        if (next != line.npos && is_digit(line[next])) return true;
    }
    return false;
}

// "if (TRY(in.map_begin()) != 3)"
bool compares_size(std::string_view line, std::string_view call) {
    const auto at = line.find(call);
    if (at == line.npos) return false;
    const auto sign = line.find_first_not_of(" )", at + call.size());
    return sign != line.npos && (line.substr(sign, 2) == "!=" || line.substr(sign, 2) == "==") &&
           has_number_after(line.substr(sign), line.substr(sign, 2));
}

// "items[0].text()": the values of an intent, which only these folders know.
bool picks_by_place(std::string_view file, std::string_view line) {
    const auto is_below = [&](std::string_view folder) { return file.starts_with(folder); };
    if (!std::ranges::any_of(std::initializer_list<std::string_view>{"runtime/", "services/", "examples/"}, is_below))
        return false;
    for (const std::string_view read : {"].text()", "].bytes()", "].integer()", "].real()", "].boolean()", "].array()"})
        for (auto at = line.find(read); at != line.npos; at = line.find(read, at + 1))
            if (at != 0 && is_digit(line[at - 1])) return true;
    return false;
}

} // namespace

void check_layouts(std::string_view file, std::string_view text, std::vector<Finding>& findings) {
    if (std::ranges::any_of(kPlaces, [&](std::string_view place) { return file.starts_with(place); })) return;
    if (text.find("// LAYOUT:") != text.npos) return;
    const std::vector<std::string> code = code_lines(text);
    for (std::size_t i = 0; i < code.size(); ++i) {
        const std::string_view line = code[i];
        const bool spells_layout = line.contains(".expect_key(") || line.contains("key->number()") ||
                                   has_number_after(line, ".key(") || has_number_after(line, ".map(") ||
                                   has_number_after(line, ".array(") || compares_size(line, ".map_begin(") ||
                                   compares_size(line, ".array_begin(") || picks_by_place(file, line);
        if (spells_layout)
            findings.push_back({"layouts", std::string(file), i + 1,
                                "a layout stands in abi/messages.def, or the file says why not after // LAYOUT:"});
    }
}

} // namespace aios::host::lint
