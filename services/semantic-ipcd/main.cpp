// semantic-ipcd: the broker. Agents offer intents with a handle on their own channel; others ask for an intent by name
// or meaning and get a channel of their own to the agent that fits best, so that the second message takes no detour.
// What it says of an agent is what identityd says of the sender that the kernel names, never what the agent claims.
// From there also comes what an agent may offer: an offer beyond it is refused, recorded, and told to who runs the node. Load is
// what the kernel counts in the agent's channel.
#include <format>
#include <map>

#include "runtime/application/agent.hpp"
#include "runtime/clients/identity.hpp"
#include "runtime/ipc/slots_codec.hpp"
#include "runtime/security/offers.hpp"
#include "services/semantic-ipcd/refusals.hpp"
#include "services/semantic-ipcd/registry.hpp"

namespace aios {
namespace {

using application::Reply;
constexpr std::uint64_t kReportNames = 8; // candidates named in an answer

Result<std::vector<broker::SlotType>> checked_types(const std::vector<messages::owned::SlotType>& slots) {
    if (slots.size() > ipc::kMaxSlots) return fail(Error::too_large);
    std::vector<broker::SlotType> types;
    for (const auto& [name, type] : slots) {
        if (type > static_cast<std::uint64_t>(ipc::ValueType::array)) return fail(Error::bad_format);
        types.push_back({name, static_cast<ipc::ValueType>(type)});
    }
    return types;
}

class Broker {
public:
    Broker(ipc::Peer identityd, broker::Refusals refusals)
        : identityd_(std::move(identityd)), refusals_(std::move(refusals)) {}

    Reply offer(ipc::Incoming& request) {
        auto offer = read_offer(request);
        if (!offer) return ipc::refuse(request.intent, offer.error(), "the offer is not complete or not well-formed");
        const auto identity = clients::identity_of(identityd_, request.sender);
        if (!identity || !security::may_offer(identity->offers, offer->intent)) {
            const std::string name = identity ? identity->name : std::format("agent {}", request.sender);
            const std::string why = identity ? std::format("its unit has no setting offers = \"{}\"", offer->intent)
                                             : std::string("identityd does not know it");
            const std::string sentence = std::format("{} may not offer {}: {}", name, offer->intent, why);
            refusals_.tell({request.sender, name, "intent.offer", offer->intent, sentence});
            return ipc::refuse(request.intent, Error::missing_right, sentence);
        }
        offer->agent_name = identity->name;
        offer->identity.assign(identity->identity.begin(), identity->identity.end());
        if (const auto added = registry_.offer(*offer); !added) {
            return ipc::refuse(request.intent, added.error(),
                               "the agent has too many offers, or the offer is too large");
        }
        channels_[offer->agent] = std::move(request.handles[0].handle);
        return ipc::inform(request.intent, ipc::Slots());
    }

    Reply withdraw(const ipc::Incoming& request) {
        const auto asked = ipc::from_slots<messages::owned::IntentWithdraw>(request.intent.slots);
        if (!asked) return ipc::refuse(request.intent, asked.error(), "intent.withdraw needs the slot intent");
        registry_.withdraw(request.sender, asked->intent);
        return ipc::inform(request.intent, ipc::Slots());
    }

    Reply find(const ipc::Incoming& request) {
        auto wanted = read_wanted(request.intent.slots);
        if (!wanted)
            return ipc::refuse(request.intent, wanted.error(),
                               "intent.find needs intent or meaning, slots, not_agent, from and identity");
        refresh_loads();
        const broker::Choice choice = registry_.choose(*wanted);
        if (choice.candidates.empty()) return ipc::refuse(request.intent, Error::not_found, choice.why);
        const broker::Offer& offer = *choice.candidates.front().offer;
        messages::owned::FoundSlots found{.why = choice.why,
                                          .agent = offer.agent_name,
                                          .intent = offer.intent,
                                          .agent_id = offer.agent,
                                          .identity = offer.identity,
                                          .candidates = {}};
        for (const broker::Candidate& candidate : choice.candidates) {
            if (found.candidates.size() == kReportNames) break;
            found.candidates.push_back({candidate.offer->agent_name, candidate.score});
        }
        const ipc::Intent answer = ipc::inform(request.intent, found);
        const HandleGrant grant{channels_[offer.agent].get(), (rights::send | rights::inspect).bits(), 0};
        registry_.routed(offer.agent);
        return {answer, {grant}};
    }

    Reply list(const ipc::Incoming& request) {
        messages::owned::ActionsSlots plannable;
        for (const broker::Offer* offer : registry_.all()) {
            if (!offer->action.effects.empty()) plannable.actions.push_back(offer->action);
        }
        return ipc::inform(request.intent, plannable);
    }

private:
    Result<broker::Offer> read_offer(const ipc::Incoming& request) {
        if (request.handles.size() != 1) return fail(Error::bad_argument);
        auto asked = TRY(ipc::from_slots<messages::owned::IntentOffer>(request.intent.slots));
        TRY(orchestration::check_action(asked.action));
        if (asked.action.intent != asked.intent) return fail(Error::bad_format);
        return broker::Offer{.agent = request.sender,
                             .agent_name = {},
                             .intent = asked.intent,
                             .description = std::move(asked.description),
                             .inputs = TRY(checked_types(asked.inputs)),
                             .action = std::move(asked.action),
                             .capacity = asked.capacity,
                             .identity = {}};
    }

    static Result<broker::Wanted> read_wanted(const ipc::Slots& slots) {
        auto asked = TRY(ipc::from_slots<messages::owned::IntentFind>(slots));
        if (asked.intent.empty() && asked.meaning.empty()) return fail(Error::bad_argument);
        return broker::Wanted{.intent = std::move(asked.intent),
                              .meaning = std::move(asked.meaning),
                              .slots = TRY(checked_types(asked.slots)),
                              .not_agent = asked.not_agent,
                              .from = std::move(asked.from),
                              .identity = std::move(asked.identity)};
    }

    // Asks the kernel how much waits in each offerer's channel. An agent that has ended took its channel with it.
    void refresh_loads() {
        for (auto at = channels_.begin(); at != channels_.end();) {
            HandleInfo info{};
            if (sys::handle_info(at->second.get(), &info)) {
                registry_.report_load(at->first, info.size);
                ++at;
            } else {
                registry_.agent_ended(at->first);
                at = channels_.erase(at);
            }
        }
    }

    cognitive::LexicalEmbedder embedder_;
    broker::Registry registry_{embedder_};
    std::map<std::uint64_t, OwnedHandle> channels_; // by agent; each has at most one that counts, its last
    ipc::Peer identityd_;
    broker::Refusals refusals_;
};

} // namespace
} // namespace aios

int main() {
    using namespace aios;
    application::Agent agent;
    Broker broker{ipc::Peer(OwnedHandle(agent.handle(StartupRole::identity))),
                  {agent.handle(StartupRole::host_port), agent.handle(StartupRole::log)}};
    agent.use_channel(agent.handle(StartupRole::broker_server));
    agent.serve("intent.offer", [&](auto& request) { return broker.offer(request); });
    agent.serve("intent.withdraw", [&](auto& request) { return broker.withdraw(request); });
    agent.serve("intent.find", [&](auto& request) { return broker.find(request); });
    agent.serve("intent.list", [&](auto& request) { return broker.list(request); });
    return agent.run();
}
