// Starting of units: the grants, the spawn, and what is said when it does not work out.
#include "runtime/orchestration/supervisor.hpp"

namespace aios::orchestration {
namespace {

// SAFETY: an address for the kernel, which checks it.
std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

constexpr std::size_t kArgumentRoom = 2048;

bool is_lack(Error error) { return error == Error::quota_exceeded || error == Error::out_of_memory; }

} // namespace

void Supervisor::start_what_can() {
    while (!finished_) {
        const auto unit = states_.next_to_start(now_ns());
        if (!unit) return;
        states_.started(*unit);
        if (const auto started = start_unit(*unit); !started) not_started(*unit, started.error());
    }
}

bool Supervisor::serves_identity(const Unit& unit) {
    for (const Grant& grant : unit.grants) {
        if (grant.role == number_of(StartupRole::identity_server)) return true;
    }
    return false;
}

// identityd gives every unit its identity before it runs, except itself.
bool Supervisor::awaits_identity(const Unit& unit) {
    return !serves_identity(unit) && source_.handle_for(number_of(StartupRole::identity)).has_value();
}

Result<> Supervisor::start_unit(std::size_t index) {
    const Unit& unit = description_.units[index];
    UnitHandles& handles = units_[index];
    handles.parent = TRY(owned(sys::channel_create(self(), 16, kMaxMessageBytes * 2)));
    TRY(sys::event_register(queue_.get(), handles.parent.get(), kSignalReadable, event_key(EventKind::message, index)));

    HandleGrant grants[kMaxGrants + 1];
    std::uint32_t count = 0;
    for (const Grant& grant : unit.grants) {
        grants[count++] = {TRY(source_.handle_for(grant.role)), grant.rights, grant.role};
    }
    grants[count++] = {handles.parent.get(), (rights::send | rights::transfer | rights::derive).bits(),
                       static_cast<std::uint32_t>(StartupRole::parent)};

    char arguments[kArgumentRoom];
    std::size_t bytes = 0;
    auto add = [&](std::string_view text) -> Result<> {
        if (text.size() + 1 > sizeof(arguments) - bytes) return fail(Error::too_large);
        for (const char c : text) {
            arguments[bytes++] = c;
        }
        arguments[bytes++] = '\0';
        return {};
    };
    TRY(add(unit.name));
    for (const std::string_view argument : unit.arguments) {
        TRY(add(argument));
    }
    char start[24];
    TRY(add(aios::format_to(start, "--start={}", starts_[index] + 1)));

    SpawnRequest request{};
    request.tree = find_handle(startup_, StartupRole::bundle);
    request.path = address(unit.program.data());
    request.path_bytes = unit.program.size();
    request.arguments = address(arguments);
    request.argument_bytes = bytes;
    request.handles = address(grants);
    request.handle_count = count;
    request.personality = static_cast<std::uint32_t>(unit.personality);
    request.flags = (awaits_identity(unit) ? kSpawnAwaitIdentity : 0) | (unit.hint ? kSpawnWithoutHints : 0);
    request.cpu_weight = unit.cpu_weight;
    request.quota = unit.quota;
    for (std::size_t i = 0; i < unit.name.size(); ++i) {
        request.name[i] = unit.name[i];
    }
    handles.operation = TRY(owned(sys::agent_spawn(self(), &request)));
    ++starts_[index];
    TRY(sys::event_register(queue_.get(), handles.operation.get(), kSignalDone, event_key(EventKind::spawned, index)));
    return {};
}

Result<> Supervisor::spawned(std::size_t index) {
    UnitHandles& handles = units_[index];
    if (!handles.operation) return {}; // an old packet
    AsyncResult result{};
    TRY(sys::get_async_result(handles.operation.get(), &result));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::spawned, index));
    handles.operation.reset();
    if (result.error != 0)
        return fail(is_error_number(result.error) ? static_cast<Error>(result.error) : Error::bad_state);
    handles.agent = OwnedHandle(result.value);
    if (const auto watched =
            sys::agent_supervisor_register(handles.agent.get(), queue_.get(), event_key(EventKind::ended, index));
        !watched) { // nobody would tell us of its end: so it is not ours
        (void)sys::agent_kill(handles.agent.get(), 0);
        handles.agent.reset();
        return fail(watched.error());
    }
    if (handles.stop_wanted) { // it was decided while the spawn was under way
        (void)sys::agent_kill(handles.agent.get(), 0);
        return {};
    }
    if (const auto hint = description_.units[index].hint)
        TRY(sys::agent_hint(handles.agent.get(), static_cast<std::uint64_t>(*hint), 0, 0));
    AgentInfo info{};
    TRY(sys::agent_info(handles.agent.get(), &info));
    if (info.state == static_cast<std::uint32_t>(AgentState::created))
        TRY(ask_for_identity(index));
    else
        may_run(index);
    if (!description_.units[index].sends_ready) states_.ready(index);
    return {};
}

void Supervisor::may_run(std::size_t unit) {
    // Who is ready already has no time to keep: its message may have come before identityd's answer.
    if (states_.state(unit) == UnitState::starting && description_.units[unit].sends_ready)
        units_[unit].ready_due_ns = now_ns() + description_.units[unit].ready_timeout_ns;
}

void Supervisor::end_late_units() {
    const std::uint64_t now = now_ns();
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
        UnitHandles& handles = units_[unit];
        if (handles.ready_due_ns > now) continue;
        handles.ready_due_ns = kNoDeadline;
        // Its message may lie there, not read yet. And who is to stop anyway, or has failed to start, is being ended.
        read_messages(unit);
        const bool is_awaited = states_.state(unit) == UnitState::starting && !handles.stop_wanted;
        if (!is_awaited || handles.start_error || !handles.agent) continue;
        handles.is_late = true; // (its end comes as an event, and is then told: ended())
        (void)sys::agent_kill(handles.agent.get(), 0);
    }
}

// A unit that has an agent is over only when the agent has ended: no two agents of one unit are ever alive.
void Supervisor::not_started(std::size_t unit, Error error) {
    if (units_[unit].agent) {
        units_[unit].start_error = error;
        close_answer(unit);
        (void)sys::agent_kill(units_[unit].agent.get(), 0);
        return;
    }
    const bool was_to_stop = units_[unit].stop_wanted;
    let_go(unit);
    if (finished_) {
        states_.stopped(unit);
    } else if (was_to_stop) {
        states_.gone(unit, now_ns());
    } else {
        never_started(unit, error);
    }
}

void Supervisor::never_started(std::size_t unit, Error error) {
    Words words;
    over(unit, is_lack(error) ? Ending::lacking : Ending::refused, why_not_started(words, unit, error));
}

std::string_view Supervisor::why_not_started(Words& words, std::size_t index, Error error) const {
    const Unit& unit = description_.units[index];
    const std::uint64_t wanted = unit.quota.memory_bytes;
    if (is_lack(error)) {
        AgentInfo own{};
        const bool is_known = sys::agent_info(self(), &own).has_value() && own.quota.memory_bytes >= own.memory_bytes;
        const std::uint64_t left = is_known ? own.quota.memory_bytes - own.memory_bytes : 0;
        if (is_known && left < wanted)
            return aios::format_to(words, "it asks for memory = {}K and {} has {}K left", wanted >> 10, name_,
                                   left >> 10);
        for (const Resource resource : kSpentResources) {
            const std::uint64_t asked = unit.quota.value(resource);
            const std::uint64_t limit = own.quota.value(resource), used = own.used.value(resource);
            const std::uint64_t unspent = limit > used ? limit - used : 0;
            if (is_known && asked > unspent)
                return aios::format_to(words, "it asks for {} = {} and {} has {} left",
                                       kResources[static_cast<unsigned>(resource)].name, asked, name_, unspent);
        }
        HandleInfo program{};
        const auto file =
            owned(sys::tree_open(find_handle(startup_, StartupRole::bundle), unit.program.data(), unit.program.size()));
        if (file && sys::handle_info(file->get(), &program) && program.size > wanted)
            return aios::format_to(words, "its memory = {}K does not hold its program, which alone has {}K",
                                   wanted >> 10, (program.size + 1023) >> 10);
        if (wanted < std::uint64_t{1} << 20)
            return aios::format_to(words, "its memory = {}K is too little to load its program and start it",
                                   wanted >> 10);
        return aios::format_to(
            words, "{} cannot give it memory = {}K, {} handles, {} threads and {} agents ({}K are left)", name_,
            wanted >> 10, unit.quota.handles, unit.quota.threads, unit.quota.agents, left >> 10);
    }
    if (error == Error::not_found) {
        for (const Grant& grant : unit.grants) {
            if (!source_.handle_for(grant.role))
                return aios::format_to(words, "it is to be granted role {}, which {} does not hold", grant.role, name_);
        }
        return aios::format_to(words, "there is no program {} in the bundle", unit.program);
    }
    return aios::format_to(words, "{}", error_info(error).sentence);
}

} // namespace aios::orchestration
