// What agents say of their use of the CPU, and what becomes of it. A hint changes who runs when, never how much who gets:
//
//   (1) Order. A group has its turn at its virtual time less its advance: at most 2 ms of its own running, and of a
//       sibling's; of a batch agent it is that much below zero. What it ran is charged as ever, so who goes before its
//       turn has its next one later. This amount is all that it can be ahead of what is due to it, however long it runs,
//       and all that others can wait longer for it.
//   (2) Sleep. A woken group stands at most kSleeperCredit before those who wait, its advance included: so what hint and
//       sleep give together is what sleep alone gives. Giving the hint puts the group there too, so nothing is gained by
//       taking it back before a sleep, nor by changing it often.
//   (3) Wake-ups. Who goes before its turn takes the CPU when it is before the running thread at all, not by
//       kWakeGranularity; so does anybody from a batch agent. A batch agent waits for the end of the slice (fair.hpp).
//   (4) Slices. An interactive agent's are short. Those of a batch agent are long while all who wait are of batch agents.
//   (5) Deadline. The advance grows from 0, when the deadline is kHorizon away, to all of it: of two agents in the same
//       place the one with the earlier deadline is first. It ends with the deadline, or when the time was had.
//   (6) Waiting for a model. The thread that wakes goes where the least wait, not to its last CPU (choose_cpu).
//
// A hint acts among the members of the parent's group, where the agent's share is divided from theirs; a parent's own
// place is not changed by its children. Who serves a call is billed to the caller, and has its hint meanwhile. Hint and
// advance are one word. A deadline and its amount are two more: two who give them at once may leave one of each, which
// is a deadline like any other.
#include "kernel/sched/share_group.hpp"

namespace aios::sched {

namespace {

constexpr std::uint64_t kHorizon = 64'000'000; // ns

} // namespace

void ShareGroup::give_hint(AgentHint hint, std::uint64_t cpu_ns, std::uint64_t deadline, std::uint64_t now) {
    if (hint == AgentHint::deadline) {
        const std::uint64_t had = this->cpu_ns();
        deadline_cpu_.store(cpu_ns < ~had ? had + cpu_ns : ~0ull, std::memory_order_relaxed);
        deadline_.store(deadline, std::memory_order_relaxed);
    }
    VirtualTime advance = 0;
    if (hint == AgentHint::interactive) advance = most_advance();
    if (hint == AgentHint::batch) advance = -most_advance();
    hint_.store((advance & ~kHintBits) | static_cast<VirtualTime>(hint), std::memory_order_relaxed);
    if (goes_before() && parent_ != nullptr) take_place(); // (2)
    renew_hint(now);
}

// Whoever gives another hint meanwhile has changed the word, and this one is not written.
void ShareGroup::renew_deadline(std::uint64_t now) {
    VirtualTime old = hint_.load(std::memory_order_relaxed);
    const std::uint64_t deadline = deadline_.load(std::memory_order_relaxed);
    const bool is_over = now >= deadline || cpu_ns() >= deadline_cpu_.load(std::memory_order_relaxed);
    const std::uint64_t left = is_over ? kHorizon : std::min(deadline - now, kHorizon);
    const VirtualTime advance = most_advance() / 64 * ((kHorizon - left) / (kHorizon / 64));
    const VirtualTime word = (advance & ~kHintBits) | static_cast<VirtualTime>(AgentHint::deadline);
    if (static_cast<AgentHint>(old & kHintBits) == AgentHint::deadline && old != word)
        hint_.compare_exchange_strong(old, word, std::memory_order_relaxed);
}

} // namespace aios::sched
