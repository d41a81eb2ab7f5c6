// What the crew tells the host (job-message in abi/messages.cddl): answers, routes, refusals, progress, the end.
#include "tools/aios/record/record_job.hpp"

#include <cmath>
#include <format>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using cbor::Decoder;

std::string own(Bytes bytes) { return std::string(as_text(bytes)); }

Result<> expect_array(Decoder& in, std::uint64_t items) {
    return TRY(in.array_begin()) == items ? Result<>() : fail(Error::bad_format);
}

// Scores come from the guest: only numbers can be ranked and written as JSON.
Result<double> finite(Decoder& in) {
    const double value = TRY(in.float64());
    return std::isfinite(value) ? Result<double>(value) : fail(Error::bad_format);
}

Result<Passage> read_passage(Decoder& in, PackedDocuments& documents) {
    Passage p;
    TRY(expect_array(in, 5));
    const std::string inside = own(TRY(in.bytes()));
    p.file = documents.name_of(inside);
    p.first = TRY(in.uint());
    p.last = TRY(in.uint());
    p.score = TRY(finite(in));
    p.text = own(TRY(in.bytes()));
    TRY(in.end());
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

Result<> read_answer(Decoder& in, std::string_view told_by, std::size_t question_count, RunRecord& record,
                     const RunEvents& events) {
    TRY(in.expect_key(1));
    const std::uint64_t question = TRY(in.uint());
    if (question >= question_count) return fail(Error::bad_argument);
    Answer answer;
    TRY(in.expect_key(2));
    answer.answered = TRY(in.boolean());
    TRY(in.expect_key(3));
    answer.text = own(TRY(in.bytes()));
    TRY(in.expect_key(4));
    answer.agent = TRY(in.text());
    TRY(in.expect_key(5));
    if (TRY(in.array_begin()) > kMaxPassages) return fail(Error::too_large);
    while (TRY(in.array_next()))
        answer.passages.push_back(TRY(read_passage(in, record.documents)));
    TRY(in.end());
    note_misquotes(question, answer, told_by, record);
    // A service that was restarted may answer again: the later answer counts, and only the first is announced.
    const auto [at, is_new] = record.answers.insert_or_assign(question, std::move(answer));
    if (is_new && events.answer) events.answer(question, at->second);
    return {};
}

Result<> read_route(Decoder& in, RunRecord& record) {
    Route route;
    TRY(in.expect_key(1));
    route.intent = TRY(in.text());
    TRY(in.expect_key(2));
    route.agent = TRY(in.text());
    TRY(in.expect_key(3));
    route.why = TRY(in.text());
    TRY(in.expect_key(4));
    TRY(in.array_begin());
    while (TRY(in.array_next())) {
        Candidate candidate;
        TRY(expect_array(in, 2));
        candidate.agent = TRY(in.text());
        candidate.score = TRY(finite(in));
        TRY(in.end());
        route.candidates.push_back(std::move(candidate));
    }
    TRY(in.end());
    if (record.routes.size() >= kMaxRoutes) return fail(Error::too_large);
    record.routes.push_back(std::move(route));
    return {};
}

// Without call and object it was told in words alone.
Result<> read_refusal(Decoder& in, std::uint64_t pairs, std::string_view told_by, RunRecord& record) {
    Refusal refusal;
    refusal.told_by = told_by;
    TRY(in.expect_key(1));
    refusal.agent = TRY(in.text());
    TRY(in.expect_key(2));
    refusal.text = TRY(in.text());
    if (pairs > 3) {
        TRY(in.expect_key(3));
        refusal.call = TRY(in.text());
        TRY(in.expect_key(4));
        refusal.object = TRY(in.text());
    }
    TRY(in.end());
    if (record.refusals.size() >= kMaxRoutes) return fail(Error::too_large);
    record.refusals.push_back(std::move(refusal));
    return {};
}

} // namespace

Result<> take_job_output(Bytes message, std::string_view told_by, std::size_t question_count, RunRecord& record,
                         const RunEvents& events) {
    Decoder in(message);
    const std::uint64_t pairs = TRY(in.map_begin());
    TRY(in.expect_key(0));
    const std::string_view type = TRY(in.text());
    if (type == "answer") {
        TRY(read_answer(in, told_by, question_count, record, events));
    } else if (type == "route") {
        TRY(read_route(in, record));
    } else if (type == "progress") {
        TRY(in.expect_key(1));
        const std::string_view text = TRY(in.text());
        TRY(in.expect_key(2));
        const std::uint64_t done = TRY(in.uint());
        TRY(in.expect_key(3));
        const std::uint64_t total = TRY(in.uint());
        TRY(in.end());
        record.progress = total > 0 ? std::format("{}: {} of {}", text, done, total) : std::string(text);
        if (events.progress) events.progress(text, done, total);
    } else if (type == "plan") {
        TRY(in.expect_key(1));
        record.plan = TRY(in.text());
        TRY(in.end());
    } else if (type == "refusal") {
        TRY(read_refusal(in, pairs, told_by, record));
    } else if (type == "done") {
        Done done;
        TRY(in.expect_key(1));
        done.ok = TRY(in.boolean());
        TRY(in.expect_key(2));
        done.text = TRY(in.text());
        TRY(in.end());
        record.done = std::move(done);
    } else {
        return fail(Error::bad_format);
    }
    return in.finish();
}

} // namespace aios::host
