// /proc, as far as it tells of the whole: which to a program is its agent. Memory is the agent's quota, time is what the
// agent's processes ran, numbers are those that the agent has given out.
#include <algorithm>

#include "kernel/dev/entropy.hpp"
#include "kernel/ipc/stream.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000, kTick = 10'000'000; // of USER_HZ

std::uint64_t agent_ticks(const Asked& asked) { return asked.caller.agent().share_group().cpu_ns() / kTick; }

// Time that the agent's processes did not use, of all processors.
std::uint64_t idle_ticks(const Asked& asked) {
    const std::uint64_t all = time::now_ns() / kTick * arch::cpu_count();
    return all - std::min(all, agent_ticks(asked));
}

void print_uuid(Bytes bytes, Text& out) {
    out.print("{}-{}-{}-{}-{}\n", Hex{bytes.subspan(0, 4)}, Hex{bytes.subspan(4, 2)}, Hex{bytes.subspan(6, 2)},
              Hex{bytes.subspan(8, 2)}, Hex{bytes.subspan(10, 6)});
}

// RFC 9562 section 5.4: version 4, of random bytes.
void make_version_4(std::byte (&bytes)[16]) {
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
}

} // namespace

Errno make_meminfo(const Asked& asked, Text& out) {
    const Quota& quota = asked.caller.quota();
    const std::uint64_t all = quota.limit(Resource::memory), used = quota.used(Resource::memory);
    const std::uint64_t free = (all - std::min(all, used)) / 1024;
    const auto row = [&](std::string_view name, std::uint64_t kib) { out.print("{:<16}{:>8} kB\n", name, kib); };
    row("MemTotal:", all / 1024);
    row("MemFree:", free);
    row("MemAvailable:", free);
    row("Buffers:", 0);
    row("Cached:", 0);
    row("SwapCached:", 0);
    row("SwapTotal:", 0);
    row("SwapFree:", 0);
    return Errno{};
}

Errno make_cpuinfo(const Asked&, Text& out) {
    const arch::CpuDescription cpu = arch::describe_cpu();
    std::string_view names[arch::kMostCpuFeatures];
    const std::size_t count = arch::cpu_features(names);
    const std::uint64_t khz = (time::ticks_at(kSecond) - time::ticks_at(0)) / 1000;
    std::string_view name(cpu.name);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    for (unsigned i = 0; i < arch::cpu_count(); ++i) {
        out.print("processor\t: {}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\n", i,
                  cpu.vendor, cpu.family, cpu.model, name);
        out.print("stepping\t: {}\ncpu MHz\t\t: {}.{:03}\nphysical id\t: 0\nsiblings\t: {}\ncore id\t\t: {}\ncpu "
                  "cores\t: {}\n",
                  cpu.stepping, khz / 1000, khz % 1000, arch::cpu_count(), i, arch::cpu_count());
        out.write("fpu\t\t: yes\nwp\t\t: yes\nflags\t\t:");
        for (std::size_t at = 0; at < count; ++at)
            out.print(" {}", names[at]);
        out.print("\nclflush size\t: {}\naddress sizes\t: {} bits physical, {} bits virtual\n\n", cpu.cache_line_bytes,
                  cpu.physical_bits, cpu.virtual_bits);
    }
    return Errno{};
}

// What each processor did for the agent is not counted: a row of one has an equal part.
Errno make_system_stat(const Asked& asked, Text& out) {
    const std::uint64_t used = agent_ticks(asked), idle = idle_ticks(asked);
    const unsigned cpus = arch::cpu_count();
    out.print("cpu  {} 0 0 {} 0 0 0 0 0 0\n", used, idle);
    for (unsigned i = 0; i < cpus; ++i)
        out.print("cpu{} {} 0 0 {} 0 0 0 0 0 0\n", i, used / cpus, idle / cpus);
    const ThreadCounts threads = count_threads(asked.caller.family());
    out.print("ctxt 0\nbtime {}\nprocesses {}\nprocs_running {}\nprocs_blocked 0\n",
              (time::wall_ns() - time::now_ns()) / kSecond, asked.caller.family().numbers().given, threads.running);
    return Errno{};
}

Errno make_uptime(const Asked& asked, Text& out) {
    const std::uint64_t now = time::now_ns() / kTick, idle = idle_ticks(asked);
    out.print("{}.{:02} {}.{:02}\n", now / 100, now % 100, idle / 100, idle % 100);
    return Errno{};
}

// Averages are not kept, as sysinfo says too.
Errno make_loadavg(const Asked& asked, Text& out) {
    const ThreadCounts threads = count_threads(asked.caller.family());
    out.print("0.00 0.00 0.00 {}/{} {}\n", threads.running, threads.all, asked.caller.family().numbers().last);
    return Errno{};
}

Errno make_version(const Asked&, Text& out) {
    out.print("{} version {} ({})\n", kSystemName, kSystemRelease, kSystemVersion);
    return Errno{};
}

Errno make_filesystems(const Asked&, Text& out) {
    for (const std::string_view name : {"sysfs", "tmpfs", "devtmpfs", "proc", "cgroup2", "bundle"})
        out.print("nodev\t{}\n", name);
    return Errno{};
}

Errno make_pid_max(const Asked&, Text& out) {
    out.print("{}\n", ProcessTable::kLast + 1);
    return Errno{};
}

Errno make_threads_max(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.quota().limit(Resource::threads));
    return Errno{};
}

Errno make_boot_id(const Asked& asked, Text& out) {
    std::byte bytes[16];
    std::ranges::copy(asked.caller.family().boot_id(), bytes);
    make_version_4(bytes);
    print_uuid(bytes, out);
    return Errno{};
}

Errno make_uuid(const Asked&, Text& out) {
    std::byte bytes[16];
    if (!dev::random_bytes(bytes)) return kAgain;
    make_version_4(bytes);
    print_uuid(bytes, out);
    return Errno{};
}

Errno make_max_map_count(const Asked&, Text& out) {
    out.print("{}\n", mm::AddressSpace::kMaxAreas);
    return Errno{};
}

Errno make_mmap_min_addr(const Asked&, Text& out) {
    out.print("{}\n", arch::kUserLow);
    return Errno{};
}

Errno make_pipe_max(const Asked&, Text& out) {
    out.print("{}\n", ipc::Stream::kMostBytes);
    return Errno{};
}

} // namespace aios::linux_abi
