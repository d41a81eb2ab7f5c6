// See signal_timer.hpp.
#include "personality/linux/signal_timer.hpp"

#include <algorithm>

#include "kernel/agent/agent.hpp"
#include "kernel/event/timer.hpp"
#include "kernel/time/clock.hpp"

namespace aios::linux_abi {

SignalTimer::SignalTimer(mm::OnHeap, Reservation charge, LinuxProcess& process, const Measures& measures,
                         const Tells& tells)
    : measured(measures), charge_(std::move(charge)), family_(process.family()), pid_(process.pid()), tells_(tells) {
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
    walk_ = {};
    seen_ = look_ = 0;
    const bool looks_now = is_of_cpu() && wanted.due != time::kNever; // and finds how long it takes at least
    time::arm(entry_, looks_now ? time::now_ns() : wanted.due);
    return before;
}

SignalTimer::Setting SignalTimer::left() {
    Lock::Guard guard(lock_);
    return setting_;
}

std::int32_t SignalTimer::overruns() {
    Lock::Guard guard(lock_);
    return told(is_pending(family_, pid_, tells_.tid, tells_.sent.signal, &queued_) ? delivered_ : overruns_);
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

std::uint64_t SignalTimer::expire(std::uint64_t now) {
    Lock::Guard guard(lock_);
    const TimerStep step = timer_step(setting_.due, setting_.period, now, kMinPeriod);
    setting_.due = step.due;
    const bool is_taken = !is_pending(family_, pid_, tells_.tid, tells_.sent.signal, &queued_);
    if (is_taken) delivered_ = overruns_;
    overruns_ = is_taken ? step.count - 1 : overruns_ + step.count;
    step_ = {};
    step_.of_timer = &queued_;
    return step.wake_at;
}

std::uint64_t SignalTimer::next_look(std::uint64_t now, std::uint64_t at, std::uint64_t due) {
    if (due == time::kNever) return time::kNever;
    const std::uint64_t wait = least_wait(due > at ? due - at : 0, walk_.threads);
    const bool stands_still = look_ != 0 && at == seen_;
    look_ = std::max(wait, stands_still ? std::min(look_ * 2, kLongestLook) : kShortestLook);
    seen_ = at;
    return look_ > time::kNever - 1 - now ? time::kNever - 1 : now + look_;
}

// Under the timer queue's lock. SAFETY of the downcast: only SignalTimer makes entries with this function.
std::uint64_t SignalTimer::fired(time::TimerEntry& entry, std::uint64_t now) {
    constexpr std::uint64_t kSoon = 1000; // ns
    SignalTimer& timer = static_cast<Entry&>(entry).timer;
    if (!timer.is_walking_ && timer.is_of_cpu()) {
        const CpuStep step = step_cpu_clock(timer.family_, timer.measured.cpu, timer.walk_);
        if (step == CpuStep::more) return now + kSoon;
        if (step == CpuStep::gone) return time::kNever; // the clock stands still for ever
        const std::uint64_t at = timer.walk_.ns, due = timer.left().due;
        timer.after_walk_ = timer.next_look(now, at, due > at ? due : timer.expire(at));
        timer.walk_ = {};
        if (due > at) return timer.after_walk_;
    } else if (!timer.is_walking_) {
        timer.after_walk_ = timer.expire(now);
    }
    timer.is_walking_ = !timer.tell_some(timer.step_);
    if (timer.is_walking_) return now + kSoon;
    return timer.after_walk_;
}

} // namespace aios::linux_abi
