#include "tools/aios/record/cause.hpp"

#include <algorithm>
#include <format>

#include "abi/call_types.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kErrorMark = "error: "; // of the kernel's log

// The last line of a text.
std::string_view last_line(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    const auto end = text.rfind('\n');
    return text.substr(end == std::string_view::npos ? 0 : end + 1);
}

// What the one who gave up said: the crew, or else the program that starts everything.
std::string last_word(const RunRecord& record) {
    if (record.done && !record.done->ok && !record.done->text.empty()) return printable(record.done->text);
    if (const auto console = record.consoles.find("initd"); console != record.consoles.end())
        return printable(last_line(console->second));
    return {};
}

// The kernel says what it refuses before it says what follows from that: the first error line is the cause.
std::string_view first_error(std::string_view kernel_text) {
    while (!kernel_text.empty()) {
        const auto end = kernel_text.find('\n');
        const std::string_view line = kernel_text.substr(0, end);
        if (line.starts_with(kErrorMark)) return line.substr(kErrorMark.size());
        kernel_text.remove_prefix(end == std::string_view::npos ? kernel_text.size() : end + 1);
    }
    return {};
}

std::string show(const Trouble& trouble) {
    return std::format("{}: {}{}", printable(trouble.agent), printable(trouble.text),
                       trouble.count > 1 ? std::format(" ({} times)", trouble.count) : "");
}

// The first trouble of an agent that the last word names, so that one which others have survived is not blamed; else
// the first of all.
const Trouble* blamed(const RunRecord& record, std::string_view word) {
    if (record.troubles.empty()) return nullptr;
    const auto named =
        std::ranges::find_if(record.troubles, [&](const Trouble& trouble) { return word.contains(trouble.agent); });
    return named != record.troubles.end() ? &*named : &record.troubles.front();
}

} // namespace

bool is_trouble(const Account& account) {
    if (account.after_done) return false;
    switch (static_cast<EndReason>(account.end_reason)) {
    case EndReason::none:
    case EndReason::parent_ended:
        return false;
    case EndReason::exited:
    case EndReason::killed:
        return account.end_status != 0;
    case EndReason::fault:
        return false; // told by a note, with more
    case EndReason::quota:
    case EndReason::integrity:
        return true;
    }
    return false;
}

void add_trouble(RunRecord& record, std::string_view agent, std::string_view text) {
    const auto same = std::ranges::find_if(
        record.troubles, [&](const Trouble& known) { return known.agent == agent && known.text == text; });
    if (same != record.troubles.end())
        ++same->count;
    else if (record.troubles.size() < kMaxTroubles)
        record.troubles.push_back({std::string(agent), std::string(text)});
}

std::string describe_cause(const RunRecord& record, std::string_view kernel_text) {
    const std::string word = last_word(record);
    std::string cause;
    if (const Trouble* first = blamed(record, word))
        cause = show(*first);
    else
        cause = printable(first_error(kernel_text));
    if (cause.empty()) return word;
    return word.empty() || word == cause ? cause : std::format("{}; then {}", cause, word);
}

std::string describe_standing(const RunRecord& record, std::size_t question_count) {
    if (!record.boot) return "the kernel had started no agent yet";
    if (!record.answers.empty())
        return std::format("{} of {} were answered", record.answers.size(), counted(question_count, "question"));
    if (!record.progress.empty()) return "the crew was " + printable(record.progress);
    return "the services were starting";
}

} // namespace aios::host
