// Activity, places and budgets of share groups. See share_group.hpp.
#include "kernel/sched/share_group.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "kernel/mm/mm.hpp"

namespace aios::sched {

ShareGroup::~ShareGroup() {
    if (!parts_are_own_) return;
    for (unsigned cpu = 0; cpu < kMostCpus && parts_[cpu].group != nullptr; ++cpu)
        parts_[cpu].~CpuPart(); // asserts that nothing waits there
    mm::heap_free(parts_);
}

Result<> ShareGroup::prepare(unsigned cpus) {
    // One more, without a group, ends the row.
    void* place = mm::heap_allocate(part_bytes(cpus) + sizeof(CpuPart), alignof(CpuPart));
    if (place == nullptr) return fail(Error::out_of_memory);
    auto* parts = static_cast<CpuPart*>(place);
    for (unsigned cpu = 0; cpu <= cpus; ++cpu)
        ::new (&parts[cpu]) CpuPart();
    prepare_in(parts, cpus);
    parts_are_own_ = true;
    return {};
}

void ShareGroup::prepare_in(CpuPart* parts, unsigned cpus) {
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        parts[cpu].group = this;
        parts[cpu].timers.payer = this;
    }
    parts_ = parts;
    if (parent_ != nullptr && parent_->depth_ >= kMaxDepth) parent_ = parent_->parent_;
    depth_ = parent_ == nullptr ? 0 : parent_->depth_ + 1;
    is_limited_ = budget_.quota_ns != 0 || (parent_ != nullptr && parent_->is_limited_);
    if (is_limited_) gate_.fetch_or(kHasBudget, std::memory_order_relaxed);
}

void ShareGroup::thread_starts() {
    for (ShareGroup* group = this; group != nullptr; group = group->parent_) {
        if (group->active_.fetch_add(1, std::memory_order_acq_rel) != 0 || group->parent_ == nullptr) return;
        group->take_place();
    }
}

void ShareGroup::take_place() { raise_time(parent_->place(time(), goes_before() ? most_advance() : 0)); }

void ShareGroup::thread_stops() {
    for (ShareGroup* group = this; group != nullptr; group = group->parent_)
        if (group->active_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
}

VirtualTime ShareGroup::reference() const {
    std::uint64_t cpus = contended_.load(std::memory_order_relaxed);
    if (cpus == 0) return clock_.load(std::memory_order_relaxed);
    VirtualTime least = parts_[std::countr_zero(cpus)].least.load(std::memory_order_relaxed);
    while ((cpus &= cpus - 1) != 0) {
        const VirtualTime other = parts_[std::countr_zero(cpus)].least.load(std::memory_order_relaxed);
        if (is_before(other, least)) least = other;
    }
    return least;
}

VirtualTime ShareGroup::place(VirtualTime time, VirtualTime advance) const {
    const VirtualTime earliest = reference() - (kSleeperCredit - advance);
    return time - earliest < kMostLead ? time : earliest; // behind by any amount, or wrapped
}

VirtualTime ShareGroup::place_of_new() const {
    const bool somebody_waits = contended_.load(std::memory_order_relaxed) != 0;
    return reference() + (somebody_waits ? virtual_ns(kSlice) : 0);
}

void ShareGroup::advance_clock(VirtualTime time) {
    VirtualTime old = clock_.load(std::memory_order_relaxed);
    while (is_before(old, time) && !clock_.compare_exchange_weak(old, time, std::memory_order_relaxed)) {
    }
}

// Also back, if `least` is where a wrapped time starts anew: only place() answers that.
void ShareGroup::raise_time(VirtualTime to) {
    VirtualTime old = time();
    if (old == to) return;
    time_.compare_exchange_strong(old, to, std::memory_order_relaxed); // else it ran meanwhile: its time is of now
}

void ShareGroup::charge_work(std::uint64_t ns, std::uint64_t now, CpuWas cpu) {
    charge_cpu(ns);
    spend(ns, now);
    move_lead(static_cast<std::int64_t>(ns));
    for (ShareGroup* group = this; group->parent_ != nullptr; group = group->parent_) {
        const VirtualTime cost = group->virtual_of(ns);
        const VirtualTime time = group->time_.fetch_add(cost, std::memory_order_relaxed) + cost;
        if (cpu == CpuWas::idle && group->parent_->contended_.load(std::memory_order_relaxed) == 0)
            group->parent_->advance_clock(time);
    }
}

// Bounded on both sides: what was worked or run long ago is not held against anybody.
void ShareGroup::move_lead(std::int64_t by) {
    constexpr auto kMost = static_cast<std::int64_t>(kWorkAhead);
    by = std::clamp(by, -2 * kMost, 2 * kMost);
    std::int64_t old = work_lead_.load(std::memory_order_relaxed), lead;
    do {
        lead = std::clamp(old + by, -kMost, kMost);
        if (lead == old) return;
    } while (!work_lead_.compare_exchange_weak(old, lead, std::memory_order_relaxed));
}

std::uint64_t ShareGroup::ahead() const {
    const std::int64_t lead = work_lead_.load(std::memory_order_relaxed);
    if (lead < 0 || depth_ <= 1) return 0;
    const bool threads_wait = active_.load(std::memory_order_relaxed) > 0;
    std::uint64_t most = threads_wait && lead >= static_cast<std::int64_t>(kWorkAhead) ? kWorkAhead : 0;
    for (const ShareGroup* group = this; group->depth_ > 1; group = group->parent_) {
        const VirtualTime allowed = group->parent_->reference() + group->virtual_of(kWorkAhead);
        const VirtualTime over = group->time() - allowed;
        if (over < kMostLead && over >> kVirtualShift > most) most = over >> kVirtualShift;
    }
    return most;
}

// (1) Each group with a budget counts what it used in the current period. (2) The first who looks after the period's
// end moves the end on and takes one quota a period off the count; what was used beyond the quota stays and is paid in
// the next periods, what was left over is not saved. (3) While the count has reached the quota the group's threads do
// not enter user mode; they sleep until the end of the period.
void ShareGroup::refill(std::uint64_t now) {
    std::uint64_t end = period_end_.load(std::memory_order_relaxed);
    if (now < end) return;
    const std::uint64_t periods = end == 0 ? 1 : (now - end) / budget_.period_ns + 1;
    const std::uint64_t next = end == 0 ? now + budget_.period_ns : end + periods * budget_.period_ns;
    if (!period_end_.compare_exchange_strong(end, next, std::memory_order_relaxed)) return; // somebody else did
    if (end == 0) return;
    std::int64_t used = used_ns_.load(std::memory_order_relaxed), left;
    do {
        const auto paid = static_cast<unsigned __int128>(periods) * budget_.quota_ns;
        left = used <= 0 || paid >= static_cast<std::uint64_t>(used) ? 0 : used - static_cast<std::int64_t>(paid);
    } while (!used_ns_.compare_exchange_weak(used, left, std::memory_order_relaxed));
}

void ShareGroup::spend(std::uint64_t ns, std::uint64_t now) {
    if (!is_limited_) return;
    for (ShareGroup* group = this; group != nullptr; group = group->parent_) {
        if (group->budget_.quota_ns == 0) continue;
        group->refill(now);
        group->used_ns_.fetch_add(static_cast<std::int64_t>(ns), std::memory_order_relaxed);
    }
}

std::uint64_t ShareGroup::exhausted_until(std::uint64_t now) {
    if (!is_limited_) return 0;
    std::uint64_t until = 0;
    for (ShareGroup* group = this; group != nullptr; group = group->parent_) {
        if (group->budget_.quota_ns == 0) continue;
        group->refill(now);
        const auto used = static_cast<std::uint64_t>(group->used_ns_.load(std::memory_order_relaxed));
        const std::uint64_t end = group->period_end_.load(std::memory_order_relaxed);
        if (used >= group->budget_.quota_ns && end > until) until = end;
    }
    return until;
}

std::uint64_t ShareGroup::budget_left(std::uint64_t now) {
    std::uint64_t least = ~0ull;
    for (ShareGroup* group = this; is_limited_ && group != nullptr; group = group->parent_) {
        const std::uint64_t quota = group->budget_.quota_ns;
        if (quota == 0) continue;
        group->refill(now);
        const auto used = static_cast<std::uint64_t>(group->used_ns_.load(std::memory_order_relaxed));
        const std::uint64_t left = used < quota ? quota - used : 0;
        if (left < least) least = left;
    }
    return least;
}

} // namespace aios::sched
