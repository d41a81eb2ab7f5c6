// Answers a question from an index: see search.hpp.
#include "runtime/memory/search.hpp"

#include <algorithm>
#include <new>

#include "runtime/memory/evidence.hpp"
#include "runtime/memory/question.hpp"
#include "runtime/memory/ranking.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {
namespace {

// A further passage is cited if it covers this part of what the best one does.
constexpr double kNearlyAsMuch = 0.9;

struct Hit {
    std::uint32_t passage;
    double score;
};

// The passages of a document, best first.
std::vector<std::uint32_t> sorted_passages(const IndexView& view, const Ranking& ranking, std::uint32_t document) {
    const DocumentRecord& record = view.document(document);
    std::vector<std::uint32_t> sorted(record.passages);
    for (std::uint32_t i = 0; i < record.passages; ++i)
        sorted[i] = record.first_passage + i;
    std::ranges::stable_sort(sorted, std::greater<>{}, [&](std::uint32_t p) { return ranking.passages[p]; });
    return sorted;
}

// The best passage of each of the best files; then, if files are fewer than the limit, further passages of them.
std::vector<Hit> choose(const IndexView& view, const Ranking& ranking, std::uint32_t limit) {
    std::vector<Hit> hits;
    std::vector<Hit> more;
    const bool few_files = ranking.order.size() < limit;
    for (std::size_t i = 0; i < std::min<std::size_t>(limit, ranking.order.size()); ++i) {
        const std::uint32_t document = ranking.order[i];
        const double score = ranking.documents[document];
        const std::vector<std::uint32_t> own = sorted_passages(view, ranking, document);
        hits.push_back({own.front(), score});
        if (!few_files) continue;
        const double best = ranking.passages[own.front()];
        for (std::size_t n = 1; n < std::min<std::size_t>(own.size(), limit); ++n) {
            more.push_back({own[n], best > 0 ? score * ranking.passages[own[n]] / best : 0});
        }
    }
    std::ranges::stable_sort(more, std::greater<>{}, &Hit::score);
    for (const Hit& hit : more) {
        if (hits.size() == limit) break;
        hits.push_back(hit);
    }
    std::ranges::stable_sort(hits, std::greater<>{}, &Hit::score);
    return hits;
}

// Coverage on a scale where 0.5 is just enough.
double confidence_of(double coverage) {
    if (coverage < kNeededCoverage) return 0.5 * coverage / kNeededCoverage;
    return 0.5 + 0.5 * (coverage - kNeededCoverage) / (1 - kNeededCoverage);
}

// Which hits answer: that which covers most, and before or after it, in the order of the ranking, those that cover
// nearly as much. None if none covers enough.
std::vector<bool> choose_cited(const std::vector<double>& coverage) {
    std::vector<bool> cited(coverage.size());
    const double most = coverage.empty() ? 0 : *std::ranges::max_element(coverage);
    if (most < kNeededCoverage) return cited;
    std::uint32_t count = 0;
    for (std::size_t at = 0; at < coverage.size() && count < kMaxCited; ++at) {
        cited[at] = coverage[at] >= std::max(kNeededCoverage, kNearlyAsMuch * most);
        count += cited[at];
    }
    return cited;
}

// Writes the answer's passages and quotation. Rows that were cut out of the middle of a table are no answer without the
// table's head: it is quoted before them as a passage of its own, with its own lines, once for each table.
class AnswerWriter {
public:
    AnswerWriter(const IndexView& view, const std::vector<Hit>& hits, const std::vector<bool>& cited)
        : view_(view), hits_(hits), cited_(cited), wants_head_(hits.size()) {}

    void write(Answer& answer, std::uint32_t limit);

private:
    [[nodiscard]] bool lacks_head(std::size_t at) const;
    void cite_last(Answer& answer) const;

    const IndexView& view_;
    const std::vector<Hit>& hits_;
    const std::vector<bool>& cited_;
    std::vector<bool> wants_head_;
};

// Whether a hit needs its table's head and no other cited one shows it, as its text or before it.
bool AnswerWriter::lacks_head(std::size_t at) const {
    const PassageRecord& rows = view_.passage(hits_[at].passage);
    if (!cited_[at] || rows.head.bytes == 0) return false;
    for (std::size_t other = 0; other < hits_.size(); ++other) {
        const PassageRecord& shown = view_.passage(hits_[other].passage);
        if (!cited_[other] || shown.document != rows.document) continue;
        const bool is_in_text =
            shown.offset <= rows.head.offset && rows.head.offset + rows.head.bytes <= shown.offset + shown.bytes;
        if (is_in_text || (wants_head_[other] && shown.head.offset == rows.head.offset)) return false;
    }
    return true;
}

void AnswerWriter::cite_last(Answer& answer) const {
    answer.cited.push_back(static_cast<std::uint32_t>(answer.passages.size() - 1));
    if (!answer.text.empty()) answer.text += "\n\n";
    answer.text += answer.passages.back().text;
}

void AnswerWriter::write(Answer& answer, std::uint32_t limit) {
    std::size_t room = limit - std::min<std::size_t>(limit, std::ranges::count(cited_, true));
    for (std::size_t at = 0; at < hits_.size() && room > 0; ++at) {
        wants_head_[at] = lacks_head(at);
        room -= wants_head_[at];
    }
    for (std::size_t at = 0; at < hits_.size(); ++at) {
        if (!cited_[at] && room == 0) continue; // heads have taken the places of the last ones
        if (!cited_[at]) --room;
        const PassageRecord& record = view_.passage(hits_[at].passage);
        const std::string file(view_.name(record.document));
        if (wants_head_[at]) {
            answer.passages.push_back({file, record.head.first, record.head.last, hits_[at].score,
                                       std::string(view_.table_head_text(hits_[at].passage))});
            cite_last(answer);
        }
        answer.passages.push_back(
            {file, record.first, record.last, hits_[at].score, std::string(view_.passage_text(hits_[at].passage))});
        if (cited_[at]) cite_last(answer);
    }
}

Result<Answer> search_unguarded(const IndexView& view, std::string_view text, std::uint32_t limit) {
    const Question question = parse_question(text, view.languages());
    const Ranking ranking = rank(view, question);
    const std::vector<Hit> hits = choose(view, ranking, limit);
    std::vector<std::uint32_t> candidates;
    for (const Hit& hit : hits)
        candidates.push_back(hit.passage);
    const std::vector<double> coverage = weigh_evidence(view, question, candidates);

    Answer answer{false, 0, {}, {}, {}};
    for (const double part : coverage)
        answer.confidence = std::max(answer.confidence, confidence_of(part));
    AnswerWriter(view, hits, choose_cited(coverage)).write(answer, limit);
    answer.answered = !answer.cited.empty();
    if (view.changed()) return fail(Error::busy);
    return answer;
}

} // namespace

Result<Answer> search(const IndexView& view, std::string_view question, std::uint32_t limit) {
    if (limit == 0 || limit > kMaxPassages) return fail(Error::bad_argument);
    if (question.size() > kMaxQuestionBytes) return fail(Error::too_large);
    if (question.contains('\0') || !WordReader(question).next()) return fail(Error::bad_argument);
    try {
        return search_unguarded(view, question, limit);
    } catch (const std::bad_alloc&) {
        return fail(Error::out_of_memory);
    }
}

} // namespace aios::memory
