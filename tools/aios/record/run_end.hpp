// Follows the two streams of a run and judges how it ended.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/progress.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

class RunFollower {
public:
    // `show_line` gets each line of kernel text, if it is set.
    RunFollower(RunRecord& record, std::size_t question_count, const RunEvents& events,
                std::function<void(std::string_view)> show_line)
        : record_(record), question_count_(question_count), events_(events),
          lines_([show = std::move(show_line)](std::string_view line) {
              if (show) show(line);
          }) {}

    // Keeps the last part of the kernel's text.
    void kernel_text(std::string_view text);
    // False once a frame was broken.
    [[nodiscard]] bool frames(std::string_view bytes);
    void finish_frames();

    [[nodiscard]] const RunRecord& record() const { return record_; }
    [[nodiscard]] const std::optional<Failure>& broken() const { return broken_; }
    [[nodiscard]] bool heard_anything() const { return heard_; }
    [[nodiscard]] std::string_view text() const { return text_; } // the last of the kernel's text
    [[nodiscard]] double silent_seconds() const;                  // since the last frame, or since the beginning

    // The last lines of every console and of kernel text, on standard error.
    void show_tails(Progress& progress) const;

private:
    RunRecord& record_;
    std::size_t question_count_;
    const RunEvents& events_;
    FrameReader reader_;
    std::optional<Failure> broken_;
    std::string text_; // the last kilobytes
    LineCutter lines_;
    bool heard_ = false;
    std::chrono::steady_clock::time_point last_frame_ = std::chrono::steady_clock::now();
};

// misquoted: the run itself ended well, but an answer quotes what the documents do not say.
enum class RunOutcome { well, misquoted, failed, panicked, out_of_time, machine_failed };
[[nodiscard]] std::string_view outcome_name(RunOutcome outcome); // as the report has it: "out_of_time"

struct Judgement {
    Exit exit = Exit::well;
    RunOutcome outcome = RunOutcome::well;
    std::string sentence;     // for the user; names what went wrong first; empty if all is well
    std::optional<Hash> root; // recomputed over the audit log, if the kernel's is equal
};

// What a run was asked for.
struct Asked {
    std::size_t questions = 0;
    unsigned timeout_seconds = 0;
    bool own_crew = false; // the user's crew need not answer questions: that it ends well is enough
};

[[nodiscard]] Judgement judge_run(const MachineResult& result, RunFollower& follower, const Asked& asked);

} // namespace aios::host
