// Quotas: the implementation of Payer. A child's quota is transferred out of its parent's at spawn (the parent's limit
// shrinks) and returned when the child has ended and all it paid for is gone: every reservation and every open hold has a
// reference, and the last one gives the limit back. Quotas form chains as long as agents are nested: they go home in a
// loop, not by recursion.
//
// Held resources: atomic counters, no lock. Always holds, for each of them: available + used = limit.
// Spent resources: one Spending under a spinlock of this quota (Rank::quota), held for a few steps for each of them; no
// two are held at once. What holds always: spending.hpp.
#pragma once

#include <atomic>

#include "abi/call_types.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/quota/spending.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {

// Hears that a quota has gone home: nothing that it paid for is left, and its limit is its parent's again.
class QuotaListener {
public:
    // Once, wherever the last reference went: thread context, no lock at or above Rank::wait_queue held.
    virtual void quota_is_home() = 0;

protected:
    ~QuotaListener() = default;
};

class Quota final : public Payer {
public:
    // The first quota: all there is. Others come from split(). Of a spent resource at most Spending::kMost.
    static Result<Ref<Quota>> create_root(const QuotaGrant& limits);
    // Moves `grant` out of this quota into a new one, all of it or nothing. quota_exceeded, out_of_memory, killed
    // (closed). The new quota's own few bytes are charged to this one. The parent stays referenced until the child is
    // gone.
    Result<Ref<Quota>> split(const QuotaGrant& grant);
    // Moves `grant` into a quota that was split from this one, all of it or nothing. quota_exceeded; killed: this one is
    // closed; bad_state: the child is; bad_argument: it is no child of this one.
    Result<> grant_to(Quota& child, const QuotaGrant& grant);

    // quota_exceeded if it does not fit, or if the resource is a spent one; killed once closed. Any context.
    Result<> reserve(Resource resource, std::uint64_t amount) override;
    // At most what is reserved: more is a kernel bug, found by the assertion in the destructor.
    void give_back(Resource resource, std::uint64_t amount) override;
    void retain() override { references_.retain(); }
    void release() override;

    // --- what never comes back: see spending.hpp. Any context with no lock at or above Rank::quota held.
    // Takes all of `amounts` or nothing: quota_exceeded; bad_state once closed.
    Result<> hold(const SpentAmounts& amounts);
    // `held` was taken by hold(): the rest of what is not settled or uncertain can be held again. Also once closed.
    void settle(const SpentAmounts& held, const SpentAmounts& settled, const SpentAmounts& uncertain);
    // Books what was spent without a hold. Answers how far this passed the limits. Also once closed.
    SpentAmounts charge(const SpentAmounts& amounts);
    [[nodiscard]] Spending spending() const; // all lines at one moment

    // What this quota may use now, without what it gave to children.
    [[nodiscard]] std::uint64_t limit(Resource resource) const;
    // Of a spent resource: held, spent and uncertain together.
    [[nodiscard]] std::uint64_t used(Resource resource) const;
    [[nodiscard]] std::uint64_t peak(Resource resource) const; // of a held resource
    // Limits and use of all resources; of the spent ones at one moment.
    void account(QuotaGrant& limits, QuotaGrant& in_use) const;
    // No new reservations: the payer is ending. What is reserved can still be given back.
    void close() { closed_.store(true, std::memory_order_release); }
    // `listener` stays alive until it has heard. Once, by a holder of a reference.
    void tell_when_home(QuotaListener& listener) { listener_.store(&listener, std::memory_order_relaxed); }
    [[nodiscard]] bool is_closed() const { return closed_.load(std::memory_order_acquire); }

    Quota(mm::OnHeap, Ref<Quota> parent, const QuotaGrant& limits);
    ~Quota();

private:
    struct Counter {                             // of a held resource
        std::atomic<std::uint64_t> available{0}; // the one that charging touches
        std::atomic<std::uint64_t> limit{0};
        std::atomic<std::uint64_t> peak{0};
        [[nodiscard]] bool take(std::uint64_t amount);
        [[nodiscard]] bool move_out(std::uint64_t amount);
        void move_in(std::uint64_t amount);
    };
    void go_home();
    [[nodiscard]] bool move_out(const QuotaGrant& grant);
    void move_in(const QuotaGrant& grant);
    [[nodiscard]] Counter& counter(Resource resource) { return counters_[static_cast<unsigned>(resource)]; }
    [[nodiscard]] const Counter& counter(Resource resource) const { return counters_[static_cast<unsigned>(resource)]; }
    [[nodiscard]] Spending::Line spending_line(Resource resource) const;

    RefCount references_;
    Ref<Quota> parent_;
    Counter counters_[kResourceCount]; // those of spent resources stay empty
    mutable sync::Protected<Spending, sync::Rank::quota> spending_;
    std::atomic<bool> closed_{false};
    std::atomic<QuotaListener*> listener_{nullptr}; // relaxed: the reference count orders it before the end
};

} // namespace aios
