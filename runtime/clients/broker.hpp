// The broker, semantic-ipcd, as others see it: who offers an intent, and a channel of one's own to the one that fits best.
#pragma once

#include "runtime/clients/ask.hpp"

namespace aios::clients {

using messages::owned::Action;
using messages::owned::Candidate;
using messages::owned::IntentFind;
using messages::owned::IntentOffer;
using messages::owned::SlotType;

// The broker's choice, and why it was made.
struct Found : messages::owned::FoundSlots {
    ipc::Peer peer;
};

// not_found: nobody fits, and `why_not` (if given) gets the broker's sentence.
[[nodiscard]] inline Result<Found> find(ipc::Peer& broker, const IntentFind& wanted, std::string* why_not = nullptr) {
    auto answer = TRY(ask(broker, wanted, {.why_not = why_not}));
    if (answer.handles.size() != 1) return fail(Error::bad_format);
    return Found{std::move(answer.slots), ipc::Peer(std::move(answer.handles[0].handle))};
}

// `channel` leads to the offerer. missing_right if its unit may not offer this; `why_not` as above.
inline Result<> offer(ipc::Peer& broker, const IntentOffer& offered, const HandleGrant& channel,
                      std::string* why_not = nullptr) {
    TRY(ask(broker, offered, {.grants = {channel}, .why_not = why_not}));
    return {};
}

// The actions of all offers that have effects.
[[nodiscard]] inline Result<std::vector<Action>> list_actions(ipc::Peer& broker) {
    return TRY(ask(broker, messages::owned::IntentList{})).slots.actions;
}

} // namespace aios::clients
