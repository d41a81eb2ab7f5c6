// Signals of a Linux process: actions, masks, pending sets, delivery on a signal frame, return from it. What is sent
// twice before it is taken is delivered once, but for real-time signals (signal_queue.hpp). A stopped process's threads
// wait on their way to user mode. Locks: LinuxProcess::lock for actions, the process table's to find processes, thread_lock to find threads.
#pragma once

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

inline constexpr std::uint64_t bit_of(int signal) { return 1ull << (signal - 1); }
inline constexpr std::uint64_t kUnblockable = bit_of(kSigKill) | bit_of(kSigStop);

// What a handler is told (siginfo_t: signal, code, then by kind). Fault: the address; sent: who sent it.
struct SignalInfo {
    std::int32_t signal = 0;
    std::int32_t code = 0;
    std::uint64_t address = 0; // faults
    std::int32_t sender = 0;   // pid, others
    std::int32_t overrun = 0;  // of a timer; else the sender's user
    std::uint64_t value = 0;   // of SIGCHLD: the status; of a timer and of sigqueue: what was given with it
    bool is_fault = false;
    std::uint64_t vector = 0, error = 0; // faults, for the context
};
inline constexpr std::int32_t kCodeUser = 0, kCodeKernel = 0x80, kCodeQueue = -1, kCodeTimer = -2,
                              kCodeThread = -6; // SI_...

inline constexpr std::int32_t kCodeExited = 1, kCodeKilled = 2, kCodeStopped = 5, kCodeContinued = 6; // CLD_...

// signal_send.cpp. What a parent is sent about a child; `status` as wait4 tells it.
SentSignal child_signal(int signal, std::int32_t child, ChildNews news, std::uint32_t status);
// To a process, of which any thread that does not block it takes it, `preferred` first; signal 0 looks whether it exists.
// A real-time signal without `room` (make_queued) is one deep. kNoProcess; kAgain: there is no room for one that has a value.
// Thread context, no locks.
Errno send_to_process(ProcessTable& family, std::int32_t pid, const SentSignal& sent, LinuxThread* preferred = nullptr,
                      mm::Owned<QueuedSignal> room = {});
// To every process of a group. kNoProcess: there is none.
Errno send_to_group(ProcessTable& family, std::int32_t group, const SentSignal& sent, LinuxThread* preferred = nullptr);
// The same in steps from a timer's interrupt, of which each looks at 16 threads or tells one signal descriptor. `tid` 0:
// to the process; else to that thread. True: done. The process is there as long as the timer is.
struct SignalStep {
    bool is_first = true, are_threads_done = false;
    std::int32_t next = 0;  // thread
    unsigned next_file = 0; // signal descriptor
    Errno error{};
    QueuedSignal* of_timer = nullptr; // of a real-time signal: what stands in the queue
    mm::Owned<QueuedSignal> room;     // likewise, of who is no timer
};
bool step_from_interrupt(ProcessTable& family, std::int32_t pid, std::int32_t tid, const SentSignal& sent,
                         SignalStep& step);
// Whether a signal of that number waits to be taken, by the process as a whole or, unless `tid` is 0, by that thread.
// Of a timer's real-time signal: whether `queued`, which is its own, does.
[[nodiscard]] bool is_pending(ProcessTable& family, std::int32_t pid, std::int32_t tid, int signal,
                              const QueuedSignal* queued);
Errno send_to_thread(ProcessTable& family, std::int32_t group, std::int32_t tid, const SentSignal& sent,
                     mm::Owned<QueuedSignal> room = {});
// Whether nobody would let the group's processes go on once they stand still: no parent of one of them is in another
// group of the same session.
[[nodiscard]] bool is_orphaned(ProcessTable& family, std::int32_t group);
// Whether the action of the signal is to ignore it, or the thread blocks it.
[[nodiscard]] bool is_held_off(LinuxProcess& process, const LinuxThread& data, int signal);
// The process that a number means where Linux takes that of any thread, too.
std::int32_t process_number(ProcessTable& family, std::int32_t number);
// kill(2): whether the caller may send it to the process `pid`. kPerm; kNoProcess. signal_calls.cpp
Errno may_signal(Call& call, std::int32_t pid, int signal);
// Every thread of the process comes to its call boundary, and looks.
void interrupt_all(LinuxProcess& process);

// A fault of the program's own code. False: no handler can run; the agent ends with EndReason::fault.
bool deliver_fault(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame, std::uint64_t address);
[[nodiscard]] int signal_of_fault(LinuxProcess& process, const arch::TrapFrame& frame, std::uint64_t address);
// Carries out what is pending and not blocked for this thread, on the way back to user mode.
void deliver_pending(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame);
// A thread waits until it has something to deliver.
[[nodiscard]] bool has_deliverable(LinuxProcess& process, const LinuxThread& data);

// Takes one pending signal of `set`, of the thread or else of its process: false if there is none.
bool take_pending_among(Call& call, std::uint64_t set, SignalInfo& info);
// To the calling thread itself, as a fault of its own doing (SIGPIPE).
void send_to_self(Call& call, int signal);
// The mask of a call that waits with one of its own (ppoll, pselect6, epoll_pwait), from its start to its end. After
// EINTR the mask stays for the delivery, which puts the old one back.
class MaskOfCall {
public:
    explicit MaskOfCall(Call& call) : call_(call) {}
    MaskOfCall(const MaskOfCall&) = delete;
    ~MaskOfCall();
    // `address` 0: none. kInvalid (size), kFault.
    [[nodiscard]] Errno set(UserIn<std::uint64_t> mask, std::uint64_t set_bytes);

private:
    Call& call_;
    std::uint64_t before_ = 0;
    bool is_set_ = false;
};

[[nodiscard]] SignalInfoRecord record_of(const SignalInfo& info); // as a program reads it
// signal_frame.cpp: puts a signal frame on the user's stack and points `frame` at the handler. False: the stack cannot
// take it.
bool push_signal_frame(LinuxThread& data, arch::TrapFrame& frame, const SignalAction& action, const SignalInfo& info,
                       std::uint64_t saved_mask);
// What a frame takes at most (AT_MINSIGSTKSZ).
[[nodiscard]] std::uint64_t signal_stack_bytes();
// rt_sigreturn: takes the frame off again. False: it is not one.
bool pop_signal_frame(LinuxThread& data, arch::TrapFrame& frame);

} // namespace aios::linux_abi
