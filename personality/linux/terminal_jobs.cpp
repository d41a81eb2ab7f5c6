// See terminal_jobs.hpp.
#include "personality/linux/terminal_jobs.hpp"

#include "personality/linux/device_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

SentSignal from_kernel(int signal) { return {signal, kCodeKernel, 0, 0}; }

bool is_leader_locked(ProcessTable& family, const ProcessEntry& entry) AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    return entry.group->session->number == entry.pid;
}

Terminal* terminal_of_locked(ProcessTable& family, const ProcessEntry& entry) AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    return entry.gave_terminal_up ? nullptr : entry.group->session->terminal.get();
}

void tie_locked(ProcessTable& family, const ProcessEntry& leader, Terminal& terminal) AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    leader.group->session->terminal = Ref<Terminal>::share(terminal); // there was none: nothing is let go
    terminal.session = leader.pid;
    terminal.foreground = leader.group->number;
}

// Whoever calls it lets the reference go when the lock is dropped.
[[nodiscard]] Ref<Terminal> untie_locked(ProcessTable& family, Session& session) AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    Ref<Terminal> terminal = std::move(session.terminal);
    if (terminal) terminal->session = terminal->foreground = 0;
    return terminal;
}

} // namespace

Ref<Terminal> terminal_of(LinuxProcess& process) {
    ProcessTable& family = process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    Terminal* const terminal = terminal_of_locked(family, process.entry());
    return terminal == nullptr ? Ref<Terminal>() : Ref<Terminal>::share(*terminal);
}

void signal_foreground(Terminal& terminal, int signal) {
    std::int32_t group = 0;
    {
        ProcessTable::Lock::Guard guard(terminal.family().lock);
        group = terminal.foreground;
    }
    if (group > 0) (void)send_to_group(terminal.family(), group, from_kernel(signal));
}

void hang_up(Terminal& terminal) {
    ProcessTable& family = terminal.family();
    std::int32_t leader = 0;
    Ref<Terminal> tie; // let go when the lock is
    {
        ProcessTable::Lock::Guard guard(family.lock);
        leader = terminal.session;
        Session* const session = leader == 0 ? nullptr : family.find_session_locked(leader);
        if (session == nullptr) return;
        session->hung_up_group = terminal.foreground > 0 ? terminal.foreground : 0;
        tie = untie_locked(family, *session);
    }
    (void)send_to_process(family, leader, from_kernel(kSigHup));
    (void)send_to_process(family, leader, from_kernel(kSigContinue));
}

void take_at_open(LinuxProcess& process, Terminal& terminal) {
    ProcessTable& family = process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry& entry = process.entry();
    if (is_leader_locked(family, entry) && !entry.group->session->terminal && terminal.session == 0)
        tie_locked(family, entry, terminal);
}

Errno take_terminal(LinuxProcess& process, Terminal& terminal, Steal steal) {
    ProcessTable& family = process.family();
    Ref<Terminal> stolen; // let go when the lock is
    ProcessTable::Lock::Guard guard(family.lock);
    ProcessEntry& entry = process.entry();
    if (!is_leader_locked(family, entry)) return kPerm;
    if (terminal.session == entry.pid) return Errno{};
    if (entry.group->session->terminal) return kPerm;
    if (terminal.session != 0) {
        if (steal == Steal::no) return kPerm;
        if (Session* const other = family.find_session_locked(terminal.session); other != nullptr)
            stolen = untie_locked(family, *other);
    }
    tie_locked(family, entry, terminal);
    entry.gave_terminal_up = false;
    return Errno{};
}

Errno give_terminal_up(LinuxProcess& process, Terminal& terminal) {
    ProcessTable& family = process.family();
    Ref<Terminal> tie; // let go when the lock is
    std::int32_t group = 0;
    {
        ProcessTable::Lock::Guard guard(family.lock);
        ProcessEntry& entry = process.entry();
        if (terminal_of_locked(family, entry) != &terminal) return kNotTerminal;
        if (!is_leader_locked(family, entry)) {
            entry.gave_terminal_up = true;
            return Errno{};
        }
        group = terminal.foreground;
        tie = untie_locked(family, *entry.group->session);
    }
    if (group <= 0) return Errno{};
    (void)send_to_group(family, group, from_kernel(kSigHup));
    (void)send_to_group(family, group, from_kernel(kSigContinue));
    return Errno{};
}

Errno check_foreground(Call& call, Terminal& terminal, int signal) {
    ProcessTable& family = call.process.family();
    std::int32_t group = 0;
    {
        ProcessTable::Lock::Guard guard(family.lock);
        const ProcessEntry& entry = call.process.entry();
        if (terminal_of_locked(family, entry) != &terminal) return Errno{};
        group = entry.group->number;
        if (terminal.foreground == 0 || terminal.foreground == group) return Errno{};
    }
    if (is_held_off(call.process, call.data(), signal)) return signal == kSigTerminalIn ? kIo : Errno{};
    if (is_orphaned(family, group)) return kIo;
    (void)send_to_group(family, group, from_kernel(signal), &call.data());
    call.thread.interrupt(); // so that it looks, whichever thread takes the signal
    return interrupted_call(call, AfterHandler::restarts).error();
}

namespace {

bool may_ask_locked(ProcessTable& family, LinuxProcess& process, const Terminal& terminal, AskedFrom from)
    AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    return from == AskedFrom::master || terminal_of_locked(family, process.entry()) == &terminal;
}

std::int32_t shown(std::int32_t group) { return group < 0 ? -group : group; }

} // namespace

std::expected<std::int32_t, Errno> foreground_of(LinuxProcess& process, Terminal& terminal, AskedFrom from) {
    ProcessTable& family = process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    if (!may_ask_locked(family, process, terminal, from)) return std::unexpected(kNotTerminal);
    return shown(terminal.foreground);
}

std::expected<std::int32_t, Errno> session_of(LinuxProcess& process, Terminal& terminal, AskedFrom from) {
    ProcessTable& family = process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    if (!may_ask_locked(family, process, terminal, from) || terminal.session == 0) return std::unexpected(kNotTerminal);
    return terminal.session;
}

Errno set_foreground(LinuxProcess& process, Terminal& terminal, std::int32_t group) {
    if (group < 0) return kInvalid;
    ProcessTable& family = process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    if (terminal_of_locked(family, process.entry()) != &terminal) return kNotTerminal;
    const ProcessGroup* const wanted = family.find_group_locked(group);
    if (wanted == nullptr) return kNoProcess;
    if (wanted->session != process.entry().group->session) return kPerm;
    terminal.foreground = group;
    return Errno{};
}

void group_is_gone_locked(ProcessTable& family, const ProcessGroup& group) {
    family.lock.assert_held();
    Session& session = *group.session;
    if (session.hung_up_group == group.number) session.hung_up_group = 0;
    // Another group may get the number: this one's is not a group's any more.
    if (session.terminal && session.terminal->foreground == group.number) session.terminal->foreground = -group.number;
}

void session_is_gone_locked(ProcessTable& family, const Session& session) {
    family.lock.assert_held();
    if (session.terminal) session.terminal->session = session.terminal->foreground = 0;
}

void leader_is_gone(ProcessTable& family, ProcessEntry& entry) {
    Ref<Terminal> tie; // let go when the lock is
    std::int32_t group = 0;
    {
        ProcessTable::Lock::Guard guard(family.lock);
        if (!is_leader_locked(family, entry)) return;
        Session& session = *entry.group->session;
        tie = std::move(session.terminal);
        group = tie ? tie->foreground : std::exchange(session.hung_up_group, 0);
        if (tie) tie->session = tie->foreground = 0;
    }
    if (group <= 0) return;
    (void)send_to_group(family, group, from_kernel(kSigHup));
    if (!tie) (void)send_to_group(family, group, from_kernel(kSigContinue));
}

TerminalView view_terminal_locked(ProcessTable& family, const ProcessEntry& entry) {
    family.lock.assert_held();
    const Terminal* const terminal = terminal_of_locked(family, entry);
    if (terminal == nullptr) return {};
    return {device_id(Device::slave, terminal->number()), shown(terminal->foreground)};
}

} // namespace aios::linux_abi
