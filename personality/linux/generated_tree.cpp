// The table of generated names, and the walk over it. See generated_tree.hpp.
#include "personality/linux/generated_tree.hpp"

#include <cstring>

#include "kernel/time/clock.hpp"
#include "personality/linux/device_file.hpp"
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {
namespace {

template <std::size_t N>
struct Literal {
    char text[N];
    consteval Literal(const char (&from)[N]) {
        for (std::size_t i = 0; i < N; ++i)
            text[i] = from[i];
    }
};

// What does not change: properties of the personality.
template <Literal literal>
Errno constant(const Asked&, Text& out) {
    out.write({literal.text, sizeof(literal.text) - 1});
    return Errno{};
}
template <Literal literal>
Errno link_to(const Asked& asked, Text& out) {
    return constant<literal>(asked, out);
}
template <const std::string_view& text>
Errno line(const Asked&, Text& out) {
    out.write(text);
    out.write("\n");
    return Errno{};
}

using enum Folder;
using enum RowKind;

// In the order of Folder, which the look-up counts on.
constexpr Row kRows[] = {
    {.in = root, .name = "dev", .kind = directory, .mode = 0755, .folder = dev},
    {.in = root, .name = "proc", .kind = directory, .mode = 0555, .folder = proc},
    {.in = root, .name = "sys", .kind = directory, .mode = 0555, .folder = sys},

    {.in = dev, .name = "null", .kind = device, .mode = 0666, .device = Device::null},
    {.in = dev, .name = "zero", .kind = device, .mode = 0666, .device = Device::zero},
    {.in = dev, .name = "full", .kind = device, .mode = 0666, .device = Device::full},
    {.in = dev, .name = "random", .kind = device, .mode = 0666, .device = Device::random},
    {.in = dev, .name = "urandom", .kind = device, .mode = 0666, .device = Device::urandom},
    {.in = dev, .name = "tty", .kind = device, .mode = 0666, .device = Device::tty},
    {.in = dev, .name = "console", .kind = device, .mode = 0620, .device = Device::console},
    {.in = dev, .name = "fd", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd">},
    {.in = dev, .name = "stdin", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd/0">},
    {.in = dev, .name = "stdout", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd/1">},
    {.in = dev, .name = "stderr", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd/2">},
    {.in = dev, .name = "shm", .kind = link, .mode = 0777, .make = make_shm_link, .is_there = has_temporary},

    {.in = proc, .name = "cpuinfo", .kind = file, .mode = 0444, .make = make_cpuinfo},
    {.in = proc, .name = "filesystems", .kind = file, .mode = 0444, .make = make_filesystems},
    {.in = proc, .name = "loadavg", .kind = file, .mode = 0444, .make = make_loadavg},
    {.in = proc, .name = "meminfo", .kind = file, .mode = 0444, .make = make_meminfo},
    {.in = proc, .name = "mounts", .kind = link, .mode = 0777, .make = link_to<"self/mounts">},
    {.in = proc, .name = "self", .kind = link, .mode = 0777, .make = make_self_link},
    {.in = proc, .name = "stat", .kind = file, .mode = 0444, .make = make_system_stat},
    {.in = proc, .name = "sys", .kind = directory, .mode = 0555, .folder = proc_sys},
    {.in = proc, .name = "thread-self", .kind = link, .mode = 0777, .make = make_thread_self_link},
    {.in = proc, .name = "uptime", .kind = file, .mode = 0444, .make = make_uptime},
    {.in = proc, .name = "version", .kind = file, .mode = 0444, .make = make_version},
    {.in = proc, .name = "", .kind = directory, .mode = 0555, .folder = process, .numbers = process_numbers},

    {.in = process, .name = "auxv", .kind = file, .mode = 0400, .make = make_auxiliary},
    {.in = process, .name = "cgroup", .kind = file, .mode = 0444, .make = make_cgroup},
    {.in = process, .name = "cmdline", .kind = file, .mode = 0444, .make = make_command_line},
    {.in = process, .name = "comm", .kind = file, .mode = 0644, .make = make_comm, .write = write_comm},
    {.in = process, .name = "cwd", .kind = link, .mode = 0777, .make = make_directory_link},
    {.in = process, .name = "environ", .kind = file, .mode = 0400, .make = make_environment},
    {.in = process, .name = "exe", .kind = link, .mode = 0777, .make = make_executable_link},
    {.in = process, .name = "fd", .kind = directory, .mode = 0500, .folder = descriptors},
    {.in = process, .name = "fdinfo", .kind = directory, .mode = 0500, .folder = descriptor_infos},
    {.in = process, .name = "limits", .kind = file, .mode = 0444, .make = make_limits},
    {.in = process, .name = "maps", .kind = file, .mode = 0444, .make = make_maps},
    {.in = process, .name = "mountinfo", .kind = file, .mode = 0444, .make = make_mountinfo},
    {.in = process, .name = "mounts", .kind = file, .mode = 0444, .make = make_mounts},
    {.in = process,
     .name = "oom_score_adj",
     .kind = file,
     .mode = 0644,
     .make = make_memory_score,
     .write = write_memory_score},
    {.in = process, .name = "root", .kind = link, .mode = 0777, .make = link_to<"/">},
    {.in = process, .name = "stat", .kind = file, .mode = 0444, .make = make_stat},
    {.in = process, .name = "statm", .kind = file, .mode = 0444, .make = make_statm},
    {.in = process, .name = "status", .kind = file, .mode = 0444, .make = make_status},
    {.in = process, .name = "task", .kind = directory, .mode = 0555, .folder = tasks},

    {.in = tasks, .name = "", .kind = directory, .mode = 0555, .folder = task, .numbers = thread_numbers},

    {.in = task, .name = "comm", .kind = file, .mode = 0644, .make = make_comm, .write = write_comm},
    {.in = task, .name = "stat", .kind = file, .mode = 0444, .make = make_stat},
    {.in = task, .name = "status", .kind = file, .mode = 0444, .make = make_status},

    {.in = descriptors, .name = "", .kind = descriptor, .mode = 0700, .numbers = descriptor_numbers},
    {.in = descriptor_infos,
     .name = "",
     .kind = file,
     .mode = 0444,
     .make = make_descriptor_info,
     .numbers = descriptor_numbers},

    {.in = proc_sys, .name = "fs", .kind = directory, .mode = 0555, .folder = file_settings},
    {.in = proc_sys, .name = "kernel", .kind = directory, .mode = 0555, .folder = kernel_settings},
    {.in = proc_sys, .name = "net", .kind = directory, .mode = 0555, .folder = net_settings},
    {.in = proc_sys, .name = "vm", .kind = directory, .mode = 0555, .folder = memory_settings},

    {.in = kernel_settings, .name = "cap_last_cap", .kind = file, .mode = 0444, .make = constant<"40\n">},
    {.in = kernel_settings, .name = "hostname", .kind = file, .mode = 0444, .make = line<kNodeName>},
    {.in = kernel_settings, .name = "osrelease", .kind = file, .mode = 0444, .make = line<kSystemRelease>},
    {.in = kernel_settings, .name = "ostype", .kind = file, .mode = 0444, .make = line<kSystemName>},
    {.in = kernel_settings, .name = "pid_max", .kind = file, .mode = 0444, .make = make_pid_max},
    {.in = kernel_settings, .name = "random", .kind = directory, .mode = 0555, .folder = random_settings},
    {.in = kernel_settings, .name = "threads-max", .kind = file, .mode = 0444, .make = make_threads_max},

    {.in = random_settings, .name = "boot_id", .kind = file, .mode = 0444, .make = make_boot_id},
    {.in = random_settings, .name = "uuid", .kind = file, .mode = 0444, .make = make_uuid},

    {.in = memory_settings, .name = "max_map_count", .kind = file, .mode = 0444, .make = make_max_map_count},
    {.in = memory_settings, .name = "mmap_min_addr", .kind = file, .mode = 0444, .make = make_mmap_min_addr},
    // What could never be touched is refused, what may be is not counted before: Linux calls it heuristic.
    {.in = memory_settings, .name = "overcommit_memory", .kind = file, .mode = 0444, .make = constant<"0\n">},

    // No number: quota limits open files, and one process has at most RLIMIT_NOFILE of them.
    {.in = file_settings, .name = "file-max", .kind = file, .mode = 0444, .make = constant<"9223372036854775807\n">},
    {.in = file_settings, .name = "pipe-max-size", .kind = file, .mode = 0444, .make = make_pipe_max},

    {.in = net_settings, .name = "core", .kind = directory, .mode = 0555, .folder = net_core_settings},
    {.in = net_core_settings, .name = "somaxconn", .kind = file, .mode = 0444, .make = constant<"4096\n">},

    {.in = sys, .name = "devices", .kind = directory, .mode = 0555, .folder = devices},
    {.in = sys, .name = "fs", .kind = directory, .mode = 0555, .folder = sys_fs},
    {.in = devices, .name = "system", .kind = directory, .mode = 0555, .folder = system_devices},
    {.in = system_devices, .name = "cpu", .kind = directory, .mode = 0555, .folder = processors},
    {.in = processors, .name = "online", .kind = file, .mode = 0444, .make = make_processors},
    {.in = processors, .name = "possible", .kind = file, .mode = 0444, .make = make_processors},
    {.in = processors, .name = "present", .kind = file, .mode = 0444, .make = make_processors},
    {.in = processors, .name = "cpu", .kind = directory, .mode = 0555, .folder = processor, .numbers = processor_numbers},
    {.in = sys_fs, .name = "cgroup", .kind = directory, .mode = 0555, .folder = cgroup},

    {.in = cgroup, .name = "cgroup.controllers", .kind = file, .mode = 0444, .make = constant<"cpu memory pids\n">},
    {.in = cgroup, .name = "cgroup.procs", .kind = file, .mode = 0444, .make = make_cgroup_procs},
    {.in = cgroup, .name = "cpu.max", .kind = file, .mode = 0444, .make = make_cpu_max},
    {.in = cgroup, .name = "cpu.stat", .kind = file, .mode = 0444, .make = make_cpu_stat},
    {.in = cgroup, .name = "cpu.weight", .kind = file, .mode = 0444, .make = make_cpu_weight},
    {.in = cgroup, .name = "memory.current", .kind = file, .mode = 0444, .make = make_memory_current},
    {.in = cgroup, .name = "memory.max", .kind = file, .mode = 0444, .make = make_memory_max},
    {.in = cgroup, .name = "memory.peak", .kind = file, .mode = 0444, .make = make_memory_peak},
    {.in = cgroup, .name = "memory.swap.max", .kind = file, .mode = 0444, .make = constant<"0\n">},
    {.in = cgroup, .name = "pids.current", .kind = file, .mode = 0444, .make = make_pids_current},
    {.in = cgroup, .name = "pids.max", .kind = file, .mode = 0444, .make = make_pids_max},
};
constexpr std::size_t kRowCount = std::size(kRows);
constexpr std::size_t kFolders = static_cast<std::size_t>(cgroup) + 1;

// Where the rows of each directory begin; those of the last end with the table.
constexpr auto kFirstRows = [] {
    struct {
        std::uint8_t of[kFolders + 1]{};
    } first;
    std::size_t row = 0;
    for (std::size_t folder = 0; folder <= kFolders; ++folder) {
        first.of[folder] = static_cast<std::uint8_t>(row);
        while (row < kRowCount && static_cast<std::size_t>(kRows[row].in) == folder)
            ++row;
    }
    return first;
}();
static_assert(kFirstRows.of[kFolders] == kRowCount && kRowCount < 256, "the rows do not stand in the order of Folder");

std::span<const Row> rows_of(Folder folder) {
    const auto at = static_cast<std::size_t>(folder);
    return std::span(kRows).subspan(kFirstRows.of[at], kFirstRows.of[at + 1] - kFirstRows.of[at]);
}

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
    if (folder == dev) return kNoTreeDevice;
    return folder >= sys ? kSysDevice : kProcDevice;
}

std::uint64_t inode_of(const GeneratedNode& node) {
    const auto row = static_cast<std::uint64_t>(node.row - kRows) + 1; // those of /dev lie below 100
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

std::uint64_t device_inode(Device device) {
    for (const Row& row : rows_of(dev)) {
        if (row.device == device) return inode_of({.row = &row});
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
    out.rdev = device_id(node.row->device);
    if (node.row->kind == descriptor) { // says by its mode what it was opened for
        out.bytes = 64;
        out.mode = kModeLink | 0100;
        if (const auto open = descriptor_of(asked))
            out.mode |= ((*open)->readable ? 0400u : 0u) | ((*open)->writable ? 0200u : 0u);
    }
    const std::uint64_t now = time::wall_ns();
    out.accessed = out.modified = out.changed = {static_cast<std::int64_t>(now / 1'000'000'000),
                                                 static_cast<std::int64_t>(now % 1'000'000'000)};
    return out;
}

// Positions: the rows with a name in the order of the table, then the numbers of the row that has them, from kNumbers on.
std::expected<bool, Errno> entry_of(const Asked& asked, std::uint64_t position, ListedEntry& out) {
    constexpr std::uint64_t kNumbers = 1ull << 32;
    const auto rows = rows_of(asked.node.row->folder);
    if (asked.node.pid != 0 && !view_process(asked.caller.family(), asked.node.pid, asked.node.born))
        return std::unexpected(kNoEntry);
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
