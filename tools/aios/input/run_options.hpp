// What a run is asked to be: the machine, the documents and questions, the crew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

enum class BootKind { pvh, uefi };
enum class Accelerator { automatic, kvm, tcg };

// A unit that is to crash at a request, counted from 1: at its first start, or at every start.
struct Crash {
    std::uint64_t request = 0;
    bool always = false;
};
using Crashes = std::map<std::string, Crash, std::less<>>; // by name of the unit

// The machine where nobody asks for another: all features that the emulator has, but those for fast strings, which
// Linux would use and which would spoil comparisons with it.
inline constexpr std::string_view kUsualMachine = "q35";
inline constexpr std::string_view kUsualCpu = "max,-erms,-fsrm";

// A program of the user's that goes into the bundle as bin/NAME.
struct OwnAgent {
    std::string name;
    std::filesystem::path binary;
};

struct RunOptions {
    std::optional<std::filesystem::path> documents; // none: the project's own docs/ and README.md
    std::vector<std::string> questions;             // --ask, in order
    std::optional<std::filesystem::path> question_file;
    std::optional<std::filesystem::path> json;
    std::optional<std::filesystem::path> audit_log; // none: build/last-run.audit
    BootKind boot = BootKind::pvh;
    unsigned processors = 2;
    std::optional<std::uint64_t> memory_mib; // none: what the input needs, at least kUsualMemoryMib
    Accelerator accelerator = Accelerator::automatic;
    unsigned timeout_seconds = 600;
    bool verbose = false;
    bool count_instructions = false;
    std::string append; // further words for the kernel's command line
    std::string machine = std::string(kUsualMachine);
    std::string cpu = std::string(kUsualCpu);
    Crashes crashes;
    std::optional<std::filesystem::path> crew; // a unit file in place of the desk's
    std::vector<OwnAgent> agents;
    std::optional<std::uint64_t> pool_mib; // memory for the crew; none: what its units ask for
};

[[nodiscard]] constexpr std::string_view boot_name(BootKind boot) { return boot == BootKind::pvh ? "pvh" : "uefi"; }

} // namespace aios::host
