#include "base/bytes.hpp"
#include "tools/aios/json_writer.hpp"
#include "tools/aios/report.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

void write_answer(JsonWriter& out, const std::string& question, const Answer& answer) {
    out.object();
    out.key("question").string(question);
    out.key("answered").boolean(answer.answered);
    out.key("text").string(answer.text);
    out.key("agent").string(answer.agent);
    out.key("quoted").boolean(answer.answered && is_made_of(answer, Of::verified_passages));
    out.key("passages").array();
    for (const Passage& passage : answer.passages) {
        out.object();
        out.key("file").string(passage.file);
        out.key("first").number(passage.first);
        out.key("last").number(passage.last);
        out.key("score").real(passage.score);
        out.key("text").string(passage.text);
        out.key("verified").boolean(passage.found == Quotation::verified);
        out.end();
    }
    out.end().end();
}

void write_boot(JsonWriter& out, const Report& report) {
    out.key("boot").object();
    out.key("path").string(report.boot_kind);
    out.key("accelerator").string(report.accelerator);
    out.key("accelerator_reason").string(report.accelerator_reason);
    out.key("processors").number(report.processors);
    out.key("memory_mib").number(report.memory_mib);
    out.key("documents").number(report.documents);
    out.key("document_bytes").number(report.document_bytes);
    out.key("run_seconds").real(report.seconds);
    if (const auto& boot = report.record.boot) {
        out.key("label").string(boot->label);
        out.key("seed_fixed").boolean(boot->seed_fixed);
        out.key("tsc_khz").number(boot->tsc_khz);
        out.key("entry_to_first_user_ticks")
            .number(boot->first_user_tsc - std::min(boot->entry_tsc, boot->first_user_tsc));
        out.key("entry_to_first_user_ms").real(boot->milliseconds());
    }
    out.end();
}

void write_files(JsonWriter& out, const Report& report) {
    out.key("skipped").array();
    for (const SkippedFile& file : report.skipped) {
        out.object();
        out.key("file").string(file.name);
        out.key("reason").string(skip_reason(file.why));
        out.end();
    }
    out.end();
    out.key("converted").array();
    for (const ConvertedFile& file : report.converted) {
        out.object();
        out.key("file").string(file.name);
        out.key("from").string(file.from);
        out.end();
    }
    out.end();
}

void write_agent(JsonWriter& out, const Account& account) {
    out.object();
    out.key("id").number(account.id);
    out.key("name").string(account.name);
    out.key("parent").number(account.parent);
    out.key("state").string(describe_state(account));
    out.key("cpu_ns").number(account.cpu_ns);
    out.key("memory_peak_bytes").number(account.memory_peak_bytes);
    out.key("memory_quota_bytes").number(account.quota_memory_bytes);
    out.key("messages_sent").number(account.messages_sent);
    out.key("messages_received").number(account.messages_received);
    out.key("checks_granted").number(account.checks_granted);
    out.key("checks_refused").number(account.checks_refused);
    out.key("identity").string(hex(as_text(account.identity)));
    out.end();
}

void write_route(JsonWriter& out, const Route& route) {
    out.object();
    out.key("intent").string(route.intent);
    out.key("agent").string(route.agent);
    out.key("why").string(route.why);
    out.key("candidates").array();
    for (const Candidate& candidate : route.candidates) {
        out.object();
        out.key("agent").string(candidate.agent);
        out.key("score").real(candidate.score);
        out.end();
    }
    out.end().end();
}

void write_refusals(JsonWriter& out, const std::vector<RefusalRow>& rows) {
    out.key("refusals").array();
    for (const RefusalRow& row : rows) {
        out.object();
        out.key("agent").string(row.agent);
        out.key("by").string(row.by);
        out.key("call").string(row.call);
        out.key("object").string(row.object);
        out.key("text").string(row.text);
        out.key("count").number(row.count);
        out.key("grant").string(row.grant.line);
        out.key("place").string(row.grant.place);
        out.key("why_no_grant").string(row.grant.why);
        out.end();
    }
    out.end();
}

void write_notes(JsonWriter& out, const std::vector<Remark>& remarks) {
    out.key("notes").array();
    for (const Remark& remark : remarks) {
        out.object();
        out.key("agent").string(remark.agent);
        out.key("text").string(remark.text);
        out.end();
    }
    out.end();
}

void write_audit(JsonWriter& out, const Report& report) {
    const std::string recomputed = hex(as_text(report.recomputed_root));
    out.key("audit").object();
    out.key("records").number(report.record.audit.size());
    out.key("root").string(recomputed);
    out.key("closed").boolean(report.record.head.has_value());
    if (report.record.head) out.key("kernel_root").string(hex(as_text(report.record.head->root)));
    out.key("file").string(report.audit_file);
    out.end();
}

} // namespace

std::string report_json(const Report& report) {
    JsonWriter out;
    out.object();
    out.key("outcome").string(report.outcome);
    out.key("exit_status").number(static_cast<std::uint64_t>(report.exit_status));
    out.key("cause").string(report.cause);
    out.key("answers").array();
    for (std::size_t i = 0; i < report.questions.size(); i++) {
        const auto answer = report.record.answers.find(i);
        write_answer(out, report.questions[i], answer != report.record.answers.end() ? answer->second : Answer{});
    }
    out.end();
    write_boot(out, report);
    write_files(out, report);
    out.key("agents").array();
    for (const auto& [id, account] : report.record.agents)
        write_agent(out, account);
    out.end();
    out.key("plan").string(report.record.plan);
    out.key("routes").array();
    for (const Route& route : report.record.routes)
        write_route(out, route);
    out.end();
    out.key("checks").array();
    for (const CheckCount& count : report.record.checks) {
        out.object();
        out.key("object").string(type_name(count.type));
        out.key("right").string(right_name(count.right));
        out.key("granted").number(count.granted);
        out.key("refused").number(count.refused);
        out.end();
    }
    out.end();
    write_refusals(out, report.refusals);
    write_notes(out, report.record.notes);
    write_audit(out, report);
    out.end();
    return std::move(out).finish();
}

} // namespace aios::host
