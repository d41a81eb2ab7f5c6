// The command lines of `aios run`, `aios audit`, `aios container` and `aios boot`, parsed into plain structures.
// Parsing looks at the form alone; whether a folder or file can be used is decided where it is used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/run_options.hpp"

namespace aios::host {

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
    std::optional<std::string> trace; // 32 hexadecimal digits
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

// What `aios run-linux` is asked for.
struct DirectoryMapping {
    std::filesystem::path host;
    std::string guest; // absolute, without a slash at its end but for "/"
    bool is_writable = false;
};
struct RunLinuxOptions {
    std::optional<std::filesystem::path> root; // a folder, an archive or an image
    std::vector<DirectoryMapping> directories;
    std::optional<std::filesystem::path> out; // --out: a folder for what is changed
    std::vector<std::string> companions;      // --with: further programs
    std::vector<std::string> environment;     // NAME=VALUE, as given
    std::string directory;                    // where the program starts; empty: not said
    bool jit = false;                         // --cap jit: memory that is writable and executable at once
    bool terminal = false;                    // -it: a terminal of its own
    std::optional<std::uint64_t> memory_mib;
    unsigned processors = 2;
    std::optional<unsigned> timeout_seconds; // none: as long as it takes
    std::optional<std::filesystem::path> audit_log;
    Accelerator accelerator = Accelerator::automatic;
    bool count_instructions = false;
    bool verbose = false;
    std::string append;
    std::vector<std::string> program; // and its arguments; empty only with a root, whose image may name one
};

// Limits that --help states.
inline constexpr unsigned kMaxProcessors = 64;
inline constexpr std::uint64_t kMaxMemoryMib = 1u << 20;
inline constexpr unsigned kMaxTimeoutSeconds = 24 * 3600;

[[nodiscard]] Outcome<RunOptions> parse_run(ArgumentList arguments);
[[nodiscard]] Outcome<RunLinuxOptions> parse_run_linux(ArgumentList arguments);
[[nodiscard]] Outcome<AuditOptions> parse_audit(ArgumentList arguments);
[[nodiscard]] Outcome<ContainerOptions> parse_container(ArgumentList arguments);
[[nodiscard]] Outcome<BootOptions> parse_boot(ArgumentList arguments);

} // namespace aios::host
