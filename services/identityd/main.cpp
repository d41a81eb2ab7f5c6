// identityd: gives agents their identity. A parent hands it a new agent (still `created`) with the identify right;
// identityd writes the record, registers its digest with the kernel (AgentRegister, which lets the agent run and stands
// in the audit log), and tells others who an agent id is. It keeps one record for each agent alive or dead, at most
// kMaxRecords; the oldest dead one goes first.
#include <algorithm>
#include <cstring>
#include <deque>

#include "runtime/application/agent.hpp"
#include "runtime/security/identity.hpp"

namespace aios {
namespace {

constexpr std::size_t kMaxRecords = 4096;
using security::Identity;

ipc::Intent describe(const ipc::Intent& request, const Identity& identity) {
    return ipc::inform(request, {{"agent", identity.agent},
                                 {"name", identity.name},
                                 {"program", identity.program},
                                 {"digest", ipc::ByteString(identity.digest.begin(), identity.digest.end())}});
}

class Registrar {
public:
    application::Reply register_agent(ipc::Incoming& request) {
        auto identity = make(request);
        if (!identity) return ipc::refuse(request.intent, identity.error(), "the agent cannot be registered");
        if (records_.size() == kMaxRecords) records_.pop_front();
        records_.push_back(*identity);
        return describe(request.intent, *identity);
    }

    application::Reply look_up(const ipc::Incoming& request) {
        const auto agent = request.intent.slots.integer("agent");
        if (!agent) return ipc::refuse(request.intent, agent.error(), "identity.of needs the slot agent, an integer");
        const auto found = std::ranges::find(records_, static_cast<std::uint64_t>(*agent), &Identity::agent);
        if (found == records_.end())
            return ipc::refuse(request.intent, Error::not_found, "no agent was registered with this id");
        return describe(request.intent, *found);
    }

private:
    static Result<Identity> make(ipc::Incoming& request) {
        if (request.handles.size() != 1) return fail(Error::bad_argument);
        const Handle agent = request.handles[0].handle.get();
        AgentInfo info{};
        TRY(sys::agent_info(agent, &info));
        Identity identity;
        identity.agent = info.id;
        identity.name.assign(info.name, strnlen(info.name, sizeof(info.name)));
        identity.program = TRY(request.intent.slots.text("program"));
        if (identity.program.size() > kMaxPathBytes) return fail(Error::too_large);
        const Bytes manifest = TRY(request.intent.slots.bytes("manifest"));
        security::RecordFields fields{info.id, info.parent, identity.name, identity.program, {}};
        if (manifest.size() != fields.manifest.size()) return fail(Error::bad_format);
        std::ranges::copy(manifest, fields.manifest.begin());
        identity.digest = TRY(security::record_digest(fields));
        IdentityRecord record{};
        std::memcpy(record.digest, identity.digest.data(), sizeof(record.digest));
        std::memcpy(record.manifest, fields.manifest.data(), sizeof(record.manifest));
        TRY(sys::agent_register(agent, &record));
        return identity;
    }

    std::deque<Identity> records_;
};

} // namespace
} // namespace aios

int main() {
    aios::application::Agent agent;
    aios::Registrar registrar;
    agent.use_channel(agent.handle(aios::StartupRole::identity_server));
    agent.serve("identity.register", [&](auto& request) { return registrar.register_agent(request); });
    agent.serve("identity.of", [&](auto& request) { return registrar.look_up(request); });
    return agent.run();
}
