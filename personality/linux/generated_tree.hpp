// The names that no tree of the agent has: /proc, /sys and /dev. One table of rows (generated_rows.cpp) says of each name
// where it stands, what it is, its mode, and who makes what is behind it; a row with `numbers` stands for as many names as
// there are numbers (processes, threads, descriptors, processors). Looking, listing and opening all go by the table.
//
// Nothing is stored. Contents are made from the state at the moment when they are read, charged to whoever reads; a node
// says whose they are by number and time of birth, so a number that another process has got by now means nothing to it.
// A process sees the processes of its own agent, and there is no way to name others. No locks: those of what is told.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "kernel/fs/tree.hpp"
#include "personality/linux/abi.hpp"
#include "personality/linux/outcome.hpp"

namespace aios::linux_abi {

class LinuxProcess;
class Text;
struct GeneratedNode;

// What is asked for, and by whom.
struct Asked {
    LinuxProcess& caller;
    const GeneratedNode& node;
};

// The directories.
enum class Folder : std::uint8_t {
    root, // only what stands in it: dev, proc, sys
    dev,
    terminals,
    proc,
    process,
    tasks,
    task,
    descriptors,
    descriptor_infos,
    proc_sys,
    kernel_settings,
    random_settings,
    memory_settings,
    file_settings,
    net_settings,
    net_core_settings,
    sys,
    devices,
    system_devices,
    processors,
    processor,
    sys_fs,
    cgroup,
};

enum class RowKind : std::uint8_t {
    directory,
    file,       // text
    link,       // text, which is followed as a path
    descriptor, // a link that leads to an open file itself
    device,
};
enum class Device : std::uint8_t { none, null, zero, full, random, urandom, tty, console, master, slave };

struct Row {
    Folder in;
    std::string_view name; // with `numbers`: what stands before the number
    RowKind kind;
    std::uint32_t mode;                                       // permission bits
    Folder folder = Folder::root;                             // directory: which it is
    Errno (*make)(const Asked&, Text&) = nullptr;             // file, link
    Errno (*write)(const Asked&, std::string_view) = nullptr; // file: at most kMostWritten bytes
    Device device = Device::none;                             // device
    std::optional<std::uint32_t> (*numbers)(const Asked& directory,
                                            std::uint32_t from) = nullptr; // the first from there on
    bool (*is_there)(LinuxProcess& caller) = nullptr;                      // nullptr: always
};
inline constexpr std::size_t kMostWritten = 64;

// generated_rows.cpp. The rows of a directory: those with a name, then the one with numbers, if there is one.
[[nodiscard]] std::span<const Row> rows_of(Folder folder);
[[nodiscard]] std::uint64_t number_of_row(const Row& row);

// A name that was found.
struct GeneratedNode {
    const Row* row = nullptr;
    std::int32_t pid = 0, tid = 0; // whose it is, below /proc
    std::uint64_t born = 0;        // of the process
    std::uint32_t number = 0;      // descriptor, processor or terminal
    [[nodiscard]] bool is_directory() const { return row->kind == RowKind::directory; }
    [[nodiscard]] bool is_link() const { return row->kind == RowKind::link || row->kind == RowKind::descriptor; }
};

// st_dev of what is in them; 1 is that of /dev and of files without a name, and the agent's trees follow it.
inline constexpr std::uint64_t kProcDevice = 5, kSysDevice = 6, kCgroupDevice = 7;

// Paths are absolute, in the form of Path. Whether the path lies below /proc, /sys or /dev, there or not.
[[nodiscard]] bool is_generated(std::string_view path);
[[nodiscard]] GeneratedNode generated_root(); // the directory of the three
// Links on the way are not followed. kNoEntry, kNotDirectory.
std::expected<GeneratedNode, Errno> find_generated(LinuxProcess& caller, std::string_view path);
// What a link says, of either kind. kNoEntry: its process has ended.
Errno read_link(const Asked& link, Text& out);
[[nodiscard]] Stat info_of(const Asked& node);
[[nodiscard]] std::uint64_t device_inode(Device device, std::uint32_t number = 0); // st_ino of its name in /dev

[[nodiscard]] bool is_there(const Asked& node); // false: its process has ended
// The entry of a directory at `position`, and the position behind it; false: the end.
struct ListedEntry : fs::Node::Entry {
    bool is_device = false;
};
std::expected<bool, Errno> entry_of(const Asked& directory, std::uint64_t position, ListedEntry& out);

// --- makers, by file: proc_files.cpp
Errno make_meminfo(const Asked&, Text&);
Errno make_cpuinfo(const Asked&, Text&);
Errno make_system_stat(const Asked&, Text&);
Errno make_uptime(const Asked&, Text&);
Errno make_loadavg(const Asked&, Text&);
Errno make_version(const Asked&, Text&);
Errno make_filesystems(const Asked&, Text&);
Errno make_pid_max(const Asked&, Text&);
Errno make_threads_max(const Asked&, Text&);
Errno make_boot_id(const Asked&, Text&);
Errno make_uuid(const Asked&, Text&);
Errno make_max_map_count(const Asked&, Text&);
Errno make_mmap_min_addr(const Asked&, Text&);
Errno make_pipe_max(const Asked&, Text&);
// proc_mounts.cpp
Errno make_mounts(const Asked&, Text&);
Errno make_mountinfo(const Asked&, Text&);
bool has_temporary(LinuxProcess& caller);
Errno make_shm_link(const Asked&, Text&);
// proc_process.cpp
Errno make_status(const Asked&, Text&);
Errno make_stat(const Asked&, Text&);
Errno make_statm(const Asked&, Text&);
Errno make_comm(const Asked&, Text&);
Errno write_comm(const Asked&, std::string_view);
Errno make_limits(const Asked&, Text&);
Errno make_cgroup(const Asked&, Text&);
Errno make_memory_score(const Asked&, Text&);
Errno write_memory_score(const Asked&, std::string_view);
std::optional<std::uint32_t> process_numbers(const Asked& directory, std::uint32_t from);
std::optional<std::uint32_t> thread_numbers(const Asked& directory, std::uint32_t from);
// proc_memory.cpp
Errno make_maps(const Asked&, Text&);
Errno make_command_line(const Asked&, Text&);
Errno make_environment(const Asked&, Text&);
Errno make_auxiliary(const Asked&, Text&);
// proc_links.cpp
Errno make_self_link(const Asked&, Text&);
Errno make_thread_self_link(const Asked&, Text&);
Errno make_executable_link(const Asked&, Text&);
Errno make_directory_link(const Asked&, Text&);
Errno make_descriptor_info(const Asked&, Text&);
std::optional<std::uint32_t> descriptor_numbers(const Asked& directory, std::uint32_t from);
// terminal_file.cpp
std::optional<std::uint32_t> terminal_numbers(const Asked& directory, std::uint32_t from);
class OpenFile;
std::expected<Ref<OpenFile>, Errno> descriptor_of(const Asked& node); // kNoEntry
void describe(OpenFile& file, Text& out);                             // what /proc/PID/fd/N says of it
// sys_files.cpp
Errno make_processors(const Asked&, Text&);
Errno make_memory_max(const Asked&, Text&);
Errno make_memory_current(const Asked&, Text&);
Errno make_memory_peak(const Asked&, Text&);
Errno make_cpu_max(const Asked&, Text&);
Errno make_cpu_weight(const Asked&, Text&);
Errno make_cpu_stat(const Asked&, Text&);
Errno make_pids_max(const Asked&, Text&);
Errno make_pids_current(const Asked&, Text&);
Errno make_cgroup_procs(const Asked&, Text&);
std::optional<std::uint32_t> processor_numbers(const Asked& directory, std::uint32_t from);

} // namespace aios::linux_abi
