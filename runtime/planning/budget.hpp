// What a planner may use: time, memory, and a stop from outside. Charged by the caller's account; looked at often.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace aios::planning {

class Budget {
public:
    Budget(std::chrono::milliseconds time, std::uint64_t bytes) : end_(Clock::now() + time), bytes_(bytes) {}
    // Whether to go on. `bytes`: what the asker holds in its tables by now. Looks at the clock at every 64th call.
    [[nodiscard]] bool allows(std::uint64_t bytes) {
        if (bytes > bytes_) ended_ = Reason::memory;
        if (stop_ != nullptr && stop_->load(std::memory_order_relaxed)) ended_ = Reason::stopped;
        if (++calls_ % 64 == 0 && Clock::now() > end_) ended_ = Reason::time;
        return ended_ == Reason::none;
    }
    enum class Reason : std::uint8_t { none, time, memory, stopped };
    [[nodiscard]] Reason ended() const { return ended_; }
    [[nodiscard]] std::chrono::milliseconds left() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
    }
    void stop_when(const std::atomic<bool>* flag) { stop_ = flag; }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point end_;
    std::uint64_t bytes_;
    std::uint64_t calls_ = 0;
    const std::atomic<bool>* stop_ = nullptr;
    Reason ended_ = Reason::none;
};

} // namespace aios::planning
