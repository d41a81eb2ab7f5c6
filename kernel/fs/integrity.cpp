// What happens when a bundle page does not match its hash: a record in the audit log and a sentence to the host, both
// naming entry and page. Who touched the page gets Error::integrity.
#include <algorithm>

#include "base/cbor.hpp"
#include "base/format.hpp"
#include "kernel/agent/agent.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/fs/section.hpp"
#include "kernel/host/output.hpp"

namespace aios::fs {

void report_integrity(std::string_view entry, std::uint64_t page) {
    audit::Record record;
    record.kind = audit::Kind::integrity;
    const Process* process = Process::current_or_null();
    if (process != nullptr) record.agent = process->agent().id();
    record.detail[0] = page;
    // The name holds the end of the path, as printable ASCII; the note below has all of it.
    audit::set_name(record, entry.substr(entry.size() - std::min(entry.size(), kMaxAuditText)));
    audit::Account& account = process != nullptr ? process->agent().audit() : audit::kernel_account();
    audit::record(account, record, audit::Use::urgent);

    char text[kMaxPathBytes + 160];
    const std::string_view sentence =
        format_to(text, "integrity: page {} of bundle entry '{}' does not match its hash; what touched it is stopped",
                  page, entry);
    std::byte encoded[sizeof text + cbor::kMaxHead];
    cbor::Encoder out{MutableBytes(encoded)};
    out.text(sentence);
    if (const Result<Bytes> body = out.finish()) upcall::send_frame(FrameKind::note, record.agent, "kernel", *body);
}

} // namespace aios::fs
