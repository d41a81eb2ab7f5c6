#include "tools/aios/host/process.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/stop.hpp"

namespace aios::host {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongestLine = 64 << 10;

struct Pipe {
    Descriptor from;
    Descriptor into;
};

Pipe make_pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return {};
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Reads once from each stream that is ready, and closes those that are at their end.
void read_ready(std::vector<Pipe>& pipes, const std::function<void(std::size_t, std::string_view)>& take) {
    std::vector<pollfd> waits;
    for (const Pipe& pipe : pipes)
        waits.push_back({pipe.from.number(), POLLIN, 0}); // a closed one is -1, which poll passes over
    if (::poll(waits.data(), waits.size(), 100) <= 0) return;
    for (std::size_t i = 0; i < pipes.size(); ++i) {
        if (waits[i].revents == 0) continue;
        char buffer[65536];
        const ssize_t count = ::read(pipes[i].from.number(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0)
            pipes[i].from.reset();
        else
            take(i, std::string_view(buffer, static_cast<std::size_t>(count)));
    }
}

ProcessResult follow(const std::vector<std::string>& arguments, std::size_t streams, std::chrono::milliseconds limit,
                     const std::function<void(std::size_t, std::string_view)>& take) {
    std::vector<Pipe> pipes;
    for (std::size_t i = 0; i < streams; ++i) {
        pipes.push_back(make_pipe());
        if (!pipes.back().from) return {};
    }
    const pid_t child = start_process(arguments, {-1, pipes.front().into.number(), pipes.back().into.number()});
    if (child < 0) return {};
    for (Pipe& pipe : pipes)
        pipe.into.reset();
    const auto begin = Clock::now();
    const auto open = [&] {
        for (const Pipe& pipe : pipes)
            if (pipe.from) return true;
        return false;
    };
    while (open()) {
        read_ready(pipes, take);
        const bool late = Clock::now() - begin >= limit;
        if (!late && stop_signal() == 0) continue;
        end_process(child);
        return {128 + SIGKILL, late};
    }
    return {reap_process(child), false};
}

} // namespace

pid_t start_process(const std::vector<std::string>& arguments, const std::vector<int>& descriptors) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    // Only async-signal-safe calls from here on.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0); // an interrupt from the terminal reaches us alone; we end the child
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    int high[8];
    const int null = ::open("/dev/null", O_RDWR);
    for (std::size_t i = 0; i < descriptors.size(); ++i)
        high[i] = ::fcntl(descriptors[i] < 0 ? null : descriptors[i], F_DUPFD_CLOEXEC, 32);
    for (std::size_t i = 0; i < descriptors.size(); ++i)
        ::dup2(high[i], static_cast<int>(i));
    ::execvp(argv[0], argv.data());
    ::_exit(127);
}

int reap_process(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void end_process(pid_t child) {
    // First the gentle way, so that a host program of our own can clear away; then by force.
    ::kill(-child, SIGTERM);
    for (int i = 0; i < 20; ++i) {
        if (::waitpid(child, nullptr, WNOHANG) == child) {
            ::kill(-child, SIGKILL);
            return;
        }
        ::poll(nullptr, 0, 50);
    }
    ::kill(-child, SIGKILL);
    static_cast<void>(reap_process(child));
}

ProcessResult run_process(const std::vector<std::string>& arguments, std::chrono::milliseconds limit,
                          const std::function<void(std::string_view)>& take) {
    return follow(arguments, 1, limit, [&](std::size_t, std::string_view text) { take(text); });
}

Captured capture_process(const std::vector<std::string>& arguments, std::chrono::milliseconds limit) {
    Captured captured;
    const ProcessResult result = follow(arguments, 2, limit, [&](std::size_t stream, std::string_view text) {
        (stream == 0 ? captured.out : captured.err) += text;
    });
    captured.status = result.status;
    captured.out_of_time = result.out_of_time;
    return captured;
}

void LineCutter::feed(std::string_view text) {
    pending_ += text;
    std::string_view rest = pending_;
    while (true) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos && rest.size() <= kLongestLine) break;
        const std::string_view line = rest.substr(0, end == std::string_view::npos ? kLongestLine : end);
        rest.remove_prefix(line.size() + (end == std::string_view::npos ? 0 : 1));
        take_(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
    pending_.erase(0, pending_.size() - rest.size());
}

void LineCutter::finish() {
    if (!pending_.empty()) take_(pending_);
    pending_.clear();
}

} // namespace aios::host
