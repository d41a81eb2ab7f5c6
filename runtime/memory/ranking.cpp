// Scores documents and passages against a question: see ranking.hpp.
#include "runtime/memory/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>

#include "runtime/memory/limits.hpp"
#include "runtime/memory/numeric.hpp"
#include "runtime/memory/postings.hpp"
#include "runtime/memory/semantic_space.hpp"
#include "runtime/memory/stems.hpp"
#include "runtime/memory/vectors.hpp"

namespace aios::memory {
namespace {

enum class Field : std::uint8_t { stems, grams };

struct Lookup {
    IndexView::Term term;
    double weight;         // of the term in the question
    LanguageSet languages; // of the documents in which it counts: the same letters are another word in others
};

// Keeps the `limit` most informative look-ups, so that a question's time is bounded. The order of the rest stays.
void keep_informative(std::vector<Lookup>& lookups, std::size_t limit) {
    if (lookups.size() <= limit) return;
    std::ranges::stable_sort(lookups, {}, [](const Lookup& l) { return l.term.list.passages; });
    lookups.resize(limit);
}

void accumulate(const IndexView& view, Field field, const Lookup& lookup, FieldScores& out) {
    const ListRecord& list = lookup.term.list;
    const bool stems = field == Field::stems;
    const double passage_weight = lookup.weight * inverse_frequency(view.passages(), list.passages);
    const double document_weight = lookup.weight * inverse_frequency(view.documents(), list.documents);
    const double passage_average = stems ? view.average_stems(view.passages()) : view.average_grams(view.passages());
    const double document_average = stems ? view.average_stems(view.documents()) : view.average_grams(view.documents());
    std::uint32_t document = UINT32_MAX;
    double in_document = 0;
    const auto close_document = [&] {
        if (document == UINT32_MAX) return;
        const DocumentRecord& record = view.document(document);
        const double length = stems ? record.stem_tokens : record.gram_tokens;
        out.documents[document] += document_weight * saturation(in_document, length, document_average);
    };
    const bool everywhere = lookup.languages.contains(view.languages());
    PostingReader reader(view.postings(list), view.passages());
    while (reader.next()) {
        const PassageRecord& passage = view.passage(reader.passage());
        if (!everywhere && !lookup.languages.contains(view.language(passage.document))) continue;
        const double length = stems ? passage.stem_tokens : passage.gram_tokens;
        out.passages[reader.passage()] += passage_weight * saturation(reader.count(), length, passage_average);
        if (passage.document != document) {
            close_document();
            document = passage.document;
            in_document = 0;
        }
        in_document += reader.count();
    }
    close_document();
}

FieldScores score(const IndexView& view, Field field, const std::vector<Lookup>& lookups) {
    FieldScores scores{std::vector<double>(view.documents()), std::vector<double>(view.passages())};
    for (const Lookup& lookup : lookups)
        accumulate(view, field, lookup, scores);
    return scores;
}

std::vector<Lookup> look_up_stems(const IndexView& view, const Question& question) {
    std::vector<Lookup> lookups;
    for (const Question::Stem& stem : question.stems) {
        const double weight = stem.count * (stem.generic ? kGenericShare : 1);
        if (const auto term = view.find_stem(stem.text)) lookups.push_back({*term, weight, stem.languages});
    }
    keep_informative(lookups, kMaxQuestionWords * std::max(1U, view.languages().size()));
    return lookups;
}

std::vector<Lookup> look_up_grams(const IndexView& view, const Question& question) {
    std::vector<Lookup> lookups;
    for (const Question::Gram& gram : question.grams) {
        if (const auto term = view.find_gram(gram.key))
            lookups.push_back({*term, static_cast<double>(gram.count), LanguageSet::all()});
    }
    keep_informative(lookups, kMaxQuestionGrams);
    return lookups;
}

// Cosines of all documents and passages with the question; negative ones count as none.
FieldScores space_scores(const IndexView& view, const std::vector<Lookup>& lookups) {
    FieldScores scores{std::vector<double>(view.documents()), std::vector<double>(view.passages())};
    if (view.dimensions() == 0) return scores;
    std::vector<float> sum(view.dimensions());
    for (const Lookup& lookup : lookups) {
        const IndexView::Vector vector = view.term_vector(lookup.term.list);
        const double rarity = inverse_frequency(view.passages(), lookup.term.list.passages);
        const double weight = lookup.weight * rarity * vector.scale;
        for (std::size_t d = 0; d < vector.values.size(); ++d) {
            sum[d] += static_cast<float>(weight * static_cast<std::int8_t>(vector.values[d]));
        }
    }
    std::vector<std::byte> packed;
    append_vector(packed, sum);
    const Bytes target = Bytes(packed).subspan(sizeof(float));
    const double norm = byte_product(target, target);
    const auto cosine = [&](Bytes values) {
        const double product = byte_product(target, values);
        const double own = byte_product(values, values);
        return product > 0 && own > 0 ? product / std::sqrt(norm * own) : 0.0;
    };
    for (std::uint32_t at = 0; at < view.documents(); ++at) {
        scores.documents[at] = cosine(view.document_vector(at).values);
    }
    for (std::uint32_t at = 0; at < view.passages(); ++at)
        scores.passages[at] = cosine(view.passage_vector(at).values);
    return scores;
}

void add_share(std::vector<double>& to, const std::vector<double>& from, double share) {
    const double best = from.empty() ? 0 : *std::ranges::max_element(from);
    if (best <= 0) return;
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] += share / best * from[i];
}

// Fuses the views, and gives each file its score from the whole and from its best passage.
Ranking fuse(const IndexView& view, const FieldScores& stems, const FieldScores& grams, const FieldScores& space) {
    const double space_share = view.dimensions() == 0 ? 0 : kSpaceShare;
    const double total = kStemShare + kGramShare + space_share;
    Ranking ranking{std::vector<double>(view.documents()), std::vector<double>(view.passages()), {}};
    const auto combine = [&](auto field, std::vector<double>& to) {
        add_share(to, stems.*field, kStemShare / total);
        add_share(to, grams.*field, kGramShare / total);
        add_share(to, space.*field, space_share / total);
    };
    combine(&FieldScores::documents, ranking.documents);
    combine(&FieldScores::passages, ranking.passages);
    for (std::uint32_t at = 0; at < view.documents(); ++at) {
        const DocumentRecord& document = view.document(at);
        if (document.passages == 0) continue;
        const std::span own = std::span(ranking.passages).subspan(document.first_passage, document.passages);
        const double best = *std::ranges::max_element(own);
        ranking.documents[at] = kWholeShare * ranking.documents[at] + (1 - kWholeShare) * best;
        ranking.order.push_back(at);
    }
    return ranking;
}

// The `count` best documents in their order, from those in ranking.order.
void sort_best(Ranking& ranking, std::size_t count) {
    const auto middle = ranking.order.begin() + static_cast<std::ptrdiff_t>(std::min(count, ranking.order.size()));
    std::ranges::partial_sort(ranking.order, middle, [&](std::uint32_t a, std::uint32_t b) {
        const double x = ranking.documents[a];
        const double y = ranking.documents[b];
        return x != y ? x > y : a < b;
    });
}

std::uint32_t best_passage(const IndexView& view, const Ranking& ranking, std::uint32_t document) {
    const DocumentRecord& record = view.document(document);
    std::uint32_t best = record.first_passage;
    for (std::uint32_t p = best; p < record.first_passage + record.passages; ++p) {
        if (ranking.passages[p] > ranking.passages[best]) best = p;
    }
    return best;
}

// The question's stems with those that its best passages share. A stem's weight is its part of each passage, times the
// document's score, times its rarity; the widened question keeps the old weight in sum.
std::vector<Lookup> widen(const IndexView& view, const Ranking& ranking, const std::vector<Lookup>& question) {
    struct Shared {
        double weight = 0;
        LanguageSet languages;
    };
    std::map<std::string, Shared, std::less<>> shared;
    Stemmers stemmers;
    for (std::size_t i = 0; i < std::min<std::size_t>(kFeedbackDocuments, ranking.order.size()); ++i) {
        const std::uint32_t document = ranking.order[i];
        const std::uint32_t passage = best_passage(view, ranking, document);
        const double part = ranking.documents[document] / std::max(1U, view.passage(passage).stem_tokens);
        const Language language = view.language(document);
        for_each_stem(stemmers, language, view.passage_text(passage), [&](std::string_view text) {
            Shared& stem = shared[std::string(text)];
            stem.weight += part;
            stem.languages |= language;
        });
    }
    std::vector<Lookup> found;
    for (const auto& [text, stem] : shared) {
        const auto term = view.find_stem(text);
        if (!term || term->list.documents < 2) continue;
        const double rarity = inverse_frequency(view.documents(), term->list.documents);
        found.push_back({*term, stem.weight * rarity, stem.languages});
    }
    std::ranges::stable_sort(found, std::greater<>{}, &Lookup::weight);
    if (found.size() > kFeedbackStems) found.resize(kFeedbackStems);
    double before = 0;
    double added = 0;
    for (const Lookup& lookup : question)
        before += lookup.weight;
    for (const Lookup& lookup : found)
        added += lookup.weight;
    if (added <= 0) return question;
    std::vector<Lookup> wide = question;
    for (Lookup& lookup : wide)
        lookup.weight *= 1 - kFeedbackShare;
    for (Lookup& lookup : found) {
        lookup.weight *= kFeedbackShare * before / added;
        const auto same = std::ranges::find(wide, lookup.term.number, [](const Lookup& l) { return l.term.number; });
        if (same != wide.end()) {
            same->weight += lookup.weight;
            same->languages |= lookup.languages;
        } else {
            wide.push_back(lookup);
        }
    }
    return wide;
}

// Lets each of the best documents take over a part of its nearest neighbours' scores.
void smooth(const IndexView& view, Ranking& ranking) {
    if (view.dimensions() == 0) return;
    sort_best(ranking, kNeighbourPool);
    const std::span pool = std::span(ranking.order).first(std::min<std::size_t>(kNeighbourPool, ranking.order.size()));
    std::vector<double> smoothed(pool.size());
    for (std::size_t i = 0; i < pool.size(); ++i) {
        const Bytes own = view.document_vector(pool[i]).values;
        std::vector<std::pair<double, std::size_t>> near;
        for (std::size_t j = 0; j < pool.size(); ++j) {
            const Bytes other = view.document_vector(pool[j]).values;
            const double norms = double(byte_product(own, own)) * byte_product(other, other);
            const double product = byte_product(own, other);
            if (j != i && product > 0) near.emplace_back(product / std::sqrt(norms), j);
        }
        std::ranges::stable_sort(near, std::greater<>{}, &std::pair<double, std::size_t>::first);
        if (near.size() > kNeighbours) near.resize(kNeighbours);
        double sum = 0;
        double weight = 0;
        for (const auto& [likeness, j] : near) {
            sum += likeness * ranking.documents[pool[j]];
            weight += likeness;
        }
        const double own_score = ranking.documents[pool[i]];
        smoothed[i] = weight > 0 ? (1 - kNeighbourShare) * own_score + kNeighbourShare * sum / weight : own_score;
    }
    // What lies below the pool stays below it.
    const double floor = smoothed.empty() ? 0 : *std::ranges::min_element(smoothed);
    for (std::size_t i = 0; i < pool.size(); ++i)
        ranking.documents[pool[i]] = smoothed[i];
    for (std::size_t i = pool.size(); i < ranking.order.size(); ++i) {
        double& score = ranking.documents[ranking.order[i]];
        score = std::min(score, floor);
    }
}

} // namespace

FieldScores stem_scores(const IndexView& view, const Question& question) {
    return score(view, Field::stems, look_up_stems(view, question));
}

Ranking rank(const IndexView& view, const Question& question) {
    const std::vector<Lookup> stems = look_up_stems(view, question);
    const FieldScores gram_scores = score(view, Field::grams, look_up_grams(view, question));
    const FieldScores spatial = space_scores(view, stems);
    Ranking first = fuse(view, score(view, Field::stems, stems), gram_scores, spatial);
    sort_best(first, kFeedbackDocuments);
    Ranking ranking = fuse(view, score(view, Field::stems, widen(view, first, stems)), gram_scores, spatial);
    smooth(view, ranking);
    sort_best(ranking, ranking.order.size());
    return ranking;
}

} // namespace aios::memory
