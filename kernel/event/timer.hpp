// Timer object: a one-shot or periodic deadline that posts kSignalFired. Stands in event, as it posts events.
// Periods below kMinPeriod are served at that rate, with the missed ones counted in the packet.
#pragma once

#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/lock.hpp"
#include "kernel/time/timer_queue.hpp"

namespace aios {

// What a timer that is due at `due` does at `now`: how many of its times have come, which is the first that has not,
// and when to look again: not within `least_wait`, so that a tiny period costs no more than that; what comes meanwhile
// is counted then.
struct TimerStep {
    std::uint64_t count, due, wake_at;
};
[[nodiscard]] constexpr TimerStep timer_step(std::uint64_t due, std::uint64_t period, std::uint64_t now,
                                             std::uint64_t least_wait) {
    if (period == 0) return {1, time::kNever, time::kNever};
    const std::uint64_t count = (now > due ? (now - due) / period : 0) + 1;
    std::uint64_t next;
    if (__builtin_mul_overflow(count, period, &next) || __builtin_add_overflow(next, due, &next))
        return {count, time::kNever, time::kNever};
    return {count, next, next > now + least_wait ? next : now + least_wait};
}

class Timer final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::timer;
    static constexpr std::uint64_t kMinPeriod = 50'000; // ns

    static Result<Ref<Timer>> create(Payer& payer);
    // Fires at `deadline` (ns, monotonic; in the past: at once), then every `period` ns if that is not 0. kNoDeadline
    // stops it. What fired before stays in the queues it was posted to. bad_argument: a period with kNoDeadline.
    Result<> set(std::uint64_t deadline, std::uint64_t period);

    event::Source* event_source() override { return &source_; }
    void handle_removed(Rights) override { source_.drop_ended(); }
    void revoked_for(std::uint64_t) override { source_.drop_ended(); }

    Timer(mm::OnHeap, Reservation charge, Ref<sched::ThreadOwner> owner);
    ~Timer() override;

private:
    static std::uint64_t fired(time::TimerEntry& entry, std::uint64_t now);
    struct Entry final : time::TimerEntry {
        explicit Entry(Timer& owner) : TimerEntry(&Timer::fired), timer(owner) {}
        Timer& timer;
    };
    // PROTOCOL: two that set it do so one after the other: take the entry out, write when it is due, arm it. What is
    // written belongs to set() while the entry is not armed, and to fired(), under the timer queue's lock, while it is.
    sync::SpinLock<sync::Rank::timer> lock_;
    const Ref<sched::ThreadOwner> owner_; // who made it: its share pays for the expiries
    event::Source source_{0, event::kMaxOfTimer};
    Entry entry_{*this};
    std::uint64_t due_ = time::kNever, period_ = 0;
};

} // namespace aios
