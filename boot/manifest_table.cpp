// Parsing, checking and searching; see manifest_table.hpp.
#include "boot/manifest_table.hpp"

#include <algorithm>
#include <cstring>

#include "base/path.hpp"

namespace aios::boot {

namespace {

// Compares `path` with the directory prefix `directory` + "/", bytewise.
int compare_with_prefix(std::string_view path, std::string_view directory) {
    const int head = path.substr(0, directory.size()).compare(directory);
    if (head != 0) return head;
    if (path.size() == directory.size()) return -1; // the directory's own name comes before what is below it
    const auto next = static_cast<unsigned char>(path[directory.size()]);
    return static_cast<int>(next) - '/';
}

bool is_zero(const std::uint8_t (&root)[32]) {
    return std::ranges::all_of(root, [](std::uint8_t byte) { return byte == 0; });
}

bool has_no_content(const ManifestNode& node) {
    return node.first == 0 && node.names == 0 && node.bytes == 0 && is_zero(node.root);
}

// What a node's own fields must be, by its kind. Where its text, its pages and its path are is for others to check.
bool is_well_formed(const ManifestNode& node) {
    const std::uint32_t mode = ManifestTable::mode(node);
    switch (ManifestTable::kind(node)) {
    case ManifestKind::directory:
        return has_no_content(node);
    case ManifestKind::file:
        return node.names != 0;
    case ManifestKind::link:
        return mode == kManifestLinkMode && node.first == 0 && node.names == 0 && is_zero(node.root) &&
               node.bytes != 0 && node.bytes <= kMaxPathBytes;
    case ManifestKind::name:
        return mode == 0 && node.modified_ns == 0 && node.bytes == 0 && node.names == 0 && is_zero(node.root);
    }
    return false; // another kind
}

// The number of leading bytes that both have.
std::size_t common_bytes(std::string_view a, std::string_view b) {
    const std::size_t most = std::min(a.size(), b.size());
    std::size_t shared = 0;
    for (; shared + 8 <= most; shared += 8) {
        std::uint64_t left, right;
        std::memcpy(&left, a.data() + shared, 8);
        std::memcpy(&right, b.data() + shared, 8);
        if (left != right) break;
    }
    while (shared < most && a[shared] == b[shared])
        ++shared;
    return shared;
}

} // namespace

Result<std::uint32_t> ManifestTable::nodes_of(Bytes data) {
    ManifestHeader header;
    if (data.size() < sizeof(header)) return fail(Error::truncated);
    std::memcpy(&header, data.data(), sizeof(header));
    if (std::memcmp(header.magic, kManifestMagic, sizeof(header.magic)) != 0) return fail(Error::unsupported);
    if (header.nodes > kMaxManifestNodes || header.data_pages > ~std::uint32_t{0}) return fail(Error::too_large);
    const std::uint64_t fixed = sizeof(header) + std::uint64_t{header.nodes} * sizeof(ManifestNode);
    if (data.size() < fixed) return fail(Error::truncated);
    if (header.nodes == 0 || header.text_bytes != data.size() - fixed) return fail(Error::bad_format);
    if (header.text_bytes > ~std::uint32_t{0}) return fail(Error::too_large);
    return header.nodes;
}

// Nodes in their order; `text` and `page` are what the next one has to begin with, `directory` the one it likely lies in.
Result<> ManifestTable::parse(Bytes data, std::uint64_t data_pages, std::span<std::uint32_t> room) {
    AIOS_ASSERT(count_ == 0);
    const std::uint32_t nodes = TRY(nodes_of(data));
    AIOS_ASSERT(room.size() >= nodes);
    ManifestHeader header;
    std::memcpy(&header, data.data(), sizeof(header));
    if (header.data_pages != data_pages) return fail(Error::bad_format);
    // SAFETY: the caller's data is aligned, and there are so many nodes; they are bytes and integers, whatever they are.
    nodes_ = reinterpret_cast<const ManifestNode*>(data.data() + sizeof(header));
    count_ = nodes;
    // SAFETY: bytes as characters
    text_ = {reinterpret_cast<const char*>(nodes_ + nodes), header.text_bytes};
    room_ = room;

    const crypto::MerkleHash empty = crypto::merkle_empty_root();
    std::uint64_t text = 0, page = 0, more_names = 0, names = 0;
    std::uint32_t directory = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
        const ManifestNode& node = nodes_[i];
        if (!is_well_formed(node) || node.text != text || node.path_bytes > text_.size() - text)
            return fail(Error::bad_format);
        text += node.path_bytes;
        TRY(check_path(i, directory));
        switch (kind(node)) {
        case ManifestKind::directory:
            break;
        case ManifestKind::link:
            if (node.bytes > text_.size() - text) return fail(Error::bad_format);
            text += node.bytes;
            if (target(i).contains('\0')) return fail(Error::bad_format);
            break;
        case ManifestKind::file:
            if (node.first != page || pages(node) > data_pages - page) return fail(Error::bad_format);
            if (node.bytes == 0 && std::memcmp(node.root, empty.data(), empty.size()) != 0)
                return fail(Error::bad_format); // no page of it is ever touched
            page += pages(node);
            more_names += node.names - 1;
            room_[file_count_++] = i;
            break;
        case ManifestKind::name:
            if (node.first >= i || kind(nodes_[node.first]) != ManifestKind::file) return fail(Error::bad_format);
            ++names;
            room_[file_count_++] = i;
            break;
        }
    }
    if (text != text_.size() || page != data_pages || names != more_names) return fail(Error::bad_format);
    if (names != 0) TRY(check_names());
    first_program_ = header.first_program;
    if (first_program_ == kNoProgram) return {};
    if (first_program_ >= count_ || kind(nodes_[first_program_]) != ManifestKind::file) return fail(Error::bad_format);
    return (mode(nodes_[first_program_]) & 0111) != 0 ? Result<>() : fail(Error::bad_format);
}

// That the path is one, comes behind the one before, and lies in a directory. What it has in common with the one before
// is known to be good; `directory` is the node of the directory that that one lies in.
Result<> ManifestTable::check_path(std::uint32_t index, std::uint32_t& directory) const {
    const std::string_view current = path(index);
    if (index == 0)
        return current.empty() && kind(nodes_[0]) == ManifestKind::directory ? Result<>() : fail(Error::bad_format);
    const std::string_view before = path(index - 1);
    const std::size_t shared = common_bytes(before, current);
    if (shared == current.size()) return fail(Error::bad_format); // the same, or the beginning of it
    if (shared < before.size() &&
        static_cast<unsigned char>(current[shared]) < static_cast<unsigned char>(before[shared]))
        return fail(Error::bad_format);
    if (current.size() > kMaxPathBytes) return fail(Error::bad_format);
    const std::size_t begins = shared == 0 ? 0 : current.substr(0, shared).rfind('/') + 1; // npos + 1 is 0
    if (!is_path(current.substr(begins))) return fail(Error::bad_format);

    const std::string_view above = split_last(current).directory;
    if (above == path(directory)) return {};
    const std::uint32_t found = lower_bound(above, index); // it sorts before what is in it
    if (found == index || path(found) != above || kind(nodes_[found]) != ManifestKind::directory)
        return fail(Error::bad_format);
    directory = found;
    return {};
}

// That each file has as many names as it says. They are counted in the room for the files, which are found once more.
Result<> ManifestTable::check_names() {
    std::ranges::fill(room_.first(count_), 0);
    for (std::uint32_t i = 0; i < count_; ++i)
        if (kind(nodes_[i]) == ManifestKind::name) ++room_[nodes_[i].first];
    for (std::uint32_t i = 0; i < count_; ++i)
        if (kind(nodes_[i]) == ManifestKind::file && room_[i] != nodes_[i].names - 1) return fail(Error::bad_format);
    file_count_ = 0;
    for (std::uint32_t i = 0; i < count_; ++i)
        if (kind(nodes_[i]) == ManifestKind::file || kind(nodes_[i]) == ManifestKind::name) room_[file_count_++] = i;
    return {};
}

std::string_view ManifestTable::first_program() const {
    return first_program_ == kNoProgram ? std::string_view() : path(first_program_);
}

std::string_view ManifestTable::path(std::uint32_t index) const {
    const ManifestNode& at = node(index);
    return text_.substr(at.text, at.path_bytes);
}

std::string_view ManifestTable::target(std::uint32_t index) const {
    const ManifestNode& at = node(index);
    AIOS_ASSERT(kind(at) == ManifestKind::link);
    return text_.substr(std::size_t{at.text} + at.path_bytes, at.bytes);
}

std::uint32_t ManifestTable::resolve(std::uint32_t index) const {
    const ManifestNode& at = node(index);
    return kind(at) == ManifestKind::name ? at.first : index;
}

std::uint32_t ManifestTable::lower_bound(std::string_view wanted) const { return lower_bound(wanted, count_); }

std::uint32_t ManifestTable::lower_bound(std::string_view wanted, std::uint32_t end) const {
    std::uint32_t low = 0, high = end;
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

ManifestTable::Range ManifestTable::below(std::string_view directory) const { return below(directory, {1, count_}); }

ManifestTable::Range ManifestTable::below(std::string_view directory, Range within) const {
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

} // namespace aios::boot
