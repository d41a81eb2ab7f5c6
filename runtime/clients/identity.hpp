// identityd as others see it. Supervisors have no C library and register agents by a message of their own
// (runtime/orchestration/supervisor_identity.cpp).
#pragma once

#include "runtime/clients/ask.hpp"
#include "runtime/security/identity_record.hpp"

namespace aios::clients {

// Asks who an agent is. not_found for an agent that was never registered, or has ended.
[[nodiscard]] inline Result<security::Identity> identity_of(ipc::Peer& identityd, std::uint64_t agent) {
    return TRY(ask(identityd, messages::owned::IdentityOf{agent})).slots;
}

} // namespace aios::clients
