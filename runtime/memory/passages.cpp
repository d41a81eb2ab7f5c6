// Cuts a document into passages: see passages.hpp.
#include "runtime/memory/passages.hpp"

#include "runtime/memory/limits.hpp"

namespace aios::memory {
namespace {

constexpr bool is_blank_byte(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }

bool is_blank(std::string_view line) {
    for (const char c : line) {
        if (!is_blank_byte(c)) return false;
    }
    return true;
}

// Where to cut a long line at or before `limit` bytes: after the last blank of the last quarter, else before a
// character's first byte.
std::size_t cut_point(std::string_view line, std::size_t limit) {
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
    explicit Cutter(std::string_view text) : text_(text) {}

    std::vector<PassageRange> run();

private:
    void line(std::size_t begin, std::size_t end);
    void long_line(std::size_t begin, std::size_t end);
    void close();

    std::string_view text_;
    std::vector<PassageRange> passages_;
    std::uint32_t number_ = 0; // of the line at hand
    // The open passage: lines first_..last_, bytes begin_..end_.
    bool open_ = false;
    bool paragraph_ended_ = false;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
};

void Cutter::close() {
    if (open_) {
        passages_.push_back(
            {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(end_ - begin_), first_, last_});
    }
    open_ = false;
    paragraph_ended_ = false;
}

void Cutter::long_line(std::size_t begin, std::size_t end) {
    close();
    while (begin < end) {
        std::string_view rest = text_.substr(begin, end - begin);
        const std::size_t size = rest.size() > kMaxPassageBytes ? cut_point(rest, kMaxPassageBytes) : rest.size();
        if (!is_blank(rest.substr(0, size))) {
            passages_.push_back(
                {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size), number_, number_});
        }
        begin += size;
    }
}

void Cutter::line(std::size_t begin, std::size_t end) {
    const std::string_view content = text_.substr(begin, end - begin);
    if (is_blank(content)) {
        paragraph_ended_ = open_;
        return;
    }
    if (content.size() > kMaxPassageBytes) return long_line(begin, end);
    if (open_) {
        const std::size_t held = end_ - begin_;
        const bool full = held >= kTargetPassageBytes || end - begin_ > kMaxPassageBytes;
        const bool heading = content.front() == '#' && held >= kMinPassageBytes;
        if (full || heading || (paragraph_ended_ && held >= kMinPassageBytes)) close();
    }
    if (!open_) {
        open_ = true;
        begin_ = begin;
        first_ = number_;
    }
    paragraph_ended_ = false;
    end_ = end;
    last_ = number_;
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

std::vector<PassageRange> cut_passages(std::string_view text) { return Cutter(text).run(); }

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
