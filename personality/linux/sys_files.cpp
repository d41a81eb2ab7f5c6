// /sys: the processors, and the agent's quota in the words of a control group. A program sees the group that its agent is,
// as in a name space of its own: /proc/PID/cgroup says "0::/", and /sys/fs/cgroup is that group.
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

Errno make_processors(const Asked&, Text& out) {
    const unsigned cpus = arch::cpu_count();
    if (cpus == 1) {
        out.write("0\n");
    } else {
        out.print("0-{}\n", cpus - 1);
    }
    return Errno{};
}

std::optional<std::uint32_t> processor_numbers(const Asked&, std::uint32_t from) {
    if (from >= arch::cpu_count()) return std::nullopt;
    return from;
}

Errno make_memory_max(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.quota().limit(Resource::memory));
    return Errno{};
}

Errno make_memory_current(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.quota().used(Resource::memory));
    return Errno{};
}

Errno make_memory_peak(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.quota().peak(Resource::memory));
    return Errno{};
}

Errno make_cpu_max(const Asked& asked, Text& out) {
    const sched::CpuBudget budget = asked.caller.agent().share_group().budget();
    constexpr std::uint64_t kUsualPeriod = 100'000; // microseconds
    if (budget.quota_ns == 0) {
        out.print("max {}\n", kUsualPeriod);
    } else {
        out.print("{} {}\n", budget.quota_ns / 1000, budget.period_ns / 1000);
    }
    return Errno{};
}

Errno make_cpu_weight(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.agent().share_group().weight());
    return Errno{};
}

Errno make_cpu_stat(const Asked& asked, Text& out) {
    const std::uint64_t us = asked.caller.agent().share_group().cpu_ns() / 1000;
    out.print("usage_usec {}\nuser_usec {}\nsystem_usec 0\n", us, us);
    return Errno{};
}

Errno make_pids_max(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.quota().limit(Resource::threads));
    return Errno{};
}

Errno make_pids_current(const Asked& asked, Text& out) {
    out.print("{}\n", asked.caller.quota().used(Resource::threads));
    return Errno{};
}

Errno make_cgroup_procs(const Asked& asked, Text& out) {
    for (std::uint32_t next = 0; !Thread::current().is_killed() && out.error() == Errno{};) {
        const auto pid = process_numbers(asked, next);
        if (!pid) break;
        out.print("{}\n", *pid);
        next = *pid + 1;
    }
    return Errno{};
}

} // namespace aios::linux_abi
