// See signal_timer.hpp.
#include "personality/linux/signal_timer.hpp"

#include "kernel/agent/agent.hpp"
#include "kernel/event/timer.hpp"
#include "kernel/time/clock.hpp"

namespace aios::linux_abi {

SignalTimer::SignalTimer(mm::OnHeap, Reservation charge, LinuxProcess& process, ClockId id, const Tells& tells)
    : clock(id), charge_(std::move(charge)), family_(process.family()), pid_(process.pid()), tells_(tells) {
    entry_.payer = &process.agent().share_group();
}

SignalTimer::Setting SignalTimer::set(const Setting& wanted) {
    time::cancel(entry_);
    is_walking_ = false; // a signal that is pending is seen by whoever unblocks it
    Setting before;
    {
        Lock::Guard guard(lock_);
        before = std::exchange(setting_, wanted);
        overruns_ = delivered_ = 0;
    }
    time::arm(entry_, wanted.due);
    return before;
}

SignalTimer::Setting SignalTimer::left() {
    Lock::Guard guard(lock_);
    return setting_;
}

std::int32_t SignalTimer::overruns() {
    Lock::Guard guard(lock_);
    return told(is_pending(family_, pid_, tells_.tid, tells_.sent.signal) ? delivered_ : overruns_);
}

std::int32_t SignalTimer::told(std::uint64_t count) {
    constexpr std::uint64_t kMost = 0x7fff'ffff; // DELAYTIMER_MAX
    return static_cast<std::int32_t>(std::min(count, kMost));
}

bool SignalTimer::tell_some(SignalStep& step) {
    if (tells_.sent.signal == 0) return true;
    SentSignal sent = tells_.sent; // each expiry writes what is so now over what was pending
    {
        Lock::Guard guard(lock_);
        if (sent.code == kCodeTimer) sent.overrun = told(overruns_);
    }
    return step_from_interrupt(family_, pid_, tells_.tid, sent, step);
}

// Under the timer queue's lock. SAFETY of the downcast: only SignalTimer makes entries with this function.
std::uint64_t SignalTimer::fired(time::TimerEntry& entry, std::uint64_t now) {
    constexpr std::uint64_t kSoon = 1000; // ns
    SignalTimer& timer = static_cast<Entry&>(entry).timer;
    if (!timer.is_walking_) {
        Lock::Guard guard(timer.lock_);
        const TimerStep step = timer_step(timer.setting_.due, timer.setting_.period, now, kMinPeriod);
        timer.setting_.due = step.due;
        timer.after_walk_ = step.wake_at;
        const bool is_taken = !is_pending(timer.family_, timer.pid_, timer.tells_.tid, timer.tells_.sent.signal);
        if (is_taken) timer.delivered_ = timer.overruns_;
        timer.overruns_ = is_taken ? step.count - 1 : timer.overruns_ + step.count;
        timer.step_ = {};
    }
    timer.is_walking_ = !timer.tell_some(timer.step_);
    if (timer.is_walking_) return now + kSoon;
    return timer.after_walk_;
}

} // namespace aios::linux_abi
