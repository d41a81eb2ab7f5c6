// A question taken apart: see question.hpp.
#include "runtime/memory/question.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "runtime/memory/grams.hpp"
#include "runtime/memory/limits.hpp"
#include "runtime/memory/stemmer.hpp"
#include "runtime/memory/stop_words.hpp"
#include "runtime/memory/text.hpp"

namespace aios::memory {

Question parse_question(std::string_view text) {
    Question question;
    std::map<std::string, std::size_t, std::less<>> places;
    std::map<std::uint32_t, std::uint32_t> grams;
    WordReader reader(text);
    while (reader.next()) {
        const std::string_view word = reader.word();
        if (is_stop_word(word)) continue;
        for_each_gram(word, [&](std::uint32_t key) { ++grams[key]; });
        std::array<char, kMaxWordBytes> buffer{};
        std::ranges::copy(word, buffer.begin());
        const std::string_view stem = stem_in_place(std::span(buffer).first(word.size()));
        if (const auto known = places.find(stem); known != places.end()) {
            ++question.stems[known->second].count;
            continue;
        }
        places.emplace(stem, question.stems.size());
        question.stems.push_back({std::string(stem), std::string(word), 1, is_generic_stem(stem)});
    }
    question.grams.reserve(grams.size());
    for (const auto& [key, count] : grams)
        question.grams.push_back({key, count});
    return question;
}

} // namespace aios::memory
