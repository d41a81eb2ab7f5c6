// What /proc tells of a process and of its threads: who it is, what it does, its limits. proc_memory.cpp has its memory,
// proc_links.cpp its files.
#include <algorithm>

#include "personality/linux/process_view.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

namespace {

constexpr std::uint64_t kTick = 10'000'000; // of USER_HZ, in ns

// The process, and of it the thread that is asked for: /proc/PID/task/TID, or its first.
struct Subject {
    ProcessView process;
    ThreadView thread;
    [[nodiscard]] char state() const { return process.is_zombie() ? 'Z' : thread.state; }
    [[nodiscard]] std::string_view name() const { return thread.name; }
};
std::expected<Subject, Errno> subject_of(const Asked& asked) {
    Subject subject;
    subject.process = LINUX_TRY(view_process(asked.caller.family(), asked.node.pid, asked.node.born));
    subject.thread =
        asked.node.tid == 0 ? view_leader(subject.process) : LINUX_TRY(view_thread(subject.process, asked.node.tid));
    return subject;
}

std::string_view word_for(char state) {
    switch (state) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'T':
        return "stopped";
    default:
        return "zombie";
    }
}

struct SignalSets {
    std::uint64_t ignored = 0, caught = 0;
};
SignalSets sets_of(LinuxProcess& process) {
    SignalSets sets;
    LinuxProcess::Lock::Guard guard(process.lock);
    if (!process.actions) return sets;
    for (int signal = 1; signal <= kSignalCount; ++signal) {
        const std::uint64_t handler = process.actions->of[signal - 1].handler;
        if (handler == kSigIgnore) sets.ignored |= bit_of(signal);
        if (handler != kSigIgnore && handler != kSigDefault) sets.caught |= bit_of(signal);
    }
    return sets;
}

// A name between brackets, or behind a tab, must not end the line.
void write_name(std::string_view name, Text& out) {
    for (const char& c : name) {
        if (c == '\n') {
            out.write("\\n");
        } else if (c == '\\') {
            out.write("\\\\");
        } else {
            out.write({&c, 1});
        }
    }
}

void print_living(const Subject& subject, Text& out) {
    LinuxProcess& process = *subject.process.linux_process;
    const auto memory = subject.process.process->memory().usage();
    out.print("VmSize:\t{:>8} kB\nVmRSS:\t{:>8} kB\nVmSwap:\t{:>8} kB\n", memory.mapped_bytes / 1024,
              memory.resident_bytes / 1024, 0);
    const SignalSets sets = sets_of(process);
    out.print(
        "Threads:\t{}\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
        subject.process.process->thread_count(), subject.thread.pending, process.process_pending.load(),
        subject.thread.blocked, sets.ignored, sets.caught);
}

} // namespace

std::optional<std::uint32_t> process_numbers(const Asked& directory, std::uint32_t from) {
    if (from > static_cast<std::uint32_t>(ProcessTable::kLast)) return std::nullopt;
    ProcessTable& family = directory.caller.family();
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry* const entry = family.find_from_locked(static_cast<std::int32_t>(from));
    if (entry == nullptr) return std::nullopt;
    return static_cast<std::uint32_t>(entry->pid);
}

std::optional<std::uint32_t> thread_numbers(const Asked& directory, std::uint32_t from) {
    const auto view = view_process(directory.caller.family(), directory.node.pid, directory.node.born);
    if (!view) return std::nullopt;
    return next_thread(*view, from);
}

Errno make_status(const Asked& asked, Text& out) {
    const auto subject = subject_of(asked);
    if (!subject) return subject.error();
    const ProcessView& process = subject->process;
    out.write("Name:\t");
    write_name(subject->name(), out);
    if (!process.is_zombie()) {
        const std::uint32_t mask = process.linux_process->creation_mask.load();
        out.print("\nUmask:\t0{}{}{}", mask >> 6 & 7, mask >> 3 & 7, mask & 7);
    }
    out.print("\nState:\t{} ({})\nTgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0\n", subject->state(),
              word_for(subject->state()), process.pid, subject->thread.tid, process.parent);
    const Identity who = process.is_zombie() ? Identity{} : identity_of(*process.linux_process);
    for (const auto& [name, ids] : {std::pair{"Uid", who.user}, std::pair{"Gid", who.group}})
        out.print("{}:\t{}\t{}\t{}\t{}\n", std::string_view(name), ids.real, ids.effective, ids.saved, ids.file);
    out.print("FDSize:\t{}\nGroups:\t "
              "\nNStgid:\t{}\nNSpid:\t{}\nNSpgid:\t{}\nNSsid:\t{}\n",
              process.is_zombie() ? 0 : kMaxFiles, process.pid, subject->thread.tid, process.group, process.session);
    if (!process.is_zombie()) print_living(*subject, out);
    out.print("CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\n",
              who.inheritable, who.permitted, who.effective, who.bounding, 0);
    const unsigned cpus = arch::cpu_count();
    const std::uint64_t all = cpus >= 64 ? ~0ull : (1ull << cpus) - 1;
    const bool gains_nothing = !process.is_zombie() && process.linux_process->description.gains_nothing;
    out.print("NoNewPrivs:\t{}\nSeccomp:\t0\nCpus_allowed:\t{:x}\nCpus_allowed_list:\t", gains_nothing ? 1 : 0, all);
    if (cpus > 1) out.write("0-");
    out.print("{}\n", cpus - 1);
    return Errno{};
}

// proc_pid_stat(5). Fields that nothing is kept for are 0.
Errno make_stat(const Asked& asked, Text& out) {
    const auto subject = subject_of(asked);
    if (!subject) return subject.error();
    const ProcessView& process = subject->process;
    const ThreadView& thread = subject->thread;
    const bool is_thread = asked.node.tid != 0;
    mm::AddressSpace::Usage memory{};
    SignalSets sets;
    ProgramPlace place;
    std::uint64_t break_start = 0, threads = 0, rss_limit = kLimitInfinity;
    if (!process.is_zombie()) {
        LinuxProcess& own = *process.linux_process;
        memory = process.process->memory().usage();
        sets = sets_of(own);
        place = own.place;
        threads = process.process->thread_count();
        LinuxProcess::Lock::Guard guard(own.lock);
        break_start = own.break_start;
        rss_limit = own.limits.of[kLimitResident].current;
    }
    const std::uint64_t cpu = (is_thread ? thread.cpu_ns : cpu_of(process)) / kTick;
    out.print("{} (", is_thread ? thread.tid : process.pid);
    out.write(subject->name());
    out.print(") {} {} {} {} {} {} 0 0 0 0 0 {} 0 {} 0 20 0 {} 0 {} {} {} {}", subject->state(), process.parent,
              process.group, process.session, process.terminal.device, process.terminal.foreground, cpu,
              process.children_cpu_ns / kTick, threads, thread.born / kTick, memory.mapped_bytes,
              memory.resident_bytes / arch::kPageSize, rss_limit);
    out.print(" 0 0 {} 0 0 {} {} {} {} 0 0 0 {} 0 0 0 0 0 0 0", place.stack, thread.pending, thread.blocked,
              sets.ignored, sets.caught, process.exit_signal);
    out.print(" 0 {} {} {} {} {} {}\n", break_start, place.arguments, place.arguments + place.argument_bytes,
              place.environment, place.environment + place.environment_bytes, process.is_zombie() ? process.status : 0);
    return Errno{};
}

Errno make_statm(const Asked& asked, Text& out) {
    const auto view = view_process(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return view.error();
    mm::AddressSpace::Usage memory{};
    if (!view->is_zombie()) memory = view->process->memory().usage();
    out.print("{} {} 0 0 0 {} 0\n", memory.mapped_bytes / arch::kPageSize, memory.resident_bytes / arch::kPageSize,
              memory.mapped_bytes / arch::kPageSize);
    return Errno{};
}

Errno make_comm(const Asked& asked, Text& out) {
    const auto subject = subject_of(asked);
    if (!subject) return subject.error();
    out.write(subject->name());
    out.write("\n");
    return Errno{};
}

// As on Linux a process names its own threads alone.
Errno write_comm(const Asked& asked, std::string_view text) {
    if (!asked.caller.has_entry() || asked.node.pid != asked.caller.pid()) return kInvalid;
    text = text.substr(0, text.find('\0'));
    LinuxProcess& own = asked.caller;
    return own.rename_thread(asked.node.tid == 0 ? asked.node.pid : asked.node.tid, text) ? Errno{} : kNoProcess;
}

Errno make_limits(const Asked& asked, Text& out) {
    struct Named {
        std::string_view name, unit;
    };
    constexpr Named kNames[kLimitCount] = {
        {"Max cpu time", "seconds"},    {"Max file size", "bytes"},      {"Max data size", "bytes"},
        {"Max stack size", "bytes"},    {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"}, {"Max open files", "files"},     {"Max locked memory", "bytes"},
        {"Max address space", "bytes"}, {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"}, {"Max nice priority", ""},       {"Max realtime priority", ""},
        {"Max realtime timeout", "us"},
    };
    const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return view.error();
    Limits limits;
    {
        LinuxProcess::Lock::Guard guard(view->linux_process->lock);
        limits = view->linux_process->limits;
    }
    out.print("{:<26}{:<21}{:<21}{:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    const auto amount = [&](std::uint64_t value) {
        char digits[24];
        out.print("{:<21}", value == kLimitInfinity ? std::string_view("unlimited") : format_to(digits, "{}", value));
    };
    for (std::size_t i = 0; i < kLimitCount; ++i) {
        out.print("{:<26}", kNames[i].name);
        amount(limits.of[i].current);
        amount(limits.of[i].maximum);
        out.print("{:<10}\n", kNames[i].unit);
    }
    return Errno{};
}

Errno make_cgroup(const Asked& asked, Text& out) {
    const auto view = view_process(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return view.error();
    out.write("0::/\n");
    return Errno{};
}

Errno make_memory_score(const Asked& asked, Text& out) {
    const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return view.error();
    out.print("{}\n", view->linux_process->memory_score.load());
    return Errno{};
}

Errno write_memory_score(const Asked& asked, std::string_view text) {
    constexpr std::int32_t kMost = 1000;
    const auto view = view_living(asked.caller.family(), asked.node.pid, asked.node.born);
    if (!view) return view.error();
    if (text.ends_with('\n')) text.remove_suffix(1);
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    if (text.empty() || text.size() > 4) return kInvalid;
    std::int32_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return kInvalid;
        value = value * 10 + (c - '0');
    }
    if (value > kMost) return kInvalid;
    view->linux_process->memory_score = is_negative ? -value : value;
    return Errno{};
}

} // namespace aios::linux_abi
