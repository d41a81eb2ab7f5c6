// identityd: keeps the records of agents. A parent hands it a new agent (still `created`) with the identify right;
// identityd writes the record, registers its digest with the kernel (AgentRegister, which lets the agent run and stands
// in the audit log), and tells others who an agent id is.
//
// What a record says does not come from whoever asks: name, program and lineage are what the kernel measured, and only
// the agent's own parent can register it, once. What an agent may offer is part of what its parent may (offers.hpp);
// the first agent, which started identityd, may give everything.
#include <cstring>

#include "runtime/application/agent.hpp"
#include "runtime/ipc/slots_codec.hpp"
#include "runtime/security/identity.hpp"
#include "runtime/security/offers.hpp"
#include "services/identityd/table.hpp"

namespace aios {
namespace {

using security::Identity;

// Whether the agent behind a handle still runs. A handle that is dead or does not answer says no.
bool is_alive(const OwnedHandle& agent) {
    AgentInfo info{};
    return sys::agent_info(agent.get(), &info).has_value() &&
           info.state != static_cast<std::uint32_t>(AgentState::dead);
}

class Registrar {
public:
    explicit Registrar(Handle self) {
        AgentInfo own{};
        if (sys::agent_info(self, &own)) first_agent_ = own.parent;
    }

    application::Reply register_agent(ipc::Incoming& request) {
        std::string reason = "the agent cannot be registered";
        const auto identity = make(request, reason);
        if (!identity) return ipc::refuse(request.intent, identity.error(), reason);
        return ipc::inform(request.intent, *identity);
    }

    application::Reply look_up(const ipc::Incoming& request) {
        const auto asked = ipc::from_slots<messages::owned::IdentityOf>(request.intent.slots);
        if (!asked) return ipc::refuse(request.intent, asked.error(), "identity.of needs the slot agent, an integer");
        const Identity* found = records_.find(asked->agent);
        if (found == nullptr)
            return ipc::refuse(request.intent, Error::not_found, "no agent that lives was registered with this id");
        return ipc::inform(request.intent, *found);
    }

private:
    Result<Identity> make(ipc::Incoming& request, std::string& reason) {
        // The agent comes first; a sender that does not wait adds a channel for the answer.
        if (request.handles.empty() || request.handles.size() > 2) return fail(Error::bad_argument);
        OwnedHandle& agent = request.handles[0].handle;
        AgentInfo info{};
        TRY(sys::agent_info(agent.get(), &info));
        if (info.parent != request.sender) {
            reason = "only its parent can register an agent";
            return fail(Error::missing_right);
        }
        Identity identity;
        identity.agent = info.id;
        identity.name.assign(info.name, strnlen(info.name, sizeof(info.name)));
        std::memcpy(identity.identity.data(), info.identity, sizeof(info.identity));
        std::memcpy(identity.program.data(), info.program, sizeof(info.program));
        const auto asked = TRY(ipc::from_slots<messages::owned::IdentityRegister>(request.intent.slots));
        TRY(check_offers(request.sender, asked.offers, reason));
        identity.offers = asked.offers;
        identity.record = TRY(security::record_digest(identity.identity, asked.manifest, identity.offers));
        if (!records_.has_room()) {
            reason = "as many agents live as identityd has room for";
            return fail(Error::no_space);
        }
        TRY(tell_kernel(agent.get(), identity, asked.manifest, info));
        records_.add(identity, std::move(agent));
        return identity;
    }

    Result<> check_offers(std::uint64_t sender, const std::vector<std::string>& offers, std::string& reason) const {
        if (offers.size() > security::kMaxOfferGrants) return fail(Error::too_large);
        const Identity* parent = records_.find(sender);
        const bool may_give_all = sender == first_agent_;
        for (const std::string& name : offers) {
            if (name.empty() || name.size() > ipc::kMaxIntentNameBytes) return fail(Error::bad_format);
            if (!may_give_all && (parent == nullptr || !security::may_pass_on(parent->offers, name))) {
                reason = "its parent may not let others offer " + name;
                return fail(Error::missing_right);
            }
        }
        return {};
    }

    // An agent that is registered already keeps its record: a parent that asks again, because an identityd before this
    // one ended without an answer, is told the same.
    static Result<> tell_kernel(Handle agent, const Identity& identity, const security::Digest& manifest,
                                const AgentInfo& info) {
        IdentityRecord record{};
        std::memcpy(record.digest, identity.record.data(), sizeof(record.digest));
        std::memcpy(record.manifest, manifest.data(), sizeof(record.manifest));
        const auto registered = sys::agent_register(agent, &record);
        if (registered) return {};
        const bool is_same = registered.error() == Error::already_exists &&
                             std::memcmp(info.registered, record.digest, sizeof(record.digest)) == 0;
        return is_same ? Result<>() : fail(registered.error());
    }

    std::uint64_t first_agent_ = 0; // the one that started identityd
    identity::Table<OwnedHandle, is_alive> records_;
};

} // namespace
} // namespace aios

int main() {
    aios::application::Agent agent;
    aios::Registrar registrar(agent.self());
    agent.use_channel(agent.handle(aios::StartupRole::identity_server));
    agent.serve("identity.register", [&](auto& request) { return registrar.register_agent(request); });
    agent.serve("identity.of", [&](auto& request) { return registrar.look_up(request); });
    return agent.run();
}
