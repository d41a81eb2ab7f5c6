// Views of processes and threads. See process_view.hpp.
#include "personality/linux/process_view.hpp"

#include <cstring>

namespace aios::linux_abi {

std::expected<ProcessView, Errno> view_process(ProcessTable& family, std::int32_t pid, std::uint64_t born) {
    ProcessView view;
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry* const entry = family.find_locked(pid);
    if (entry == nullptr || (born != 0 && entry->born != born)) return std::unexpected(kNoProcess);
    view.pid = pid;
    view.parent = entry->parent == nullptr ? 0 : entry->parent->pid;
    view.group = entry->group->number;
    view.session = entry->group->session->number;
    view.terminal = view_terminal_locked(family, *entry);
    view.exit_signal = entry->exit_signal;
    view.status = entry->status;
    view.born = entry->born;
    view.cpu_ns = entry->cpu_ns;
    view.children_cpu_ns = entry->children_cpu_ns;
    std::memcpy(view.name, entry->name, sizeof(view.name));
    if (entry->process == nullptr) return view;
    // Under the lock it has not ended, and so both are there.
    view.linux_process = Ref<LinuxProcess>::share(*entry->process);
    view.process = Ref<Process>::share(entry->process->process());
    return view;
}

std::expected<ProcessView, Errno> view_living(ProcessTable& family, std::int32_t pid, std::uint64_t born) {
    ProcessView view = LINUX_TRY(view_process(family, pid, born));
    if (view.is_zombie()) return std::unexpected(kNoProcess);
    return view;
}

bool may_look_into(Call& call, const LinuxProcess& process) {
    if (&process == &call.process) return true;
    const Identity who = identity_of(call.process);
    if (who.has(Capability::trace)) return true;
    const std::uint32_t real = process.real_user.load(std::memory_order_relaxed);
    const std::uint32_t saved = process.saved_user.load(std::memory_order_relaxed);
    return who.user.real == real && who.user.real == saved;
}

namespace {

char state_of(const LinuxProcess& process, ThreadState state) {
    if (process.is_stopped.load()) return 'T';
    if (state == ThreadState::running || state == ThreadState::runnable) return 'R';
    return state == ThreadState::dead ? 'Z' : 'S';
}

ThreadView view_of(const LinuxProcess& process, const LinuxThread& thread) {
    ThreadView view;
    view.tid = thread.tid;
    view.state = state_of(process, thread.thread.state());
    std::memcpy(view.name, thread.name, sizeof(view.name));
    view.born = thread.born;
    view.cpu_ns = thread.thread.cpu_ns();
    view.blocked = thread.blocked.load();
    view.pending = thread.pending.load();
    return view;
}

} // namespace

std::expected<ThreadView, Errno> view_thread(const ProcessView& process, std::int32_t tid) {
    if (process.is_zombie()) return std::unexpected(kNoProcess);
    LinuxProcess& own = *process.linux_process;
    LinuxProcess::ThreadLock::Guard guard(own.thread_lock);
    const LinuxThread* const thread = own.threads.find(tid);
    if (thread == nullptr) return std::unexpected(kNoProcess);
    return view_of(own, *thread);
}

ThreadView view_leader(const ProcessView& process) {
    ThreadView view;
    view.tid = process.pid;
    view.born = process.born;
    std::memcpy(view.name, process.name, sizeof(view.name));
    if (process.is_zombie()) return view;
    LinuxProcess& own = *process.linux_process;
    LinuxProcess::ThreadLock::Guard guard(own.thread_lock);
    std::memcpy(view.name, own.program_name, sizeof(view.name));
    const LinuxThread* thread = own.threads.find(process.pid);
    if (thread == nullptr) thread = own.threads.first();
    return thread == nullptr ? view : view_of(own, *thread);
}

std::optional<std::uint32_t> next_thread(const ProcessView& process, std::uint32_t from) {
    if (process.is_zombie() || from > static_cast<std::uint32_t>(ProcessTable::kLast)) return std::nullopt;
    LinuxProcess& own = *process.linux_process;
    LinuxProcess::ThreadLock::Guard guard(own.thread_lock);
    const LinuxThread* const thread = own.threads.lower_bound(static_cast<std::int32_t>(from));
    if (thread == nullptr) return std::nullopt;
    return static_cast<std::uint32_t>(thread->tid);
}

std::uint64_t cpu_of(const ProcessView& process) {
    std::uint64_t ns = process.cpu_ns;
    if (process.is_zombie()) return ns;
    LinuxProcess& own = *process.linux_process;
    bool is_first = true;
    for (std::int32_t next = ProcessTable::kFirst;;) {
        LinuxProcess::ThreadLock::Guard guard(own.thread_lock);
        if (std::exchange(is_first, false)) ns += own.cpu_ns_of_ended;
        const LinuxThread* thread = own.threads.lower_bound(next);
        for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
            ns += thread->thread.cpu_ns();
            next = thread->tid + 1;
            thread = own.threads.next(*thread);
        }
        if (thread == nullptr) return ns;
    }
}

ThreadCounts count_threads(ProcessTable& family) {
    ThreadCounts counts;
    for (std::int32_t next = ProcessTable::kFirst;;) {
        ProcessTable::Lock::Guard guard(family.lock);
        const LinuxThread* thread = family.find_thread_from_locked(next);
        for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
            const ThreadState state = thread->thread.state();
            if (state == ThreadState::running || state == ThreadState::runnable) ++counts.running;
            ++counts.all;
            next = thread->tid + 1;
            thread = family.next_thread_locked(*thread);
        }
        if (thread == nullptr) return counts;
    }
}

} // namespace aios::linux_abi
