// Decides whether a collection answers a question at all: see evidence.hpp.
#include "runtime/memory/evidence.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "runtime/memory/numeric.hpp"
#include "runtime/memory/sentences.hpp"
#include "runtime/memory/stems.hpp"

namespace aios::memory {
namespace {

// What a word of any subject counts beside a word of one.
constexpr double kGenericWeight = 0.3;
// What a word that the collection does not know counts beside the rarest that it knows.
constexpr double kUnknownWeight = 1.5;
// So much information is enough to cover, in multiples of what the best of all passages holds by chance (the logarithm
// of their number): a long question need not be matched in full.
constexpr double kFullQuestion = 4;
// What a word counts that a passage only asks about. A text that repeats the question is a weaker witness than one that
// states something; yet it is one, for what follows the question in a list of frequent ones often answers it.
constexpr double kAskedShare = 0.6;

} // namespace

std::vector<double> weigh_evidence(const IndexView& view, const Question& question,
                                   std::span<const std::uint32_t> candidates) {
    std::vector<double> coverage(candidates.size());
    std::vector<double> weights;
    double total = 0;
    for (const Question::Stem& stem : question.stems) {
        const auto term = view.find_stem(stem.text);
        const double rarity = inverse_frequency(view.passages(), term ? term->list.passages : 1);
        const double part = stem.generic ? (term ? kGenericWeight : 0) : (term ? 1 : kUnknownWeight);
        weights.push_back(rarity * part);
        total += weights.back();
    }
    if (total <= 0) return coverage;
    total = std::min(total, kFullQuestion * natural_log(view.passages() + 1));
    for (std::size_t at = 0; at < candidates.size(); ++at) {
        const std::string_view text = view.passage_text(candidates[at]);
        const auto covered_by = [&](std::string_view words) {
            std::unordered_set<std::string> held;
            for_each_stem(words, [&](std::string_view stem, std::string_view) { held.emplace(stem); });
            double covered = 0;
            for (std::size_t i = 0; i < weights.size(); ++i) {
                if (held.contains(question.stems[i].text)) covered += weights[i];
            }
            return covered;
        };
        const double stated = text.contains('?') ? covered_by(without_questions(text)) : covered_by(text);
        const double covered = text.contains('?') ? stated + kAskedShare * (covered_by(text) - stated) : stated;
        coverage[at] = std::min(1.0, covered / total);
    }
    return coverage;
}

} // namespace aios::memory
