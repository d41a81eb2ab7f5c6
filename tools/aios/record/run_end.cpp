#include "tools/aios/record/run_end.hpp"

#include <algorithm>
#include <expected>
#include <format>

#include "base/bytes.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/cause.hpp"

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
    for (std::size_t i = lines.size() - std::min(lines.size(), count); i < lines.size(); ++i)
        progress.say(printable(who) + "| " + printable_lines(lines[i]));
}

constexpr double kSilentAfter = 20; // seconds without a frame: more time would not help

// "what: why." or what alone.
std::string sentence_of(std::string_view what, std::string why) {
    while (why.ends_with('.'))
        why.pop_back();
    return why.empty() ? std::format("{}; run again with --verbose to see more.", what)
                       : std::format("{}: {}.", what, why);
}

Judgement failed(std::string_view what, const RunFollower& follower) {
    return {Exit::failed_inside,
            RunOutcome::failed,
            sentence_of(what, describe_cause(follower.record(), follower.text())),
            {}};
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

Judgement refused(std::string sentence) {
    return {Exit::host_missing, RunOutcome::machine_failed, std::move(sentence), {}};
}

Judgement panicked(const RunFollower& follower) {
    // Whatever went wrong before, the kernel's own last word is the cause.
    const auto& notes = follower.record().notes;
    const auto word = std::ranges::find(notes.rbegin(), notes.rend(), "kernel", &Remark::agent);
    return {Exit::failed_inside,
            RunOutcome::panicked,
            sentence_of("the kernel panicked", word != notes.rend() ? printable(word->text) : ""),
            {}};
}

Judgement out_of_time(const RunFollower& follower, std::size_t question_count, unsigned seconds) {
    std::string sentence = std::format("time ran out after {}; {}", counted(seconds, "second"),
                                       describe_standing(follower.record(), question_count));
    const std::string cause = describe_cause(follower.record(), follower.text());
    if (!cause.empty()) sentence += "; before that, " + cause;
    if (const double silent = follower.silent_seconds(); silent >= kSilentAfter)
        sentence += std::format(
            "; nothing was heard of AIOS for the last {:.0f} seconds, so a larger --timeout may not help", silent);
    else
        sentence += "; give a larger --timeout";
    return {Exit::out_of_time, RunOutcome::out_of_time, sentence + '.', {}};
}

// False as long as no agent was heard of: then it is the kernel that refused this machine.
bool has_agents(const RunRecord& record) {
    return record.boot || record.done || !record.agents.empty() || !record.consoles.empty();
}

// How the machine ended, if not as it should.
std::optional<Judgement> judge_power_off(const MachineResult& result, const RunFollower& follower) {
    const std::string refusal = refusal_in(follower.text());
    switch (result.status) {
    case kStatusWell:
        return std::nullopt;
    case kStatusFailed:
        return failed(has_agents(follower.record()) ? "the run failed inside AIOS"
                                                    : "AIOS cannot start on this machine",
                      follower);
    case kStatusRefused:
        return refused(refusal.empty() ? "AIOS does not start on this machine." : refusal);
    case kStatusPanic:
        return panicked(follower);
    default:
        break;
    }
    if (!refusal.empty()) return refused(refusal); // there was nothing to give a status by
    if (!follower.heard_anything()) {
        const std::string first_line = result.message.substr(0, result.message.find('\n'));
        return Judgement{Exit::host_missing,
                         RunOutcome::machine_failed,
                         std::format("QEMU could not run the machine (status {}): {}{}", result.status,
                                     first_line.empty() ? "it said nothing" : printable(first_line),
                                     first_line.ends_with('.') ? "" : "."),
                         {}};
    }
    return failed(std::format("the machine ended without a word of AIOS (QEMU status {})", result.status), follower);
}

// The root of the records, if the kernel gave the same.
std::expected<Hash, Judgement> judge_log(const RunFollower& follower) {
    const RunRecord& record = follower.record();
    if (!record.head) return std::unexpected(failed("AIOS gave no head of its audit log", follower));
    const Hash root = audit_root(record.audit);
    if (record.head->records == record.audit.size() && root == record.head->root) return root;
    return std::unexpected(Judgement{
        Exit::failed_inside,
        RunOutcome::failed,
        std::format("the audit log does not match its head: {} with root {}, the kernel says {} with root {}.",
                    counted(record.audit.size(), "record"), hex(as_text(root)), record.head->records,
                    hex(as_text(record.head->root))),
        {}});
}

// The first of the quotations that are not in the documents, and how many more there are.
Judgement misquoted(const RunRecord& record, const Hash& root) {
    const Misquote& first = record.misquotes.front();
    std::string sentence = std::format("an answer quotes what the documents do not say: {}, question {}: {}",
                                       first.agent, first.question + 1, first.text);
    if (record.misquotations > 1) sentence += std::format("; and {} more", with_thousands(record.misquotations - 1));
    return {Exit::failed_inside, RunOutcome::misquoted, sentence + '.', root};
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
    last_frame_ = std::chrono::steady_clock::now();
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

double RunFollower::silent_seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - last_frame_).count();
}

Judgement judge_run(const MachineResult& result, RunFollower& follower, const Asked& asked) {
    const RunRecord& record = follower.record();
    if (result.end == MachineEnd::powered_off) follower.finish_frames();
    if (result.end == MachineEnd::out_of_time) return out_of_time(follower, asked.questions, asked.timeout_seconds);
    // How the machine ended says more than a stream that was cut off by it.
    if (follower.broken() && (result.end == MachineEnd::stopped || result.status == kStatusWell))
        return {follower.broken()->exit, RunOutcome::failed, follower.broken()->sentence, {}};
    if (auto ended = judge_power_off(result, follower)) return *std::move(ended);
    if (!record.done && !asked.own_crew) return failed("AIOS powered off before the job was done", follower);
    if (record.done && !record.done->ok) return failed("the crew could not do the job", follower);
    if (record.answers.size() != asked.questions && !asked.own_crew)
        return failed(
            std::format("only {} of {} were answered", record.answers.size(), counted(asked.questions, "question")),
            follower);
    const auto root = judge_log(follower);
    if (!root) return root.error();
    if (!record.misquotes.empty()) return misquoted(record, *root);
    return {Exit::well, RunOutcome::well, "", *root};
}

std::string_view outcome_name(RunOutcome outcome) {
    switch (outcome) {
    case RunOutcome::well:
        return "well";
    case RunOutcome::misquoted:
        return "misquoted";
    case RunOutcome::failed:
        return "failed";
    case RunOutcome::panicked:
        return "panicked";
    case RunOutcome::out_of_time:
        return "out_of_time";
    case RunOutcome::machine_failed:
        return "machine_failed";
    }
    return "";
}

} // namespace aios::host
