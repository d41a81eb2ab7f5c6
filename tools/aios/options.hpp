// The command lines of `aios run`, `aios audit`, `aios container` and `aios boot`, parsed into plain structures.
// Parsing looks at the form alone; whether a folder or file can be used is decided where it is used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/commands.hpp"
#include "tools/aios/outcome.hpp"

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

enum class AuditAction { verify, show };

struct AuditOptions {
    AuditAction action = AuditAction::verify;
    std::filesystem::path log;
    // verify
    std::optional<std::uint64_t> record;
    std::optional<std::filesystem::path> trust;      // a public key to check signatures with
    std::optional<std::filesystem::path> checkpoint; // --from
    // show
    std::optional<std::string> agent; // only records that this agent made or that are about it
    std::optional<std::string> kind;
    bool json = false;
};

// What developers and tests use to build a container without a run.
struct ContainerOptions {
    std::filesystem::path out;
    std::filesystem::path boot_list;
    std::vector<std::filesystem::path> documents;
    std::vector<std::string> questions;
};

// What developers use to boot a container as it is.
struct BootOptions {
    std::filesystem::path container; // empty: none
    BootKind boot = BootKind::pvh;
    unsigned processors = 2;
    std::uint64_t memory_mib = 512;
    unsigned timeout_seconds = 120;
    bool count_instructions = false;
    std::string append;
    std::string machine = std::string(kUsualMachine);
    std::string cpu = std::string(kUsualCpu);
};

// Limits that --help states.
inline constexpr unsigned kMaxProcessors = 64;
inline constexpr std::uint64_t kMaxMemoryMib = 1u << 20;
inline constexpr unsigned kMaxTimeoutSeconds = 24 * 3600;

[[nodiscard]] Outcome<RunOptions> parse_run(ArgumentList arguments);
[[nodiscard]] Outcome<AuditOptions> parse_audit(ArgumentList arguments);
[[nodiscard]] Outcome<ContainerOptions> parse_container(ArgumentList arguments);
[[nodiscard]] Outcome<BootOptions> parse_boot(ArgumentList arguments);

[[nodiscard]] constexpr std::string_view boot_name(BootKind boot) { return boot == BootKind::pvh ? "pvh" : "uefi"; }

} // namespace aios::host
