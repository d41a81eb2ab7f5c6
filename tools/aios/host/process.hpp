// Child processes: started with chosen descriptors, followed to their end within a time limit, always reaped, and ended
// with this program. Shared by the virtual machine and by everything else that runs a program.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace aios::host {

// Starts a program (looked up on PATH) in a process group of its own. `descriptors` become 0, 1, 2, ... in the child; a
// negative one is /dev/null; at most 8. -1 and errno if there is no process to be had; a program that does not exist
// exits with 127.
[[nodiscard]] pid_t start_process(const std::vector<std::string>& arguments, const std::vector<int>& descriptors);

// Waits for the end and returns the exit status, or 128 + signal.
[[nodiscard]] int reap_process(pid_t child);

// Ends the whole process group of the child and reaps it.
void end_process(pid_t child);

struct ProcessResult {
    int status = 127;
    bool out_of_time = false;
};

// Runs a program to its end; what it writes to standard output and standard error goes to `take` as it comes.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& arguments, std::chrono::milliseconds limit,
                                        const std::function<void(std::string_view)>& take);

// The same, with standard output and standard error kept apart.
struct Captured {
    int status = 127;
    bool out_of_time = false;
    std::string out;
    std::string err;
};
[[nodiscard]] Captured capture_process(const std::vector<std::string>& arguments, std::chrono::milliseconds limit);

// Cuts pieces of text into lines.
class LineCutter {
public:
    explicit LineCutter(std::function<void(std::string_view)> take) : take_(std::move(take)) {}
    void feed(std::string_view text);
    void finish(); // hands over what is left

private:
    std::function<void(std::string_view)> take_;
    std::string pending_;
};

} // namespace aios::host
