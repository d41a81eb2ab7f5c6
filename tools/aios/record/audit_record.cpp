#include "tools/aios/record/audit_record.hpp"

#include <algorithm>
#include <format>
#include <iterator>
#include <set>

#include "abi/audit_kinds.hpp"
#include "abi/call_types.hpp"
#include "abi/errors.hpp"
#include "base/bytes.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

using enum AuditKind;

struct CallRow {
    std::uint64_t number;
    std::string_view name;          // in C++
    std::string_view document_name; // in documents
    std::string_view object;        // type of its first handle
    std::string_view right;         // on it
};
constexpr CallRow kCalls[] = {
#define CALL(number, call_name, document_name, object, right, audit, restart, charge, arguments)                       \
    {number, #call_name, document_name, #object, #right},
#include "abi/calls.def"
#undef CALL
};

const CallRow* find_call(std::uint64_t number) {
    const auto* row = std::ranges::find(kCalls, number, &CallRow::number);
    return row != std::end(kCalls) ? row : nullptr;
}

std::string error_name(std::uint64_t number) {
    if (!is_error_number(number)) return std::format("error {}", number);
    return std::string(error_info(static_cast<Error>(number)).name);
}

// What an agent_end record tells is what its account would.
std::string describe_agent_end(const AuditRecord& record) {
    Account account;
    account.end_reason = record.detail[0];
    account.end_status = record.detail[1];
    account.fault_address = record.detail[2];
    if (static_cast<EndReason>(account.end_reason) == EndReason::killed && account.end_status == 0) return "killed";
    return describe_end(account);
}

// Amounts of the spent resources, as they stand in the details: "30 tokens, 4 micro-cents".
std::string describe_spent(const AuditRecord& record) {
    std::string out;
    for (unsigned i = 0; i < kSpentCount && i < record.detail.size(); ++i) {
        if (record.detail[i] == 0) continue;
        const ResourceRow& row = kResources[static_cast<unsigned>(kSpentResources[i])];
        out += std::format("{}{} {}", out.empty() ? "" : ", ", with_thousands(record.detail[i]), row.unit);
    }
    return out.empty() ? "nothing" : out;
}

std::string describe_call(const AuditRecord& record, const AuditNames& names) {
    const auto& [one, two, three] = record.detail;
    const CallRow* row = find_call(record.call);
    std::string out = call_name(record.call);
    if (is_about_agent(record))
        out += " " + names.with_id(record.subject);
    else if (record.subject != 0)
        out += std::format(" object {}", record.subject);
    const std::string_view name = row != nullptr ? row->name : std::string_view();
    if (name == "agent_exit") return out + std::format(": status {}", one);
    if (name == "agent_control")
        return out + (one == static_cast<std::uint64_t>(AgentAction::pause) ? ": pause" : ": resume");
    if (name == "agent_kill") return out + std::format(": reason {}", one);
    if (name == "agent_budget") return out + std::format(": budget {}", one);
    if (name == "agent_grant") return out + ": " + describe_spent(record);
    if (name == "handle_derive")
        return out + std::format(": rights {}; handle {:#x} out of {:#x}", rights_names(one), three, two);
    if (name == "handle_revoke") return out + std::format(": handle {:#x}", two);
    if (name == "agent_supervisor_register") return out + std::format(": queue {}, key {:#x}", one, two);
    if (name == "frame_alloc") return out + ": " + counted(one, "frame");
    if (name == "page_map") return out + std::format(": offset {:#x}, {} bytes, protection {}", one, two, three);
    if (one != 0 || two != 0 || three != 0) out += std::format(": details {} {} {}", one, two, three);
    return out;
}

std::string describe_boot(const AuditRecord& record) {
    const auto& [path, seed_fixed, processors] = record.detail;
    return std::format("boot by {}, {}, seed {}",
                       path == 1   ? "PVH"
                       : path == 2 ? "UEFI"
                                   : std::format("path {}", path),
                       counted(processors, "processor"), seed_fixed != 0 ? "fixed" : "random");
}

std::string describe_start(const AuditRecord& record, const AuditNames& names) {
    const auto& [kind, memory, handles] = record.detail;
    const bool is_native = (kind & 0xff) == static_cast<std::uint64_t>(PersonalityKind::native);
    return std::format("starts {}: {}{}, {}, {}", names.with_id(record.subject), is_native ? "native" : "linux",
                       (kind >> 8 & kSpawnJit) != 0 ? " with jit" : "", human_bytes(memory),
                       counted(handles, "handle"));
}

} // namespace

std::optional<AuditRecord> decode_audit_record(std::string_view item) {
    auto record = messages::decode<AuditRecord>(as_bytes(item));
    if (!record) return std::nullopt;
    return std::move(*record);
}

std::optional<AuditKind> audit_kind_of(std::uint64_t number) {
    for (const AuditKindRow& row : kAuditKinds)
        if (static_cast<std::uint64_t>(row.kind) == number) return row.kind;
    return std::nullopt;
}

std::string audit_kind_name(std::uint64_t number) {
    const auto kind = audit_kind_of(number);
    if (!kind) return std::format("kind {}", number);
    return std::string(std::ranges::find(kAuditKinds, *kind, &AuditKindRow::kind)->name);
}

bool is_audit_kind(std::string_view name) {
    return std::ranges::find(kAuditKinds, name, &AuditKindRow::name) != std::end(kAuditKinds);
}

std::string audit_kind_list() {
    std::string list;
    for (const AuditKindRow& row : kAuditKinds) {
        if (!list.empty()) list += &row == std::end(kAuditKinds) - 1 ? " or " : ", ";
        list += row.name;
    }
    return list;
}

std::string call_name(std::uint64_t call) {
    const CallRow* row = find_call(call);
    return row != nullptr ? std::string(row->document_name) : std::format("call {}", call);
}

std::optional<CallCheck> find_call_named(std::string_view document_name) {
    const auto* row = std::ranges::find(kCalls, document_name, &CallRow::document_name);
    if (row == std::end(kCalls)) return std::nullopt;
    CallCheck check{row->number, ObjectType::any, rights::none};
#define OBJECT(name, number, sentence)                                                                                 \
    if (row->object == #name) check.type = ObjectType::name;
#include "abi/objects.def"
#undef OBJECT
#define RIGHT(name, bit, sentence)                                                                                     \
    if (row->right == #name) check.right = rights::name;
#include "abi/rights.def"
#undef RIGHT
    return check;
}

std::string rights_names(std::uint64_t bits) {
    const std::uint64_t known = rights::all.bits();
    std::string names;
    for (std::uint64_t bit = 0; bit < 64; ++bit) {
        if ((bits >> bit & 1) == 0) continue;
        if (!names.empty()) names += ' ';
        names += (known >> bit & 1) != 0 ? right_name(bit) : std::to_string(bit);
    }
    return names.empty() ? "none" : names;
}

AuditNames::AuditNames(const std::vector<AuditRecord>& records) {
    for (const AuditRecord& record : records)
        if (audit_kind_of(record.kind) == agent_start) names_[record.subject] = record.name.value_or("");
}

std::string_view AuditNames::of(std::uint64_t agent) const {
    if (agent == 0) return "kernel";
    const auto name = names_.find(agent);
    return name != names_.end() ? std::string_view(name->second) : std::string_view();
}

std::string AuditNames::with_id(std::uint64_t agent) const {
    if (agent == 0) return "kernel";
    const std::string_view name = of(agent);
    return name.empty() ? std::format("agent {}", agent) : std::format("{} ({})", printable(name), agent);
}

bool AuditNames::has(std::string_view name) const {
    return name == "kernel" || std::ranges::any_of(names_, [&](const auto& known) { return known.second == name; });
}

std::string AuditNames::list() const {
    std::set<std::string_view> all;
    for (const auto& [agent, name] : names_)
        all.insert(name);
    std::string out;
    for (const std::string_view name : all)
        out += printable(name) + ", ";
    return out + "kernel";
}

std::string trace_text(const AuditRecord& record) { return record.trace ? hex(as_text(*record.trace)) : ""; }

bool is_about_agent(const AuditRecord& record) {
    if (record.subject == 0) return false;
    const auto kind = audit_kind_of(record.kind);
    if (!kind) return false;
    switch (*kind) {
    case agent_start:
    case agent_end:
    case fault:
    case service_refusal:
    case hold_uncertain:
    case overrun:
    case trace:
        return true;
    case call: {
        const CallRow* row = find_call(record.call);
        return row != nullptr && row->object == "agent";
    }
    case boot:
    case refusal:
    case integrity:
    case power:
        return false;
    }
    return false;
}

std::string describe_record(const AuditRecord& record, const AuditNames& names) {
    const auto& [one, two, three] = record.detail;
    const auto kind = audit_kind_of(record.kind);
    if (!kind)
        return std::format("subject {}, call {}, details {} {} {}", record.subject, record.call, one, two, three);
    switch (*kind) {
    case boot:
        return describe_boot(record);
    case call:
        return describe_call(record, names);
    case refusal:
        if (record.call == 0 && record.detail == decltype(record.detail){}) // those that have no record of their own
            return counted(record.count, "refusal") + " of one or several kinds";
        return std::format("{} refused: {}; needs {} with {}{}", call_name(record.call), error_name(three),
                           type_name(one), rights_names(two),
                           record.count > 1 ? std::format("; {} times", with_thousands(record.count)) : "");
    case agent_start:
        return describe_start(record, names);
    case agent_end:
        return std::format("{} ended: {}", names.with_id(record.subject != 0 ? record.subject : record.agent),
                           describe_agent_end(record));
    case fault:
        return std::format("fault of vector {} at {:#x}, instruction {:#x}", one, two, three);
    case integrity:
        return std::format("page {} of {} does not match its hash", one, printable(record.name.value_or("")));
    case power:
        return std::format("power {}, status {}", one == 0 ? "off" : "reset", two);
    case service_refusal:
        return std::format("refused {}: {}{}", names.with_id(record.subject), printable(record.name.value_or("")),
                           record.count > 1 ? std::format(", the first of {}", with_thousands(record.count)) : "");
    case hold_uncertain:
        return std::format("{} of {} uncertain: {}", counted(record.count, "hold"), names.with_id(record.subject),
                           describe_spent(record));
    case overrun:
        return std::format("{} beyond the limit of {}: {}", counted(record.count, "charge"),
                           names.with_id(record.subject), describe_spent(record));
    case trace:
        return std::format("begins trace {} with: {}", trace_text(record), printable(record.name.value_or("")));
    }
    return {};
}

} // namespace aios::host
