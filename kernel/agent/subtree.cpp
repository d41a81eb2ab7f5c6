// An agent and all below it: walks, and stopping them together (sched/gate.cpp numbers the steps).
#include "kernel/agent/agent.hpp"

namespace aios {

// The first child of `at`, or the next sibling of it or of the nearest ancestor that has one. Children stand in the
// order of their numbers, and an agent keeps its number and its parent when it is taken out: so its place is found all
// the same.
Ref<Agent> Agent::next_below(const Agent& top, const Agent& at) {
    AgentTreeLock::Guard tree(g_agent_tree_lock);
    if (Agent* child = at.children_.first()) return Ref<Agent>::share(*child);
    for (const Agent* up = &at; up != &top && up->parent_; up = up->parent_.get())
        if (Agent* sibling = up->parent_->children_.upper_bound(up->id())) return Ref<Agent>::share(*sibling);
    return {};
}

Result<> Agent::pause() {
    if (state() >= AgentState::stopping) return fail(Error::bad_state);
    group_.stop(); // also if it is stopped already: whoever did that may not be through with the walk yet
    Ref<Agent> at = Ref<Agent>::share(*this);
    for (; at; at = next_below(*this, *at)) {
        at->group_.must_look();
        Ref<cap::Table> table; // gone when it has settled
        {
            AgentLock::Guard guard(at->lock_);
            table = at->table_;
        }
        if (table) table->spaces().notice(); // (4)
    }
    return {};
}

Result<> Agent::resume() {
    if (state() >= AgentState::stopping) return fail(Error::bad_state);
    group_.let_go();
    Ref<Agent> at = Ref<Agent>::share(*this);
    for (; at; at = next_below(*this, *at))
        at->group_.wake_stopped();
    return {};
}

} // namespace aios
