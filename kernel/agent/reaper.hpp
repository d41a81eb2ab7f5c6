// The reaper: the kernel thread that takes ended processes and agents down. Only for kernel/agent.
#pragma once

#include "kernel/agent/agent.hpp"

namespace aios {

struct Reaper {
    // Something about `agent` has changed that may let it go further on its way out. Never fails; any context that may
    // take Rank::wait_queue.
    static void enqueue(Agent& agent);

private:
    friend void start_reaper();
    static void run(void*);
    static void handle(Agent& agent);
    static bool tear_down_one(Agent& agent);
    static bool end_one_child(Agent& agent);
};

// Guards every parent's list of children.
using AgentTreeLock = sync::SpinLock<sync::Rank::agent_tree>;
AgentTreeLock& agent_tree_lock();

} // namespace aios
