// A record as deterministic CBOR: the data of one leaf of the log. Format: audit-record in abi/messages.cddl section 5.
#pragma once

#include "kernel/audit/audit.hpp"

namespace aios::audit {

inline constexpr std::size_t kMaxEncodedRecord = 256;

Result<Bytes> encode_record(const Record& record, std::uint64_t index, std::uint64_t time_ns, MutableBytes out);

} // namespace aios::audit
