// Takes down what ends, step by step: processes whose threads have left, then the agent's capabilities, then, when its
// children and the last references to its processes are gone, the agent. Each step is taken again whenever something
// changes, so the order in which things end does not matter. See agent.hpp.
#include "kernel/agent/reaper.hpp"

namespace aios {

namespace {
constinit AgentTreeLock g_tree_lock;
constinit sync::Protected<Agent::ReapList, sync::Rank::agent> g_queue;
constinit sched::WaitQueue g_work;
} // namespace

AgentTreeLock& agent_tree_lock() { return g_tree_lock; }

void Reaper::enqueue(Agent& agent) {
    g_queue.with([&](Agent::ReapList& queue) {
        if (agent.reap_queued_) return;
        agent.reap_queued_ = true;
        agent.retain();
        queue.push_back(agent);
    });
    g_work.wake_one();
}

void Reaper::run(void*) {
    for (;;) {
        Ref<Agent> agent;
        (void)g_work.wait(
            sched::kNever,
            [&] {
                return g_queue.with([&](Agent::ReapList& queue) {
                    Agent* next = queue.pop_front();
                    if (next == nullptr) return false;
                    next->reap_queued_ = false; // changes from now on queue it again
                    agent = Ref<Agent>::adopt(next);
                    return true;
                });
            },
            sched::Interruptible::no);
        if (agent) handle(*agent);
    }
}

// A process whose last thread has left gives up its program and its memory.
bool Reaper::tear_down_one(Agent& agent) {
    Ref<Process> process; // the list's own reference
    bool last;
    {
        Agent::AgentLock::Guard guard(agent.lock_);
        for (Process& candidate : agent.processes_) {
            const bool over = candidate.has_run_ || agent.state_ >= AgentState::stopping;
            if (!over || !candidate.threads_.is_empty()) continue;
            process = Ref<Process>::adopt(&candidate);
            break;
        }
        if (!process) return false;
        process->exiting_ = true;
        agent.processes_.remove(*process);
        last = agent.processes_.is_empty();
    }
    mm::destroy(std::exchange(process->personality_, nullptr));
    process->memory_->destroy_mappings();
    if (last) {
        const EndReason reason = process->reason_ == EndReason::none ? EndReason::exited : process->reason_;
        agent.end(reason, process->status_, 0);
    }
    return true;
}

bool Reaper::end_one_child(Agent& agent) {
    Ref<Agent> child;
    {
        AgentTreeLock::Guard tree(g_tree_lock);
        for (Agent& candidate : agent.children_) {
            Agent::AgentLock::Guard guard(candidate.lock_);
            if (candidate.state_ >= AgentState::stopping) continue;
            child = Ref<Agent>::share(candidate);
            break;
        }
    }
    if (!child) return false;
    child->end(EndReason::parent_ended, 0, 0);
    return true;
}

void Reaper::handle(Agent& agent) {
    while (tear_down_one(agent)) {
    }
    bool close, finish;
    {
        Agent::AgentLock::Guard guard(agent.lock_);
        if (agent.state_ != AgentState::stopping) return;
        close = agent.processes_.is_empty() && !agent.closed_;
        agent.closed_ = agent.closed_ || close;
    }
    while (end_one_child(agent)) {
    }
    // What it created and derived is revoked everywhere, before the supervisor hears of the end.
    if (close) agent.table_->close_all();
    {
        AgentTreeLock::Guard tree(g_tree_lock);
        Agent::AgentLock::Guard guard(agent.lock_);
        finish = agent.closed_ && agent.process_objects_ == 0 && agent.children_.is_empty();
    }
    if (finish) agent.finish();
}

void start_reaper() {
    auto thread = Thread::create_kernel("reaper", Reaper::run, nullptr);
    AIOS_ASSERT(thread.has_value()); // at boot
    (*thread)->start();
}

} // namespace aios
