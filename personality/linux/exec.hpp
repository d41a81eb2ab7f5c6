// execve. Another program takes a process's place in a process of the kernel's own, with an address space of its own: so no
// thread's address space ever changes, and the old program stays whole until the new one is loaded.
//   (1) The calling thread looks the program up, copies its arguments, and makes the new process with one thread.
//   (2) That thread loads the program, in its own address space, and says whether it could. If not, the call answers an errno
//       and nothing has happened.
//   (3) The point of no return: the calling thread decides the fate of its process (LinuxProcess::yield_to); an exit or a
//       deadly signal may have been faster. All threads of the old process leave.
//   (4) When the last is gone, and the memory with it, the old process hands over in ended(): number, files, directory,
//       signals, and lets the new thread go to user mode.
// Whoever waits for the process notices nothing. Between (2) and (4) both programs are charged, as both are there.
#pragma once

#include <expected>

#include "kernel/agent/agent.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "personality/linux/abi.hpp"
#include "personality/linux/held_text.hpp"
#include "personality/linux/linux_thread.hpp"

namespace aios::linux_abi {

class LinuxProcess;
struct Call;

inline constexpr std::uint64_t kExecveNumber = 59;

// A file that can be executed, as far as its place and its mode say.
struct FoundProgram {
    Ref<mm::Pages> image;
    HeldText path; // absolute
};
// kNoEntry and what a look-up answers, kAccess: no regular file, no mode bit, or no right `execute`.
std::expected<FoundProgram, Errno> find_program(Call& call, std::string_view path);

// What the two threads have in common. Charged to the agent.
class Replacement {
public:
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }

    Reservation charge;
    Ref<mm::Pages> image;
    mm::OwnedBytes arguments, environment; // strings, each ended by NUL
    std::size_t argument_bytes = 0, environment_bytes = 0;
    HeldText path; // absolute
    Ref<Process> process;
    LinuxProcess* linux_process = nullptr; // `process` owns it
    // Of the calling thread, for the new one.
    std::uint64_t blocked = 0;
    std::atomic<std::uint64_t> pending{0};
    SignalQueue queued{pending};
    Schedule schedule;
    std::uint64_t timer_slack = 0;

    enum class State : std::uint8_t { loading, failed, loaded, begins, abandoned };
    std::atomic<State> state{State::loading};
    Errno error{};
    sched::WaitQueue caller, loader;

    Replacement(mm::OnHeap, Reservation reservation) : charge(std::move(reservation)) {}

private:
    RefCount references_;
};

} // namespace aios::linux_abi
