// A semantic space by latent semantic analysis (Deerwester and others, 1990): words that keep the same company get near
// vectors, so a passage is found that says the same in other words. It is computed from the collection alone, by block
// subspace iteration from a fixed start: no trained weights, no randomness, the same bits on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace aios::memory {

// Dimensions of a large collection's space. Below kPassagesPerDimension passages for each, a space has fewer:
// directions that a handful of passages decide are noise.
inline constexpr std::uint32_t kMaxDimensions = 64;
inline constexpr std::uint32_t kPassagesPerDimension = 16;
inline constexpr std::uint32_t kMinDimensions = 4;

// Passages that the space is computed from at most, evenly spread; the rest is projected. Bounds the time of a build.
inline constexpr std::uint32_t kMaxTrainingPassages = 4'096;

struct WeightedTerm {
    std::uint32_t term;
    float weight;
};

// Rows of a sparse matrix: passage p holds the entries [starts[p], starts[p + 1]), terms ascending.
struct TermMatrix {
    std::vector<std::uint32_t> starts;
    std::vector<WeightedTerm> entries;

    [[nodiscard]] std::uint32_t rows() const {
        return static_cast<std::uint32_t>(starts.empty() ? 0 : starts.size() - 1);
    }
    [[nodiscard]] std::span<const WeightedTerm> row(std::uint32_t at) const {
        return std::span(entries).subspan(starts[at], starts[at + 1] - starts[at]);
    }
};

// The number of dimensions for a collection of `passages` passages; a multiple of 4, or 0 for none.
[[nodiscard]] std::uint32_t space_dimensions(std::uint32_t passages);

// The vectors of all terms, `dimensions` floats each: the right singular vectors of the matrix whose rows are scaled to
// length one. `dimensions` must not be above the number of rows.
[[nodiscard]] std::vector<float> term_space(const TermMatrix& matrix, std::uint32_t terms, std::uint32_t dimensions);

// How often a term stands in a passage, and how rare it is, as a weight.
[[nodiscard]] float space_weight(double count, double rarity);

} // namespace aios::memory
