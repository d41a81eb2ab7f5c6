// Identity as agents see it: what the kernel measured of an agent, and the record that identityd keeps beside it. The
// record's digest is what the kernel has from AgentRegister and writes into the audit log.
#pragma once

#include <span>
#include <string>

#include "runtime/ipc/channel.hpp"
#include "runtime/security/identity_record.hpp"

namespace aios::security {

// The digest of a record: SHA-256 of its deterministic CBOR { 0: identity, 1: manifest hash, 2: offers }. It holds no
// number of this boot: the same agent has the same record on every boot.
Result<Digest> record_digest(const Digest& identity, const Digest& manifest, std::span<const std::string> offers);

// Asks identityd who an agent is. not_found for an agent that was never registered, or has ended.
Result<Identity> identity_of(ipc::Peer& identityd, std::uint64_t agent);
// Registers a new agent and lets it run; only its parent may. `agent` needs identify, inspect and wait. `manifest` is
// the SHA-256 of the description that the agent comes from, `offers` what it may offer: part of what the parent may,
// else missing_right.
Result<Identity> register_agent(ipc::Peer& identityd, Handle agent, const Digest& manifest,
                                std::span<const std::string> offers);

} // namespace aios::security
