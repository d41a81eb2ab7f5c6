// The tree of waiting threads of one CPU. See fair.hpp.
#include "kernel/sched/fair.hpp"

namespace aios::sched {

namespace {

constexpr VirtualTime kMostLagOfMany = virtual_ns(2'000'000'000);

// A member of `group` at `time`: a thread, or the group on the way up from one.
struct Member {
    const ShareGroup* group;
    VirtualTime time;
    void up() {
        time = group->turn();
        group = group->parent();
    }
};

// Both at the level of the group that is above both.
void meet(Member& a, Member& b) {
    while (a.group->depth() > b.group->depth())
        a.up();
    while (b.group->depth() > a.group->depth())
        b.up();
    while (a.group != b.group) {
        a.up();
        b.up();
    }
}

// One of a group's members that wait, or none.
struct Choice {
    Runnable* thread = nullptr;
    CpuPart* group = nullptr;
    explicit operator bool() const { return thread != nullptr || group != nullptr; }
    [[nodiscard]] VirtualTime time() const { return thread != nullptr ? thread->virtual_time : group->key; }
};

Choice earlier_of(Runnable* thread, CpuPart* group) {
    if (thread != nullptr && (group == nullptr || !is_before(group->key, thread->virtual_time)))
        return {thread, nullptr};
    return {nullptr, group};
}

} // namespace

// What other CPUs read: whether somebody waits here, and the least time.
void FairQueue::publish(CpuPart& part) {
    ShareGroup& group = *part.group;
    const std::uint64_t bit = 1ull << cpu_;
    const bool is_marked = (group.contended_.load(std::memory_order_relaxed) & bit) != 0;
    const Choice first = earlier_of(part.threads.first(), part.groups.first());
    if (!first) {
        if (is_marked) group.contended_.fetch_and(~bit, std::memory_order_relaxed);
        return;
    }
    // Without advances: what others stand by is what was run.
    const VirtualTime least = first.thread != nullptr ? first.time() : first.group->group->time();
    part.least.store(least, std::memory_order_relaxed);
    if (!is_marked) group.contended_.fetch_or(bit, std::memory_order_relaxed);
}

void FairQueue::insert(Runnable& thread) {
    CpuPart* part = &thread.billed->part(cpu_);
    part->threads.insert(thread);
    ++size_;
    thread.waits_as_batch = thread.billed->hint() == AgentHint::batch;
    batch_ += thread.waits_as_batch ? 1 : 0;
    publish(*part);
    for (ShareGroup* group = thread.billed; group->parent() != nullptr && !part->node.is_linked();) {
        part->key = group->turn();
        group = group->parent();
        CpuPart& above = group->part(cpu_);
        above.groups.insert(*part);
        publish(above);
        part = &above;
    }
}

void FairQueue::remove(Runnable& thread) {
    CpuPart* part = &thread.billed->part(cpu_);
    part->threads.erase(thread);
    --size_;
    batch_ -= thread.waits_as_batch ? 1 : 0;
    publish(*part);
    for (ShareGroup* group = thread.billed; group->parent() != nullptr && !part->has_waiting();) {
        group = group->parent();
        CpuPart& above = group->part(cpu_);
        above.groups.erase(*part);
        publish(above);
        part = &above;
    }
}

CpuPart* FairQueue::first_group(CpuPart& part) {
    bool changed = false;
    CpuPart* first = part.groups.first();
    for (unsigned left = kRefreshes; first != nullptr && left != 0 && refreshes_left_ != 0; --left) {
        const VirtualTime now = first->group->turn();
        if (now == first->key) break;
        --refreshes_left_;
        part.groups.erase(*first);
        first->key = now;
        part.groups.insert(*first);
        changed = true;
        first = part.groups.first();
    }
    if (changed) publish(part);
    return first;
}

Runnable* FairQueue::first_below(CpuPart* part) {
    for (;;) {
        const Choice next = earlier_of(part->threads.first(), first_group(*part));
        if (next.group == nullptr) return next.thread;
        part = next.group;
    }
}

Runnable* FairQueue::first_of_walk() { return size_ == 0 ? nullptr : first_below(&root_->part(cpu_)); }

Runnable* FairQueue::first() {
    refreshes_left_ = kRefreshesInWalk;
    return first_of_walk();
}

// At each level on the way to the next one here: of those who wait there the first one's turn comes there, so the
// second is the one to look at, or the only one. (With the first, two CPUs would pull the same one to and fro.)
Runnable* FairQueue::earlier_on(FairQueue& other) {
    for (CpuPart* part = &root_->part(cpu_);;) {
        const Choice here = earlier_of(part->threads.first(), first_group(*part));
        if (!here) return nullptr;
        CpuPart& same = part->group->part(other.cpu_);
        CpuPart* group = other.first_group(same);
        Runnable* thread = same.threads.first();
        Choice there = earlier_of(thread, group);
        Choice second;
        if (there.thread != nullptr)
            second = earlier_of(same.threads.next(*thread), group);
        else if (there.group != nullptr)
            second = earlier_of(thread, same.groups.next(*group));
        if (second) there = second;
        if (there && is_before(there.time() + kMoveMargin, here.time()))
            return there.thread != nullptr ? there.thread : other.first_below(there.group);
        if (here.thread != nullptr) return nullptr;
        part = here.group;
    }
}

// From what runs here up to the root: at each level the first one who waits there, unless the way leads through him.
Runnable* FairQueue::behind_on(FairQueue& other, const Runnable& running_here) {
    const ShareGroup* below = nullptr;
    for (ShareGroup* group = running_here.billed; group != nullptr; below = group, group = group->parent()) {
        const VirtualTime time = below == nullptr ? running_here.virtual_time : below->turn();
        CpuPart& same = group->part(other.cpu_);
        const Choice there = earlier_of(same.threads.first(), other.first_group(same));
        if (!there || (there.group != nullptr && there.group->group == below)) continue;
        if (!is_before(there.time() + kMoveMargin, time)) continue;
        return there.thread != nullptr ? there.thread : other.first_below(there.group);
    }
    return nullptr;
}

Exchange FairQueue::compare(FairQueue& other, const Runnable* running_here, const Runnable* running_there) {
    refreshes_left_ = other.refreshes_left_ = kRefreshesInWalk;
    if (other.size_ != 0) {
        if (Runnable* thread = earlier_on(other)) return {Move::come, thread};
        if (running_here != nullptr)
            if (Runnable* thread = behind_on(other, *running_here)) return {Move::come, thread};
    }
    Runnable* mine = first_of_walk();
    if (mine == nullptr || running_there == nullptr) return {};
    if (lead(*mine, *running_there) <= static_cast<std::int64_t>(kMoveMargin)) return {};
    const Runnable* rival = other.first_of_walk();
    if (rival != nullptr && lead(*mine, *rival) <= 0) return {};
    return {Move::go, mine};
}

Runnable* FairQueue::pop() {
    Runnable* thread = first();
    if (thread != nullptr) take(*thread);
    return thread;
}

void FairQueue::take(Runnable& thread) {
    remove(thread);
    thread.billed->advance_clock(thread.virtual_time);
    for (ShareGroup* group = thread.billed; group->parent_ != nullptr; group = group->parent_)
        group->parent_->advance_clock(group->time());
}

// A member of `group` has run here and stands at `time` now. If no other member waits here the group's clock follows
// it. If nobody waits here at all, and all of the member runs here (Extent::whole), it can have no more than this CPU:
// what it is behind is not owed to it. Of an agent that runs on other CPUs too, only very much is forgotten.
VirtualTime FairQueue::settle(ShareGroup& group, VirtualTime time, Extent extent) {
    if (group.part(cpu_).has_waiting()) return time;
    group.advance_clock(time);
    if (size_ != 0) return time;
    return later_of(time, group.reference() - (extent == Extent::whole ? kMostLag : kMostLagOfMany));
}

void FairQueue::charge_groups(Runnable& thread, std::uint64_t ns) {
    Extent extent = Extent::whole;
    thread.virtual_time = settle(*thread.billed, thread.virtual_time, extent);
    for (ShareGroup* group = thread.billed; group->parent_ != nullptr; group = group->parent_) {
        group->move_lead(-static_cast<std::int64_t>(ns));
        const VirtualTime cost = group->virtual_of(ns);
        const VirtualTime now = group->time_.fetch_add(cost, std::memory_order_relaxed) + cost;
        if (group->active_.load(std::memory_order_relaxed) != 1) extent = Extent::part;
        const VirtualTime settled = settle(*group->parent_, now, extent);
        if (settled != now) group->time_.fetch_add(settled - now, std::memory_order_relaxed);
    }
}

std::uint64_t FairQueue::slice_of(const Runnable& running) const {
    const AgentHint hint = running.billed->hint();
    if (hint == AgentHint::interactive) return kSlice / 4;
    if (hint == AgentHint::batch && batch_ == size_) return 2 * kSlice;
    return slice_among(size_);
}

bool should_preempt(const Runnable& coming, const Runnable& running) {
    VirtualTime granularity = kWakeGranularity;
    if (coming.billed->hint() == AgentHint::batch)
        granularity = virtual_ns(kSlice);
    else if (coming.billed->goes_before() || running.billed->hint() == AgentHint::batch)
        granularity = 0;
    return FairQueue::lead(coming, running) > static_cast<std::int64_t>(granularity);
}

std::int64_t FairQueue::lead(const Runnable& a, const Runnable& b) {
    Member first{a.billed, a.virtual_time}, second{b.billed, b.virtual_time};
    meet(first, second);
    return static_cast<std::int64_t>(second.time - first.time);
}

Runnable* FairQueue::step_behind_first(Runnable& running) {
    Runnable* next = first();
    if (next == nullptr) return nullptr;
    const std::int64_t ahead = lead(running, *next);
    if (ahead <= 0) return next;
    // The level at which the two meet: there the running one's side moves on.
    Member mine{running.billed, running.virtual_time}, other{next->billed, next->virtual_time};
    meet(mine, other);
    if (mine.group == running.billed) {
        running.virtual_time += static_cast<VirtualTime>(ahead);
        return next;
    }
    ShareGroup* side = running.billed;
    while (side->parent() != mine.group)
        side = side->parent();
    side->time_.fetch_add(static_cast<VirtualTime>(ahead), std::memory_order_relaxed);
    return next;
}

} // namespace aios::sched
