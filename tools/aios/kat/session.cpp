#include "tools/aios/kat/session.hpp"

#include <format>

#include "tools/aios/kat/row.hpp"

namespace aios::host::kat {

void Session::feed(std::string_view piece, const Give& give) {
    while (!piece.empty()) {
        const auto end = piece.find('\n');
        const std::string_view part = piece.substr(0, end);
        started_ = true;
        if (too_long_ || part.size() > kMaxLine - line_.size()) {
            too_long_ = true;
            line_.clear();
        } else {
            line_ += part;
        }
        if (end == std::string_view::npos) return;
        end_line(give);
        piece.remove_prefix(end + 1);
    }
}

void Session::finish(const Give& give) {
    if (started_) end_line(give);
}

void Session::end_line(const Give& give) {
    constexpr std::size_t kKept = 1 << 20; // room that stays for the next line
    std::string text = too_long_ ? std::format("error the line is longer than {} characters", kMaxLine) : answer(line_);
    text += '\n';
    line_.clear();
    if (line_.capacity() > kKept) line_.shrink_to_fit();
    too_long_ = false;
    started_ = false;
    give(text);
}

} // namespace aios::host::kat
