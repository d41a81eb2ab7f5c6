// The steps, and who takes them. See reaper.hpp.
#include "kernel/agent/reaper.hpp"

namespace aios {

struct Reaper::Queue {
    Agent::ReapList ready;       // a reference each
    Agent::PatienceList patient; // a reference each; the one whose patience ends first stands first
};

namespace {
constinit sched::WaitQueue g_work;
} // namespace
constinit AgentTreeLock g_agent_tree_lock;
constinit sync::Protected<Reaper::Queue, sync::Rank::reaper> Reaper::queue;

void Reaper::enqueue(Agent& agent) {
    const bool is_new = queue.with([&](Queue& q) {
        if (agent.reap_held_) {
            agent.reap_again_ = true;
            return false;
        }
        if (agent.reap_queued_) return false;
        agent.reap_queued_ = true;
        agent.retain();
        q.ready.push_back(agent);
        return true;
    });
    if (is_new) g_work.wake_one();
}

// False if somebody takes steps for it already; that thread looks again.
bool Reaper::hold(Agent& agent) {
    return queue.with([&](Queue&) {
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
    return queue.with([&](Queue&) {
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

// The next agent that can take a step, or whose patience is at its end. `deadline`: when that of the next one is.
bool Reaper::pop(Ref<Agent>& agent, std::uint64_t& deadline) {
    const std::uint64_t now = sched::now_ns();
    return queue.with([&](Queue& q) {
        deadline = sched::kNever;
        Agent* next = q.ready.pop_front();
        if (next != nullptr) {
            next->reap_queued_ = false;
        } else if ((next = q.patient.front()) != nullptr) {
            deadline = next->patience_ends_;
            if (now < deadline) return false;
            q.patient.remove(*next);
        }
        if (next == nullptr) return false;
        agent = Ref<Agent>::adopt(next);
        return true;
    });
}

// From now on it is looked at again when its quota is home, or when its patience ends.
void Reaper::be_patient(Agent& agent) {
    agent.patience_ends_ = sched::now_ns() + kPatience;
    agent.retain();
    queue.with([&](Queue& q) { q.patient.push_back(agent); });
}

void Reaper::forget_patience(Agent& agent) {
    const bool was_listed = queue.with([&](Queue& q) {
        if (!agent.patience_node_.is_linked()) return false;
        q.patient.remove(agent);
        return true;
    });
    if (was_listed) agent.release(); // whoever takes the step holds another reference
}

void Reaper::run(void*) {
    for (;;) {
        Ref<Agent> agent;
        std::uint64_t deadline = sched::kNever;
        // Only this thread lets agents be patient, so no deadline comes while it sleeps.
        while (!pop(agent, deadline)) {
            const auto has_work = [] { return queue.with([](Queue& q) { return !q.ready.is_empty(); }); };
            (void)g_work.wait(deadline, has_work, sched::Interruptible::no);
        }
        if (!hold(*agent)) continue;
        const Progress progress = step(*agent);
        // Whoever has more to do goes to the back of the queue: every other agent gets its step first.
        queue.with([&](Queue& q) {
            agent->reap_held_ = false;
            const bool again = std::exchange(agent->reap_again_, false) || progress == Progress::more;
            if (!again || agent->reap_queued_) return;
            agent->reap_queued_ = true;
            agent->retain();
            q.ready.push_back(*agent);
        });
    }
}

// A process whose last thread has left gives up its program and its memory.
bool Reaper::tear_down_one(Agent& agent) {
    Ref<Process> process; // the list's own reference
    bool last;
    EndReason reason;
    std::uint64_t status;
    {
        AgentLock::Guard guard(agent.lock_);
        for (Process& candidate : agent.processes_) {
            candidate.lock().assert_held(); // that is it
            const bool over = candidate.has_run_ || candidate.exiting_ || agent.state_ >= AgentState::stopping;
            if (!over || candidate.is_being_made_ || candidate.has_threads_locked()) continue;
            process = Ref<Process>::adopt(&candidate);
            break;
        }
        if (!process) return false;
        process->lock().assert_held();
        process->exiting_ = true;
        agent.processes_.remove(*process);
        last = agent.processes_.is_empty();
        reason = process->reason_;
        status = process->status_;
    }
    process->memory_->leave_for_good();
    if (Personality* const personality = process->personality_; personality != nullptr) {
        personality->ended(reason, status);
        process->personality_ = nullptr;
        personality->release();
    }
    if (last) agent.end(reason == EndReason::none ? EndReason::exited : reason, status, 0);
    return true;
}

// Up to kBudget children hear that their parent ends. False when all have.
bool Reaper::end_children(Agent& agent) {
    for (unsigned i = 0; i < kBudget; ++i) {
        Ref<Agent> child;
        {
            AgentTreeLock::Guard tree(g_agent_tree_lock);
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
        AgentLock::Guard guard(agent.lock_);
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
    bool settle, is_settled;
    {
        AgentTreeLock::Guard tree(g_agent_tree_lock);
        AgentLock::Guard guard(agent.lock_);
        is_settled = agent.is_settled_;
        settle = agent.closed_ && !is_settled && agent.process_objects_ == 0 && agent.children_.is_empty();
    }
    if (settle) { // by the reaper: no thread of the agent is left
        agent.settle();
        if (!agent.quota_home_.load(std::memory_order_acquire)) be_patient(agent);
        return Progress::more;
    }
    if (!is_settled) return Progress::waits;
    if (!agent.quota_home_.load(std::memory_order_acquire) && sched::now_ns() < agent.patience_ends_)
        return Progress::waits;
    forget_patience(agent);
    agent.finish();
    return Progress::waits;
}

void start_reaper() {
    auto thread = Thread::create_kernel("reaper", Reaper::run, nullptr);
    AIOS_ASSERT(thread.has_value()); // at boot
    (*thread)->start();
}

} // namespace aios
