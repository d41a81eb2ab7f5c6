// The audit log on the host: its file (abi/messages.cddl, section 4), and its Merkle tree (RFC 9162 section 2.1),
// recomputed from the records. A record's data is hashed as it is, whatever it says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/record/record.hpp"

namespace aios::host {

inline constexpr std::uint64_t kMaxLogBytes = 2ull << 30;

struct AuditLog {
    std::vector<std::string> records;
    std::optional<AuditHead> head; // as the kernel gave it; none: the run ended before the log was closed
};

// Refuses (bad_input) what is not a log, has another number of records than its head says, or more than kMaxLogBytes.
[[nodiscard]] Outcome<AuditLog> read_audit_log(const std::filesystem::path& path);
[[nodiscard]] Outcome<AuditLog> parse_audit_log(std::string_view bytes);
// A head that is not of so many records is left out: the log is then not closed.
[[nodiscard]] Outcome<> write_audit_log(const std::filesystem::path& path, const std::vector<std::string>& records,
                                        const std::optional<AuditHead>& head);

[[nodiscard]] Hash audit_root(const std::vector<std::string>& records);

// The hashes beside the path from record `index` to the root, from the leaf upwards (RFC 9162 section 2.1.3.1). The
// index is below the number of records.
[[nodiscard]] std::vector<Hash> prove_inclusion(const std::vector<std::string>& records, std::uint64_t index);

// True if the proof leads from the record at `index` of `size` to the root (section 2.1.3.2).
[[nodiscard]] bool verify_inclusion(std::string_view record, std::uint64_t index, std::uint64_t size,
                                    std::span<const Hash> proof, const Hash& root);

// One encoded CBOR item in diagnostic notation (RFC 8949 section 8); "not CBOR" if it is none.
[[nodiscard]] std::string diagnostic(std::string_view item);

} // namespace aios::host
