// `aios audit verify FILE|DISK [--trust PUB] [--from CHECKPOINT] [--record N]` and
// `aios audit show FILE [--agent NAME] [--kind KIND] [--trace TRACE] [-o json]`.
#include <cstdio>
#include <format>

#include <sys/stat.h>

#include "base/bytes.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/json_text.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/audit_record.hpp"

namespace aios::host {

namespace {

void print(const std::string& line) { std::printf("%s\n", line.c_str()); }

// What the grammar has room for and this version does not have.
Outcome<> refuse_what_is_not_there(const AuditOptions& options) {
    struct stat status{};
    if (::stat(options.log.c_str(), &status) == 0 && S_ISBLK(status.st_mode))
        return failure(Exit::bad_input, std::format("'{}' is a disk; this version keeps no audit log on a disk.",
                                                    printable(options.log.native())));
    if (options.trust)
        return failure(Exit::bad_input, "--trust has nothing to check: the logs of this version carry no signature.");
    if (options.checkpoint)
        return failure(Exit::bad_input, "--from has nothing to start from: this version makes no checkpoints.");
    return {};
}

Outcome<> print_inclusion(const AuditLog& log, std::uint64_t index) {
    if (index >= log.records.size())
        return failure(Exit::bad_input, std::format("there is no record {}; the log holds {}, counted from 0.", index,
                                                    counted(log.records.size(), "record")));
    const std::string& record = log.records[index];
    const std::vector<Hash> proof = prove_inclusion(log.records, index);
    print(std::format("record {}: {}", index, diagnostic(record)));
    print(std::format("inclusion proof in the tree of {}:", counted(log.records.size(), "record")));
    for (const Hash& hash : proof)
        print("  " + hex(as_text(hash)));
    if (!verify_inclusion(record, index, log.records.size(), proof, log.head->root))
        return failure(Exit::bad_input,
                       std::format("the log is damaged: the proof of record {} does not lead to its root.", index));
    print("the proof leads to the root");
    return {};
}

Outcome<Exit> verify(const AuditOptions& options) {
    HOST_TRY(refuse_what_is_not_there(options));
    const AuditLog log = HOST_TRY(read_audit_log(options.log));
    const Hash root = audit_root(log.records);
    if (!log.head)
        return failure(Exit::bad_input,
                       std::format("the log was not closed: the run ended before the kernel gave its root, so nothing "
                                   "vouches for its {}; ./aios audit show prints what there is.",
                                   counted(log.records.size(), "record")));
    if (root != log.head->root)
        return failure(Exit::bad_input,
                       std::format("the log is damaged: its records give the root {}, but the kernel gave {}.",
                                   hex(as_text(root)), hex(as_text(log.head->root))));
    print(std::format("{}, root {}", counted(log.records.size(), "record"), hex(as_text(root))));
    if (options.record) HOST_TRY(print_inclusion(log, *options.record));
    print("consistent, signer unknown");
    return Exit::well;
}

bool is_wanted(const AuditRecord& record, const AuditNames& names, const AuditOptions& options) {
    if (options.kind && audit_kind_name(record.kind) != *options.kind) return false;
    if (options.trace && trace_text(record) != *options.trace) return false;
    if (!options.agent) return true;
    return names.of(record.agent) == *options.agent ||
           (is_about_agent(record) && names.of(record.subject) == *options.agent);
}

void print_text(const AuditRecord& record, const AuditNames& names) {
    print(std::format("{:>6} {:>12.6f} s  {:<15} {:<22} {}", record.index, static_cast<double>(record.time_ns) / 1e9,
                      audit_kind_name(record.kind), names.with_id(record.agent), describe_record(record, names)));
}

nlohmann::ordered_json record_json(const AuditRecord& record, const AuditNames& names) {
    nlohmann::ordered_json out = {
        {"index", record.index},
        {"time_ns", record.time_ns},
        {"kind", audit_kind_name(record.kind)},
        {"agent", record.agent},
        {"agent_name", names.of(record.agent)},
        {"subject", record.subject},
    };
    if (is_about_agent(record)) out["subject_name"] = names.of(record.subject);
    if (record.call != 0) out["call"] = call_name(record.call);
    out["details"] = record.detail;
    out["count"] = record.count;
    if (record.digest) out["digest"] = hex(as_text(*record.digest));
    if (record.name) out["name"] = *record.name;
    if (record.trace) out["trace"] = trace_text(record);
    out["text"] = describe_record(record, names);
    return out;
}

Outcome<Exit> show(const AuditOptions& options) {
    const AuditLog log = HOST_TRY(read_audit_log(options.log));
    std::vector<AuditRecord> records;
    for (std::size_t i = 0; i < log.records.size(); ++i) {
        auto record = decode_audit_record(log.records[i]);
        if (!record)
            return failure(Exit::bad_input,
                           std::format("record {} of the log cannot be read: {}.", i, diagnostic(log.records[i])));
        records.push_back(std::move(*record));
    }
    const AuditNames names(records);
    if (options.agent && !names.has(*options.agent))
        return failure(Exit::bad_input, std::format("the log names no agent '{}'; it names {}.",
                                                    printable(*options.agent), names.list()));
    auto list = nlohmann::ordered_json::array();
    for (const AuditRecord& record : records) {
        if (!is_wanted(record, names, options)) continue;
        if (options.json)
            list.push_back(record_json(record, names));
        else
            print_text(record, names);
    }
    if (options.json) std::fputs(json_text(list).c_str(), stdout);
    if (!log.head) std::fputs("aios: note: the log was not closed; its last records are missing\n", stderr);
    return Exit::well;
}

} // namespace

Outcome<Exit> command_audit(const Places&, ArgumentList arguments) {
    const AuditOptions options = HOST_TRY(parse_audit(arguments));
    return options.action == AuditAction::show ? show(options) : verify(options);
}

} // namespace aios::host
