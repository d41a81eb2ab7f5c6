// The way of records from those who cause them to the thread that hashes them: slots that belong to the account of
// whoever causes the record, and one queue in the order of commits. No pool is shared, so nobody can use up another's
// slots, and the queue can never be full.
//
// The queue is a linked list with one consumer (the intrusive queue of D. Vyukov):
//   (1) push() exchanges `newest_` with the slot: this is the point of the order.
//   (2) It then links its predecessor to the slot. Interrupts are off from (1) to (2): a producer that lost its CPU in
//       between would hold up everybody's records.
//   (3) pop() follows the links from `oldest_`. It answers a slot only when the next one is linked (or the stub has been
//       put behind it), so that nobody refers to the slot any more, and it may be used again at once.
//   (4) push() looks whether another came behind the slot between (1) and (2). The consumer, woken for that one, may have
//       found no link and gone to sleep again: then this producer has to wake it, even if it would not for its own slot.
// No locks; the consumer's caller sees to it that there is one.
#pragma once

#include <atomic>

#include "kernel/arch/arch.hpp"
#include "kernel/audit/audit.hpp"

namespace aios::audit {

struct Slot {
    std::atomic<Slot*> next{nullptr};
    std::atomic<bool> held{false};
    std::uint64_t time_ns = 0;
    Account* account = nullptr;
    Record record;
};

// The slots of one account.
class Slots {
public:
    static constexpr unsigned kCall = 4;        // for calls: so many records of an agent may be under way
    static constexpr unsigned kAll = kCall + 1; // and one more for kills and faults

    // A free slot if fewer than the use's number are taken; nullptr otherwise. Any context.
    [[nodiscard]] Slot* take(Use use) {
        std::uint32_t taken = taken_.load(std::memory_order_relaxed);
        do {
            if (taken >= limit(use)) return nullptr;
        } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_seq_cst));
        // One of the slots is free for us: each that is held is counted, and we are counted too.
        for (;;) {
            for (Slot& slot : slots_) {
                bool free = false;
                if (slot.held.compare_exchange_strong(free, true, std::memory_order_acquire)) return &slot;
            }
        }
    }
    void give_back(Slot& slot) {
        slot.held.store(false, std::memory_order_release); // pairs with the acquire in take()
        taken_.fetch_sub(1, std::memory_order_seq_cst);
    }
    [[nodiscard]] bool has_room(Use use) const { return taken_.load(std::memory_order_seq_cst) < limit(use); }
    [[nodiscard]] bool has_taken() const { return taken_.load(std::memory_order_seq_cst) != 0; }

private:
    static constexpr unsigned limit(Use use) { return use == Use::call ? kCall : kAll; }
    std::atomic<std::uint32_t> taken_{0};
    Slot slots_[kAll];
};

class RecordQueue {
public:
    constexpr RecordQueue() = default;
    RecordQueue(const RecordQueue&) = delete;

    // Whether a slot was the newest when it was linked; see (4).
    enum class Behind : std::uint8_t { nobody, others };
    // Any context. `clock` gives the time of the commit, which so goes with the order of one CPU's commits.
    template <typename Clock>
    Behind push(Slot& slot, Clock&& clock) {
        arch::InterruptGuard off;
        slot.time_ns = clock();
        pushed_.fetch_add(1, std::memory_order_seq_cst);
        link(slot);
        return newest_.load(std::memory_order_seq_cst) == &slot ? Behind::nobody : Behind::others;
    }
    // Consumer: the oldest slot, or nullptr if there is none, or if its successor's producer is just between (1) and
    // (2).
    [[nodiscard]] Slot* pop() {
        Slot* oldest = oldest_;
        Slot* next = oldest->next.load(std::memory_order_acquire); // pairs with the release in link()
        if (oldest == &stub_) {
            if (next == nullptr) return nullptr;
            oldest_ = oldest = next;
            next = oldest->next.load(std::memory_order_acquire);
        }
        if (next == nullptr) {
            if (newest_.load(std::memory_order_acquire) != oldest) return nullptr;
            link(stub_);
            next = oldest->next.load(std::memory_order_acquire);
            if (next == nullptr) return nullptr;
        }
        oldest_ = next;
        ++popped_;
        return oldest;
    }
    // Consumer.
    [[nodiscard]] bool has_records() const {
        return oldest_ != &stub_ || stub_.next.load(std::memory_order_seq_cst) != nullptr;
    }
    // How many were ever pushed: when so many have been popped, whatever was pushed before the question has been.
    [[nodiscard]] std::uint64_t pushed() const { return pushed_.load(std::memory_order_seq_cst); }
    [[nodiscard]] std::uint64_t popped() const { return popped_; } // consumer

private:
    void link(Slot& slot) {
        slot.next.store(nullptr, std::memory_order_relaxed);
        Slot* before = newest_.exchange(&slot, std::memory_order_seq_cst);
        before->next.store(&slot, std::memory_order_seq_cst);
    }
    Slot stub_;
    std::atomic<Slot*> newest_{&stub_};
    Slot* oldest_ = &stub_;
    std::uint64_t popped_ = 0;
    std::atomic<std::uint64_t> pushed_{0};
};

} // namespace aios::audit
