// The record that identityd keeps of an agent beside what the kernel measured of it. The record's digest is what the kernel
// has from AgentRegister and writes into the audit log.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/security/identity_record.hpp"

namespace aios::security {

// The digest of a record: SHA-256 of its identity-record (abi/messages.def). It holds no number of this boot: the same
// agent has the same record on every boot.
Result<Digest> record_digest(const Digest& identity, const Digest& manifest, const std::vector<std::string>& offers);

} // namespace aios::security
