// The progress display on standard error: one line that moves on a terminal, plain lines elsewhere. Everything else
// that is printed during a run goes through it, so that lines do not run into each other. One thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

class Progress {
public:
    Progress() : Progress(nullptr) {}
    // Shows nothing, and keeps the lines to be printed in `held`, unless that is null.
    explicit Progress(std::vector<std::string>* held);
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // Shows where things stand; total 0 = not known. Elsewhere than on a terminal a line is printed when the text
    // changes and each tenth of the way.
    void show(std::string_view text, std::uint64_t done = 0, std::uint64_t total = 0);
    // Keeps the seconds of the shown line moving.
    void tick();
    void clear();
    // A whole line on standard error, or on standard output.
    void say(std::string_view line);
    void print(std::string_view line);

private:
    void draw();

    std::vector<std::string>* held_;
    bool terminal_;
    bool drawn_ = false;
    std::string text_;
    std::string last_line_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t last_tenth_ = 0;
    std::chrono::steady_clock::time_point since_;
    std::chrono::steady_clock::time_point last_draw_;
};

} // namespace aios::host
