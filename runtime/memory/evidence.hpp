// Decides whether a collection answers a question at all: what a search engine that always has a best hit does not say.
//
// The measure is coverage: of all that the question says, weighted by how informative each word is in this collection,
// how much does one passage say? Nothing in it depends on a collection's scores. What a word weighs:
//   - its inverse passage frequency: a passage that shares only common words shares nothing;
//   - more than any known word, if the collection does not know it: nothing here can be about it;
//   - less, if it is a word of any subject (stop_words.hpp), and nothing if the collection does not know it either:
//   people ask how something "works"
//     or "is divided" of texts that say it otherwise.
// A long question need not be covered in full: enough is a multiple of what the best of all passages would cover by
// chance. If words fell independently, a passage would hold words of information I with probability exp(-I), so the
// best of n passages holds about ln n.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/memory/index_view.hpp"
#include "runtime/memory/question.hpp"

namespace aios::memory {

// The coverage, 0 to 1, from which a passage answers. The middle of the plain between too eager and too shy over six
// unlike collections, of 1 to 1,400 files (docs/design/memory.md).
inline constexpr double kNeededCoverage = 0.45;

// The coverage of each of `candidates`, passages of the view. Rows cover what the head of their table says, too.
[[nodiscard]] std::vector<double> weigh_evidence(const IndexView& view, const Question& question,
                                                 std::span<const std::uint32_t> candidates);

} // namespace aios::memory
