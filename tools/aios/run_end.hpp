// Follows the two streams of a run and judges how it ended.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/aios/machine.hpp"
#include "tools/aios/process.hpp"
#include "tools/aios/progress.hpp"
#include "tools/aios/record.hpp"

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
    [[nodiscard]] const std::string& text() const { return text_; } // the kernel's, its last part

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
};

// The recomputed root of the audit log if all is well; else the failure with the sentence for the user.
[[nodiscard]] Outcome<Hash> judge_run(const MachineResult& result, RunFollower& follower, std::size_t question_count,
                                      unsigned timeout_seconds);

} // namespace aios::host
