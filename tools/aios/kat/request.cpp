#include "tools/aios/kat/request.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "tools/aios/host/text.hpp"

namespace aios::host::kat {

namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kPlainFields[] = {"hash", "len", "internal"};
constexpr std::size_t kShown = 40; // of a word that a reason repeats

std::unexpected<Failure> refuse(std::string reason) { return failure(Exit::bad_input, std::move(reason)); }

std::string shown(std::string_view word) {
    if (word.size() <= kShown) return printable(word);
    return printable(word.substr(0, kShown)) + "...";
}

// The next word, taken off `line`; empty at its end.
std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    line.remove_prefix(word.size());
    return word;
}

bool names(std::string_view list, std::string_view name) {
    for (std::string_view one = next_word(list); !one.empty(); one = next_word(list))
        if (one == name) return true;
    return false;
}

constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::uint8_t i = 0; i < 10; ++i)
        digits[std::size_t{'0'} + i] = i;
    for (std::uint8_t i = 0; i < 6; ++i)
        digits[std::size_t{'a'} + i] = digits[std::size_t{'A'} + i] = static_cast<std::uint8_t>(10 + i);
    return digits;
}();

std::uint8_t digit_of(char c) { return kDigits[static_cast<unsigned char>(c)]; }

Outcome<std::vector<std::byte>> bytes_of(std::string_view name, std::string_view hex) {
    if (const auto bad = std::ranges::find(hex, kNoDigit, digit_of); bad != hex.end())
        return refuse(std::format("{} has '{}' at {}, which is not a hexadecimal digit", shown(name),
                                  printable(std::string_view(bad, 1)), bad - hex.begin()));
    if (hex.size() % 2 != 0)
        return refuse(std::format("{} has an odd number of hexadecimal digits, {}", shown(name), hex.size()));
    std::vector<std::byte> bytes(hex.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
    return bytes;
}

} // namespace

bool is_plain_field(std::string_view name) { return std::ranges::find(kPlainFields, name) != std::end(kPlainFields); }

Outcome<Request> Request::parse(std::string_view line) {
    Request request;
    const std::string_view first = next_word(line);
    if (first.empty()) return refuse("the line is empty");
    // Names such as SHA2-512/256 have a slash of their own: the last one counts.
    const auto slash = first.rfind('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == first.size())
        return refuse(std::format("a line starts with ALGORITHM/operation, not with '{}'", shown(first)));
    request.algorithm_ = first.substr(0, slash);
    request.operation_ = first.substr(slash + 1);
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line))
        HOST_TRY(request.add_field(word));
    return request;
}

Outcome<> Request::add_field(std::string_view text) {
    constexpr std::size_t kMostFields = 32;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return refuse(std::format("a field has the form name=value, unlike '{}'", shown(text)));
    Field field{.name = text.substr(0, equals), .word = text.substr(equals + 1), .bytes = {}};
    if (has(field.name)) return refuse(std::format("the field {} is there twice", shown(field.name)));
    if (fields_.size() == kMostFields) return refuse("the line has too many fields");
    if (!is_plain_field(field.name)) {
        if (field.word.size() > 2 * kMaxMessage)
            return refuse(std::format("{} is longer than {} bytes", shown(field.name), kMaxMessage));
        field.bytes = HOST_TRY(bytes_of(field.name, field.word));
    }
    fields_.push_back(std::move(field));
    return {};
}

Outcome<> Request::check_fields(std::string_view required, std::string_view optional) const {
    for (const Field& field : fields_)
        if (!names(required, field.name) && !names(optional, field.name))
            return refuse(std::format("{}/{} has no field '{}'", algorithm_, operation_, shown(field.name)));
    for (std::string_view name = next_word(required); !name.empty(); name = next_word(required))
        if (!has(name)) return refuse(std::format("the field {} is missing", name));
    return {};
}

const Request::Field* Request::find(std::string_view name) const {
    const auto at = std::ranges::find(fields_, name, &Field::name);
    return at == fields_.end() ? nullptr : &*at;
}

Bytes Request::bytes(std::string_view name) const {
    const Field* field = find(name);
    return field == nullptr ? Bytes() : Bytes(field->bytes);
}

std::string_view Request::word(std::string_view name) const {
    const Field* field = find(name);
    return field == nullptr ? std::string_view() : field->word;
}

Outcome<std::size_t> Request::count(std::string_view name, std::size_t most) const {
    const auto number = parse_number(word(name), 0, most);
    if (!number) return refuse(std::format("{} is a decimal number of bytes from 0 to {}", name, most));
    return *number;
}

Outcome<bool> Request::flag(std::string_view name) const {
    if (!has(name) || word(name) == "0") return false;
    if (word(name) == "1") return true;
    return refuse(std::format("{} is 0 or 1", name));
}

} // namespace aios::host::kat
