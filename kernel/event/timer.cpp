// Timer objects. The entry fires under the timer queue's lock, on the CPU that set it last; set() is serialised by its
// own lock, so that two that set the same timer do not arm it twice. Locks: Rank::timer, then Rank::timer_queue, Rank::event_source.
#include "kernel/event/timer.hpp"

#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"

namespace aios {

Result<Ref<Timer>> Timer::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Timer>));
    Ref<sched::ThreadOwner> owner = Ref<sched::ThreadOwner>::share(*Thread::current().owner());
    return Ref<Timer>::adopt(TRY(mm::make<Timer>(std::move(charge), std::move(owner))));
}

Timer::Timer(mm::OnHeap, Reservation charge, Ref<sched::ThreadOwner> owner)
    : Object(kType, std::move(charge)), owner_(std::move(owner)) {
    if (owner_->address_space() != nullptr) entry_.payer = &owner_->share_group();
}

Timer::~Timer() { time::cancel(entry_); }

Result<> Timer::set(std::uint64_t deadline, std::uint64_t period) {
    if (deadline == kNoDeadline && period != 0) return fail(Error::bad_argument);
    sync::SpinLock<sync::Rank::timer>::Guard guard(lock_);
    time::cancel(entry_);
    due_ = deadline;
    period_ = period;
    time::arm(entry_, deadline);
    return {};
}

// SAFETY of the downcast: only Timer makes entries with this function.
std::uint64_t Timer::fired(time::TimerEntry& entry, std::uint64_t now) {
    Timer& timer = static_cast<Entry&>(entry).timer;
    const TimerStep step = timer_step(timer.due_, timer.period_, now, kMinPeriod);
    timer.due_ = step.due;
    timer.source_.post(kSignalFired, step.count);
    return step.wake_at;
}

} // namespace aios
