// A report as JSON: docs/report.schema.json says what each member means.
#include <algorithm>

#include "base/bytes.hpp"
#include "tools/aios/host/json_text.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

using Json = nlohmann::ordered_json;

// The rows of a list, each as `make` shows it.
template <typename Rows, typename Make>
Json list(const Rows& rows, Make make) {
    Json out = Json::array();
    for (const auto& row : rows)
        out.push_back(make(row));
    return out;
}

std::string hex_of(const Hash& hash) { return hex(as_text(hash)); }

Json passage_json(const Passage& passage) {
    return Json{
        {"file", passage.file},   {"first", passage.first}, {"last", passage.last},
        {"score", passage.score}, {"text", passage.text},   {"verified", passage.found == Quotation::verified},
    };
}

Json answer_json(const std::string& question, const Answer& answer) {
    return Json{
        {"question", question},
        {"answered", answer.answered},
        {"text", answer.text},
        {"agent", answer.agent},
        {"quoted", answer.answered && is_made_of(answer, Of::verified_passages)},
        {"passages", list(answer.passages, passage_json)},
    };
}

Json answers_json(const Report& report) {
    Json out = Json::array();
    for (std::size_t i = 0; i < report.questions.size(); ++i) {
        const auto answer = report.record.answers.find(i);
        out.push_back(
            answer_json(report.questions[i], answer != report.record.answers.end() ? answer->second : Answer{}));
    }
    return out;
}

Json boot_json(const Report& report) {
    Json out = {
        {"path", report.boot_kind},
        {"accelerator", report.accelerator},
        {"accelerator_reason", report.accelerator_reason},
        {"processors", report.processors},
        {"memory_mib", report.memory_mib},
        {"documents", report.documents},
        {"document_bytes", report.document_bytes},
        {"run_seconds", report.seconds},
    };
    if (const auto& boot = report.record.boot) {
        out["label"] = boot->label;
        out["seed_fixed"] = boot->seed_fixed;
        out["tsc_khz"] = boot->tsc_khz;
        out["entry_to_first_user_ticks"] = boot->first_user_tsc - std::min(boot->entry_tsc, boot->first_user_tsc);
        out["entry_to_first_user_ms"] = boot->milliseconds();
    }
    return out;
}

Json skipped_json(const SkippedFile& file) { return Json{{"file", file.name}, {"reason", skip_reason(file.why)}}; }

Json converted_json(const ConvertedFile& file) { return Json{{"file", file.name}, {"from", file.from}}; }

Json spent_json(const messages::owned::SpentAccount& spent) {
    return Json{{"resource", resource_name(spent.resource)}, {"limit", spent.limit}, {"used", spent.used}};
}

Json agent_json(const Account& account) {
    Json out{
        {"id", account.id},
        {"name", account.name},
        {"parent", account.parent},
        {"state", describe_state(account)},
        {"cpu_ns", account.cpu_ns},
        {"memory_peak_bytes", account.memory_peak_bytes},
        {"memory_quota_bytes", account.quota_memory_bytes},
        {"messages_sent", account.messages_sent},
        {"messages_received", account.messages_received},
        {"checks_granted", account.checks_granted},
        {"checks_refused", account.checks_refused},
        {"identity", hex_of(account.identity)},
    };
    if (account.spent) out["spent"] = list(*account.spent, spent_json);
    return out;
}

Json candidate_json(const Candidate& candidate) { return Json{{"agent", candidate.agent}, {"score", candidate.score}}; }

Json route_json(const Route& route) {
    return Json{
        {"intent", route.intent},
        {"agent", route.agent},
        {"why", route.why},
        {"candidates", list(route.candidates, candidate_json)},
    };
}

Json check_json(const CheckCount& count) {
    return Json{
        {"object", type_name(count.type)},
        {"right", right_name(count.right)},
        {"granted", count.granted},
        {"refused", count.refused},
    };
}

Json refusal_json(const RefusalRow& row) {
    return Json{
        {"agent", row.agent},
        {"by", row.by},
        {"call", row.call},
        {"object", row.object},
        {"text", row.text},
        {"count", row.count},
        {"grant", row.grant.line},
        {"place", row.grant.place},
        {"why_no_grant", row.grant.why},
    };
}

Json note_json(const Remark& remark) { return Json{{"agent", remark.agent}, {"text", remark.text}}; }

Json audit_json(const Report& report) {
    const auto& head = report.record.head;
    Json out = {
        {"records", report.record.audit.size()},
        {"root", hex_of(report.recomputed_root)},
        {"closed", head.has_value()},
    };
    if (head) out["kernel_root"] = hex_of(head->root);
    out["file"] = report.audit_file;
    return out;
}

} // namespace

std::string report_json(const Report& report) {
    const RunRecord& record = report.record;
    return json_text(Json{
        {"outcome", report.outcome},
        {"exit_status", report.exit_status},
        {"cause", report.cause},
        {"answers", answers_json(report)},
        {"boot", boot_json(report)},
        {"skipped", list(report.skipped, skipped_json)},
        {"converted", list(report.converted, converted_json)},
        {"agents", list(record.agents, [](const auto& row) { return agent_json(row.second); })},
        {"plan", record.plan},
        {"routes", list(record.routes, route_json)},
        {"checks", list(record.checks, check_json)},
        {"refusals", list(report.refusals, refusal_json)},
        {"notes", list(record.notes, note_json)},
        {"audit", audit_json(report)},
    });
}

} // namespace aios::host
