// One boot of a level whose tests run on AIOS: starts the machine, takes the lines "TEST name pass|fail|skip detail" of
// the serial port and of every console, checks the audit log against its head, and says what is wrong with a boot that
// does not end well.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "tools/aios/machine/machine.hpp"
#include "tools/aios/record/record.hpp"
#include "tools/aios/test/levels.hpp"
#include "tools/aios/test/parts.hpp"

namespace aios::host {

struct Boot {
    std::string_view preset;
    BootKind kind;
    unsigned processors;
    bool count_instructions = false; // four nanoseconds each
    // The kernel measures by counted instructions (one nanosecond each, or as above) how long interrupts stay off: a
    // stretch beyond 50,000 of them is a failure that names where it began and ended.
    bool measure_interrupts_off = false;
};

struct Level {
    std::string_view name;
    std::string_view bundle; // empty: no container
    std::string_view command_line;
    bool in_kernel = false;            // boots the image that holds the kernel's own tests
    std::vector<std::string> job = {}; // paths of empty entries of the job bundle, for the first program to find
    std::string_view shown = {};       // lines that start so are shown
    std::chrono::minutes limit{20};    // of a boot: generous, because a busy machine is no failure
    std::function<void(const RunRecord&, TestLog&)> after = {}; // looks at what a boot that ended by itself has told
};

// The boots as parts of a level; with --quick only release on two processors, with
// --counted only release on one whose time is counted. `level` must outlive them.
[[nodiscard]] std::vector<TestPart> boots_of(const Places& places, const Level& level,
                                             std::initializer_list<Boot> boots, const TestOptions& options);
// A whole level of the log: these boots, side by side.
void run_level(const Places& places, const Level& level, std::initializer_list<Boot> boots, TestLog& log);

} // namespace aios::host
