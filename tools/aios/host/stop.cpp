#include "tools/aios/host/stop.hpp"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace aios::host {

namespace {

volatile std::sig_atomic_t received = 0, count = 0;

void remember(int signal) {
    received = signal;
    count = count + 1;
}

} // namespace

void catch_stop_signals() {
    struct sigaction action{};
    action.sa_handler = remember; // no SA_RESTART: poll and read return
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        sigaction(signal, &action, nullptr);
    // A reader that goes away shows as a write error; a file size limit too.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

int stop_signal() { return received; }

int stop_count() { return count; }

void end_by_signal(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    std::_Exit(128 + signal);
}

} // namespace aios::host
