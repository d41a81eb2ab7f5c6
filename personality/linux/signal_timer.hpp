// Timers that tell by a signal: the interval timer of a process (setitimer, alarm) and those of timer_create. The expiry
// comes in the timer's interrupt, makes the signal pending and wakes a thread that lets it through; of a process with many
// threads it looks at 16 and goes on a microsecond later, and so with its signal descriptors, one at a time. While the
// signal is pending further expiries are counted as overruns. The agent's share pays for each. They end with the process, at
// the latest when no thread of it is left.
//
// Timers of CPU time: nothing counts while threads run. The interrupt comes when the clock can have gone on far enough at the
// earliest, walks the threads as above, and comes again if something is left: after that time, but after no less than
// kShortestLook, or twice as long as before, up to kLongestLook, where the clock stands still.
//
// Locks: who sets a timer holds LinuxProcess::lock, so that it is armed by one at a time; lock_ (Rank::timer_file) guards
// what the interrupt changes, and is taken under Rank::timer_queue.
#pragma once

#include "kernel/mm/owned.hpp"
#include "kernel/time/timer_queue.hpp"
#include "personality/linux/cpu_clock.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {

class SignalTimer : Pinned {
public:
    static constexpr std::uint64_t kMinPeriod =
        50'000; // ns; shorter ones are served at that rate, the missed are counted
    static constexpr std::uint64_t kShortestLook = 1'000'000, kLongestLook = 20'000'000; // ns
    struct Setting {
        std::uint64_t due = time::kNever, period = 0; // ns, monotonic or of the CPU clock
    };
    struct Measures {
        ClockId clock = ClockId::monotonic;
        CpuClock cpu; // pid 0: none
    };
    struct Tells {
        SentSignal sent;      // signal 0: nobody
        std::int32_t tid = 0; // of a thread; 0: the process
    };
    SignalTimer(mm::OnHeap, Reservation charge, LinuxProcess& process, const Measures& measures, const Tells& tells);
    ~SignalTimer() {
        time::cancel(entry_);
        withdraw_queued(family_, pid_, queued_);
    }

    Setting set(const Setting& wanted); // answers what was set before. Thread context, under the process's lock
    [[nodiscard]] Setting left();
    [[nodiscard]] std::int32_t overruns(); // of the last signal that was taken

    const Measures measured;
    [[nodiscard]] bool is_of_cpu() const { return measured.cpu.pid != 0; }

private:
    using Lock = sync::SpinLock<sync::Rank::timer_file>;
    struct Entry final : time::TimerEntry {
        explicit Entry(SignalTimer& owner) : TimerEntry(&SignalTimer::fired), timer(owner) {}
        SignalTimer& timer;
    };
    static std::uint64_t fired(time::TimerEntry& entry, std::uint64_t now);
    [[nodiscard]] static std::int32_t told(std::uint64_t count);
    [[nodiscard]] bool tell_some(SignalStep& step); // true: nobody is left to look at
    // What has expired by `now` on its clock is noted. When it expires next, on its clock.
    std::uint64_t expire(std::uint64_t now);
    // When to look at a CPU clock again that stands at `at` and is to reach `due`. Monotonic.
    std::uint64_t next_look(std::uint64_t now, std::uint64_t at, std::uint64_t due);

    Reservation charge_;
    ProcessTable& family_; // the process's
    const std::int32_t pid_;
    const Tells tells_;
    Lock lock_;
    Setting setting_ AIOS_GUARDED_BY(lock_);
    std::uint64_t overruns_ AIOS_GUARDED_BY(lock_) = 0;  // since the last signal that was made pending
    std::uint64_t delivered_ AIOS_GUARDED_BY(lock_) = 0; // those of the signal before it, which was taken
    QueuedSignal queued_;                                // its signal, if that is a real-time one
    SignalStep step_{};                                  // of the interrupt alone: how far it has looked
    std::uint64_t after_walk_ = 0; // of the interrupt alone: when the next expiry comes, once everybody was looked at
    bool is_walking_ = false;      // of the interrupt alone
    CpuWalk walk_;                 // likewise, as what follows: how far it has counted
    std::uint64_t seen_ = 0, look_ = 0; // where the CPU clock stood, and how long it was left alone since
    Entry entry_{*this};
};

// All of one process.
struct SignalTimers {
    static constexpr std::size_t kMost = 128; // of timer_create
    explicit SignalTimers(Reservation reservation) : charge(std::move(reservation)) {}
    Reservation charge;
    static constexpr std::size_t kIntervals = 3;
    mm::Owned<SignalTimer> intervals[kIntervals];  // ITIMER_REAL, VIRTUAL, PROF, each made when it is first set
    mm::Owned<SignalTimer> soft_limit, hard_limit; // RLIMIT_CPU, likewise
    mm::Owned<SignalTimer> of[kMost];
};

} // namespace aios::linux_abi
