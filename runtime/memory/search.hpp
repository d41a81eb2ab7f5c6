// Answers a question from an index: the best passages, whether they answer, and the quotation that does. What reader
// agents call.
//
//     auto view = TRY(IndexView::open(region));
//     auto answer = TRY(search(view, "what is a passage"));
//
// The same region and question give the same answer, bit for bit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/memory/index_view.hpp"
#include "runtime/memory/limits.hpp"

namespace aios::memory {

struct FoundPassage {
    std::string file;    // the document's name, as it was added
    std::uint32_t first; // lines from 1, both included
    std::uint32_t last;
    double score; // 0 to 1, falling along the list; comparable within one answer only
    std::string
        text; // bytes of the document to the letter: the lines first to last, or for one over-long line a part of it
};

struct Answer {
    bool answered;     // one of `passages` answers; false: no answer in these documents
    double confidence; // 0 to 1; answered means at least 0.5
    std::string text;  // the quotation: the cited passages to the letter, a blank line between; empty if not answered
    // Which of `passages` answer, at most kMaxCited, best first; empty if not answered. Before rows out of the middle
    // of a table stands the head of that table, cited too and beyond that number, where the limit has room for it.
    std::vector<std::uint32_t> cited;
    // The best passages, best first, from as many different files as there are up to the limit; if there are fewer
    // files, then more than one of a file. Heads of tables are passages of their own, with the score of their rows.
    // Also filled if the question is not answered. Fewer than the limit only if the index has fewer passages.
    std::vector<FoundPassage> passages;
};

// bad_argument: the question holds no character that could be part of a word, is not text (has a NUL), or `limit` is 0
// or above kMaxPassages. too_large: the question is longer than kMaxQuestionBytes. busy: the index was rebuilt
// meanwhile; open it again and repeat. out_of_memory: the reader's heap is exhausted.
[[nodiscard]] Result<Answer> search(const IndexView& view, std::string_view question,
                                    std::uint32_t limit = kDefaultPassages);

} // namespace aios::memory
