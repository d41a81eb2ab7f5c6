// Birth of agents: everything is reserved and made first, then the new agent is linked to its parent and its first
// thread started; that thread loads the program, in the child's own address space and at its expense. See agent.hpp.
#include <cstring>

#include "kernel/agent/boot_mark.hpp"
#include "kernel/agent/reaper.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/mm/owned.hpp"

namespace aios {

// What the first thread needs, in one piece of memory that the child pays for. The strings lie behind it.
struct Agent::Launch {
    Reservation charge;
    Ref<mm::Pages> image;
    PersonalityFactory factory = nullptr;
    StartupBlock startup{};
    std::size_t path_bytes = 0, argument_bytes = 0, environment_bytes = 0, directory_bytes = 0, mount_bytes = 0;
    // SAFETY: make() allocates sizeof(Launch) + the strings.
    [[nodiscard]] char* text() { return reinterpret_cast<char*>(this + 1); }

    static Result<Launch*> create(Payer& payer, const AgentPlan& plan) {
        const std::size_t bytes = sizeof(Launch) + plan.path_bytes + 1 + plan.argument_bytes + plan.environment_bytes +
                                  plan.directory_bytes + 1 + plan.mount_bytes;
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::heap_cost(bytes, alignof(Launch))));
        void* place = mm::heap_allocate(bytes, alignof(Launch));
        if (place == nullptr) return fail(Error::out_of_memory);
        Launch* launch = ::new (place) Launch();
        launch->charge = std::move(charge);
        launch->image = plan.image;
        launch->factory = personality_factory(plan.personality);
        launch->startup.version = 1;
        launch->path_bytes = plan.path_bytes;
        launch->argument_bytes = plan.argument_bytes;
        launch->environment_bytes = plan.environment_bytes;
        launch->directory_bytes = plan.directory_bytes;
        launch->mount_bytes = plan.mount_bytes;
        char* to = launch->text();
        std::memcpy(to, plan.path, plan.path_bytes);
        to[plan.path_bytes] = '\0';
        to += plan.path_bytes + 1;
        if (plan.argument_bytes != 0) std::memcpy(to, plan.arguments, plan.argument_bytes);
        to += plan.argument_bytes;
        if (plan.environment_bytes != 0) std::memcpy(to, plan.environment, plan.environment_bytes);
        to += plan.environment_bytes;
        if (plan.directory_bytes != 0) std::memcpy(to, plan.directory, plan.directory_bytes);
        to += plan.directory_bytes;
        *to++ = '\0';
        if (plan.mount_bytes != 0) std::memcpy(to, plan.mounts, plan.mount_bytes);
        return launch;
    }
    [[nodiscard]] ProgramStart start() {
        const char* const arguments = text() + path_bytes + 1;
        const char* const environment = arguments + argument_bytes;
        const char* const directory = environment + environment_bytes;
        return {image,       text(),
                arguments,   argument_bytes,
                environment, environment_bytes,
                directory,   directory + directory_bytes + 1,
                mount_bytes, &startup};
    }
};

namespace {

// Owns a half-made agent's table until it is linked: closing it breaks the circle of the self handle.
class TableHolder {
public:
    explicit TableHolder(cap::Table& table) : table_(&table) {}
    ~TableHolder() {
        if (table_ != nullptr) table_->close_all();
    }
    void done() { table_ = nullptr; }

private:
    cap::Table* table_;
};

} // namespace

// Why the program could not be loaded. A page that nobody pays for, or that is damaged, has ended the agent already
// when the loader's copy fails: that is the reason to tell.
Error Agent::load_error(Error error) const {
    AgentLock::Guard guard(lock_);
    switch (reason_) {
    case EndReason::quota:
        return Error::quota_exceeded;
    case EndReason::integrity:
        return Error::integrity;
    case EndReason::killed:
    case EndReason::parent_ended:
        return Error::killed;
    case EndReason::none:
    case EndReason::exited:
    case EndReason::fault:
        return error;
    }
    AIOS_UNREACHABLE();
}

// The first thread of a new agent.
void Agent::launch(void* argument) {
    auto* launch = static_cast<Launch*>(argument);
    Process& process = Process::current();
    Agent& agent = process.agent();
    Thread& thread = Thread::current();

    auto load = [&]() -> Result<ProgramEntry> {
        ProgramEntry entry = TRY(launch->factory(process, launch->start()));
        process.set_personality(entry.personality);
        TRY(entry.personality->thread_created(thread));
        return entry;
    };
    const Result<ProgramEntry> entry = load();
    mm::destroy(launch);

    Ref<Operation> operation;
    {
        AgentLock::Guard guard(agent.lock_);
        operation = std::move(agent.operation_);
    }
    if (!entry) {
        const Error error = agent.load_error(entry.error());
        // First: whoever hears that it failed may start another one of that name.
        const EndReason reason = end_reason_of(error);
        agent.end(reason == EndReason::none ? EndReason::killed : reason, static_cast<std::uint64_t>(error), 0);
        if (operation) operation->fail_with(error);
        operation.reset();
        Thread::exit_current();
    }
    const arch::TrapFrame frame = entry->frame;
    if (operation) operation->complete_with(Ref<Object>::share(agent), kChildRights);
    operation.reset(); // nothing on this stack may own anything when it is left for good

    if ((agent.flags_ & kSpawnAwaitIdentity) != 0) {
        const auto identified = [&] {
            AgentLock::Guard guard(agent.lock_);
            return agent.is_registered_;
        };
        while (agent.identity_waiters_.wait(sched::kNever, identified) != sched::Outcome::ready && !thread.is_killed())
            thread.clear_interrupt();
    }
    if (thread.is_killed()) Thread::exit_current();
    {
        AgentLock::Guard guard(agent.lock_);
        if (agent.state_ == AgentState::created) agent.state_ = AgentState::running;
    }
    mark_user_entry();
    arch::enter_user(frame);
}

Result<> Agent::link() {
    AgentTreeLock::Guard tree(g_agent_tree_lock);
    if (parent_) {
        Agent* const namesake = name_[0] != '\0' ? parent_->named_children_.find(name_text(name_)) : nullptr;
        if (namesake != nullptr && namesake->state() < AgentState::stopping) return fail(Error::already_exists);
        {
            AgentLock::Guard guard(parent_->lock_);
            if (parent_->state_ >= AgentState::stopping) return fail(Error::killed);
        }
        // A parent that starts to end from here on finds us in its list, once it has the tree's lock.
        parent_->children_.insert(*this);
        parent_->untold_children_.push_back(*this);
        if (namesake != nullptr) parent_->named_children_.erase(*namesake); // it is ending: the name is free
        if (name_[0] != '\0') parent_->named_children_.insert(*this);
    }
    retain(); // the tree's
    born_ = true;
    return {};
}

Result<Ref<Agent>> Agent::make(Agent* parent, Ref<Quota> quota, AgentPlan& plan,
                               Result<> (*fill_table)(Agent& agent, StartupBlock& block, AgentPlan& plan)) {
    if (plan.cpu_weight < 1 || plan.cpu_weight > 10000) return fail(Error::bad_argument);
    if (personality_factory(plan.personality) == nullptr) return fail(Error::unsupported);
    Payer& payer = parent != nullptr ? static_cast<Payer&>(parent->quota()) : *quota;
    Reservation piece = TRY(Reservation::make(payer, Resource::agents, parent != nullptr ? 1 : 0));
    // The agent, and its share group's parts with the one that ends their row.
    const std::size_t part_bytes = sched::ShareGroup::part_bytes(arch::cpu_count() + 1);
    const std::uint64_t bytes = mm::cost_of<Agent> + mm::heap_cost(part_bytes, alignof(sched::CpuPart));
    Reservation charge; // the first agent has no parent that pays, and cannot pay for what outlives its quota
    if (parent != nullptr) charge = TRY(Reservation::make(payer, Resource::memory, bytes));
    Agent* made = TRY(mm::make<Agent>(std::move(charge), std::move(piece),
                                      parent ? Ref<Agent>::share(*parent) : Ref<Agent>(), quota, plan));
    Ref<Agent> agent = Ref<Agent>::adopt(made);
    TRY(agent->group_.prepare(arch::cpu_count()));
    agent->table_ = TRY(cap::Table::create(*quota, agent->id()));
    agent->audit_ = TRY(audit::Account::create(*quota, agent->id(), name_text(agent->name_)));
    TableHolder holder(*agent->table_);
    mm::Owned<Launch> launch(TRY(Launch::create(*quota, plan)));

    StartupBlock& block = launch->startup;
    Rights self_rights = kSelfRights;
    if ((plan.flags & kSpawnWithoutHints) != 0) self_rights = Rights(self_rights.bits() & ~rights::hint.bits());
    if ((plan.flags & kSpawnJit) != 0) self_rights = self_rights | rights::jit;
    const Handle self = TRY(agent->table_->insert_new(agent, self_rights));
    block.entries[block.count++] = {self, static_cast<std::uint32_t>(StartupRole::self), self_rights.bits()};
    Handle handles[kMaxStartupHandles - 1];
    const std::size_t count = plan.capability_count;
    std::uint32_t granted[kMaxStartupHandles - 1];
    for (std::size_t i = 0; i < count; ++i)
        granted[i] = plan.capabilities[i].rights().bits();
    TRY(agent->table_->insert_all({plan.capabilities, count}, {handles, count}));
    for (std::size_t i = 0; i < count; ++i) {
        if (handles[i] == kNoHandle) return fail(Error::revoked);
        block.entries[block.count++] = {handles[i], plan.roles[i], granted[i]};
    }
    if (fill_table != nullptr) TRY(fill_table(*agent, block, plan));

    Ref<mm::AddressSpace> memory = TRY(mm::AddressSpace::create(*quota, agent->jit()));
    Ref<Process> process = TRY(Process::create(*agent, std::move(memory), nullptr));
    holder.done(); // from here on the reaper takes down what is left
    auto thread = process->create_kernel_thread(Agent::launch, launch.get());
    const Result<> linked = thread ? agent->link() : fail(thread.error());
    if (!linked) {
        if (thread) process->thread_exited(**thread); // never started
        agent->end(EndReason::killed, 0, 0);
        return fail(linked.error());
    }
    (void)launch.release(); // the thread's
    (*thread)->start();
    return agent;
}

Result<Ref<Agent>> Agent::create_first(Ref<Quota> quota, AgentPlan& plan,
                                       Result<> (*fill_table)(Agent& agent, StartupBlock& block, AgentPlan& plan)) {
    return make(nullptr, std::move(quota), plan, fill_table);
}

Result<Ref<Agent>> Agent::spawn(Agent& parent, AgentPlan& plan) {
    if (parent.depth_ >= kMaxAgentDepth) return fail(Error::too_large);
    Ref<Quota> quota = TRY(parent.quota().split(plan.quota));
    if (!plan.is_measured) TRY(copy_image(*quota, plan));
    return make(&parent, std::move(quota), plan, plan.fill_table);
}

} // namespace aios
