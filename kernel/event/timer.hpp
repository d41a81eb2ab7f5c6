// Timer object: a one-shot or periodic deadline that posts kSignalFired. Stands in event, as it posts events.
// Periods below kMinPeriod are served at that rate, with the missed ones counted in the packet.
#pragma once

#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/time/timer_queue.hpp"

namespace aios {

class Timer final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::timer;
    static constexpr std::uint64_t kMinPeriod = 50'000; // ns

    static Result<Ref<Timer>> create(Payer& payer);
    // Fires at `deadline` (ns, monotonic; in the past: at once), then every `period` ns if that is not 0. kNoDeadline
    // stops it. What fired before stays in the queues it was posted to. bad_argument: a period with kNoDeadline.
    Result<> set(std::uint64_t deadline, std::uint64_t period);

    event::Source* event_source() override { return &source_; }
    void revoked_for(std::uint64_t) override { source_.drop_revoked(); }

private:
    explicit Timer(Reservation charge) : Object(kType, std::move(charge)) {}
    ~Timer() override;
    static std::uint64_t fired(time::TimerEntry& entry, std::uint64_t now);
    struct Entry final : time::TimerEntry {
        explicit Entry(Timer& owner) : TimerEntry(&Timer::fired), timer(owner) {}
        Timer& timer;
    };
    event::Source source_;
    Entry entry_{*this};
    std::atomic<std::uint64_t> period_{0};
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

} // namespace aios
