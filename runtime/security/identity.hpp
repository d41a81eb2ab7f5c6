// Identity as agents see it: who registered with identityd under which record. The record's digest is what the kernel
// keeps for the agent and writes into the audit log.
#pragma once

#include <array>
#include <span>
#include <string>

#include "runtime/ipc/channel.hpp"

namespace aios::security {

struct Identity {
    std::uint64_t agent = 0;
    std::string name;    // as the kernel knows it, set by the parent at the spawn
    std::string program; // path in the bundle
    std::array<std::byte, 32> digest{};
};

// The digest of an identity record: SHA-256 of its deterministic CBOR { 0: agent, 1: parent, 2: name, 3: program, 4:
// manifest hash }.
struct RecordFields {
    std::uint64_t agent, parent;
    std::string_view name, program;
    std::array<std::byte, 32> manifest;
};
Result<std::array<std::byte, 32>> record_digest(const RecordFields& fields);

// Asks identityd who an agent is. not_found for an agent that was never registered.
Result<Identity> identity_of(ipc::Peer& identityd, std::uint64_t agent);
// Gives a new agent its identity and lets it run: `agent` needs identify, inspect and wait. `manifest` is the SHA-256
// of the description that the agent comes from.
Result<Identity> register_agent(ipc::Peer& identityd, Handle agent, std::string_view program,
                                std::span<const std::byte, 32> manifest);

} // namespace aios::security
