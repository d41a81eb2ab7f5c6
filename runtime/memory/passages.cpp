// Cuts a document into passages: see passages.hpp.
#include "runtime/memory/passages.hpp"

#include <algorithm>

#include "runtime/memory/limits.hpp"
#include "runtime/memory/sentences.hpp"

namespace aios::memory {
namespace {

constexpr bool is_blank_byte(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }

bool is_blank(std::string_view line) {
    for (const char c : line) {
        if (!is_blank_byte(c)) return false;
    }
    return true;
}

// Whether the end of `line` is a place to part: not within a sentence that runs on in `next`. Prose that is broken into
// lines goes on with a letter, after a line that ends without a mark and is not short; lists, tables, code and logs do
// not.
bool parts_at_line_end(std::string_view line, std::string_view next) {
    constexpr std::size_t kShortLine = 40;
    const auto last = line.find_last_not_of(" \t\r");
    if (last == std::string_view::npos || line.size() < kShortLine) return true;
    if (ends_sentence(line.substr(0, last + 1)) || std::string_view(":;{}>|").contains(line[last])) return true;
    const auto first = static_cast<unsigned char>(next.front());
    const bool goes_on = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first >= 0x80 ||
                         first == '(' || first == '"' || first == '\'' || first == '`';
    return !goes_on;
}

// Where to cut a long line at or before `limit` bytes: after the last sentence of its second half, after the last blank
// of the last quarter, else before a character's first byte.
std::size_t cut_point(std::string_view line, std::size_t limit) {
    // One byte more shows whether a blank follows the last mark.
    if (const auto end = last_sentence_end(line.substr(0, limit + 1), limit / 2)) return *end;
    for (std::size_t at = limit; at > limit - limit / 4; --at) {
        if (is_blank_byte(line[at - 1])) return at;
    }
    for (std::size_t at = limit; at > limit - 4; --at) {
        if ((static_cast<unsigned char>(line[at]) & 0xc0) != 0x80) return at;
    }
    return limit;
}

class Cutter {
public:
    Cutter(std::string_view text, Layout layout) : text_(text), layout_(layout), table_(layout) {}

    std::vector<PassageRange> run();

private:
    void line(std::size_t begin, std::size_t end);
    void make_room(std::size_t begin, std::string_view next);
    bool part_at_sentence();
    void long_line(std::size_t begin, std::size_t end);
    void close();

    std::string_view text_;
    Layout layout_;
    TableReader table_;
    std::vector<PassageRange> passages_;
    std::uint32_t number_ = 0; // of the line at hand
    // The open passage: lines first_..last_, bytes begin_..end_.
    bool open_ = false;
    bool paragraph_ended_ = false;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
    TableHead head_;               // of the table that it begins in
    std::size_t last_line_ = 0;    // where the last line of it begins
    bool ends_in_table_ = false;   // its last line is a row
    bool has_no_sentence_ = false; // no sentence ends in it before its last line
};

void Cutter::close() {
    if (open_) {
        passages_.push_back(
            {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(end_ - begin_), first_, last_, head_});
    }
    open_ = false;
    paragraph_ended_ = false;
    has_no_sentence_ = false;
}

void Cutter::long_line(std::size_t begin, std::size_t end) {
    close();
    while (begin < end) {
        std::string_view rest = text_.substr(begin, end - begin);
        const std::size_t size = rest.size() > kMaxPassageBytes ? cut_point(rest, kMaxPassageBytes) : rest.size();
        if (!is_blank(rest.substr(0, size))) {
            passages_.push_back(
                {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size), number_, number_, table_.head()});
        }
        begin += size;
    }
}

void Cutter::line(std::size_t begin, std::size_t end) {
    const std::string_view content = text_.substr(begin, end - begin);
    table_.line(content, number_, begin, end);
    if (is_blank(content)) {
        paragraph_ended_ = open_;
        return;
    }
    if (content.size() > kMaxPassageBytes) return long_line(begin, end);
    if (open_) make_room(end, content);
    if (!open_) {
        open_ = true;
        begin_ = begin;
        first_ = number_;
        head_ = table_.head();
    }
    paragraph_ended_ = false;
    ends_in_table_ = table_.in_table();
    end_ = end;
    last_ = number_;
    last_line_ = begin;
}

// Before the line `next`, which ends at `end`, is added: closes the open passage, or the sentences that it holds, if it
// is large enough and this is a place to part.
void Cutter::make_room(std::size_t end, std::string_view next) {
    const std::size_t held = end_ - begin_;
    const bool heading = next.front() == '#' && held >= kMinPassageBytes;
    if (heading || (paragraph_ended_ && held >= kMinPassageBytes)) return close();
    if (end - begin_ > kMaxPassageBytes) { // must part here
        if (ends_in_table_ || !part_at_sentence()) close();
        if (open_ && end - begin_ > kMaxPassageBytes) close(); // what is left and the line are still too much
        return;
    }
    if (held < kTargetPassageBytes) return;
    const std::string_view line = text_.substr(last_line_, end_ - last_line_);
    const bool between_rows = ends_in_table_ && table_.in_table();
    if (between_rows && layout_ == Layout::text) return; // a table stays whole as long as it may
    if (ends_in_table_ || parts_at_line_end(line, next))
        close();
    else
        part_at_sentence();
}

// Closes the open passage after its last whole sentence, and opens the next with the rest. False if there is no such
// place.
bool Cutter::part_at_sentence() {
    const std::string_view held = text_.substr(begin_, end_ - begin_);
    // Looked at once: what held no end before does not hold one now.
    const std::size_t low = has_no_sentence_ ? last_line_ - begin_ - 1 : 0;
    const auto cut = last_sentence_end(held, std::max(low, kMinPassageBytes));
    has_no_sentence_ = !cut;
    if (!cut) return false;
    const std::size_t rest = held.find_first_not_of(" \t\r\n", *cut);
    if (rest == std::string_view::npos) return false;
    const auto lines_to = [&](std::size_t to) {
        std::uint32_t lines = 0;
        for (std::size_t at = 0; at < to; ++at)
            lines += held[at] == '\n';
        return lines;
    };
    passages_.push_back(
        {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(*cut), first_, first_ + lines_to(*cut), head_});
    head_ = {};
    first_ += lines_to(rest);
    begin_ += rest;
    return true;
}

std::vector<PassageRange> Cutter::run() {
    std::size_t begin = 0;
    while (begin < text_.size()) {
        ++number_;
        std::size_t end = text_.find('\n', begin);
        const std::size_t next = end == std::string_view::npos ? text_.size() : end + 1;
        if (end == std::string_view::npos) end = text_.size();
        if (end > begin && text_[end - 1] == '\r') --end;
        line(begin, end);
        begin = next;
    }
    close();
    return std::move(passages_);
}

} // namespace

std::vector<PassageRange> cut_passages(std::string_view text, Layout layout) { return Cutter(text, layout).run(); }

std::string_view lines_of(std::string_view text, std::uint32_t first, std::uint32_t last) {
    if (first == 0 || last < first) return {};
    std::size_t begin = 0;
    for (std::uint32_t line = 1; line < first; ++line) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string_view::npos) return {};
        begin = end + 1;
    }
    std::size_t end = begin;
    for (std::uint32_t line = first; line <= last; ++line) {
        if (end >= text.size()) return {};
        const std::size_t stop = text.find('\n', end);
        if (stop == std::string_view::npos) {
            if (line < last) return {};
            return text.substr(begin);
        }
        if (line == last) return text.substr(begin, stop - begin);
        end = stop + 1;
    }
    return {};
}

} // namespace aios::memory
