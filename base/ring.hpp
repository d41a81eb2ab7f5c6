// A bounded queue between exactly one producer and one consumer, which may be on different CPUs or one in an interrupt.
// No locks: the producer owns tail_, the consumer owns head_; each reads the other's index with acquire. The indexes
// run freely and wrap at 2^32, so a full and an empty ring are told apart without a spare slot.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/types.hpp"

namespace aios {

template <typename T, std::size_t Capacity>
class SpscRing : Pinned {
    static_assert(std::has_single_bit(Capacity) && Capacity <= (std::size_t{1} << 31));

public:
    static constexpr std::size_t capacity() { return Capacity; }

    // Producer only. False if the ring is full; `value` is then unchanged.
    [[nodiscard]] bool push(T&& value) {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) == Capacity) return false;
        slots_[tail & kMask] = std::move(value);
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }
    [[nodiscard]] bool push(const T& value) {
        T copy = value;
        return push(std::move(copy));
    }

    // Consumer only.
    [[nodiscard]] std::optional<T> pop() {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
        std::optional<T> value(std::move(slots_[head & kMask]));
        head_.store(head + 1, std::memory_order_release);
        return value;
    }

    // Consumer only: the next element, in place, or nullptr.
    [[nodiscard]] T* peek() {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        return head == tail_.load(std::memory_order_acquire) ? nullptr : &slots_[head & kMask];
    }

    // A snapshot: exact only on a side that knows the other to be quiet.
    [[nodiscard]] std::size_t size() const {
        const std::uint32_t head = head_.load(std::memory_order_acquire);
        return tail_.load(std::memory_order_acquire) - head;
    }
    [[nodiscard]] bool is_empty() const { return size() == 0; }

private:
    static constexpr std::uint32_t kMask = static_cast<std::uint32_t>(Capacity - 1);

    // The two indexes live in separate cache lines, so that the two sides do not fight for one.
    alignas(64) std::atomic<std::uint32_t> head_ = 0;
    alignas(64) std::atomic<std::uint32_t> tail_ = 0;
    alignas(64) std::array<T, Capacity> slots_{};
};

} // namespace aios
