#include "tools/aios/record/record.hpp"

#include <format>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/record/cause.hpp"
#include "tools/aios/record/record_job.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

using cbor::Decoder;

std::string own(Bytes bytes) { return std::string(as_text(bytes)); }

void keep_console(const Frame& frame, std::string_view text, RunRecord& record, const RunEvents& events) {
    if (record.consoles.size() < kMaxAgents || record.consoles.contains(std::string(frame.name))) {
        std::string& kept = record.consoles[std::string(frame.name)];
        kept += text;
        if (kept.size() > kConsoleKept) kept.erase(0, kept.size() - kConsoleKept);
    }
    if (events.console) events.console(frame.name, text);
}

Result<> read_checks(Decoder& in, RunRecord& record) {
    std::vector<CheckCount> checks;
    TRY(messages::take(in, checks));
    record.checks = std::move(checks);
    return {};
}

Result<> read_body(const Frame& frame, std::size_t question_count, RunRecord& record, const RunEvents& events) {
    Decoder in(frame.body);
    switch (frame.kind) {
    case FrameKind::console:
        keep_console(frame, as_text(TRY(in.bytes())), record, events);
        break;
    case FrameKind::job_output: {
        const Bytes message = TRY(in.bytes());
        TRY(take_job_output(message, frame.name, question_count, record, events));
        break;
    }
    case FrameKind::audit_records:
        TRY(in.array_begin());
        while (TRY(in.array_next())) {
            const Bytes bytes = TRY(in.bytes());
            record.audit_bytes += bytes.size() + sizeof(std::string);
            if (record.audit_bytes > kMaxAuditBytes) return fail(Error::too_large);
            record.audit.push_back(own(bytes));
        }
        break;
    case FrameKind::audit_head: {
        AuditHead head;
        TRY(messages::take(in, head));
        record.head = head;
        break;
    }
    case FrameKind::account: {
        Account account;
        TRY(messages::take<messages::owned::Account>(in, account));
        account.after_done = record.done.has_value();
        if (is_trouble(account)) add_trouble(record, account.name, describe_end(account));
        if (record.agents.size() >= kMaxAgents && !record.agents.contains(account.id)) return fail(Error::too_large);
        record.agents.insert_or_assign(account.id, std::move(account));
        break;
    }
    case FrameKind::boot_facts: {
        BootFacts facts;
        TRY(messages::take<messages::owned::BootFacts>(in, facts));
        record.boot = std::move(facts);
        if (events.booted) events.booted();
        break;
    }
    case FrameKind::checks:
        TRY(read_checks(in, record));
        break;
    case FrameKind::note: {
        if (record.notes.size() >= kMaxRoutes) return fail(Error::too_large);
        record.notes.push_back({std::string(frame.name), std::string(TRY(in.text()))});
        add_trouble(record, record.notes.back().agent, record.notes.back().text);
        if (events.note) events.note(record.notes.back());
        break;
    }
    default:
        return fail(Error::bad_format);
    }
    return in.finish();
}

} // namespace

double BootFacts::milliseconds() const {
    if (tsc_khz == 0 || first_user_tsc < entry_tsc) return 0;
    return static_cast<double>(first_user_tsc - entry_tsc) / static_cast<double>(tsc_khz);
}

Outcome<> take_frame(const Frame& frame, std::size_t question_count, RunRecord& record, const RunEvents& events) {
    const Result<> taken = read_body(frame, question_count, record, events);
    if (taken) return {};
    return failure(Exit::failed_inside, std::format("a frame of kind {} from agent {} cannot be read: {}.",
                                                    static_cast<std::uint64_t>(frame.kind), frame.agent,
                                                    error_info(taken.error()).sentence));
}

} // namespace aios::host
