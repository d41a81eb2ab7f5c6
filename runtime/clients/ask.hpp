// How the clients of this folder ask: a request of abi/messages.def goes to a peer, and its answer comes back with named
// fields. What a service answers is checked as anything that came from another agent.
#pragma once

#include <string>

#include "runtime/ipc/channel.hpp"
#include "runtime/ipc/slots_codec.hpp"

namespace aios::clients {

struct Asking {
    ipc::Grants grants = {};
    std::uint64_t deadline = kNoDeadline;
    std::string* why_not = nullptr; // gets the sentence of a refusal
};

template <typename Request>
struct Answered {
    messages::IntentOf<Request>::Answer slots;
    std::vector<ipc::ReceivedHandle> handles;
};

// The error of a refusal or failure is the one that it names (bad_state if it names none); not_found or bad_format for an
// answer that lacks a slot or has it in another type.
template <typename Request>
[[nodiscard]] Result<Answered<Request>> ask(ipc::Peer& peer, const Request& request, const Asking& how = {}) {
    ipc::Incoming answer = TRY(peer.call(ipc::make_request(request), how.grants, how.deadline));
    if (!answer.intent.is_positive()) {
        if (how.why_not != nullptr) *how.why_not = answer.intent.reason;
        return fail(answer.intent.error != Error{} ? answer.intent.error : Error::bad_state);
    }
    using Answer = messages::IntentOf<Request>::Answer;
    return Answered<Request>{TRY(ipc::from_slots<Answer>(answer.intent.slots)), std::move(answer.handles)};
}

} // namespace aios::clients
