// The table of generated names. See generated_tree.hpp.
#include "personality/linux/generated_tree.hpp"
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
    {.in = dev, .name = "ptmx", .kind = device, .mode = 0666, .device = Device::master},
    {.in = dev, .name = "pts", .kind = directory, .mode = 0755, .folder = terminals},
    {.in = dev, .name = "fd", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd">},
    {.in = dev, .name = "stdin", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd/0">},
    {.in = dev, .name = "stdout", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd/1">},
    {.in = dev, .name = "stderr", .kind = link, .mode = 0777, .make = link_to<"/proc/self/fd/2">},
    {.in = dev, .name = "shm", .kind = link, .mode = 0777, .make = make_shm_link, .is_there = has_temporary},

    {.in = terminals, .name = "ptmx", .kind = device, .mode = 0666, .device = Device::master},
    {.in = terminals, .name = "", .kind = device, .mode = 0620, .device = Device::slave, .numbers = terminal_numbers},

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
    {.in = kernel_settings, .name = "tainted", .kind = file, .mode = 0444, .make = constant<"0\n">},
    {.in = kernel_settings, .name = "version", .kind = file, .mode = 0444, .make = line<kSystemVersion>},
    {.in = kernel_settings, .name = "core_pattern", .kind = file, .mode = 0444, .make = constant<"core\n">},
    {.in = kernel_settings, .name = "msgmax", .kind = file, .mode = 0444, .make = constant<"8192\n">},
    {.in = kernel_settings, .name = "msgmnb", .kind = file, .mode = 0444, .make = constant<"16384\n">},
    {.in = kernel_settings, .name = "msgmni", .kind = file, .mode = 0444, .make = constant<"256\n">},
    {.in = kernel_settings, .name = "sem", .kind = file, .mode = 0444, .make = constant<"250\t64000\t100\t256\n">},
    {.in = kernel_settings, .name = "shmall", .kind = file, .mode = 0444, .make = constant<"67108864\n">},
    {.in = kernel_settings, .name = "shmmax", .kind = file, .mode = 0444, .make = constant<"1073741824\n">},
    {.in = kernel_settings, .name = "shmmni", .kind = file, .mode = 0444, .make = constant<"256\n">},
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
    {.in = processors,
     .name = "cpu",
     .kind = directory,
     .mode = 0555,
     .folder = processor,
     .numbers = processor_numbers},
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

} // namespace

std::span<const Row> rows_of(Folder folder) {
    const auto at = static_cast<std::size_t>(folder);
    return std::span(kRows).subspan(kFirstRows.of[at], kFirstRows.of[at + 1] - kFirstRows.of[at]);
}

std::uint64_t number_of_row(const Row& row) { return static_cast<std::uint64_t>(&row - kRows); }

} // namespace aios::linux_abi
