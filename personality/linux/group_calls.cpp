// Kinship of processes: parents, groups, sessions.
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

// Runs `read(entry)` for the process `pid`, or the caller's if it is 0. kNoProcess.
template <typename F>
Outcome of_process(Call& call, std::int32_t pid, F&& read) {
    if (pid < 0) return refuse(kNoProcess);
    ProcessTable& family = call.process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry* const entry = pid == 0 ? &call.process.entry() : family.find_locked(pid);
    if (entry == nullptr) return refuse(kNoProcess);
    return static_cast<std::uint64_t>(read(*entry));
}

} // namespace

Outcome call_getppid(Call& call) {
    return of_process(call, 0, [](const ProcessEntry& own) { return own.parent == nullptr ? 0 : own.parent->pid; });
}

Outcome call_getpgid(Call& call, std::int32_t pid) {
    return of_process(call, pid, [](const ProcessEntry& entry) { return entry.group->number; });
}

Outcome call_getpgrp(Call& call) { return call_getpgid(call, 0); }

Outcome call_getsid(Call& call, std::int32_t pid) {
    return of_process(call, pid, [](const ProcessEntry& entry) { return entry.group->session->number; });
}

Outcome call_setpgid(Call& call, std::int32_t pid, std::int32_t group) {
    if (group < 0) return refuse(kInvalid);
    const Errno error = call.process.family().move_to_group(call.process, pid, group);
    return error == Errno{} ? Outcome(0) : refuse(error);
}

Outcome call_setsid(Call& call) {
    const Errno error = call.process.family().lead_session(call.process);
    return error == Errno{} ? Outcome(static_cast<std::uint64_t>(call.process.pid())) : refuse(error);
}

} // namespace aios::linux_abi
