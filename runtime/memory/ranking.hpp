// Scores documents and passages against a question. Three views of likeness are fused by convex combination, each
// divided by its best score: BM25 on stems, BM25 on 4-grams, and the cosine in the semantic space where the collection
// is large enough for one. Then the ranking is refined twice, as its first result allows: the question is widened by
// the words that its best passages share (relevance model), and a document takes over a part of the scores of its
// nearest neighbours (cluster hypothesis).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/memory/index_view.hpp"
#include "runtime/memory/question.hpp"

namespace aios::memory {

// What the fusion gives each view, before division by their sum.
inline constexpr double kStemShare = 1.0;
inline constexpr double kGramShare = 0.5;
inline constexpr double kSpaceShare = 1.0;

// What a word of any subject (stop_words.hpp) weighs beside a word of one, in a question.
inline constexpr double kGenericShare = 0.5;

// A file's score: this part from the file as a whole, the rest from its best passage.
inline constexpr double kWholeShare = 0.5;

// Widening: from so many documents, by so many stems, which together weigh this part of the question.
inline constexpr std::uint32_t kFeedbackDocuments = 5;
inline constexpr std::uint32_t kFeedbackStems = 10;
inline constexpr double kFeedbackShare = 0.3;

// Neighbours: among so many best documents, each takes this part of its score from its nearest ones.
inline constexpr std::uint32_t kNeighbourPool = 50;
inline constexpr std::uint32_t kNeighbours = 3;
inline constexpr double kNeighbourShare = 0.3;

struct Ranking {
    std::vector<double> documents; // score of each, 0 to 1
    std::vector<double> passages;
    // Documents that have passages, best first; all of them.
    std::vector<std::uint32_t> order;
};

[[nodiscard]] Ranking rank(const IndexView& view, const Question& question);

// BM25 of each document and each passage for the question's stems: the first of the three views, for tests and for
// whoever wants it plain.
struct FieldScores {
    std::vector<double> documents;
    std::vector<double> passages;
};
[[nodiscard]] FieldScores stem_scores(const IndexView& view, const Question& question);

} // namespace aios::memory
