// Embedders turn a text into a vector so that texts that mean alike lie close. The interface is pluggable; the default
// is lexical (stems and character 4-grams, hashed), needs no model and no message, and is the same on every run.
#pragma once

#include <string_view>
#include <vector>

namespace aios::cognitive {

using Vector = std::vector<float>; // of unit length, or all zero for a text without words

class Embedder {
public:
    virtual ~Embedder() = default;
    [[nodiscard]] virtual Vector embed(std::string_view text) const = 0;
};

inline constexpr std::size_t kLexicalDimensions = 512;

class LexicalEmbedder final : public Embedder {
public:
    [[nodiscard]] Vector embed(std::string_view text) const override;
};

// Cosine in [-1, 1]; 0 if either is all zero or their sizes differ.
[[nodiscard]] double similarity(const Vector& a, const Vector& b);

} // namespace aios::cognitive
