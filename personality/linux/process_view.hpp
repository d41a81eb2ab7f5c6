// What one process of an agent, or one of its threads, is at one moment, for those who tell it to others (/proc). A view
// holds the process: its Linux side, its memory and its files stay until the view goes, however far its end has come;
// then they are empty. Locks: the process table's and, inside it, thread_lock, for a few steps each.
#pragma once

#include "personality/linux/process.hpp"
#include "personality/linux/terminal_jobs.hpp"

namespace aios::linux_abi {

struct ProcessView {
    std::int32_t pid = 0, parent = 0, group = 0, session = 0, exit_signal = 0;
    TerminalView terminal;             // its controlling one
    std::uint32_t status = 0;          // of a zombie, as wait4 tells it
    std::uint64_t born = 0;            // monotonic, ns
    std::uint64_t cpu_ns = 0;          // of threads that have ended, and of programs before execve
    std::uint64_t children_cpu_ns = 0; // of children that were waited for
    char name[kThreadNameBytes]{};     // of a zombie
    Ref<Process> process;              // empty, as what follows: it has ended
    Ref<LinuxProcess> linux_process;
    [[nodiscard]] bool is_zombie() const { return !linux_process; }
    [[nodiscard]] std::string_view executable() const { return linux_process->executable.view(); }
};
// The process `pid` that was born then (0: whoever has the number). kNoProcess.
std::expected<ProcessView, Errno> view_process(ProcessTable& family, std::int32_t pid, std::uint64_t born);
// The same, and kNoProcess for zombies.
std::expected<ProcessView, Errno> view_living(ProcessTable& family, std::int32_t pid, std::uint64_t born);

// Whether the caller may look into the process and change it (ptrace(2)): it is of his user, or he has CAP_SYS_PTRACE.
[[nodiscard]] bool may_look_into(Call& call, const LinuxProcess& process);

struct ThreadView {
    std::int32_t tid = 0;
    char state = 'Z'; // R, S, T, Z
    char name[kThreadNameBytes]{};
    std::uint64_t born = 0, cpu_ns = 0, blocked = 0, pending = 0;
};
// kNoProcess: the process has no thread with this number.
std::expected<ThreadView, Errno> view_thread(const ProcessView& process, std::int32_t tid);
// The first thread, or another where that has left; of a zombie what is left of it.
ThreadView view_leader(const ProcessView& process);
// The number of the process's first thread from `from` on.
std::optional<std::uint32_t> next_thread(const ProcessView& process, std::uint32_t from);
// CPU time of all its threads that there are and were.
std::uint64_t cpu_of(const ProcessView& process);

// Over all processes of the agent.
struct ThreadCounts {
    std::uint32_t running = 0, all = 0;
};
ThreadCounts count_threads(ProcessTable& family);

} // namespace aios::linux_abi
