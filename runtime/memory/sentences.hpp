// Sentences of a text: where they end, and which of them ask. Pure functions over bytes.
//
// A sentence ends after '.', '!' or '?', any closing quotes and brackets behind it, and then a blank or the end of the
// text, unless the word before the dot is an abbreviation or a single letter, or what follows begins with a small
// letter. The full stops of Chinese and Japanese end one at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aios::memory {

// The end of the last sentence that ends in `text` at `low` or later and before `text` itself does: an offset, behind
// the sentence and before the blanks that follow it.
[[nodiscard]] std::optional<std::size_t> last_sentence_end(std::string_view text, std::size_t low);

// Whether `text`, which ends without blanks, ends with the end of a sentence.
[[nodiscard]] bool ends_sentence(std::string_view text);

// The text with each sentence that asks a question replaced by blanks. A line end before a question begins it.
[[nodiscard]] std::string without_questions(std::string_view text);

} // namespace aios::memory
