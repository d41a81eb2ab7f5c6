// Limits of the retrieval engine, with their units. What lies outside is refused with a named error, never cut in
// silence, except where the comment says so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aios::memory {

// Documents in one index. One more is refused with Error::no_space.
inline constexpr std::uint32_t kMaxDocuments = 65'536;

// Bytes of one document. A larger one is refused with Error::too_large and leaves the builder as it was.
inline constexpr std::size_t kMaxDocumentBytes = std::size_t{16} << 20;

// Bytes of a document's name: a path relative to the documents folder. Longer: Error::too_large.
inline constexpr std::size_t kMaxNameBytes = 4'096;

// Bytes of text in all documents of one index. More is refused with Error::no_space.
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

// Bytes at which a passage is closed at the next line end. A paragraph below this stays whole.
inline constexpr std::size_t kTargetPassageBytes = 1'200;

// Bytes below which a paragraph (a heading, a title) is not a passage of its own but opens the next one.
inline constexpr std::size_t kMinPassageBytes = 200;

// Bytes of one passage at most. A longer line is cut into pieces of at most this size; every piece cites that line, and
// its text is a part of the line, to the letter. Ten passages of this size fit one 64 KiB message.
inline constexpr std::size_t kMaxPassageBytes = 5'120;

// Bytes of one word that count: longer words are the same word if they agree in these.
inline constexpr std::size_t kMaxWordBytes = 48;

// How much of a document is looked at to tell its language, in bytes, in pieces from all over it.
inline constexpr std::size_t kGuessBytes = 8'192;

// Bytes of a table's head at most: one that is longer is not shown with the rows that were cut off from it.
inline constexpr std::size_t kMaxTableHeadBytes = 1'024;

// How much of the first line of a document, or of a part of it with a heading, is its opening, in bytes, and how many
// times a word there counts.
inline constexpr std::size_t kOpeningBytes = 160;
inline constexpr std::uint32_t kOpeningWeight = 2;

// Bytes of one question. A longer one is refused with Error::too_large: a question of 100 kB is handled.
inline constexpr std::size_t kMaxQuestionBytes = std::size_t{128} << 10;

// Different words (in each language of the collection) and 4-grams of a question that are looked up: the most
// informative ones, so that time stays bounded.
inline constexpr std::size_t kMaxQuestionWords = 256;
inline constexpr std::size_t kMaxQuestionGrams = 1'024;

// Passages of one answer.
inline constexpr std::uint32_t kDefaultPassages = 10;
inline constexpr std::uint32_t kMaxPassages = 100;

// Passages that one answer quotes at most.
inline constexpr std::uint32_t kMaxCited = 3;

} // namespace aios::memory
