// Starting other programs of the bundle, for tests that need a child.
#pragma once

#include "tests/guest/test.hpp"

namespace guest {

// Page tables of a mapping that is gone may stay for the next one, until the process ends.
inline constexpr std::uint64_t kTableSlack = 3 * kPageBytes;

struct SpawnOptions {
    std::string_view arguments = {}; // strings ended by NUL
    QuotaGrant quota{4 << 20, 64, 8, 0};
    std::uint32_t flags = 0;
    const HandleGrant* handles = nullptr;
    std::uint32_t handle_count = 0;
    std::uint32_t weight = 100;
    std::string_view name = {}; // that of the program and a number if it is empty
    std::uint64_t cpu_quota_us = 0, cpu_period_us = 0;
};

inline SpawnRequest make_request(std::string_view path, const SpawnOptions& options) {
    SpawnRequest request{};
    request.tree = handle(StartupRole::bundle);
    request.path = address_of(path.data());
    request.path_bytes = path.size();
    request.arguments = address_of(options.arguments.data());
    request.argument_bytes = options.arguments.size();
    request.handles = address_of(options.handles);
    request.handle_count = options.handle_count;
    request.personality = static_cast<std::uint32_t>(PersonalityKind::native);
    request.flags = options.flags;
    request.cpu_weight = options.weight;
    request.quota = options.quota;
    request.cpu_quota_us = options.cpu_quota_us;
    request.cpu_period_us = options.cpu_period_us;
    // Names of living siblings differ: a number makes them so.
    static unsigned started = 0;
    char numbered[kMaxNameBytes];
    std::string_view name = options.name;
    if (name.empty()) name = format_to(numbered, "{}-{}", path.substr(path.rfind('/') + 1), ++started);
    for (std::size_t i = 0; i < name.size() && i < sizeof(request.name) - 1; ++i)
        request.name[i] = name[i];
    return request;
}

// Waits for one signal of `object`; false if the time runs out.
inline bool wait_for(Handle object, std::uint64_t signal, std::uint64_t seconds = 20) {
    auto queue = owned(sys::queue_create(self));
    if (!queue || !sys::event_register(queue->get(), object, signal, 1)) return false;
    EventPacket packet{};
    return sys::event_wait(queue->get(), &packet, 1, now() + seconds * kSecond).has_value();
}

// The child's handle once its program is loaded, or why not.
inline Result<OwnedHandle> finish_spawn(Result<std::uint64_t> started) {
    const OwnedHandle operation = TRY(owned(started));
    if (!wait_for(operation.get(), kSignalDone)) return fail(Error::timed_out);
    AsyncResult result{};
    TRY(sys::get_async_result(operation.get(), &result));
    if (result.error != 0) return fail(static_cast<Error>(result.error));
    return OwnedHandle(result.value);
}

inline Result<OwnedHandle> spawn(std::string_view path, const SpawnOptions& options = {}) {
    const SpawnRequest request = make_request(path, options);
    return finish_spawn(sys::agent_spawn(self, &request));
}

// Waits until the agent is dead and answers its last account; state is ~0 if it does not die in time.
inline AgentInfo wait_dead(Handle agent, std::uint64_t seconds = 20) {
    if (!wait_for(agent, kSignalEnded, seconds)) {
        AgentInfo info{};
        info.state = ~0u;
        return info;
    }
    return info_of(agent);
}

inline bool ended_with(const AgentInfo& info, EndReason end, std::uint64_t status) {
    return info.state == static_cast<std::uint32_t>(AgentState::dead) &&
           info.end_reason == static_cast<std::uint32_t>(end) && info.end_status == status;
}

inline HandleGrant grant(Handle source, Rights rights, StartupRole role) {
    return {source, rights.bits(), static_cast<std::uint32_t>(role)};
}
inline HandleGrant console_grant() { return grant(handle(StartupRole::console), rights::write, StartupRole::console); }

// A decimal argument.
inline std::uint64_t parse_decimal(std::string_view text) {
    std::uint64_t value = 0;
    for (const char c : text)
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    return value;
}

} // namespace guest
