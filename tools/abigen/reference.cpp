#include "tools/abigen/reference.hpp"

#include <format>
#include <string_view>
#include <vector>

#include "abi/errors.hpp"
#include "abi/resources.hpp"
#include "abi/rights.hpp"

namespace aios::abigen {

namespace {

struct Row {
    unsigned number;
    std::string_view name, document_name, object, right, audit, restart, charge, arguments;
};

const std::vector<Row> kCalls = {
#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments)                            \
    {number, #name, document_name, #object, #right, #audit, #restart, charge, #arguments},
#include "abi/calls.def"
#undef CALL
};

struct Named {
    std::string_view name;
    unsigned number;
    std::string_view sentence;
};
const std::vector<Named> kObjects = {
#define OBJECT(name, number, sentence) {#name, number, sentence},
#include "abi/objects.def"
#undef OBJECT
};
const std::vector<Named> kRights = {
#define RIGHT(name, bit, sentence) {#name, bit, sentence},
#include "abi/rights.def"
#undef RIGHT
};
struct ResourceText {
    std::string_view name;
    unsigned number;
    std::string_view field, kind, unit, sentence;
};
const std::vector<ResourceText> kResourceTexts = {
#define RESOURCE(name, number, field, kind, unit, sentence) {#name, number, #field, #kind, unit, sentence},
#include "abi/resources.def"
#undef RESOURCE
};
const std::vector<Named> kAuditKindTexts = {
#define AUDIT_KIND(name, number, sentence) {#name, number, sentence},
#include "abi/audit_kinds.def"
#undef AUDIT_KIND
};
struct ErrorRow {
    std::string_view name;
    unsigned number;
    std::string_view retry, fault, sentence;
};
const std::vector<ErrorRow> kErrors = {
#define ERROR(name, number, retry, fault, sentence) {#name, number, #retry, #fault, sentence},
#include "abi/errors.def"
#undef ERROR
};

// What the table has no column for. Everything else is said by the structures in abi/call_types.hpp.
struct Note {
    std::string_view call, text;
};
constexpr Note kNotes[] = {
    {"agent_spawn",
     "Answers an operation at once. The child's program is loaded by the child's own first thread, at the child's "
     "expense; then the operation is done and `get_async_result` gives the handle of the child."},
    {"agent_kill",
     "Ends the agent and all its descendants. Threads leave at their next call boundary; `kSignalEnded` is posted when "
     "everything is taken down and the quota is back."},
    {"agent_control", "`AgentAction`: 0 stops the agent with all its descendants, 1 lets them go on. When it returns "
                      "none of them executes "
                      "an instruction of its program; what is under way in the kernel stops at its next gate. "
                      "`bad_state`: it is ending."},
    {"agent_hint",
     "`AgentHint`: 0 none, 1 interactive, 2 batch, 3 deadline, 4 waiting. `cpu_ns` and `deadline` are for `deadline` "
     "alone, "
     "where neither is 0. It holds until the next one; that of a deadline until the deadline, or until the agent has "
     "had "
     "`cpu_ns`. A parent has the right on its child; `kSpawnWithoutHints` keeps it from the child itself."},
    {"pqc_operation",
     "Algorithms: SHA2-256, SHA2-512, SHA3-256, SHA3-512. All others answer `unsupported` until the crypto library is "
     "wired "
     "in. The input is copied; the work runs as a thread of the caller's process and is billed to it."},
    {"frame_alloc",
     "At most 1,024 contiguous frames (4 MiB). No bus mastering is granted with them: there is no IOMMU driver yet."},
    {"page_map",
     "Maps a range of the device's registers, uncached, never executable; writing needs a resource that allows it."},
    {"console_write",
     "At most 65,536 bytes a call. Each agent may write 64 KiB at once and 1 MiB a second; above that the call waits."},
    {"host_send", "At most 122,880 bytes a call: one CBOR item (job output, abi/messages.cddl)."},
    {"memory_map", "Needs `map`, and `read`, `write`, `execute` for what is asked. Never write and execute at once. A "
                   "wanted address that is "
                   "taken is `already_exists`."},
    {"handle_derive", "At most 64 derivations deep: then `too_large`."},
    {"handle_close", "Also closes a handle whose capability was revoked."},
    {"ipc_send", "At most 65,536 bytes and 8 handles: above that `too_large`."},
    {"ipc_reply_wait", "`reply_to` 0 answers nobody; `next` null sends the reply and does not wait."},
    {"get_async_result",
     "An outcome is fetched once; after that `bad_state`. With too small a buffer the needed size is in `value`."},
    {"log_refusal", "The record names the caller as the one who says so. What it says of one agent within a second may "
                    "become one record."},
    {"agent_grant",
     "The caller must be the child's parent (`bad_argument`); `bad_state`: the child is ending. It gets all of "
     "the amounts, or nothing, and keeps them until it ends."},
    {"agent_budget", "Only of one's own agent. The budget, whoever has it by then, ends with the agent."},
    {"budget_hold", "Takes amounts of spent resources, all or none: `quota_exceeded` if not as much is left, or while "
                    "spending has passed a "
                    "limit. The hold is derived from the budget's handle. When its last handle goes and it was not "
                    "settled, all of it is "
                    "uncertain, which stays against the limit."},
    {"hold_settle",
     "Once. `settled` and `uncertain` (null: none) are together at most what is held: more is `bad_argument`, and "
     "nothing happens. The rest goes back. `bad_state`: it has ended."},
    {"budget_charge",
     "Books what was spent without a hold, or beyond one. It may pass the limit; then every hold is refused "
     "until the limit is raised, or so much comes back."},
    {"node_power", "Accounts, check counts and the whole audit log go to the host first."},
};

std::string signature(const Row& row) {
    std::string text(row.arguments);
    return std::format("{}{}", row.name, text);
}

} // namespace

std::string call_reference() {
    std::string out =
        "# Native system calls\n\n"
        "Made from `abi/*.def` by `tools/abigen`; do not edit. A native call is SYSCALL with its number in rax, "
        "arguments in rdi, rsi,\n"
        "rdx, r10, r8, r9, and its result in rax: a value that is not negative, or minus the number of an error. Calls "
        "below 4096 belong to\n"
        "the process's personality. Structures and limits are in `abi/call_types.hpp`; a program calls "
        "`aios::sys::NAME` from\n"
        "`runtime/kernel/calls.hpp`. The handle in the first argument is checked first: its type, then its right.\n\n"
        "Audit classes: `never` uses what one holds; `refusal` is recorded when a check refuses it; `always` is "
        "recorded also when it is\n"
        "granted, because it makes, moves or revokes authority or changes a life.\n\n"
        "When stopped, a thread that is in the call: `again` and `interrupted` stop in its wait, `outcome` comes to "
        "its "
        "end first\n"
        "(`abi/restart.hpp`).\n\n"
        "| number | call | in documents | object | right | audit | when stopped | what the caller pays |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for (const Row& row : kCalls)
        out += std::format("| {} | `{}` | {} | {} | {} | {} | {} | {} |\n", row.number, signature(row),
                           row.document_name, row.object, row.right, row.audit, row.restart, row.charge);
    out += "\n## Notes\n\n";
    for (const Note& note : kNotes)
        out += std::format("- `{}`: {}\n", note.call, note.text);
    out += "\n## Objects\n\n| number | type | what it is |\n| --- | --- | --- |\n";
    for (const Named& row : kObjects)
        out += std::format("| {} | `{}` | {} |\n", row.number, row.name, row.sentence);
    out += "\n## Rights\n\n| bit | right | what it allows |\n| --- | --- | --- |\n";
    for (const Named& row : kRights)
        out += std::format("| {} | `{}` | {} |\n", row.number, row.name, row.sentence);
    out +=
        "\n## Resources\n\nWhat is held comes back when it is let go; what is spent never does.\n\n"
        "| number | resource | in `QuotaGrant` | kind | unit | what it is |\n| --- | --- | --- | --- | --- | --- |\n";
    for (const ResourceText& row : kResourceTexts)
        out += std::format("| {} | `{}` | `{}` | {} | {} | {} |\n", row.number, row.name, row.field, row.kind, row.unit,
                           row.sentence);
    out += "\n## Kinds of audit records\n\nThe record itself: messages.md, `AuditRecord`.\n\n"
           "| number | kind | what it says |\n| --- | --- | --- |\n";
    for (const Named& row : kAuditKindTexts)
        out += std::format("| {} | `{}` | {} |\n", row.number, row.name, row.sentence);
    out += "\n## Errors\n\n| number | error | a retry can help | who is at fault | meaning |\n| --- | --- | --- | --- "
           "| --- |\n";
    for (const ErrorRow& row : kErrors)
        out += std::format("| {} | `{}` | {} | {} | {} |\n", row.number, row.name, row.retry, row.fault, row.sentence);
    return out;
}

} // namespace aios::abigen
