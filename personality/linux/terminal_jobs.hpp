// Terminals and job control: which terminal controls a session, which of its groups is in the foreground, who may read and
// write, and who is sent the terminal's signals. As credentials(7) and tcsetpgrp(3) tell it.
//
// Holds always, under the process table's lock: a session's terminal names that session, and a terminal that names a
// session is that one's. The tie ends with the session, its leader, or the terminal's master.
// Locks: the process table's, for one step; walks over processes are those of signals.hpp.
#pragma once

#include "personality/linux/process_table.hpp"
#include "personality/linux/terminal.hpp"

namespace aios::linux_abi {

struct Call;

// The controlling terminal of a process; empty: none.
[[nodiscard]] Ref<Terminal> terminal_of(LinuxProcess& process);
// To the foreground group, from the kernel. No locks.
void signal_foreground(Terminal& terminal, int signal);
// The master is closed: the session loses the terminal, its leader is sent SIGHUP and SIGCONT.
void hang_up(Terminal& terminal);

// A process opens the slave without O_NOCTTY: the leader of a session without a terminal gets this one, if it is nobody's.
void take_at_open(LinuxProcess& process, Terminal& terminal);
// TIOCSCTTY. kPerm: not a leader, it has another one, or it is another session's and not to be stolen.
enum class Steal : bool { no, yes };
Errno take_terminal(LinuxProcess& process, Terminal& terminal, Steal steal);
// TIOCNOTTY: of a leader, its whole session's. kNotTerminal: it is not the process's.
Errno give_terminal_up(LinuxProcess& process, Terminal& terminal);

// Before a process of a group in the background reads (SIGTTIN) or changes the terminal (SIGTTOU): Errno{}, kIo, or EINTR to
// be answered, as the group has been sent the signal.
Errno check_foreground(Call& call, Terminal& terminal, int signal);

// TIOCGPGRP, TIOCSPGRP, TIOCGSID. From the slave they need that it is the caller's own terminal: kNotTerminal.
enum class AskedFrom : bool { slave, master };
std::expected<std::int32_t, Errno> foreground_of(LinuxProcess& process, Terminal& terminal, AskedFrom from);
std::expected<std::int32_t, Errno> session_of(LinuxProcess& process, Terminal& terminal, AskedFrom from);
// kNotTerminal, kNoProcess (no such group), kPerm (of another session).
Errno set_foreground(LinuxProcess& process, Terminal& terminal, std::int32_t group);

// --- for the process table, which calls them with its lock or, the last, with none
void group_is_gone_locked(ProcessTable& family, const ProcessGroup& group) AIOS_REQUIRES(family.lock);
void session_is_gone_locked(ProcessTable& family, const Session& session) AIOS_REQUIRES(family.lock);
void leader_is_gone(ProcessTable& family, ProcessEntry& entry); // if it is one
// What /proc/PID/stat tells: the device, 0 for none, and the foreground group, -1 for none.
struct TerminalView {
    std::uint64_t device = 0;
    std::int32_t foreground = -1;
};
TerminalView view_terminal_locked(ProcessTable& family, const ProcessEntry& entry) AIOS_REQUIRES(family.lock);

} // namespace aios::linux_abi
