// Starting of units: the description, the grants, the spawn.
#include "runtime/orchestration/supervisor.hpp"

namespace aios::orchestration {
namespace {

// SAFETY: an address for the kernel, which checks it.
std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

constexpr std::size_t kArgumentRoom = 2048;

} // namespace

Result<> Supervisor::prepare() {
    queue_ = TRY(owned(sys::queue_create(self())));
    const Handle bundle = find_handle(startup_, StartupRole::bundle);
    auto file = owned(sys::tree_open(bundle, path_.data(), path_.size()));
    if (!file) {
        fail_with("cannot open the system description in the bundle", path_, file.error());
        return fail(file.error());
    }
    HandleInfo info{};
    description_file_ = std::move(*file);
    TRY(sys::handle_info(description_file_.get(), &info));
    const MapRequest request{0, info.size, 0, kProtectRead};
    const std::uint64_t mapped = TRY(sys::memory_map(description_file_.get(), &request));
    const Bytes bytes(reinterpret_cast<const std::byte*>(mapped), info.size); // SAFETY: mapped above, for the whole run
    manifest_ = crypto::Sha256::hash(bytes);
    char why[256];
    std::string_view sentence;
    if (const auto decoded = SystemDescription::decode(bytes, description_, why, sentence); !decoded) {
        finish(false, "{}", sentence);
        return decoded;
    }
    return source_.prepare(description_);
}

// identityd gives every unit its identity before it runs, except itself.
bool Supervisor::awaits_identity(const Unit& unit) {
    for (const Grant& grant : unit.grants) {
        if (grant.role == number_of(StartupRole::identity_server)) return false;
    }
    return source_.handle_for(number_of(StartupRole::identity)).has_value();
}

Result<> Supervisor::start_unit(std::size_t index) {
    const Unit& unit = description_.units[index];
    UnitHandles& handles = units_[index];
    handles.parent = TRY(owned(sys::channel_create(self(), 16, kMaxMessageBytes * 2)));
    TRY(sys::event_register(queue_.get(), handles.parent.get(), kSignalReadable, event_key(EventKind::message, index)));

    HandleGrant grants[kMaxGrants + 1];
    std::uint32_t count = 0;
    for (const Grant& grant : unit.grants) {
        const auto handle = source_.handle_for(grant.role);
        if (!handle) {
            fail_with("cannot grant a role that the supervisor does not hold", unit.name, handle.error());
            return fail(handle.error());
        }
        grants[count++] = {*handle, grant.rights, grant.role};
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
    TRY(add(format_to(start, "--start={}", starts_[index] + 1)));

    SpawnRequest request{};
    request.tree = find_handle(startup_, StartupRole::bundle);
    request.path = address(unit.program.data());
    request.path_bytes = unit.program.size();
    request.arguments = address(arguments);
    request.argument_bytes = bytes;
    request.handles = address(grants);
    request.handle_count = count;
    request.personality = static_cast<std::uint32_t>(unit.personality);
    request.flags = awaits_identity(unit) ? kSpawnAwaitIdentity : 0;
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
    AsyncResult result{};
    TRY(sys::get_async_result(handles.operation.get(), &result));
    (void)sys::event_cancel(queue_.get(), event_key(EventKind::spawned, index));
    handles.operation.reset();
    if (result.error != 0)
        return fail(is_error_number(result.error) ? static_cast<Error>(result.error) : Error::bad_state);
    handles.agent = OwnedHandle(result.value);
    TRY(sys::agent_supervisor_register(handles.agent.get(), queue_.get(), event_key(EventKind::ended, index)));
    AgentInfo info{};
    TRY(sys::agent_info(handles.agent.get(), &info));
    if (info.state == static_cast<std::uint32_t>(AgentState::created)) TRY(register_identity(index));
    if (!description_.units[index].sends_ready) states_.ready(index);
    return {};
}

} // namespace aios::orchestration
