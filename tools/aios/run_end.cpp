#include "tools/aios/run_end.hpp"

#include <format>

#include "base/bytes.hpp"
#include "tools/aios/audit_log.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kTextKept = 64 << 10;
constexpr std::size_t kTailLines = 25;
constexpr std::size_t kConsoleLines = 5;

// The last lines of a text, each behind the name of who said it.
void show_tail(Progress& progress, std::string_view who, std::string_view text, std::size_t count) {
    std::vector<std::string> lines;
    LineCutter cutter([&](std::string_view line) { lines.emplace_back(line); });
    cutter.feed(text);
    cutter.finish();
    for (std::size_t i = lines.size() - std::min(lines.size(), count); i < lines.size(); i++)
        progress.say(printable(who) + "| " + printable_lines(lines[i]));
}

// The newest thing that was said about a fault, for the sentence.
std::string last_word(const RunRecord& record) {
    if (record.done && !record.done->ok && !record.done->text.empty()) return printable(record.done->text);
    if (!record.notes.empty())
        return std::format("{}: {}", printable(record.notes.back().agent), printable(record.notes.back().text));
    // The program that starts everything says what it could not start.
    if (const auto console = record.consoles.find("initd"); console != record.consoles.end()) {
        std::string_view text = console->second;
        while (text.ends_with('\n') || text.ends_with('\r'))
            text.remove_suffix(1);
        return printable(text.substr(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1));
    }
    return {};
}

std::unexpected<Failure> failed(std::string_view what, const RunRecord& record) {
    std::string word = last_word(record);
    if (!word.empty() && !word.ends_with('.')) word += '.';
    return failure(Exit::failed_inside, word.empty() ? std::format("{}; run again with --verbose to see more.", what)
                                                     : std::format("{}: {}", what, word));
}

// The rest of the last line of `text` that holds `beginning`, from there on; "" if there is none.
std::string last_line(std::string_view text, std::string_view beginning) {
    const std::size_t at = text.rfind(beginning);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at);
    return printable(text.substr(0, text.find_first_of("\r\n")));
}

// What the kernel or the UEFI loader says where it refuses a machine; "" where neither does.
std::string refusal_in(std::string_view text) {
    if (std::string sentence = last_line(text, kRefusal); !sentence.empty()) return sentence;
    const std::size_t end = text.rfind("aios-loader: the machine is powered off");
    if (end == std::string_view::npos) return {};
    std::string sentence = last_line(text.substr(0, end), "aios-loader: ");
    return sentence.empty() || sentence.ends_with('.') ? sentence : sentence + '.';
}

Outcome<> judge_power_off(const MachineResult& result, const RunFollower& follower) {
    const RunRecord& record = follower.record();
    const std::string refusal = refusal_in(follower.text());
    switch (result.status) {
    case kStatusWell:
        return {};
    case kStatusFailed:
        return failed("the run failed inside AIOS", record);
    case kStatusRefused:
        return failure(Exit::host_missing, refusal.empty() ? "AIOS does not start on this machine." : refusal);
    case kStatusPanic:
        return failed("the kernel panicked", record);
    default:
        break;
    }
    if (!refusal.empty()) return failure(Exit::host_missing, refusal); // there was nothing to give a status by
    if (!follower.heard_anything()) {
        const std::string first_line = result.message.substr(0, result.message.find('\n'));
        return failure(Exit::host_missing,
                       std::format("QEMU could not run the machine (status {}): {}", result.status,
                                   first_line.empty() ? "it said nothing." : printable(first_line)));
    }
    return failed(std::format("the machine ended without a word of AIOS (QEMU status {})", result.status), record);
}

} // namespace

void RunFollower::kernel_text(std::string_view text) {
    heard_ = heard_ || !text.empty();
    text_ += text;
    if (text_.size() > kTextKept) text_.erase(0, text_.size() - kTextKept / 2);
    lines_.feed(text);
}

bool RunFollower::frames(std::string_view bytes) {
    if (broken_) return false;
    heard_ = heard_ || !bytes.empty();
    const auto fed =
        reader_.feed(bytes, [&](const Frame& frame) { return take_frame(frame, question_count_, record_, events_); });
    if (!fed) broken_ = fed.error();
    return !broken_;
}

void RunFollower::finish_frames() {
    if (broken_) return;
    if (const auto ended = reader_.finish(); !ended) broken_ = ended.error();
}

void RunFollower::show_tails(Progress& progress) const {
    for (const auto& [agent, text] : record_.consoles)
        show_tail(progress, agent, text, kConsoleLines);
    show_tail(progress, "kernel", text_, kTailLines);
}

Outcome<Hash> judge_run(const MachineResult& result, RunFollower& follower, std::size_t question_count,
                        unsigned timeout_seconds) {
    const RunRecord& record = follower.record();
    if (result.end == MachineEnd::powered_off) follower.finish_frames();
    if (result.end == MachineEnd::out_of_time)
        return failure(Exit::out_of_time, std::format("time ran out after {}; give a larger --timeout.",
                                                      counted(timeout_seconds, "second")));
    // How the machine ended says more than a stream that was cut off by it.
    if (follower.broken() && (result.end == MachineEnd::stopped || result.status == kStatusWell))
        return std::unexpected(*follower.broken());
    HOST_TRY(judge_power_off(result, follower));
    if (!record.done) return failed("AIOS powered off before the job was done", record);
    if (!record.done->ok) return failed("the crew could not do the job", record);
    if (record.answers.size() != question_count)
        return failed(std::format("only {} of {} questions were answered", record.answers.size(), question_count),
                      record);
    if (!record.head) return failed("AIOS gave no head of its audit log", record);
    const Hash root = audit_root(record.audit);
    if (record.head->records != record.audit.size() || root != record.head->root)
        return failure(
            Exit::failed_inside,
            std::format("the audit log does not match its head: {} with root {}, the kernel says {} with root {}.",
                        counted(record.audit.size(), "record"), hex(as_text(root)), record.head->records,
                        hex(as_text(record.head->root))));
    return root;
}

} // namespace aios::host
