// LinuxThread: what Linux keeps of a thread.
#pragma once

#include <atomic>

#include "base/intrusive_tree.hpp"
#include "kernel/mm/payer.hpp"
#include "kernel/sched/thread.hpp"
#include "personality/linux/abi.hpp"
#include "personality/linux/signal_queue.hpp"

namespace aios::linux_abi {

class LinuxProcess;
struct PiWaiter;

inline constexpr std::size_t kThreadNameBytes = 16; // with the NUL

// What sched_setscheduler, nice and their kin have set: kept and told (schedule_calls.cpp).
struct Schedule {
    std::int32_t policy = 0, priority = 0, nice = 0;
    bool resets = false; // SCHED_RESET_ON_FORK
    std::uint64_t processors = ~0ull;
};

// What becomes of a call that a signal interrupts once a handler has run; without a handler it is always made again.
enum class AfterHandler : std::uint8_t { ends, restarts /* with SA_RESTART */, always_restarts };

// A thread's own data: Thread::personality_data. Charged to the agent. Written by its own thread, but for `pending`.
struct LinuxThread {
    LinuxThread(Reservation reservation, Thread& own)
        : charge(std::move(reservation)), thread(own), born(sched::now_ns()) {}
    Reservation charge;
    Thread& thread;
    TreeNode node;                   // under thread_lock
    TreeNode table_node;             // under the process table's lock
    LinuxProcess* process = nullptr; // constant, as tid is, once it stands in the table
    std::int32_t tid = 0;
    std::uint64_t clear_child_tid = 0;     // user address, or 0
    std::uint64_t robust_list = 0;         // likewise; others look at it as a number
    std::atomic<std::uint64_t> blocked{0}; // signal mask; bit number - 1
    std::atomic<std::uint64_t> pending{0}; // signals sent to this thread
    SignalQueue queued{pending};           // the real-time ones among them; under thread_lock
    std::uint64_t saved_mask = 0;          // of rt_sigsuspend, put back by the next delivery
    bool restore_mask = false;
    bool leaving = false; // has called exit
    SignalStack alternate{0, kStackDisable, 0, 0};
    char name[kThreadNameBytes]{}; // under thread_lock where others look
    const std::uint64_t born;      // monotonic, ns
    std::uint64_t timer_slack = 0; // ns, as prctl set it; 0: not
    Schedule schedule;             // under the process table's lock
    PiWaiter* waits_for = nullptr; // likewise, and its contents under PiTable::lock
    // A call that ended with EINTR, until its thread is back in user mode: what to do instead, if no handler runs.
    struct Interrupted {
        bool active = false;
        AfterHandler after = AfterHandler::ends;
        std::uint64_t number = 0;
        std::uint64_t deadline = 0; // of relative waits; 0: none
    } interrupted;
    std::uint64_t restarted_deadline = 0; // the call under way is a restart of one with this deadline
};
[[nodiscard]] inline LinuxThread& data_of(Thread& thread) {
    return *static_cast<LinuxThread*>(thread.personality_data);
}

} // namespace aios::linux_abi
