#include "tools/aios/record/audit_log.hpp"

#include <format>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "crypto/merkle.hpp"
#include "messages/view.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using messages::view::LogHead;

// A CBOR sequence: each item is read by a decoder of its own.
Result<std::pair<LogHead, AuditLog>> parse(Bytes rest) {
    LogHead head;
    AuditLog log;
    {
        cbor::Decoder in(rest);
        TRY(messages::take(in, head));
        rest = rest.subspan(in.position());
    }
    while (!rest.empty()) {
        cbor::Decoder in(rest);
        log.records.emplace_back(as_text(TRY(in.bytes())));
        rest = rest.subspan(in.position());
    }
    if (head.root) log.head = AuditHead{head.records, *head.root};
    return std::pair(head, std::move(log));
}

std::vector<crypto::MerkleHash> leaves_of(const std::vector<std::string>& records) {
    std::vector<crypto::MerkleHash> leaves;
    leaves.reserve(records.size());
    for (const std::string& record : records)
        leaves.push_back(crypto::merkle_leaf(as_bytes(record)));
    return leaves;
}

// Appends the item that `in` stands before. Strings are shown as JSON-like text or h'..'.
Result<> describe_item(cbor::Decoder& in, std::string& out);

Result<> describe_array(cbor::Decoder& in, std::string& out) {
    TRY(in.array_begin());
    out += '[';
    for (bool first = true; TRY(in.array_next()); first = false) {
        if (!first) out += ", ";
        TRY(describe_item(in, out));
    }
    out += ']';
    return {};
}

Result<> describe_map(cbor::Decoder& in, std::string& out) {
    TRY(in.map_begin());
    out += '{';
    for (bool first = true; const auto key = TRY(in.next_key()); first = false) {
        if (!first) out += ", ";
        switch (key->type) {
        case cbor::Type::uint:
            out += std::to_string(key->value);
            break;
        case cbor::Type::negative:
            out += std::format("-1-{}", key->value);
            break;
        default:
            out += '"' + printable(key->name) + '"';
        }
        out += ": ";
        TRY(describe_item(in, out));
    }
    out += '}';
    return {};
}

Result<> describe_item(cbor::Decoder& in, std::string& out) {
    switch (TRY(in.peek())) {
    case cbor::Type::uint:
        out += std::to_string(TRY(in.uint()));
        break;
    case cbor::Type::negative:
        out += std::to_string(TRY(in.integer()));
        break;
    case cbor::Type::bytes:
        out += "h'" + hex(as_text(TRY(in.bytes()))) + "'";
        break;
    case cbor::Type::text:
        out += '"' + printable(TRY(in.text())) + '"';
        break;
    case cbor::Type::array:
        return describe_array(in, out);
    case cbor::Type::map:
        return describe_map(in, out);
    case cbor::Type::boolean:
        out += TRY(in.boolean()) ? "true" : "false";
        break;
    case cbor::Type::null:
        TRY(in.null());
        out += "null";
        break;
    case cbor::Type::floating:
        out += std::format("{}", TRY(in.float64()));
        break;
    }
    return {};
}

} // namespace

Outcome<AuditLog> parse_audit_log(std::string_view bytes) {
    auto parsed = parse(as_bytes(bytes));
    if (!parsed)
        return failure(Exit::bad_input,
                       std::format("this is not an audit log: {}.", error_info(parsed.error()).sentence));
    auto& [head, log] = *parsed;
    if (log.records.size() != head.records)
        return failure(Exit::bad_input, std::format("the log is damaged: it holds {}, but its head says {}.",
                                                    counted(log.records.size(), "record"), head.records));
    return std::move(log);
}

Outcome<AuditLog> read_audit_log(const std::filesystem::path& path) {
    return parse_audit_log(HOST_TRY(read_file(path, kMaxLogBytes)));
}

Outcome<> write_audit_log(const std::filesystem::path& path, const std::vector<std::string>& records,
                          const std::optional<AuditHead>& head) {
    const bool closed = head && head->records == records.size();
    std::byte buffer[128];
    const auto encoded = messages::encode(
        buffer, LogHead{.records = records.size(), .root = closed ? std::optional(head->root) : std::nullopt});
    if (!encoded) return failure(Exit::failed_inside, "the head of the audit log cannot be encoded.");
    std::string file(as_text(*encoded));
    std::string item;
    for (const std::string& record : records) {
        item.resize(record.size() + cbor::kMaxHead);
        cbor::Encoder one(std::as_writable_bytes(std::span(item)));
        one.bytes(as_bytes(record));
        file.append(item, 0, one.size());
    }
    return replace_file(path, file);
}

Hash audit_root(const std::vector<std::string>& records) { return crypto::merkle_root(leaves_of(records)); }

std::vector<Hash> prove_inclusion(const std::vector<std::string>& records, std::uint64_t index) {
    std::vector<Hash> proof(crypto::kMaxMerkleProof);
    const auto length = crypto::merkle_inclusion_proof(leaves_of(records), index, proof);
    proof.resize(length.value_or(0));
    return proof;
}

bool verify_inclusion(std::string_view record, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof,
                      const Hash& root) {
    return crypto::merkle_verify_inclusion(crypto::merkle_leaf(as_bytes(record)), index, size, proof, root).has_value();
}

std::string diagnostic(std::string_view item) {
    std::string out;
    cbor::Decoder in(as_bytes(item));
    if (!describe_item(in, out) || !in.finish()) return "not CBOR";
    return out;
}

} // namespace aios::host
