// A node in the tree of CPU weights, one an agent: children and own threads divide their parent's share. An own thread
// counts kThreadWeight, a child its weight, and only what is runnable counts. No locks: one atomic sum a group; between
// two CPUs that change the same group the sums may be out for a moment, and are exact again when both are done.
#pragma once

#include <atomic>
#include <cstdint>

namespace aios::sched {

inline constexpr std::uint32_t kShareOne = 1u << 16; // the whole of one CPU
inline constexpr std::int64_t kThreadWeight = 100;
inline constexpr unsigned kMaxShareDepth = 128; // groups deeper than this get the smallest share

class ShareGroup {
public:
    // `parent` must outlive the group. weight 1..10000, 100 is usual.
    constexpr ShareGroup(ShareGroup* parent, std::uint32_t weight) : parent_(parent), weight_(weight) {}
    ShareGroup(const ShareGroup&) = delete;
    [[nodiscard]] ShareGroup* parent() const { return parent_; }
    [[nodiscard]] std::uint32_t weight() const { return weight_; }
    [[nodiscard]] std::uint64_t cpu_ns() const { return cpu_ns_.load(std::memory_order_relaxed); }
    void charge_cpu(std::uint64_t ns) { cpu_ns_.fetch_add(ns, std::memory_order_relaxed); }

    // A thread billed to this group became runnable (+1) or stopped (-1).
    void runnable_changed(int difference) {
        std::int64_t change = difference * kThreadWeight;
        for (ShareGroup* group = this; group != nullptr; group = group->parent_) {
            const std::int64_t old = group->active_weight_.fetch_add(change, std::memory_order_acq_rel);
            const bool was_active = old != 0, is_active = old + change != 0;
            if (was_active == is_active) return;
            change = is_active ? std::int64_t{group->weight_} : -std::int64_t{group->weight_};
        }
    }

    // What one runnable thread billed to this group gets of one CPU's time right now, in 1/65536; at least 1.
    [[nodiscard]] std::uint32_t thread_share() const {
        std::uint64_t share = std::uint64_t{kShareOne} << 16; // 32 bits of fraction on the way up
        std::int64_t part = kThreadWeight;
        unsigned depth = 0;
        for (const ShareGroup* group = this; group != nullptr; group = group->parent_) {
            const std::int64_t sum = group->active_weight_.load(std::memory_order_relaxed);
            if (sum > part) share = share * static_cast<std::uint64_t>(part) / static_cast<std::uint64_t>(sum);
            if (share < kShareOne || ++depth == kMaxShareDepth) return 1;
            part = group->weight_;
        }
        return static_cast<std::uint32_t>(share >> 16);
    }

private:
    ShareGroup* const parent_;
    const std::uint32_t weight_;
    std::atomic<std::int64_t> active_weight_{0}; // own runnable threads and active children
    std::atomic<std::uint64_t> cpu_ns_{0};
};

} // namespace aios::sched
