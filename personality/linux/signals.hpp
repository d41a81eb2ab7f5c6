// Signals of a Linux process: actions, masks, pending sets, delivery on a signal frame, return from it. What is sent
// twice before it is taken is delivered once (real-time signals too). Stopping signals are ignored: there is no job
// control. Locks: LinuxProcess::lock for actions, thread_lock to find threads.
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
    bool is_fault = false;
    std::uint64_t vector = 0, error = 0; // faults, for the context
};
inline constexpr std::int32_t kCodeUser = 0, kCodeKernel = 0x80, kCodeThread = -6; // SI_USER, SI_KERNEL, SI_TKILL

// A fault of the program's own code. False: no handler can run; the agent ends with EndReason::fault.
bool deliver_fault(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame, std::uint64_t address);
// Carries out what is pending and not blocked for this thread, on the way back to user mode.
void deliver_pending(LinuxProcess& process, Thread& thread, arch::TrapFrame& frame);
// A thread waits until it has something to deliver.
[[nodiscard]] bool has_deliverable(LinuxProcess& process, const LinuxThread& data);

// signal_frame.cpp: puts a signal frame on the user's stack and points `frame` at the handler. False: the stack cannot
// take it.
bool push_signal_frame(LinuxThread& data, arch::TrapFrame& frame, const SignalAction& action, const SignalInfo& info,
                       std::uint64_t saved_mask);
// What a frame takes at most (AT_MINSIGSTKSZ).
[[nodiscard]] std::uint64_t signal_stack_bytes();
// rt_sigreturn: takes the frame off again. False: it is not one.
bool pop_signal_frame(LinuxThread& data, arch::TrapFrame& frame);

} // namespace aios::linux_abi
