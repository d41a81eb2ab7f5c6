// Decides whether a collection answers a question at all: see evidence.hpp.
#include "runtime/memory/evidence.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

#include "runtime/memory/limits.hpp"
#include "runtime/memory/numeric.hpp"
#include "runtime/memory/stemmer.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {
namespace {

// What a word of any subject counts beside a word of one.
constexpr double kGenericWeight = 0.3;
// The part of a question that a passage must cover to answer it.
constexpr double kNeededCoverage = 0.45;

} // namespace

Evidence weigh_evidence(const IndexView& view, const Question& question, std::span<const std::uint32_t> candidates) {
    Evidence evidence;
    std::vector<double> weights;
    double total = 0;
    for (const Question::Stem& stem : question.stems) {
        const auto term = view.find_stem(stem.text);
        const double rarity = inverse_frequency(view.passages(), term ? term->list.passages : 0);
        weights.push_back(stem.generic ? kGenericWeight * rarity : rarity);
        total += weights.back();
    }
    if (total <= 0) return evidence;
    for (const std::uint32_t passage : candidates) {
        std::unordered_set<std::string> held;
        WordReader reader(view.passage_text(passage));
        while (reader.next()) {
            std::array<char, kMaxWordBytes> buffer{};
            std::ranges::copy(reader.word(), buffer.begin());
            held.emplace(stem_in_place(std::span(buffer).first(reader.word().size())));
        }
        double covered = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (held.contains(question.stems[i].text)) covered += weights[i];
        }
        evidence.coverage = std::max(evidence.coverage, covered / total);
    }
    evidence.answered = evidence.coverage >= kNeededCoverage;
    return evidence;
}

} // namespace aios::memory
