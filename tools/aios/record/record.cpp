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

Result<> expect_map(Decoder& in, std::uint64_t pairs) {
    return TRY(in.map_begin()) == pairs ? Result<>() : fail(Error::bad_format);
}

Result<> expect_array(Decoder& in, std::uint64_t items) {
    return TRY(in.array_begin()) == items ? Result<>() : fail(Error::bad_format);
}

// A map whose keys are 0, 1, 2, ... up to `fields`, all required; `read` takes each value.
template <typename Read>
Result<> read_fields(Decoder& in, std::uint64_t fields, Read read) {
    TRY(expect_map(in, fields));
    for (std::uint64_t key = 0; key < fields; ++key) {
        TRY(in.expect_key(key));
        TRY(read(key));
    }
    return in.end();
}

Result<Account> read_account(Decoder& in) {
    Account a;
    std::uint64_t* const numbers[] = {
        &a.id,
        &a.parent,
        &a.state,
        &a.end_reason,
        &a.end_status,
        &a.fault_address,
        &a.cpu_ns,
        &a.memory_bytes,
        &a.memory_peak_bytes,
        &a.quota_memory_bytes,
        &a.quota_handles,
        &a.quota_threads,
        &a.quota_agents,
        &a.messages_sent,
        &a.messages_received,
        &a.checks_granted,
        &a.checks_refused,
    };
    constexpr std::uint64_t kNumbers = std::size(numbers);
    const auto read = [&](std::uint64_t key) -> Result<> {
        if (key < kNumbers)
            *numbers[key] = TRY(in.uint());
        else if (key == kNumbers)
            TRY(in.bytes_into(a.identity));
        else
            a.name = TRY(in.text());
        return {};
    };
    TRY(read_fields(in, kNumbers + 2, read));
    return a;
}

Result<BootFacts> read_boot(Decoder& in) {
    BootFacts b;
    std::uint64_t* const numbers[] = {&b.entry_tsc,  &b.tsc_khz, &b.first_user_tsc,
                                      &b.processors, &b.path,    &b.memory_bytes};
    constexpr std::uint64_t kNumbers = std::size(numbers);
    const auto read = [&](std::uint64_t key) -> Result<> {
        if (key < kNumbers)
            *numbers[key] = TRY(in.uint());
        else if (key == kNumbers)
            b.seed_fixed = TRY(in.boolean());
        else
            b.label = TRY(in.text());
        return {};
    };
    TRY(read_fields(in, kNumbers + 2, read));
    return b;
}

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
    TRY(in.array_begin());
    while (TRY(in.array_next())) {
        CheckCount count;
        TRY(expect_array(in, 4));
        for (std::uint64_t* field : {&count.type, &count.right, &count.granted, &count.refused})
            *field = TRY(in.uint());
        TRY(in.end());
        checks.push_back(count);
    }
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
        TRY(expect_map(in, 2));
        TRY(in.expect_key(0));
        head.records = TRY(in.uint());
        TRY(in.expect_key(1));
        TRY(in.bytes_into(head.root));
        TRY(in.end());
        record.head = head;
        break;
    }
    case FrameKind::account: {
        Account account = TRY(read_account(in));
        account.after_done = record.done.has_value();
        if (is_trouble(account)) add_trouble(record, account.name, describe_end(account));
        if (record.agents.size() >= kMaxAgents && !record.agents.contains(account.id)) return fail(Error::too_large);
        record.agents.insert_or_assign(account.id, std::move(account));
        break;
    }
    case FrameKind::boot_facts:
        record.boot = TRY(read_boot(in));
        if (events.booted) events.booted();
        break;
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
