// Calls about agents: spawn, supervise, identify, end, inspect. See call.hpp.
#include <algorithm>
#include <cstring>

#include "kernel/event/event.hpp"
#include "kernel/fs/tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/syscall/call.hpp"
#include "kernel/syscall/mount_plan.hpp"

namespace aios::syscall::calls {

namespace {

constexpr std::uint64_t kMaxTextBytes = 16384; // arguments, environment

Result<> check_name(const char (&name)[kMaxNameBytes]) {
    bool ended = false;
    for (const char c : name) {
        if (ended ? c != '\0' : c != '\0' && (c < 0x20 || c > 0x7e)) return fail(Error::bad_argument);
        ended = ended || c == '\0';
    }
    return {};
}

// The strings of a spawn request in kernel memory, paid by the caller for the length of the call.
class Texts {
public:
    Texts() = default;
    Texts(const Texts&) = delete;
    ~Texts() { mm::heap_free(data_); }

    Result<> fetch(Call& call, const SpawnRequest& request) {
        if (request.path_bytes == 0) return fail(Error::bad_argument);
        if (request.path_bytes > kMaxPathBytes || request.argument_bytes > kMaxTextBytes ||
            request.environment_bytes > kMaxTextBytes || request.directory_bytes > kMaxPathBytes) {
            return fail(Error::too_large);
        }
        const std::uint64_t total =
            request.path_bytes + 1 + request.argument_bytes + request.environment_bytes + request.directory_bytes + 1;
        charge_ = TRY(Reservation::make(call.quota(), Resource::memory, mm::heap_cost(total)));
        data_ = static_cast<char*>(mm::heap_allocate(total));
        if (data_ == nullptr) return fail(Error::out_of_memory);
        arguments_ = data_ + request.path_bytes + 1;
        environment_ = arguments_ + request.argument_bytes;
        directory_ = environment_ + request.environment_bytes;
        data_[request.path_bytes] = directory_[request.directory_bytes] = '\0';
        TRY(UserIn<char>(request.path).read_array(0, data_, request.path_bytes));
        TRY(UserIn<char>(request.arguments).read_array(0, arguments_, request.argument_bytes));
        TRY(UserIn<char>(request.environment).read_array(0, environment_, request.environment_bytes));
        TRY(UserIn<char>(request.directory).read_array(0, directory_, request.directory_bytes));
        if (std::memchr(directory_, '\0', request.directory_bytes) != nullptr) return fail(Error::bad_argument);
        if (std::memchr(data_, '\0', request.path_bytes) != nullptr) return fail(Error::bad_argument);
        const auto whole = [](const char* text, std::uint64_t bytes) { return bytes == 0 || text[bytes - 1] == '\0'; };
        if (!whole(arguments_, request.argument_bytes) || !whole(environment_, request.environment_bytes))
            return fail(Error::bad_argument);
        return {};
    }
    void give_to(AgentPlan& plan, const SpawnRequest& request) const {
        plan.path = data_;
        plan.path_bytes = request.path_bytes;
        plan.arguments = arguments_;
        plan.argument_bytes = request.argument_bytes;
        plan.environment = environment_;
        plan.environment_bytes = request.environment_bytes;
        plan.directory = directory_;
        plan.directory_bytes = request.directory_bytes;
    }
    [[nodiscard]] const char* path() const { return data_; }

private:
    Reservation charge_;
    char* data_ = nullptr;
    char* arguments_ = nullptr;
    char* environment_ = nullptr;
    char* directory_ = nullptr;
};

cap::Permitted<> derive_handles(Call& call, const SpawnRequest& request, AgentPlan& plan) {
    for (std::uint32_t i = 0; i < request.handle_count; ++i) {
        const HandleGrant grant = TRY(UserIn<HandleGrant>(request.handles).read(i));
        if ((grant.rights & ~rights::all.bits()) != 0) return fail(Error::bad_argument);
        const auto is = [&](StartupRole role) { return grant.role == static_cast<std::uint32_t>(role); };
        if (is(StartupRole::self) || is(StartupRole::mount))
            return fail(Error::bad_argument); // those have their own ways
        plan.capabilities[i] = TRY(call.agent.table().derive_out(grant.handle, Rights(grant.rights), rights::transfer));
        plan.roles[i] = grant.role;
    }
    plan.capability_count = request.handle_count;
    return {};
}

constexpr std::uint32_t kSpawnFlags = kSpawnAwaitIdentity | kSpawnWithoutHints | kSpawnTemporary | kSpawnJit;

// What a spawn asks for beside the capabilities that are handed on.
struct SpawnPlan : AgentPlan {
    bool has_temporary = false;
    mm::Owned<MountPlan> mount_plan; // most ask for none
};

Result<> give_trees(Agent& agent, StartupBlock& block, AgentPlan& base) {
    auto& plan = static_cast<SpawnPlan&>(base); // SAFETY: agent_spawn alone names this function, in a SpawnPlan
    if (plan.has_temporary) {
        if (block.count == kMaxStartupHandles) return fail(Error::too_large);
        constexpr Rights kRights =
            rights::read | rights::write | rights::execute | rights::inspect | rights::derive | rights::transfer;
        Ref<fs::Tree> tree = TRY(fs::create_temporary_tree(agent.quota()));
        const Handle handle = TRY(agent.table().insert_new(std::move(tree), kRights));
        block.entries[block.count++] = {handle, static_cast<std::uint32_t>(StartupRole::temporary), kRights.bits()};
    }
    return plan.mount_plan ? plan.mount_plan->give(agent, block) : Result<>();
}

} // namespace

Answer agent_spawn(Call& call, Handle self, UserIn<SpawnRequest> user_request) {
    TRY(call.check_self());
    const SpawnRequest request = TRY(user_request.read());
    if (request.handle_count > kMaxStartupHandles - 1) return fail(Error::too_large);
    if ((request.flags & ~kSpawnFlags) != 0 || request.cpu_weight < 1 || request.cpu_weight > 10000)
        return fail(Error::bad_argument);
    if (request.cpu_quota_us != 0 || request.cpu_period_us != 0) {
        const bool is_period = request.cpu_period_us >= 1'000 && request.cpu_period_us <= 10'000'000;
        const bool is_quota = request.cpu_quota_us >= 100 && request.cpu_quota_us <= 1'000'000'000;
        if (!is_period || !is_quota) return fail(Error::bad_argument);
    }
    if (request.personality > static_cast<std::uint32_t>(PersonalityKind::linux_abi)) return fail(Error::bad_argument);
    const bool is_linux = request.personality == static_cast<std::uint32_t>(PersonalityKind::linux_abi);
    if ((request.directory_bytes != 0 || request.mount_count != 0) && !is_linux) return fail(Error::bad_argument);
    if ((request.flags & kSpawnJit) != 0) TRY(call.lookup<Agent>(self, rights::jit));
    TRY(check_name(request.name));
    Texts texts;
    TRY(texts.fetch(call, request));
    const auto tree = TRY(call.lookup<fs::Tree>(request.tree, rights::read | rights::execute));
    Ref<fs::Node> node = TRY(tree.object->open({texts.path(), request.path_bytes}, call.quota()));
    if (node->info().kind != fs::NodeKind::file) return fail(Error::bad_argument);

    // The plan is large for a kernel stack: it lives on the heap for the length of the call.
    const Reservation room = TRY(Reservation::make(call.quota(), Resource::memory, mm::cost_of<SpawnPlan>));
    Reservation mount_room; // goes after the plan
    const auto plan_owned = TRY(mm::own<SpawnPlan>());
    SpawnPlan& plan = *plan_owned;
    plan.personality = static_cast<PersonalityKind>(request.personality);
    plan.flags = request.flags;
    plan.has_temporary = (request.flags & kSpawnTemporary) != 0;
    plan.fill_table = give_trees;
    plan.cpu_weight = request.cpu_weight;
    plan.cpu_budget = {request.cpu_quota_us * 1'000, request.cpu_period_us * 1'000};
    plan.quota = TRY(understood(request.quota));
    std::memcpy(plan.name, request.name, sizeof(plan.name));
    plan.image = TRY(node->pages());
    plan.is_measured = node->content_root(plan.program);
    texts.give_to(plan, request);
    TRY(derive_handles(call, request, plan));
    if (request.mount_count != 0) {
        mount_room = TRY(Reservation::make(call.quota(), Resource::memory, mm::cost_of<MountPlan>));
        plan.mount_plan = TRY(mm::own<MountPlan>());
        TRY(plan.mount_plan->fetch(call, request, plan));
    }
    plan.operation = TRY(Operation::create(call.quota()));

    const Handle handle = TRY(call.give(plan.operation, rights::read | rights::wait | rights::derive));
    auto agent = Agent::spawn(call.agent, plan);
    if (!agent) {
        (void)call.agent.table().close(handle);
        if (plan.mount_plan) plan.mount_plan->take_back(call);
        return fail(agent.error());
    }
    if (plan.mount_plan) plan.mount_plan->show(call, request);
    audit::Record& record = *call.record;
    record.kind = audit::Kind::agent_start;
    record.subject = (*agent)->id();
    record.detail[0] = audit::start_detail(plan.personality, plan.flags);
    record.detail[1] = plan.quota.memory_bytes;
    record.detail[2] = request.handle_count + request.mount_count; // what it was handed
    audit::set_name(record, name_text(request.name));
    std::memcpy(record.digest, (*agent)->identity().identity, sizeof(record.digest));
    return handle;
}

Answer agent_supervisor_register(Call& call, Handle, Handle queue_handle, std::uint64_t key) {
    const auto queue = TRY(call.lookup<EventQueue>(queue_handle, rights::write));
    TRY(queue.object->add(call.quota(), call.object<Agent>(), kSignalEnded | kSignalFault, key, call.first.node,
                          &call.agent.registrant()));
    call.record->detail[0] = queue.object->id();
    call.record->detail[1] = key;
    return 0;
}

Answer agent_register(Call& call, Handle, UserIn<IdentityRecord> user_record) {
    const IdentityRecord identity = TRY(user_record.read());
    TRY(call.object<Agent>().set_identity(identity));
    std::memcpy(call.record->digest, identity.digest, sizeof(call.record->digest));
    return 0;
}

Answer agent_kill(Call& call, Handle, std::uint64_t reason) {
    call.record->detail[0] = reason;
    call.object<Agent>().end(EndReason::killed, reason, 0);
    return 0;
}

Answer agent_control(Call& call, Handle, std::uint64_t action) {
    call.record->detail[0] = action;
    Agent& agent = call.object<Agent>();
    switch (static_cast<AgentAction>(action)) {
    case AgentAction::pause:
        TRY(agent.pause());
        return 0;
    case AgentAction::resume:
        TRY(agent.resume());
        return 0;
    }
    return fail(Error::bad_argument);
}

Answer agent_hint(Call& call, Handle, std::uint64_t hint, std::uint64_t cpu_ns, std::uint64_t deadline) {
    if (hint > static_cast<std::uint64_t>(AgentHint::waiting)) return fail(Error::bad_argument);
    const auto kind = static_cast<AgentHint>(hint);
    const bool has_amount = cpu_ns != 0 && deadline != 0;
    const bool has_any = cpu_ns != 0 || deadline != 0;
    if (kind == AgentHint::deadline ? !has_amount : has_any) return fail(Error::bad_argument);
    call.object<Agent>().share_group().give_hint(kind, cpu_ns, deadline, sched::now_ns());
    return 0;
}

Answer agent_info(Call& call, Handle, UserInOut<AgentInfo> out) {
    TRY(out.out().write(call.object<Agent>().info()));
    return 0;
}

Answer agent_grant(Call& call, Handle, UserIn<ResourceAmounts> user_amounts) {
    const ResourceAmounts said = TRY(user_amounts.read());
    const ResourceAmounts amounts = TRY(understood(said));
    TRY(call.object<Agent>().take_grant(call.agent, amounts));
    const SpentAmounts spent = spent_part(amounts);
    static_assert(kSpentCount == std::size(decltype(call.record->detail){}));
    std::ranges::copy(spent.of, call.record->detail);
    return 0;
}

Answer agent_exit(Call& call, std::uint64_t status) {
    call.record->subject = call.agent.id();
    call.record->detail[0] = status;
    call.agent.end(EndReason::exited, status, 0);
    return 0; // the thread leaves on its way back to the program
}

} // namespace aios::syscall::calls
