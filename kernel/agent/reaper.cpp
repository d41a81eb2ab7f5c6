// The steps, and who takes them. See reaper.hpp.
#include "kernel/agent/reaper.hpp"

namespace aios {

namespace {
constinit AgentTreeLock g_tree_lock;
constinit sync::Protected<Agent::ReapList, sync::Rank::wait_queue> g_queue;
constinit sched::WaitQueue g_work;
} // namespace

AgentTreeLock& agent_tree_lock() { return g_tree_lock; }

void Reaper::enqueue(Agent& agent) {
    const bool is_new = g_queue.with([&](Agent::ReapList& queue) {
        if (agent.reap_held_) {
            agent.reap_again_ = true;
            return false;
        }
        if (agent.reap_queued_) return false;
        agent.reap_queued_ = true;
        agent.retain();
        queue.push_back(agent);
        return true;
    });
    if (is_new) g_work.wake_one();
}

// False if somebody takes steps for it already; that thread looks again.
bool Reaper::hold(Agent& agent) {
    return g_queue.with([&](Agent::ReapList&) {
        if (std::exchange(agent.reap_held_, true)) {
            agent.reap_again_ = true;
            return false;
        }
        agent.reap_again_ = false;
        return true;
    });
}

// False if something has changed meanwhile: then it is still held.
bool Reaper::let_go(Agent& agent) {
    return g_queue.with([&](Agent::ReapList&) {
        if (std::exchange(agent.reap_again_, false)) return false;
        agent.reap_held_ = false;
        return true;
    });
}

void Reaper::take_down(Agent& agent) {
    if (!hold(agent)) return;
    do {
        while (step(agent) == Progress::more) {
        }
    } while (!let_go(agent));
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
                    next->reap_queued_ = false;
                    agent = Ref<Agent>::adopt(next);
                    return true;
                });
            },
            sched::Interruptible::no);
        if (!agent || !hold(*agent)) continue;
        const Progress progress = step(*agent);
        // Whoever has more to do goes to the back of the queue: every other agent gets its step first.
        g_queue.with([&](Agent::ReapList& queue) {
            agent->reap_held_ = false;
            const bool again = std::exchange(agent->reap_again_, false) || progress == Progress::more;
            if (!again || agent->reap_queued_) return;
            agent->reap_queued_ = true;
            agent->retain();
            queue.push_back(*agent);
        });
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
            if (!over || candidate.has_threads_locked()) continue;
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

// Up to kBudget children hear that their parent ends. False when all have.
bool Reaper::end_children(Agent& agent) {
    for (unsigned i = 0; i < kBudget; i++) {
        Ref<Agent> child;
        {
            AgentTreeLock::Guard tree(g_tree_lock);
            Agent* next = agent.untold_children_.pop_front();
            if (next == nullptr) return false;
            child = Ref<Agent>::share(*next);
        }
        child->end(EndReason::parent_ended, 0, 0);
    }
    return true;
}

Reaper::Progress Reaper::step(Agent& agent) {
    if (tear_down_one(agent)) return Progress::more;
    bool close;
    {
        Agent::AgentLock::Guard guard(agent.lock_);
        if (agent.state_ != AgentState::stopping) return Progress::waits;
        close = agent.processes_.is_empty() && !agent.closed_;
    }
    if (end_children(agent)) return Progress::more;
    if (close) {
        // What it created and derived is revoked everywhere, and nothing of it waits in anybody's queue, before the
        // supervisor hears of the end.
        agent.closed_ = true;
        agent.table_->close_all();
        agent.registrant_.end_all();
        return Progress::more;
    }
    if (agent.quota_home_.load(std::memory_order_acquire)) {
        agent.finish();
        return Progress::waits;
    }
    bool settle;
    {
        AgentTreeLock::Guard tree(g_tree_lock);
        Agent::AgentLock::Guard guard(agent.lock_);
        settle = agent.closed_ && !agent.is_settled_ && agent.process_objects_ == 0 && agent.children_.is_empty();
    }
    if (!settle) return Progress::waits;
    agent.settle();
    return Progress::more;
}

void start_reaper() {
    auto thread = Thread::create_kernel("reaper", Reaper::run, nullptr);
    AIOS_ASSERT(thread.has_value()); // at boot
    (*thread)->start();
}

} // namespace aios
