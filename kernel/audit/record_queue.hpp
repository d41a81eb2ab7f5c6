// The way of records from the CPUs to the thread that hashes them: a pool of slots for each CPU, and one order. A slot
// is reserved before the change that it will tell of, and filled when the change is made: reserving may fail,
// committing cannot.
//
// Invariants: commit draws a number from one counter and writes the slot's index at that place of `order_`; as each
// number out and not consumed holds a slot, and `order_` is as long as all slots together, it never overflows. The
// consumer takes records in number order without gaps. No locks: slots by compare-exchange, one consumer at a time (its
// caller's lock).
#pragma once

#include <atomic>
#include <optional>

#include "kernel/audit/audit.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::audit {

class RecordQueue {
public:
    static constexpr std::uint32_t kSlots = 96;     // a CPU's ordinary slots
    static constexpr std::uint32_t kEmergency = 16; // more, for faults and kills alone
    static constexpr std::uint32_t kPerCpu = kSlots + kEmergency;

    RecordQueue() = default;
    RecordQueue(const RecordQueue&) = delete;
    ~RecordQueue() {
        mm::heap_free(slots_);
        mm::heap_free(order_);
    }

    Result<> init(unsigned cpus) {
        total_ = cpus * kPerCpu;
        slots_ = static_cast<Slot*>(mm::heap_allocate(sizeof(Slot) * total_, alignof(Slot)));
        order_ = static_cast<Place*>(mm::heap_allocate(sizeof(Place) * total_, alignof(Place)));
        if (slots_ == nullptr || order_ == nullptr) return fail(Error::out_of_memory);
        for (std::uint32_t i = 0; i < total_; i++) {
            ::new (&slots_[i]) Slot();
            ::new (&order_[i]) Place(0);
        }
        return {};
    }

    // A slot of `cpu`'s pool, or of a neighbour's when that is full. Nothing if all are taken.
    [[nodiscard]] std::optional<std::uint32_t> reserve(unsigned cpu, bool emergency) {
        const std::uint32_t own = cpu * kPerCpu % (total_ == 0 ? 1 : total_);
        for (std::uint32_t base = 0; base < total_; base += kPerCpu) {
            const std::uint32_t pool = (own + base) % total_;
            for (std::uint32_t i = 0; i < (emergency ? kPerCpu : kSlots); i++) {
                bool free = false;
                Slot& slot = slots_[pool + i];
                if (!slot.held.load(std::memory_order_relaxed) &&
                    slot.held.compare_exchange_strong(free, true, std::memory_order_acquire))
                    return pool + i;
            }
        }
        return std::nullopt;
    }
    void abandon(std::uint32_t index) { slots_[index].held.store(false, std::memory_order_release); }
    void commit(std::uint32_t index, const Record& record, std::uint64_t time_ns) {
        slots_[index].record = record;
        slots_[index].time_ns = time_ns;
        const std::uint64_t number = committed_.fetch_add(1, std::memory_order_relaxed);
        order_[number % total_].store(index + 1, std::memory_order_release);
    }

    // Consumer: the next record in order of commit. False if there is none yet.
    [[nodiscard]] bool take(Record& record, std::uint64_t& time_ns) {
        if (total_ == 0) return false;
        Place& place = order_[consumed_.load(std::memory_order_relaxed) % total_];
        const std::uint32_t index = place.load(std::memory_order_acquire);
        if (index == 0) return false;
        record = slots_[index - 1].record;
        time_ns = slots_[index - 1].time_ns;
        place.store(0, std::memory_order_relaxed);
        consumed_.fetch_add(1, std::memory_order_relaxed);
        abandon(index - 1);
        return true;
    }
    [[nodiscard]] bool has_records() const {
        return total_ != 0 &&
               order_[consumed_.load(std::memory_order_relaxed) % total_].load(std::memory_order_acquire) != 0;
    }

private:
    using Place = std::atomic<std::uint32_t>; // slot index + 1; 0 = not written yet
    struct Slot {
        std::atomic<bool> held{false};
        std::uint64_t time_ns = 0;
        Record record;
    };
    Slot* slots_ = nullptr;
    Place* order_ = nullptr;
    std::uint32_t total_ = 0;
    std::atomic<std::uint64_t> committed_{0};
    std::atomic<std::uint64_t> consumed_{0};
};

} // namespace aios::audit
