// `aios audit verify FILE [--record N]`.
#include <cstdio>
#include <format>

#include "base/bytes.hpp"
#include "tools/aios/audit_log.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

void print(const std::string& line) { std::printf("%s\n", line.c_str()); }

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
    if (!verify_inclusion(record, index, log.records.size(), proof, log.head.root))
        return failure(Exit::bad_input,
                       std::format("the log is damaged: the proof of record {} does not lead to its root.", index));
    print("the proof leads to the root");
    return {};
}

} // namespace

Outcome<Exit> command_audit(const Places&, ArgumentList arguments) {
    const AuditOptions options = HOST_TRY(parse_audit(arguments));
    const AuditLog log = HOST_TRY(read_audit_log(options.log));
    const Hash root = audit_root(log.records);
    if (root != log.head.root)
        return failure(Exit::bad_input,
                       std::format("the log is damaged: its records give the root {}, but the kernel gave {}.",
                                   hex(as_text(root)), hex(as_text(log.head.root))));
    print(std::format("{}, root {}", counted(log.records.size(), "record"), hex(as_text(root))));
    if (options.record) HOST_TRY(print_inclusion(log, *options.record));
    print("the log is whole (it is not signed yet: this does not show who wrote it)");
    return Exit::well;
}

} // namespace aios::host
