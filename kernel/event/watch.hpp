// Waiter and Watch: a thread that waits for several sources at once, with everything that this needs on its own stack,
// as poll does: no queue, no registration, no memory.
//     Waiter waiter;
//     Watch first(waiter, one, kSignalReadable), second(waiter, other, kSignalReadable | kSignalWritable);
//     TRY(first.begin());
//     TRY(second.begin());
//     while (first.raised() == 0 && second.raised() == 0)
//         if (waiter.wait(deadline) != sched::Outcome::ready) break;
//
// Holds always: what becomes so after begin(), or was so then, ends the next wait, so looking first and waiting then
// loses nothing. The thread keeps references to the objects. Locks: those of Source; notify() takes Rank::wait_queue.
#pragma once

#include "kernel/object/source.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::event {

class Waiter : Pinned {
public:
    // Until something is told that a Watch wants; what was told since the last wait counts. The deadline in nanoseconds
    // of the monotonic clock. ready, timed_out, interrupted.
    sched::Outcome wait(sched::Deadline deadline) {
        // acquire: pairs with the release in tell(), so that what led to it is seen by whoever looks after the wait.
        return thread_.wait(deadline, [this] { return is_told_.exchange(false, std::memory_order_acquire); });
    }

private:
    friend class Watch;
    void tell() {
        is_told_.store(true, std::memory_order_release);
        thread_.wake_one(); // the condition has changed before: wait_queue.hpp
    }
    sched::WaitQueue thread_; // the one that waits
    std::atomic<bool> is_told_{false};
};

class Watch final : public Listener {
public:
    Watch(Waiter& waiter, Source& source, std::uint64_t signals)
        : Listener(signals, signals), waiter_(waiter), source_(source), signals_(signals) {}
    ~Watch() {
        if (has_begun_) source_.detach(*this);
    }
    Result<> begin() { // once; no_space
        TRY(source_.attach(*this));
        has_begun_ = true;
        return {};
    }
    // What is set now, and what was posted since this was asked last.
    [[nodiscard]] std::uint64_t raised() {
        return (source_.levels() & signals_) | posted_.exchange(0, std::memory_order_relaxed);
    }
    QueueName notify(std::uint64_t signals, std::uint64_t) override {
        posted_.fetch_or(signals & ~kStates, std::memory_order_relaxed); // before tell(), which releases it
        waiter_.tell();
        return QueueName();
    }

private:
    Waiter& waiter_;
    Source& source_;
    const std::uint64_t signals_;
    std::atomic<std::uint64_t> posted_{0};
    bool has_begun_ = false;
};

} // namespace aios::event
