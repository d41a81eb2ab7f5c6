// Interrupt, quit, hang-up and termination signals as a flag: waiting functions end early and look at it, so that scratch
// files and QEMU are cleared away by the ordinary path, and the program then ends by the signal it was sent.
#pragma once

namespace aios::host {

void catch_stop_signals();

// The signal that asked for an end, or 0.
[[nodiscard]] int stop_signal();

// How often it was asked for.
[[nodiscard]] int stop_count();

// Ends the program by that signal; for the end of main.
[[noreturn]] void end_by_signal(int signal);

} // namespace aios::host
