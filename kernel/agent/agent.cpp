// Agents: state, end, accounts. Birth is in spawn.cpp, the way out in reaper.cpp. See agent.hpp.
#include "kernel/agent/agent.hpp"

#include <cstring>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "base/format.hpp"
#include "kernel/agent/reaper.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/host/output.hpp"

namespace aios {

namespace {

constexpr unsigned kThreadsLookedAt = 256;                    // for the state `waiting`: a snapshot needs no more
constexpr std::uint64_t kConsoleBurst = 64 * 1024;            // bytes at once
constexpr std::uint64_t kConsoleBytesPerSecond = 1024 * 1024; // and in the long run

constinit Agent* g_first = nullptr; // never freed before the run is over

audit::Record record_of(audit::Kind kind, const Agent& agent) {
    audit::Record record;
    record.kind = kind;
    record.subject = agent.id();
    audit::set_name(record, agent.name());
    return record;
}

} // namespace

Agent::Agent(mm::OnHeap, Reservation charge, Reservation piece, Ref<Agent> parent, Ref<Quota> quota,
             const AgentPlan& plan)
    : Object(kType, std::move(charge)), piece_(std::move(piece)), parent_(std::move(parent)), quota_(std::move(quota)),
      flags_(plan.flags), depth_(parent_ ? parent_->depth_ + 1 : 0),
      group_(parent_ ? &parent_->group_ : &sched::root_group(), plan.cpu_weight, plan.cpu_budget),
      operation_(plan.operation), console_tokens_(kConsoleBurst) {
    std::memcpy(name_, plan.name, sizeof(name_));
    std::memcpy(identity_.program, plan.program, sizeof(identity_.program));
    if (parent_) std::memcpy(identity_.parent, parent_->identity_.identity, sizeof(identity_.parent));
    measure_identity(name_text(name_), identity_);
    if (!parent_) g_first = this;
}

Agent::~Agent() = default;

// A child keeps its parent: a loop, so that the stack needed does not depend on how deep agents are nested.
void Agent::last_reference_gone() {
    for (Agent* agent = this; agent != nullptr;) {
        Agent* const parent = agent->parent_.leak();
        mm::destroy(agent);
        agent = parent != nullptr && parent->drop_reference() ? parent : nullptr;
    }
}

Agent& Agent::current() { return Process::current().agent(); }

Result<> Agent::accept(mm::Grant& grant, std::uint64_t address) {
    mm::AddressSpace* const space = Thread::current().address_space();
    if (space == nullptr) return fail(Error::unsupported);
    return space->accept(grant, address);
}

AgentState Agent::state() const {
    AgentLock::Guard guard(lock_);
    return state_;
}

AgentInfo Agent::info() {
    sched::settle_accounts(); // what runs right now has run up to now
    AgentLock::Guard guard(lock_);
    return is_settled_ ? last_ : info_locked();
}

AgentInfo Agent::info_locked() {
    lock_.assert_held();
    AgentInfo info{};
    info.id = id();
    info.parent = parent_ ? parent_->id() : 0;
    AgentState state = state_;
    if (state == AgentState::running) {
        bool waiting = true;
        unsigned looked_at = 0;
        for (const Process& process : processes_) {
            process.lock().assert_held(); // that is it
            for (const Thread& thread : process.threads_) {
                waiting = waiting && thread.state() == ThreadState::blocked && ++looked_at < kThreadsLookedAt;
                if (!waiting) break;
            }
        }
        if (waiting) state = AgentState::waiting;
        if (group_.has_to_stop()) state = AgentState::suspended;
    }
    info.state = static_cast<std::uint32_t>(state);
    info.end_reason = static_cast<std::uint32_t>(reason_);
    info.end_status = status_;
    info.fault_address = address_;
    info.cpu_ns = group_.cpu_ns();
    info.quota = info.used = {};
    quota_->account(info.quota, info.used);
    info.memory_bytes = info.used.memory_bytes;
    info.memory_peak_bytes = quota_->peak(Resource::memory);
    info.messages_sent = sent_.load(std::memory_order_relaxed);
    info.messages_received = received_.load(std::memory_order_relaxed);
    const auto checks = table_->checks();
    info.checks_granted = checks.granted;
    info.checks_refused = checks.refused;
    std::memcpy(info.identity, identity_.identity, sizeof(info.identity));
    std::memcpy(info.program, identity_.program, sizeof(info.program));
    std::memcpy(info.parent_identity, identity_.parent, sizeof(info.parent_identity));
    std::memcpy(info.registered, registered_.digest, sizeof(info.registered));
    std::memcpy(info.name, name_, sizeof(info.name));
    return info;
}

Result<> Agent::set_identity(const IdentityRecord& record) {
    {
        AgentLock::Guard guard(lock_);
        if (is_registered_) return fail(Error::already_exists);
        if (state_ >= AgentState::stopping) return fail(Error::bad_state);
        is_registered_ = true;
        registered_ = record;
    }
    identity_waiters_.wake_all();
    return {};
}

// Our reference keeps the quota from going home in between; it can be closed, which grant_to() looks at.
Result<> Agent::take_grant(Agent& parent, const QuotaGrant& amounts) {
    if (parent_.get() != &parent) return fail(Error::bad_argument);
    Ref<Quota> quota;
    {
        AgentLock::Guard guard(lock_);
        quota = quota_;
    }
    if (!quota) return fail(Error::bad_state); // settled
    return parent.quota().grant_to(*quota, amounts);
}

void Agent::end(EndReason reason, std::uint64_t status, std::uint64_t address) {
    {
        AgentLock::Guard guard(lock_);
        if (state_ >= AgentState::stopping) return;
        state_ = AgentState::stopping; // from here on it gets no process, thread or child
        reason_ = reason;
        status_ = status;
        address_ = address;
        quota_->close(); // the dying may give back, not take
    }
    for (;;) {
        Ref<Process> process;
        {
            AgentLock::Guard guard(lock_);
            for (Process& candidate : processes_) {
                candidate.lock().assert_held(); // that is it
                if (candidate.threads_.is_empty()) continue;
                process = Ref<Process>::share(candidate);
                break;
            }
        }
        if (!process) break;
        process->kill_threads();
    }
    Reaper::enqueue(*this);
}

void Agent::note_fault(std::uint64_t vector, std::uint64_t address, std::uint64_t instruction) {
    if (state() >= AgentState::stopping) return; // what its threads meet on their way out is no news
    audit::Record record = record_of(audit::Kind::fault, *this);
    record.agent = id();
    record.detail[0] = vector;
    record.detail[1] = address;
    record.detail[2] = instruction;
    audit::record(*audit_, record, audit::Use::urgent);

    char text[160];
    std::byte body[192];
    cbor::Encoder out(body);
    out.text(format_to(text, "agent {} ({}) has a deadly fault: vector {}, address {:x}, instruction {:x}", id(),
                       name_text(name_), vector, address, instruction));
    if (const auto item = out.finish()) upcall::send_frame(FrameKind::note, id(), name_, *item);

    events_.post(kSignalFault);
}

void Agent::fault(EndReason reason, std::uint64_t vector, std::uint64_t address, std::uint64_t instruction) {
    note_fault(vector, address, instruction);
    end(reason, vector, address);
}

// Everything is taken down, no thread of it exists, its children are dead: the account is closed, and the agent lets go
// of its table and quota. What it paid for may be in somebody's hands for a moment longer (an object that a call under
// way still uses): the quota tells when the last of it is gone.
void Agent::settle() {
    sched::settle_accounts();
    Ref<Quota> quota;
    Ref<cap::Table> table;
    Ref<Operation> operation;
    Ref<audit::Account> account;
    if (audit_) audit::close(*audit_); // its own quota pays for it until the log has its records
    {
        AgentLock::Guard guard(lock_);
        last_ = info_locked();
        account = std::move(audit_);
        is_settled_ = true;
        quota = std::move(quota_);
        table = std::move(table_);
        operation = std::move(operation_);
    }
    account.reset();
    if (operation) operation->fail_with(Error::killed); // it never came to run
    if (!parent_) { // nobody waits for the limit of the first agent: the node ends with it
        quota_home_.store(true, std::memory_order_release);
        return;
    }
    retain(); // the quota's, until it has told us
    quota->tell_when_home(*this);
}

void Agent::quota_is_home() {
    quota_home_.store(true, std::memory_order_release);
    Reaper::enqueue(*this);
    release();
}

// The last act: the parent has its limit back. Whoever hears of the end finds all of it.
void Agent::finish() {
    bool born;
    {
        AgentTreeLock::Guard tree(g_agent_tree_lock);
        born = born_;
    }
    AgentInfo account;
    {
        AgentLock::Guard guard(lock_);
        state_ = AgentState::dead;
        last_.state = static_cast<std::uint32_t>(AgentState::dead);
        account = last_;
    }
    if (born) {
        audit::Record record = record_of(audit::Kind::agent_end, *this);
        record.agent = account.parent;
        record.detail[0] = account.end_reason;
        record.detail[1] = account.end_status;
        record.detail[2] = account.fault_address;
        std::memcpy(record.digest, account.identity, sizeof(record.digest));
        audit::record(audit::kernel_account(), record, audit::Use::urgent);
        upcall::agent_is_dead(account);
    }
    piece_.reset();
    if (!born) return; // its maker has told that it failed
    if (parent_) {
        {
            AgentTreeLock::Guard tree(g_agent_tree_lock);
            parent_->children_.erase(*this);
            if (untold_node_.is_linked()) parent_->untold_children_.remove(*this);
            if (name_node_.is_linked()) parent_->named_children_.erase(*this);
        }
        Reaper::enqueue(*parent_);
    }
    events_.set(kSignalEnded);
    if (!parent_) {
        upcall::first_agent_is_dead(account);
        return; // its reference stays: accounts are asked for until the end
    }
    release(); // the tree's
}

std::uint64_t Agent::console_delay(std::uint64_t bytes) {
    const std::uint64_t now = sched::now_ns();
    AgentLock::Guard guard(lock_);
    const std::uint64_t passed = now - console_time_ < 1'000'000'000 ? now - console_time_ : 1'000'000'000;
    console_tokens_ += passed * kConsoleBytesPerSecond / 1'000'000'000;
    if (console_tokens_ > kConsoleBurst) console_tokens_ = kConsoleBurst;
    console_time_ = now;
    if (console_tokens_ >= bytes) {
        console_tokens_ -= bytes;
        return 0;
    }
    const std::uint64_t missing = bytes - console_tokens_;
    return missing * 1'000'000'000 / kConsoleBytesPerSecond + 1;
}

void Agent::for_each(void (*function)(const AgentInfo& info)) {
    if (g_first == nullptr) return;
    for (Ref<Agent> at = Ref<Agent>::share(*g_first); at; at = next_below(*g_first, *at)) {
        const AgentInfo account = at->info();
        if (account.state != static_cast<std::uint32_t>(AgentState::dead)) function(account);
    }
}

EndReason end_reason_of(Error error) {
    if (error == Error::integrity) return EndReason::integrity;
    if (error == Error::quota_exceeded || error == Error::out_of_memory) return EndReason::quota;
    return EndReason::none;
}

} // namespace aios
