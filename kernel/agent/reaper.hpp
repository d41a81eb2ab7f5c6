// How agents are taken down, step by step: processes whose threads have left, then the agent's children, capabilities
// and registrations, then, when its children and the last references to its processes are gone, the agent itself. Each
// step is taken again whenever something changes, so the order in which things end does not matter.
//
// Who takes the steps, and who pays for them:
//  (1) Whatever changes says enqueue(). The agent then stands in the reaper's queue, or, if a thread takes steps for it
//      at that moment, is marked so that this thread looks again.
//  (2) The last thread of the agent takes down all that is large (take_down): program, mappings, children, handles,
//      registrations. It runs on the agent's own share of the CPU, so deaths delay each other no more than lives do.
//  (3) The reaper, a kernel thread, does what is left, in rounds: one step for each agent in its queue, and no step is
//      longer than kBudget. What it does for an agent whose threads have not left is to end its children; for one
//      without threads of its own (its program never started) it does the little there is.
//  (4) Whoever takes steps holds the agent (reap_held_): two threads never take steps for one agent.
//  (5) When all is down the account is closed and the quota let go (Agent::settle). The quota's last reference says
//      enqueue() once more, and only then the agent is dead (Agent::finish): its limit is its parent's again. A foreign
//      agent that is in the middle of a call on something of the dead one's may hold that up, but not for ever: after
//      kPatience the agent is dead all the same, and the rest of the limit follows when it is let go.
// Only for kernel/agent. Lock: the queue's, Rank::reaper.
#pragma once

#include "kernel/agent/agent.hpp"

namespace aios {

struct Reaper {
    // Something about `agent` has changed that may let it go further on its way out. Never fails; any context that may
    // take Rank::reaper.
    static void enqueue(Agent& agent);
    // By the last thread of a process of `agent`, on its way out.
    static void take_down(Agent& agent);

private:
    friend void start_reaper();
    enum class Progress : std::uint8_t { more, waits }; // another step can be taken now; something must change first
    static constexpr unsigned kBudget = 16;             // children told in one step
    static constexpr std::uint64_t kPatience = 1'000'000'000; // ns
    struct Queue;
    static bool pop(Ref<Agent>& agent, std::uint64_t& deadline);
    static void be_patient(Agent& agent);
    static void forget_patience(Agent& agent);
    static sync::Protected<Queue, sync::Rank::reaper> queue;
    static void run(void*);
    static bool hold(Agent& agent);
    static bool let_go(Agent& agent);
    static Progress step(Agent& agent);
    static bool tear_down_one(Agent& agent);
    static bool end_children(Agent& agent);
};

} // namespace aios
