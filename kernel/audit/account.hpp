// What the audit log keeps of one agent: its slots, the counts of its refusals and of what became of its budget, and its
// threads that wait for a slot.
// The agent's quota pays for it, so the quota is home only when no record of the agent is under way: each slot in the
// queue, and the place in the list of counts, holds a reference.
#pragma once

#include <string_view>

#include "base/ref.hpp"
#include "kernel/audit/record_queue.hpp"
#include "kernel/audit/refusals.hpp"
#include "kernel/audit/spendings.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/quota/witness.hpp"
#include "kernel/sched/wait_queue.hpp"

namespace aios::audit {

class Account final : public SpendingWitness {
public:
    // Of the agent with this id and name; quota_exceeded, out_of_memory.
    static Result<Ref<Account>> create(Payer& payer, std::uint64_t agent, std::string_view name = {});
    Account(const Account&) = delete;
    void ended_uncertain(const SpentAmounts& amounts) override;
    void passed_limit(const SpentAmounts& by) override;
    void retain() override {
        if (agent_ != 0) references_.retain();
    }
    [[nodiscard]] std::uint64_t agent() const { return agent_; }
    void release() override {
        if (agent_ != 0 && references_.release()) mm::destroy(this);
    }

    // agent 0: the kernel's own, never freed.
    Account(mm::OnHeap, std::uint64_t agent, Reservation charge) : agent_(agent), charge_(std::move(charge)) {}
    ~Account() = default;

private:
    friend struct Engine; // engine.hpp

    RefCount references_;
    const std::uint64_t agent_;
    Slots slots_;
    sched::WaitQueue room_[2];              // those that wait for a slot, by use
    std::atomic<std::uint32_t> waiting_{0}; // how many do; whoever gives a slot back looks at it afterwards
    sync::Protected<Refusals, sync::Rank::audit> refusals_;
    sync::Protected<Spendings, sync::Rank::audit> spendings_;
    char name_[kMaxNameBytes] = {};   // of the agent; constant from birth
    std::atomic<bool> listed_{false}; // in the list of accounts with counts
    Account* next_listed_ = nullptr;
    Reservation charge_;
};

// In a debug build too it is an object of the heap, and not a page.
static_assert(sizeof(Account) + mm::size_classes::kOverhead <= mm::size_classes::kLargest);

} // namespace aios::audit
