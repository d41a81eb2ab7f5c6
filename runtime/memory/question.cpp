// A question taken apart: see question.hpp.
#include "runtime/memory/question.hpp"

#include <map>

#include "runtime/memory/grams.hpp"
#include "runtime/memory/stems.hpp"

namespace aios::memory {

Question parse_question(std::string_view text) {
    Question question;
    std::map<std::string, std::size_t, std::less<>> places;
    std::map<std::uint32_t, std::uint32_t> grams;
    for_each_stem(text, [&](std::string_view stem, std::string_view word) {
        for_each_gram(word, [&](std::uint32_t key) { ++grams[key]; });
        if (const auto known = places.find(stem); known != places.end()) {
            ++question.stems[known->second].count;
            return;
        }
        places.emplace(stem, question.stems.size());
        question.stems.push_back({std::string(stem), 1, is_generic_stem(stem)});
    });
    question.grams.reserve(grams.size());
    for (const auto& [key, count] : grams)
        question.grams.push_back({key, count});
    return question;
}

} // namespace aios::memory
