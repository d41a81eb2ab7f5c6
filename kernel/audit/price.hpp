// What a unit of the audit thread's work costs, in nanoseconds of CPU time: a moving average of what was measured.
// Whoever causes the work is charged with it beforehand, so that nothing has to remember him afterwards.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace aios::audit {

class Price {
public:
    static constexpr std::uint64_t kLeast = 1'000, kMost = 10'000'000; // a broken clock must not make it free, or ruin
    constexpr explicit Price(std::uint64_t ns) : ns_(ns) {}
    [[nodiscard]] std::uint64_t ns() const { return ns_.load(std::memory_order_relaxed); }
    // One writer. `count` units took `total` nanoseconds.
    void measured(std::uint64_t total, std::uint64_t count) {
        const std::uint64_t each = std::clamp(total / count, kLeast, kMost);
        ns_.store((ns() * 7 + each) / 8, std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> ns_;
};

} // namespace aios::audit
