// Follows the two streams of a run and judges how it ended.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/aios/machine.hpp"
#include "tools/aios/progress.hpp"
#include "tools/aios/record.hpp"

namespace aios::host {

class RunFollower {
public:
    RunFollower(RunRecord& record, std::size_t question_count, const RunEvents& events)
        : record_(record), question_count_(question_count), events_(events) {}

    // Keeps the last part of the kernel's text; whole lines go to `show` at once if there is one.
    void kernel_text(std::string_view text, Progress* show);
    // False once a frame was broken.
    [[nodiscard]] bool frames(std::string_view bytes);
    void finish_frames();

    [[nodiscard]] const RunRecord& record() const { return record_; }
    [[nodiscard]] const std::optional<Failure>& broken() const { return broken_; }
    [[nodiscard]] bool heard_anything() const { return heard_; }

    // The last lines of kernel text on standard error, unless they were shown already.
    void show_kernel_tail(Progress& progress, bool shown_already) const;

private:
    RunRecord& record_;
    std::size_t question_count_;
    const RunEvents& events_;
    FrameReader reader_;
    std::optional<Failure> broken_;
    std::string text_;    // the last kilobytes
    std::string pending_; // an unfinished line
    bool heard_ = false;
};

// The recomputed root of the audit log if all is well; else the failure with the sentence for the user.
[[nodiscard]] Outcome<Hash> judge_run(const MachineResult& result, RunFollower& follower, std::size_t question_count,
                                      unsigned timeout_seconds);

} // namespace aios::host
