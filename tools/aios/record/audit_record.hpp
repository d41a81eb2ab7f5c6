// Records of the audit log with names in place of numbers (abi/messages.cddl, section 5). What this version has no name
// for keeps its number, and keys that it does not know are passed over: a log of a later version can still be shown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/audit_kinds.hpp"
#include "abi/rights.hpp"
#include "messages/owned.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

using AuditRecord = messages::owned::AuditRecord;

[[nodiscard]] std::optional<AuditKind> audit_kind_of(std::uint64_t number); // nothing: one of a later version

// Nothing if this is no record.
[[nodiscard]] std::optional<AuditRecord> decode_audit_record(std::string_view item);

[[nodiscard]] std::string audit_kind_name(std::uint64_t kind); // "agent_start", or the number
[[nodiscard]] bool is_audit_kind(std::string_view name);
[[nodiscard]] std::string audit_kind_list(); // "boot, call, ... or power"

// The document name of a call, such as AgentSpawn, or the number.
[[nodiscard]] std::string call_name(std::uint64_t call);
// A call by that name, and what its first handle must be.
struct CallCheck {
    std::uint64_t number;
    ObjectType type;
    Rights right;
};
[[nodiscard]] std::optional<CallCheck> find_call_named(std::string_view document_name);
// "send derive transfer"
[[nodiscard]] std::string rights_names(std::uint64_t bits);

// Who is who in a log: the names that its records of starts give.
class AuditNames {
public:
    explicit AuditNames(const std::vector<AuditRecord>& records);
    // "memoryd", "kernel" for 0, or empty if the log does not name it.
    [[nodiscard]] std::string_view of(std::uint64_t agent) const;
    // "memoryd (39)", "agent 39" without a name.
    [[nodiscard]] std::string with_id(std::uint64_t agent) const;
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] std::string list() const; // "initd, memoryd and kernel"

private:
    std::map<std::uint64_t, std::string> names_;
};

// What the record's cause was working on: 32 hexadecimal digits, or empty.
[[nodiscard]] std::string trace_text(const AuditRecord& record);

// True if the record is about an agent: its subject is one.
[[nodiscard]] bool is_about_agent(const AuditRecord& record);

// What happened, in words: "starts memoryd (39): linux, 35.1 MB, 4 handles".
[[nodiscard]] std::string describe_record(const AuditRecord& record, const AuditNames& names);

} // namespace aios::host
