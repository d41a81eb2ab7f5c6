// What the crew tells the host (job-message in abi/messages.cddl): answers, routes, refusals, progress, the end.
#include "tools/aios/record/record_job.hpp"

#include <format>

#include "base/bytes.hpp"
#include "messages/view.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

namespace view = messages::view;

std::string own(Bytes bytes) { return std::string(as_text(bytes)); }

Passage read_passage(const view::Passage& told, PackedDocuments& documents) {
    const std::string inside = own(told.file);
    Passage p{.file = std::string(documents.name_of(inside)),
              .first = told.first,
              .last = told.last,
              .score = told.score,
              .text = own(told.text)};
    p.found = documents.check(inside, p.first, p.last, p.text);
    return p;
}

void note_misquotes(std::uint64_t question, const Answer& answer, std::string_view told_by, RunRecord& record) {
    record.quotations += answer.passages.size();
    for (const Passage& passage : answer.passages) {
        if (passage.found == Quotation::verified) continue;
        ++record.misquotations;
        if (record.misquotes.size() >= kMaxMisquotes) continue;
        std::string agent = printable(answer.agent);
        if (answer.agent != told_by) agent += std::format(", told by {}", printable(told_by));
        record.misquotes.push_back(
            {question, std::move(agent),
             describe_misquote(passage.found, passage.file, passage.first, passage.last, passage.text)});
    }
}

Result<> take(const view::Answer& told, std::string_view told_by, std::size_t question_count, RunRecord& record,
              const RunEvents& events) {
    if (told.question >= question_count) return fail(Error::bad_argument);
    if (told.passages.size() > kMaxPassages) return fail(Error::too_large);
    Answer answer{.answered = told.answered, .text = own(told.text), .agent = std::string(told.agent), .passages = {}};
    for (const view::Passage& passage : told.passages)
        answer.passages.push_back(read_passage(passage, record.documents));
    note_misquotes(told.question, answer, told_by, record);
    // A service that was restarted may answer again: the later answer counts, and only the first is announced.
    const auto [at, is_new] = record.answers.insert_or_assign(told.question, std::move(answer));
    if (is_new && events.answer) events.answer(told.question, at->second);
    return {};
}

Result<> take(const view::Route& told, RunRecord& record) {
    if (record.routes.size() >= kMaxRoutes) return fail(Error::too_large);
    Route route{.intent = std::string(told.intent),
                .agent = std::string(told.agent),
                .why = std::string(told.why),
                .candidates = {}};
    for (const view::Candidate& candidate : told.candidates)
        route.candidates.push_back({std::string(candidate.agent), candidate.score});
    record.routes.push_back(std::move(route));
    return {};
}

// Without call and object it was told in words alone.
Result<> take(const view::Refusal& told, std::string_view told_by, RunRecord& record) {
    if (told.call.has_value() != told.object.has_value()) return fail(Error::bad_format);
    if (record.refusals.size() >= kMaxRoutes) return fail(Error::too_large);
    record.refusals.push_back({.agent = std::string(told.agent),
                               .text = std::string(told.text),
                               .call = std::string(told.call.value_or("")),
                               .object = std::string(told.object.value_or("")),
                               .told_by = std::string(told_by)});
    return {};
}

void take(const view::Progress& told, RunRecord& record, const RunEvents& events) {
    const auto& [type, text, done, total] = told;
    record.progress = total > 0 ? std::format("{}: {} of {}", text, done, total) : std::string(text);
    if (events.progress) events.progress(text, done, total);
}

} // namespace

Result<> take_job_output(Bytes message, std::string_view told_by, std::size_t question_count, RunRecord& record,
                         const RunEvents& events) {
    const std::string_view type = TRY(messages::type_of(message));
    if (type == messages::type_word<view::Answer>)
        return take(TRY(messages::decode<view::Answer>(message)), told_by, question_count, record, events);
    if (type == messages::type_word<view::Route>) return take(TRY(messages::decode<view::Route>(message)), record);
    if (type == messages::type_word<view::Refusal>)
        return take(TRY(messages::decode<view::Refusal>(message)), told_by, record);
    if (type == messages::type_word<view::Progress>)
        take(TRY(messages::decode<view::Progress>(message)), record, events);
    else if (type == messages::type_word<view::Plan>)
        record.plan = TRY(messages::decode<view::Plan>(message)).text;
    else if (type == messages::type_word<Done>)
        record.done = TRY(messages::decode<Done>(message));
    else
        return fail(Error::bad_format);
    return {};
}

} // namespace aios::host
