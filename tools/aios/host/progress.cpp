#include "tools/aios/host/progress.hpp"

#include <cstdio>
#include <format>

#include <unistd.h>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLineWidth = 78;

void write_line(std::FILE* to, std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), to);
    std::fputc('\n', to);
    std::fflush(to);
}

} // namespace

Progress::Progress(std::vector<std::string>* held)
    : held_(held), terminal_(held == nullptr && ::isatty(STDERR_FILENO) != 0), since_(Clock::now()) {}

void Progress::draw() {
    std::string line = text_;
    if (total_ > 0) line += std::format(": {} of {}", with_thousands(done_), with_thousands(total_));
    if (terminal_) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - since_).count();
        if (seconds > 0) line += std::format(" ({} s)", seconds);
        line.resize(std::min(line.size(), kLineWidth));
        std::fprintf(stderr, "\r\033[K%s", line.c_str());
        std::fflush(stderr);
        drawn_ = true;
    } else if (line != last_line_) {
        write_line(stderr, line);
        last_line_ = line;
    }
    last_draw_ = Clock::now();
}

void Progress::show(std::string_view text, std::uint64_t done, std::uint64_t total) {
    if (held_ != nullptr) return;
    const std::string shown = printable(text);
    const bool is_new = shown != text_;
    const std::uint64_t tenth =
        total > 0 ? static_cast<std::uint64_t>(10.0 * static_cast<double>(done) / static_cast<double>(total)) : 0;
    const bool further = tenth != last_tenth_;
    if (is_new) since_ = Clock::now();
    text_ = shown;
    done_ = done;
    total_ = total;
    last_tenth_ = tenth;
    if (is_new || further || terminal_) draw();
}

void Progress::tick() {
    if (terminal_ && !text_.empty() && Clock::now() - last_draw_ >= std::chrono::milliseconds(500)) draw();
}

void Progress::clear() {
    if (drawn_) {
        std::fputs("\r\033[K", stderr);
        std::fflush(stderr);
    }
    drawn_ = false;
}

void Progress::say(std::string_view line) {
    if (held_ != nullptr) {
        held_->emplace_back(line);
        return;
    }
    clear();
    write_line(stderr, line);
}

void Progress::print(std::string_view line) {
    if (held_ != nullptr) {
        held_->emplace_back(line);
        return;
    }
    clear();
    write_line(stdout, line);
}

} // namespace aios::host
