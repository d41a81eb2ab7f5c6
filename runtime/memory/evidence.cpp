// Decides whether a collection answers a question at all: see evidence.hpp.
#include "runtime/memory/evidence.hpp"

#include <algorithm>
#include <array>
#include <optional>
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

// A question as documents of one language are asked it.
class Reading {
public:
    Reading(const IndexView& view, const Question& question, Language language);

    // The part of the question, 0 to 1, that a passage covers, given with what belongs to it from elsewhere.
    [[nodiscard]] double covered_by(std::string_view head, std::string_view text, Stemmers& stemmers) const;

private:
    struct Part {
        std::string_view stem;
        double weight;
    };
    [[nodiscard]] double weight_in(std::string_view head, std::string_view text, Stemmers& stemmers) const;

    Language language_;
    std::vector<Part> parts_;
    double total_ = 0; // what covers the question in full
};

Reading::Reading(const IndexView& view, const Question& question, Language language) : language_(language) {
    for (const Question::Stem& stem : question.stems) {
        if (!stem.languages.contains(language)) continue;
        const auto term = view.find_stem(stem.text);
        const double rarity = inverse_frequency(view.passages(), term ? term->list.passages : 1);
        const double part = stem.generic ? (term ? kGenericWeight : 0) : (term ? 1 : kUnknownWeight);
        parts_.push_back({stem.text, rarity * part});
        total_ += parts_.back().weight;
    }
    total_ = std::min(total_, kFullQuestion * natural_log(view.passages() + 1));
}

double Reading::weight_in(std::string_view head, std::string_view text, Stemmers& stemmers) const {
    std::unordered_set<std::string> held;
    const auto hold = [&](std::string_view stem) { held.emplace(stem); };
    for_each_stem(stemmers, language_, head, hold);
    for_each_stem(stemmers, language_, text, hold);
    double weight = 0;
    for (const Part& part : parts_) {
        if (held.contains(std::string(part.stem))) weight += part.weight;
    }
    return weight;
}

double Reading::covered_by(std::string_view head, std::string_view text, Stemmers& stemmers) const {
    if (total_ <= 0) return 0;
    const bool asks = text.contains('?');
    const double stated = weight_in(head, asks ? without_questions(text) : std::string(text), stemmers);
    const double covered = asks ? stated + kAskedShare * (weight_in(head, text, stemmers) - stated) : stated;
    return std::min(1.0, covered / total_);
}

} // namespace

std::vector<double> weigh_evidence(const IndexView& view, const Question& question,
                                   std::span<const std::uint32_t> candidates) {
    std::array<std::optional<Reading>, kLanguages> readings;
    Stemmers stemmers;
    std::vector<double> coverage;
    for (const std::uint32_t candidate : candidates) {
        const Language language = view.language(view.passage(candidate).document);
        auto& reading = readings[index_of(language)];
        if (!reading) reading.emplace(view, question, language);
        coverage.push_back(
            reading->covered_by(view.table_head_text(candidate), view.passage_text(candidate), stemmers));
    }
    return coverage;
}

} // namespace aios::memory
