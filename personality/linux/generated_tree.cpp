// Looking, listing and telling by the table of generated names (generated_rows.cpp). See generated_tree.hpp.
#include "personality/linux/generated_tree.hpp"

#include <cstring>

#include "kernel/time/clock.hpp"
#include "personality/linux/device_file.hpp"
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {
namespace {

using enum Folder;
using enum RowKind;

constexpr Row kRoot = {.in = root, .name = "", .kind = directory, .mode = 0555, .folder = root};

std::string_view next_component(std::string_view& path) {
    const std::size_t end = path.find('/');
    const std::string_view component = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    return component;
}

// A number as the kernel writes it: digits alone, no zero in front.
std::optional<std::uint32_t> number_of(std::string_view text) {
    if (text.empty() || text.size() > 9 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return value;
}

// The node of a row with the number, which is there.
std::optional<GeneratedNode> numbered(const Asked& in, const Row& row, std::uint32_t number) {
    GeneratedNode node = in.node;
    node.row = &row;
    if (row.folder == process) {
        node.pid = static_cast<std::int32_t>(number);
        const auto view = view_process(in.caller.family(), node.pid, 0);
        if (!view) return std::nullopt;
        node.born = view->born;
    } else if (row.folder == task) {
        node.tid = static_cast<std::int32_t>(number);
    } else {
        node.number = number;
    }
    return node;
}

std::optional<GeneratedNode> child_of(const Asked& in, std::string_view name) {
    for (const Row& row : rows_of(in.node.row->folder)) {
        if (row.numbers == nullptr) {
            if (row.name != name || (row.is_there != nullptr && !row.is_there(in.caller))) continue;
            GeneratedNode node = in.node;
            node.row = &row;
            return node;
        }
        if (!name.starts_with(row.name)) continue;
        const auto number = number_of(name.substr(row.name.size()));
        if (!number || row.numbers(in, *number) != number) continue;
        return numbered(in, row, *number);
    }
    return std::nullopt;
}

std::uint64_t device_number_of(const Row& row) {
    if (row.folder == cgroup || row.in == cgroup) return kCgroupDevice;
    const Folder folder = row.in == root ? row.folder : row.in;
    if (folder == dev || folder == terminals) return kNoTreeDevice;
    return folder >= sys ? kSysDevice : kProcDevice;
}

std::uint64_t inode_of(const GeneratedNode& node) {
    const auto row = number_of_row(*node.row) + 1; // those of /dev lie below 100
    const auto number = static_cast<std::uint64_t>(node.tid != 0 ? static_cast<std::uint32_t>(node.tid) : node.number);
    return row | static_cast<std::uint64_t>(static_cast<std::uint32_t>(node.pid)) << 8 | number << 32;
}

std::uint32_t type_bits(RowKind kind) {
    switch (kind) {
    case directory:
        return kModeDirectory;
    case file:
        return kModeFile;
    case link:
    case descriptor:
        return kModeLink;
    case device:
        return kModeChar;
    }
    AIOS_UNREACHABLE();
}

fs::NodeKind kind_of(RowKind kind) {
    switch (kind) {
    case directory:
        return fs::NodeKind::directory;
    case link:
    case descriptor:
        return fs::NodeKind::link;
    case file:
    case device:
        return fs::NodeKind::file;
    }
    AIOS_UNREACHABLE();
}

} // namespace

bool is_generated(std::string_view path) {
    const std::string_view first = next_component(path);
    for (const Row& row : rows_of(root)) {
        if (row.name == first) return true;
    }
    return false;
}

GeneratedNode generated_root() {
    GeneratedNode node;
    node.row = &kRoot;
    return node;
}

std::expected<GeneratedNode, Errno> find_generated(LinuxProcess& caller, std::string_view path) {
    GeneratedNode node = generated_root();
    while (!path.empty()) {
        if (!node.is_directory()) return std::unexpected(kNotDirectory);
        const auto child = child_of({caller, node}, next_component(path));
        if (!child) return std::unexpected(kNoEntry);
        node = *child;
    }
    return node;
}

std::uint64_t device_inode(Device device, std::uint32_t number) {
    for (const Row& row : rows_of(device == Device::slave ? terminals : dev)) {
        if (row.device == device) return inode_of({.row = &row, .number = number});
    }
    return 1;
}

Errno read_link(const Asked& asked, Text& out) {
    if (asked.node.row->kind == link) return asked.node.row->make(asked, out);
    const auto open = descriptor_of(asked);
    if (!open) return open.error();
    describe(**open, out);
    return out.error();
}

Stat info_of(const Asked& asked) {
    const GeneratedNode& node = asked.node;
    Stat out{};
    out.device = device_number_of(*node.row);
    out.inode = inode_of(node);
    out.links = node.is_directory() ? 2 : 1;
    out.mode = type_bits(node.row->kind) | node.row->mode;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    out.rdev = device_id(node.row->device, node.number);
    if (node.row->kind == descriptor) { // says by its mode what it was opened for
        out.bytes = 64;
        out.mode = kModeLink | 0100;
        if (const auto open = descriptor_of(asked))
            out.mode |= ((*open)->readable ? 0400u : 0u) | ((*open)->writable ? 0200u : 0u);
    }
    const std::uint64_t now = time::wall_ns();
    out.accessed = out.modified =
        out.changed = {static_cast<std::int64_t>(now / 1'000'000'000), static_cast<std::int64_t>(now % 1'000'000'000)};
    return out;
}

bool is_there(const Asked& asked) {
    return asked.node.pid == 0 || view_process(asked.caller.family(), asked.node.pid, asked.node.born);
}

// Positions: the rows with a name in the order of the table, then the numbers of the row that has them, from kNumbers on.
std::expected<bool, Errno> entry_of(const Asked& asked, std::uint64_t position, ListedEntry& out) {
    constexpr std::uint64_t kNumbers = 1ull << 32;
    const auto rows = rows_of(asked.node.row->folder);
    GeneratedNode node = asked.node;
    const auto answer = [&](std::string_view name, std::uint64_t next) {
        out.kind = kind_of(node.row->kind);
        out.is_device = node.row->kind == device;
        out.id = inode_of(node);
        out.next_position = next;
        out.name_bytes = static_cast<std::uint32_t>(name.size());
        std::memcpy(out.name, name.data(), name.size());
        return true;
    };
    for (; position < rows.size(); ++position) {
        const Row& row = rows[position];
        if (row.numbers != nullptr || (row.is_there != nullptr && !row.is_there(asked.caller))) continue;
        node.row = &row;
        return answer(row.name, position + 1);
    }
    if (rows.empty() || rows.back().numbers == nullptr) return false;
    const Row& row = rows.back();
    std::uint64_t from = position < kNumbers ? 0 : position - kNumbers;
    while (from < kNumbers) {
        const auto number = row.numbers(asked, static_cast<std::uint32_t>(from));
        if (!number) return false;
        from = std::uint64_t{*number} + 1;
        const auto found = numbered(asked, row, *number);
        if (!found) continue; // it has just ended
        node = *found;
        char text[32];
        return answer(format_to(text, "{}{}", row.name, *number), kNumbers + from);
    }
    return false;
}

} // namespace aios::linux_abi
