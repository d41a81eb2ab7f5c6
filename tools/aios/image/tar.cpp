// Reads a tar archive; see tar.hpp. Blocks of 512 bytes: a header, then the contents filled up with zeros; two blocks of zeros
// end it. What stands in extended headers ("x", "g" of pax; "L", "K" of GNU) holds for the header that follows.
#include "tools/aios/image/tar.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <format>
#include <map>
#include <optional>

#include "base/path.hpp"
#include "boot/manifest.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kNanoseconds = 1'000'000'000;

struct TarHeader {
    char name[100], mode[8], user[8], group[8], size[12], modified[12], checksum[8], type, target[100], magic[6],
        version[2], user_name[32], group_name[32], major[8], minor[8], prefix[155], rest[12];
};
static_assert(sizeof(TarHeader) == kBlock);

template <std::size_t N>
std::string_view text_of(const char (&field)[N]) {
    const std::string_view all(field, N);
    return all.substr(0, all.find('\0'));
}

// Octal digits among spaces and zero bytes, or, with the first bit set, a number of that many bytes (GNU).
template <std::size_t N>
std::optional<std::uint64_t> number_of(const char (&field)[N]) {
    std::uint64_t value = 0;
    if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
        for (std::size_t i = 0; i < N; ++i) {
            const auto byte = static_cast<unsigned char>(i == 0 ? field[0] & 0x7f : field[i]);
            if (value >> 56 != 0) return std::nullopt; // negative numbers too: their first bits are set
            value = value << 8 | byte;
        }
        return value;
    }
    std::string_view digits = text_of(field);
    digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
    digits = digits.substr(0, digits.find(' '));
    if (digits.empty()) return 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return value;
}

bool has_right_checksum(const TarHeader& header) {
    char bytes[kBlock];
    std::memcpy(bytes, &header, kBlock);
    std::memset(bytes + offsetof(TarHeader, checksum), ' ', sizeof(header.checksum));
    std::uint64_t sum = 0;
    for (const char byte : bytes)
        sum += static_cast<unsigned char>(byte);
    return number_of(header.checksum) == sum;
}

// "1700000000.123456789", as pax writes times; digits behind the ninth are dropped.
std::optional<std::uint64_t> time_of(std::string_view text) {
    const auto dot = text.find('.');
    const auto seconds = parse_number(text.substr(0, dot), 0, ~std::uint64_t{0} / kNanoseconds - 1);
    if (!seconds) return std::nullopt;
    if (dot == std::string_view::npos) return *seconds * kNanoseconds;
    std::string part(text.substr(dot + 1, 9));
    part.resize(9, '0');
    const auto nanoseconds = parse_number(part, 0, kNanoseconds - 1);
    if (!nanoseconds) return std::nullopt;
    return *seconds * kNanoseconds + *nanoseconds;
}

// Without what says nothing: "./", "/" in front and behind, double slashes. Nothing if it has "..".
std::optional<std::string> clean_path(std::string_view path) {
    std::string clean;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (part == "..") return std::nullopt;
        if (part.empty() || part == ".") continue;
        if (!clean.empty()) clean += '/';
        clean += part;
    }
    return clean;
}

class TarReader {
public:
    TarReader(std::string_view archive, std::string_view name) : archive_(archive), rest_(archive), name_(name) {}

    Outcome<Bundle> read() {
        for (;;) {
            if (rest_.size() < kBlock) return refuse("is cut off");
            if (is_zero(rest_.substr(0, kBlock))) break;
            std::memcpy(&header_, rest_.data(), kBlock);
            rest_.remove_prefix(kBlock);
            if (!has_right_checksum(header_)) return refuse("is damaged: a header does not have its checksum");
            HOST_TRY(take_header());
        }
        if (!is_zero(rest_)) return refuse("goes on behind its end");
        return std::move(bundle_);
    }

private:
    // What extended headers say of the next header, or of all that follow.
    struct Extended {
        std::optional<std::string> path, target;
        std::optional<std::uint64_t> size, modified_ns;
    };

    static bool is_zero(std::string_view bytes) {
        return std::ranges::all_of(bytes, [](char byte) { return byte == '\0'; });
    }
    [[nodiscard]] std::unexpected<Failure> refuse(std::string_view what) const {
        return failure(Exit::bad_input, std::format("'{}' {}.", name_, what));
    }

    Outcome<std::string_view> take_contents(std::uint64_t bytes) {
        if (bytes > rest_.size()) return refuse("is cut off");
        const std::string_view contents = rest_.substr(0, bytes);
        rest_.remove_prefix(std::min<std::size_t>((bytes + kBlock - 1) / kBlock * kBlock, rest_.size()));
        return contents;
    }

    Outcome<> take_header() {
        const auto size = number_of(header_.size);
        if (!size) return refuse("has a size that is no number");
        switch (header_.type) {
        case 'x':
            return take_records(HOST_TRY(take_contents(*size)), next_);
        case 'g':
            return take_records(HOST_TRY(take_contents(*size)), always_);
        case 'L':
        case 'K': {
            const std::string_view text = HOST_TRY(take_contents(*size));
            (header_.type == 'L' ? next_.path : next_.target) = text.substr(0, text.find('\0'));
            return {};
        }
        default:
            HOST_TRY(take_entry(next_.size.value_or(always_.size.value_or(*size))));
            next_ = {};
            return {};
        }
    }

    // "LENGTH KEY=VALUE\n", one behind the other; the length is that of the whole record.
    Outcome<> take_records(std::string_view records, Extended& to) {
        while (!records.empty()) {
            std::size_t length = 0;
            const auto read = std::from_chars(records.data(), records.data() + records.size(), length);
            const auto head = static_cast<std::size_t>(read.ptr - records.data());
            if (read.ec != std::errc() || length < head + 2 || length > records.size() || records[head] != ' ' ||
                records[length - 1] != '\n')
                return refuse("has an extended header that is none");
            const std::string_view record = records.substr(head + 1, length - head - 2);
            records.remove_prefix(length);
            const auto equals = record.find('=');
            if (equals == std::string_view::npos) return refuse("has an extended header that is none");
            HOST_TRY(take_record(record.substr(0, equals), record.substr(equals + 1), to));
        }
        return {};
    }

    Outcome<> take_record(std::string_view key, std::string_view value, Extended& to) {
        if (key == "path") to.path = value;
        if (key == "linkpath") to.target = value;
        if (key == "size") {
            to.size = parse_number(value, 0, ~std::uint64_t{0});
            if (!to.size) return refuse("has a size that is no number");
        }
        if (key == "mtime") {
            to.modified_ns = time_of(value);
            if (!to.modified_ns)
                return refuse(std::format("has a time that an image cannot say, '{}'", shortened(value)));
        }
        if (key.starts_with("GNU.sparse.")) return refuse("has a file with holes, which an image cannot have");
        return {};
    }

    [[nodiscard]] std::string named_path() const {
        if (next_.path) return *next_.path;
        if (always_.path) return *always_.path;
        // GNU's format, whose magic is another, has other things where ustar has the prefix.
        const bool is_ustar = std::memcmp(header_.magic, "ustar", sizeof(header_.magic)) == 0;
        const std::string_view prefix = is_ustar ? text_of(header_.prefix) : std::string_view();
        const std::string_view own = text_of(header_.name);
        return prefix.empty() ? std::string(own) : std::format("{}/{}", prefix, own);
    }

    Outcome<> take_entry(std::uint64_t size) {
        const std::string named = named_path();
        const std::string target(next_.target ? *next_.target
                                              : always_.target.value_or(std::string(text_of(header_.target))));
        const auto path = clean_path(named);
        if (!path || (!path->empty() && !is_path(*path)))
            return refuse(std::format("has '{}', which cannot be a path in an image", shortened(named)));
        BundleEntry entry{.path = *path, .bytes = {}};
        const auto mode = number_of(header_.mode), seconds = number_of(header_.modified);
        if (!mode || !seconds || *seconds >= ~std::uint64_t{0} / kNanoseconds)
            return refuse(std::format("has a mode or time of '{}' that is no number", shortened(named)));
        entry.mode = static_cast<std::uint16_t>(*mode & boot::kManifestModeBits);
        entry.modified_ns = next_.modified_ns.value_or(always_.modified_ns.value_or(*seconds * kNanoseconds));
        switch (header_.type) {
        case '0':
        case '\0':
        case '7':                       // contiguous, where that means something
            if (named.ends_with('/')) { // as it was written before there was a type for it
                entry.kind = EntryKind::directory;
                break;
            }
            entry.bytes = HOST_TRY(take_contents(size));
            break;
        case '1': {
            if (size != 0) return refuse(std::format("has contents beside the name '{}'", shortened(named)));
            entry.kind = EntryKind::name;
            const auto file = clean_path(target);
            const auto known = file ? places_.find(*file) : places_.end();
            if (known == places_.end())
                return refuse(std::format("has '{}' as a name of '{}', which does not come before it", shortened(named),
                                          shortened(target)));
            const BundleEntry& first = bundle_.entries[known->second];
            entry.target = first.kind == EntryKind::name ? first.target : first.path;
            break;
        }
        case '2':
            entry.kind = EntryKind::link;
            entry.target = target;
            break;
        case '5':
            entry.kind = EntryKind::directory;
            break;
        default:
            return refuse(
                std::format("has '{}', which is neither a file nor a folder nor a link, and cannot be in an image",
                            shortened(named)));
        }
        if (entry.path.empty() && entry.kind != EntryKind::directory) return refuse("has a root that is not a folder");
        return add(std::move(entry));
    }

    Outcome<> add(BundleEntry entry) {
        const auto [place, is_new] = places_.try_emplace(entry.path, bundle_.entries.size());
        if (is_new) {
            bundle_.entries.push_back(std::move(entry));
            return {};
        }
        BundleEntry& before = bundle_.entries[place->second];
        if (entry.kind != EntryKind::directory || before.kind != EntryKind::directory)
            return refuse(std::format("has '{}' twice", shortened(entry.path)));
        before = std::move(entry);
        return {};
    }

    std::string_view archive_, rest_;
    std::string name_;
    TarHeader header_{};
    Extended next_, always_;
    Bundle bundle_;
    std::map<std::string, std::size_t, std::less<>> places_; // of the bundle's entries, by path
};

} // namespace

bool is_tar(std::string_view bytes) {
    TarHeader header;
    if (bytes.size() < kBlock) return false;
    std::memcpy(&header, bytes.data(), kBlock);
    return has_right_checksum(header);
}

Outcome<Bundle> read_tar(std::string_view archive, std::string_view name) { return TarReader(archive, name).read(); }

} // namespace aios::host
