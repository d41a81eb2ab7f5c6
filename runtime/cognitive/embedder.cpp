#include "runtime/cognitive/embedder.hpp"

#include <cmath>
#include <cstdint>

#include "runtime/memory/question.hpp"

namespace aios::cognitive {
namespace {

// A stem weighs as much as the 4-grams of a usual word together: either alone is a weak sign, both are a strong one.
constexpr float kStemWeight = 1.0F;
constexpr float kGramWeight = 0.25F;

// FNV-1a: spreads short keys well enough over a few hundred dimensions.
std::uint64_t hash(const char* data, std::size_t bytes, std::uint64_t start) {
    std::uint64_t value = start;
    for (std::size_t i = 0; i < bytes; ++i) {
        value = (value ^ static_cast<unsigned char>(data[i])) * 0x100000001b3ULL;
    }
    return value;
}

// Signed hashing: collisions cancel as often as they add.
void add(Vector& vector, std::uint64_t key, float weight) {
    const std::size_t dimension = (key >> 8) % kLexicalDimensions;
    vector[dimension] += (key & 1) != 0 ? weight : -weight;
}

} // namespace

Vector LexicalEmbedder::embed(std::string_view text) const {
    constexpr std::uint64_t kStems = 0xcbf29ce484222325ULL, kGrams = 0x84222325cbf29ce4ULL;
    Vector vector(kLexicalDimensions, 0.0F);
    const memory::Question parsed = memory::parse_question(text);
    for (const auto& stem : parsed.stems) {
        add(vector, hash(stem.text.data(), stem.text.size(), kStems),
            kStemWeight * std::sqrt(static_cast<float>(stem.count)));
    }
    for (const auto& gram : parsed.grams) {
        const char bytes[4] = {static_cast<char>(gram.key), static_cast<char>(gram.key >> 8),
                               static_cast<char>(gram.key >> 16), static_cast<char>(gram.key >> 24)};
        add(vector, hash(bytes, sizeof(bytes), kGrams), kGramWeight * std::sqrt(static_cast<float>(gram.count)));
    }
    double length = 0;
    for (const float value : vector) {
        length += static_cast<double>(value) * value;
    }
    if (length == 0) return vector;
    const auto scale = static_cast<float>(1 / std::sqrt(length));
    for (float& value : vector) {
        value *= scale;
    }
    return vector;
}

double similarity(const Vector& a, const Vector& b) {
    if (a.size() != b.size()) return 0;
    double product = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += static_cast<double>(a[i]) * b[i];
    }
    return product;
}

} // namespace aios::cognitive
