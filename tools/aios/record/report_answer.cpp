// An answer as people see it. What is in the documents is shown as it stands there, with its place; what an agent says
// and the documents do not is shown as that, on one line of its own, so that it cannot look like the other.
#include <algorithm>
#include <format>
#include <set>

#include "tools/aios/host/text.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

std::string show_quotation(const Passage& passage, std::string_view agent) {
    std::string out;
    std::string_view rest = passage.text;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        out += std::format("    {}\n", printable_lines(rest.substr(0, end)));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return out + std::format("    -- {}:{}-{}, score {:.3f}, {}\n", printable(passage.file), passage.first,
                             passage.last, passage.score, printable(agent));
}

std::string show_misquote(const Passage& passage, std::string_view agent) {
    return std::format("    {}\n    -- said by {}\n",
                       describe_misquote(passage.found, passage.file, passage.first, passage.last, passage.text),
                       printable(agent));
}

} // namespace

bool is_made_of(const Answer& answer, Of which) {
    constexpr std::string_view kBetween = "\n\n";
    // Where a passage may begin: passages may begin alike, so there may be several ways through the text.
    std::set<std::size_t> begins = {0};
    while (!begins.empty()) {
        const std::size_t begin = *begins.begin();
        begins.erase(begins.begin());
        const std::string_view rest = std::string_view(answer.text).substr(begin);
        for (const Passage& passage : answer.passages) {
            const bool counts = which == Of::all_passages || passage.found == Quotation::verified;
            if (!counts || passage.text.empty() || !rest.starts_with(passage.text)) continue;
            if (rest.size() == passage.text.size()) return true;
            if (rest.substr(passage.text.size()).starts_with(kBetween))
                begins.insert(begin + passage.text.size() + kBetween.size());
        }
    }
    return false;
}

std::string show_answer(std::size_t question, std::string_view text, const Answer& answer) {
    std::string out = std::format("\n[{}] {}\n", question + 1, shortened(text));
    if (!answer.answered) out += "    no answer in these documents\n";
    for (const Passage& passage : answer.passages) {
        if (passage.found != Quotation::verified)
            out += show_misquote(passage, answer.agent);
        else if (answer.answered && answer.text.find(passage.text) != std::string::npos)
            out += show_quotation(passage, answer.agent);
    }
    if (answer.answered && !is_made_of(answer, Of::all_passages))
        out += std::format("    not quoted from any document: {}\n    -- said by {}\n", shortened(answer.text),
                           printable(answer.agent));
    return out;
}

} // namespace aios::host
