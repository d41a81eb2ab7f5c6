// Cuts a document into passages: the pieces that are indexed, ranked and quoted.
//
// What always holds: passages do not overlap and stand in the order of the text; each has its bytes as they are in the
// document, without the line end of its last line; first and last are line numbers from 1, both included; every byte
// that is part of a word lies in exactly one passage. Lines end at LF (a CR before it stays in the text of inner
// lines).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/memory/tables.hpp"

namespace aios::memory {

struct PassageRange {
    std::uint32_t offset; // bytes from the start of the document
    std::uint32_t length; // bytes, at most kMaxPassageBytes
    std::uint32_t first;  // line
    std::uint32_t last;   // line
    // Of the table that the passage begins in the middle of, above the passage in the document; none otherwise.
    TableHead head = {};
};

// The passages of `text`, which is at most kMaxDocumentBytes long. Text without any visible character has none.
//
// A passage is a paragraph; one shorter than kMinPassageBytes opens the next. One longer than kTargetPassageBytes is
// cut: at a line end where no sentence runs on, else after its last whole sentence, which may be within a line that
// both passages then name. A table (tables.hpp) stays whole. What has no such place, and any table, is cut at
// kMaxPassageBytes, a table between rows; each passage that begins with a row says where the head of its table stands.
// A line longer than that is cut after a sentence, else between words (between characters where there are no spaces).
[[nodiscard]] std::vector<PassageRange> cut_passages(std::string_view text, Layout layout = Layout::text);

// The lines first..last of `text` as they are, without the line end of the last: what a quotation must lie in. Empty if
// the text has no such lines.
[[nodiscard]] std::string_view lines_of(std::string_view text, std::uint32_t first, std::uint32_t last);

} // namespace aios::memory
