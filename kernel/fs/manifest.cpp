// The manifest: parsing, checking and searching; see manifest.hpp.
#include "kernel/fs/manifest.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "boot/container.hpp"
#include "kernel/fs/path.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::fs {

namespace {

// Compares `path` with the directory prefix `directory` + "/", bytewise.
int compare_with_prefix(std::string_view path, std::string_view directory) {
    const int head = path.substr(0, directory.size()).compare(directory);
    if (head != 0) return head;
    if (path.size() == directory.size()) return -1; // the directory's own name comes before what is below it
    const auto next = static_cast<unsigned char>(path[directory.size()]);
    return static_cast<int>(next) - '/';
}

// The number of leading bytes up to a slash that both paths share: their common directory, with its slash.
std::size_t common_directory(std::string_view a, std::string_view b) {
    std::size_t shared = 0;
    for (std::size_t i = 0; i < a.size() && i < b.size() && a[i] == b[i]; ++i)
        if (a[i] == '/') shared = i + 1;
    return shared;
}

Result<ManifestEntry> decode_entry(cbor::Decoder& in) {
    ManifestEntry entry;
    if (TRY(in.array_begin()) != 5) return fail(Error::bad_format);
    entry.path = TRY(in.text());
    entry.first_page = TRY(in.uint());
    entry.bytes = TRY(in.uint());
    TRY(in.bytes_into(entry.root));
    entry.flags = TRY(in.uint());
    TRY(in.end());
    return entry;
}

} // namespace

Manifest::~Manifest() { mm::heap_free(offsets_); }

Result<> Manifest::parse(Bytes data, std::uint64_t data_pages) {
    AIOS_ASSERT(offsets_ == nullptr);
    if (data.size() > ~std::uint32_t{0}) return fail(Error::too_large);
    data_ = data;
    cbor::Decoder in(data);
    TRY(in.map_begin());
    TRY(in.expect_key(0));
    if (TRY(in.uint()) != 1) return fail(Error::unsupported);
    TRY(in.expect_key(1));
    const std::uint64_t count = TRY(in.array_begin());
    if (count > kMaxEntries) return fail(Error::too_large);
    offsets_ =
        static_cast<std::uint32_t*>(mm::heap_allocate(std::max<std::uint64_t>(count, 1) * sizeof(std::uint32_t)));
    if (offsets_ == nullptr) return fail(Error::out_of_memory);
    std::string_view last;
    std::uint64_t next_page = 0; // what belongs to nobody yet: a page is verified for one entry only
    while (TRY(in.array_next())) {
        offsets_[count_] = static_cast<std::uint32_t>(in.position());
        const ManifestEntry entry = TRY(decode_entry(in));
        if (!is_path(entry.path) || (count_ != 0 && !(last < entry.path))) return fail(Error::bad_format);
        if (entry.first_page < next_page || entry.first_page > data_pages) return fail(Error::bad_format);
        if (entry.pages() > data_pages - entry.first_page) return fail(Error::bad_format);
        if ((entry.flags & ~boot::kEntryExecutable) != 0) return fail(Error::bad_format);
        last = entry.path;
        next_page = entry.first_page + entry.pages();
        ++count_;
    }
    while (const auto key = TRY(in.next_key())) {
        if (!key->is(2)) return fail(Error::bad_format);
        first_program_ = TRY(in.text());
    }
    TRY(in.finish());
    return check_directories();
}

// No entry may stand where the path of another needs a directory. Only directories that the entry before does not share
// are new.
Result<> Manifest::check_directories() const {
    std::string_view last;
    for (std::uint32_t i = 0; i < count_; ++i) {
        const std::string_view current = path(i);
        for (std::size_t at = common_directory(last, current); at < current.size(); ++at) {
            if (current[at] != '/') continue;
            const std::string_view directory = current.substr(0, at);
            const std::uint32_t found = lower_bound(directory);
            if (found < count_ && path(found) == directory) return fail(Error::bad_format);
        }
        last = current;
    }
    return {};
}

// The path stands right behind the head of the entry's array, which is one byte. parse() has checked all of it.
std::string_view Manifest::path(std::uint32_t index) const {
    AIOS_ASSERT(index < count_);
    const std::byte* head = data_.data() + offsets_[index] + 1;
    const unsigned info = static_cast<unsigned>(*head) & 31;
    if (info < 24) return as_text(Bytes(head + 1, info));
    if (info == 24) return as_text(Bytes(head + 2, static_cast<std::size_t>(head[1])));
    AIOS_ASSERT(info == 25); // at most 1,024 bytes
    return as_text(Bytes(head + 3, load_be<std::uint16_t>(head + 1)));
}

ManifestEntry Manifest::entry(std::uint32_t index) const {
    AIOS_ASSERT(index < count_);
    cbor::Decoder in(data_.subspan(offsets_[index]));
    const Result<ManifestEntry> entry = decode_entry(in);
    AIOS_ASSERT(entry.has_value());
    return *entry;
}

std::uint32_t Manifest::lower_bound(std::string_view wanted) const {
    std::uint32_t low = 0, high = count_;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (path(middle) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

Manifest::Range Manifest::below(std::string_view directory) const { return below(directory, {0, count_}); }

Manifest::Range Manifest::below(std::string_view directory, Range within) const {
    if (directory.empty()) return within;
    const auto first_with = [&](Range range, int at_least) {
        while (range.first < range.end) {
            const std::uint32_t middle = range.first + (range.end - range.first) / 2;
            if (compare_with_prefix(path(middle), directory) < at_least) {
                range.first = middle + 1;
            } else {
                range.end = middle;
            }
        }
        return range.first;
    };
    const std::uint32_t first = first_with(within, 0);
    return {first, first_with({first, within.end}, 1)};
}

} // namespace aios::fs
