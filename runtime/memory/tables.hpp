// Tables in text: which lines are rows, and which lines are a table's head, without which a row cut out of the middle
// of a long table says little. Pure functions over lines, which stand here without their line ends.
//
// Known are tables in the manner of Markdown, anywhere (a line that starts with '|', and under it the rule), and files
// of separated values (.csv, .tsv, .tab by their names), whose first line is the head of all others. Columns that are
// only aligned with spaces are not recognised.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios::memory {

// How the lines of a document hang together.
enum class Layout : std::uint8_t {
    text,      // paragraphs, tables of Markdown among them
    separated, // one row a line, the first one the head
};

// By the end of the document's name.
[[nodiscard]] Layout layout_of(std::string_view name);

// Whether a line of text is a row of a table.
[[nodiscard]] bool is_table_row(std::string_view line);

// Whether a row is the rule under a head: |---|:-:|
[[nodiscard]] bool is_table_rule(std::string_view row);

// The head of a table, as a part of a document. None if `bytes` is 0.
struct TableHead {
    std::uint32_t offset = 0; // bytes from the start of the document
    std::uint32_t bytes = 0;  // without the line end of the last line
    std::uint32_t first = 0;  // line
    std::uint32_t last = 0;
};

// Follows the rows of a document's tables, line after line.
class TableReader {
public:
    explicit TableReader(Layout layout) : layout_(layout) {}

    // The next line: line `number` of the document, at begin..end. A blank one ends a table of text.
    void line(std::string_view content, std::uint32_t number, std::size_t begin, std::size_t end);

    // Whether the line given last is a row of a table.
    [[nodiscard]] bool in_table() const { return in_table_; }

    // The head that stands above the line given last and belongs to it; none if that line is no row, is of the head
    // itself, or if the head is longer than kMaxTableHeadBytes.
    [[nodiscard]] TableHead head() const { return head_is_above_ ? head_ : TableHead{}; }

private:
    Layout layout_;
    bool in_table_ = false;
    bool head_is_above_ = false;
    std::uint32_t rows_ = 0; // of the table at hand
    bool has_head_ = false;
    TableHead head_;
};

} // namespace aios::memory
