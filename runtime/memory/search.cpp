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

// Cites the passages that answer: that which covers most, and before or after it, in the order of the ranking, those
// that cover nearly as much.
void cite(Answer& answer, const std::vector<double>& coverage) {
    const double most = coverage.empty() ? 0 : *std::ranges::max_element(coverage);
    if (most < kNeededCoverage) return;
    answer.answered = true;
    for (std::uint32_t at = 0; at < coverage.size() && answer.cited.size() < kMaxCited; ++at) {
        if (coverage[at] < std::max(kNeededCoverage, kNearlyAsMuch * most)) continue;
        answer.cited.push_back(at);
        if (!answer.text.empty()) answer.text += "\n\n";
        answer.text += answer.passages[at].text;
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
    for (std::uint32_t at = 0; at < hits.size(); ++at) {
        const PassageRecord& record = view.passage(hits[at].passage);
        answer.passages.push_back({std::string(view.name(record.document)), record.first, record.last, hits[at].score,
                                   std::string(view.passage_text(hits[at].passage))});
        answer.confidence = std::max(answer.confidence, confidence_of(coverage[at]));
    }
    cite(answer, coverage);
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
