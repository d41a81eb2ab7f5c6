// Decides whether a collection answers a question at all: what a search engine that always has a best hit does not say.
//
// The measure is coverage: of all that the question says, weighted by how informative each word is, how much does one
// passage say? A word that the collection does not know weighs most, since nothing here can be about it.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/memory/index_view.hpp"
#include "runtime/memory/question.hpp"

namespace aios::memory {

struct Evidence {
    double coverage = 0; // 0 to 1: of the best passage
    bool answered = false;
};

// Weighs `candidates`, passages of the view.
[[nodiscard]] Evidence weigh_evidence(const IndexView& view, const Question& question,
                                      std::span<const std::uint32_t> candidates);

} // namespace aios::memory
