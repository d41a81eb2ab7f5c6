// `aios run-linux`: puts the root of one Linux program together, boots AIOS with it, passes output and input on, and ends as
// the program did.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <format>

#include <csignal>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "messages/view.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/progress.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/pack.hpp"
#include "tools/aios/linux/needs.hpp"
#include "tools/aios/linux/program_record.hpp"
#include "tools/aios/machine/accelerator.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/record/audit_log.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kUsualMib = 1024;
constexpr std::size_t kMaxStrings = 16384; // of all arguments, and of the environment: AgentSpawn takes no more
constexpr std::chrono::seconds kNoLimit{10ll * 365 * 24 * 3600}, kTellingAllowance{180};
constexpr std::string_view kTerminalProgram = "bin/terminal"; // of the boot bundle
constexpr std::string_view kUsualPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
    for (std::size_t i = environment.size(); i-- > 0;) { // the last one counts
        const std::string_view entry = environment[i];
        if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) return entry.substr(name.size() + 1);
    }
    return {};
}

// What kind of terminal the program is told that it has.
std::string usual_terminal() {
    const char* const name = std::getenv("TERM");
    return name != nullptr && *name != '\0' ? name : "xterm";
}

Outcome<std::string> joined(const std::vector<std::string>& strings, std::string_view what) {
    std::string all;
    for (const std::string& text : strings)
        all += text + '\0';
    if (all.size() > kMaxStrings)
        return failure(kLinuxCannotRun, std::format("{} are {} bytes; at most {} can be given.", what,
                                                    with_thousands(all.size()), with_thousands(kMaxStrings)));
    return all;
}

// What a program without a root of its own expects to find: a few files, and the names that directories have had for ever,
// where they are links here (/bin, of which scripts and programs have /bin/sh).
void add_usual_files(Root& root) {
    for (const std::string_view link : {"/bin", "/sbin", "/lib", "/lib64"})
        static_cast<void>(root.has_directory(link));
    root.add_text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    root.add_text("/etc/group", "root:x:0:\n");
    root.add_text("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    root.add_text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
}

class RunLinux {
public:
    RunLinux(const Places& places, RunLinuxOptions options)
        : places_(places), options_(std::move(options)),
          log_file_(options_.audit_log.value_or(places_.root / "build" / "last-run.audit")),
          root_(options_.root ? Root::Missing::is_missing : Root::Missing::comes_from_here) {}

    Outcome<Exit> perform() {
        HOST_TRY(check_writable(log_file_));
        if (options_.out) changes_ = HOST_TRY(Changes::create(*options_.out));
        static_cast<void>(HOST_TRY(find_qemu()));
        if (options_.root) HOST_TRY(take_root());
        if (options_.directory.empty()) options_.directory = "/";
        set_environment();
        HOST_TRY(gather());
        const Scratch scratch = HOST_TRY(Scratch::create());
        return follow(HOST_TRY(prepare(scratch)));
    }

private:
    // The root of its own, and what its image says of the start where the user says nothing.
    Outcome<> take_root() {
        spool_.emplace(HOST_TRY(Spool::create()));
        spool_->show_on(progress_);
        Packed packed = HOST_TRY(pack_source(*options_.root, *spool_));
        progress_.clear();
        HOST_TRY(root_.add_tree(std::move(packed.tree).bundle(), "/"));
        if (options_.directory.empty() && !packed.config.directory.empty()) {
            options_.directory = packed.config.directory;
            root_.add_directory(options_.directory);
        }
        for (const std::string& variable : packed.config.environment)
            if (value_of(options_.environment, variable.substr(0, variable.find('='))).data() == nullptr)
                options_.environment.push_back(variable);
        if (options_.program.empty()) options_.program = std::move(packed.config.program);
        if (options_.program.empty())
            return failure(Exit::wrong_use,
                           std::format("'{}' names no program to start; give one behind two dashes: ./aios run-linux "
                                       "--rootfs ... -- PROGRAM [ARG...].",
                                       printable(options_.root->native())));
        return {};
    }

    void set_environment() {
        environment_ = options_.environment;
        if (value_of(environment_, "PATH").empty()) environment_.emplace_back(kUsualPath);
        if (value_of(environment_, "HOME").empty()) environment_.emplace_back("HOME=/root");
        if (options_.terminal && value_of(environment_, "TERM").empty())
            environment_.push_back("TERM=" + usual_terminal());
    }

    Outcome<> gather() {
        for (const DirectoryMapping& directory : options_.directories) {
            const std::string place = root_.place_of(directory.guest); // where links lead
            if (place == "/tmp" || place.starts_with("/tmp/"))
                return failure(Exit::wrong_use,
                               "--dir gives nothing in /tmp, which is an empty folder of the program's own.");
            const std::string entry = place + '\0';
            for (const std::string& others : {read_only_, writable_}) {
                const std::size_t at = ('\0' + others).find('\0' + entry);
                if (at != std::string::npos)
                    return failure(Exit::wrong_use, std::format("--dir gives {} twice, as {} too.", printable(place),
                                                                printable(directory.guest)));
            }
            HOST_TRY(root_.add_folder(directory.host, directory.guest));
            (directory.is_writable ? writable_ : read_only_) += entry;
        }
        const auto program =
            HOST_TRY(find_program(root_, options_.program.front(), options_.directory, value_of(environment_, "PATH")));
        const std::string_view library_path = value_of(environment_, "LD_LIBRARY_PATH");
        arguments_ = options_.program;
        path_ = HOST_TRY(find_needs(root_, program, library_path, arguments_)).substr(1);
        if (!options_.jit) HOST_TRY(check_needs_no_jit(root_, path_, program));
        if (program.path.starts_with("/tmp/"))
            return failure(kLinuxCannotRun,
                           std::format("'{}' cannot run: /tmp is an empty folder of the program's own; move "
                                       "it, or give its folder another place by --dir HOST:GUEST.",
                                       printable(program.shown)));
        for (const std::string& companion : options_.companions) {
            const auto place =
                HOST_TRY(find_program(root_, companion, options_.directory, value_of(environment_, "PATH")));
            std::vector<std::string> words{companion};
            static_cast<void>(HOST_TRY(find_needs(root_, place, library_path, words)));
        }
        if (!options_.root) {
            for (const DirectoryMapping& directory : options_.directories)
                HOST_TRY(take_libraries_below(root_, directory.guest, library_path));
            add_usual_files(root_);
        }
        if (options_.directory != "/" && options_.directory != "/tmp" && !root_.has_directory(options_.directory))
            return failure(kLinuxCannotRun, std::format("--cwd {} is not there; a folder is given by --dir HOST:GUEST.",
                                                        printable(options_.directory)));
        return {};
    }

    Outcome<MachineSpec> prepare(const Scratch& scratch) {
        MachineSpec spec;
        spec.processors = options_.processors;
        spec.kernel = places_.kernel();
        spec.container = scratch.path() / "container";
        spec.command_line = options_.append;
        spec.count_instructions = options_.count_instructions;
        spec.limit = kNoLimit;
        // The runner ends the program in time, and is waited for while it tells what was changed.
        if (options_.timeout_seconds) spec.limit = std::chrono::seconds(*options_.timeout_seconds) + kTellingAllowance;
        Bundle boot = HOST_TRY(read_boot_list(places_.bundle_list("runner")));
        boot.entries.push_back({.path = "etc/program.cbor", .bytes = HOST_TRY(description())});
        Bundle files = std::move(root_).bundle();
        const std::uint64_t bytes = HOST_TRY(write_container(spec.container, boot, files));
        const std::uint64_t file_mib = (bytes >> 20) + 1;
        spec.memory_mib = options_.memory_mib.value_or(kUsualMib + file_mib);
        if (spec.memory_mib < file_mib + 128)
            return failure(kLinuxFailed,
                           std::format("--memory {} is too little for {} of files; give at least --memory {}.",
                                       spec.memory_mib, human_bytes(bytes), file_mib + 128));
        const auto accelerator =
            HOST_TRY(choose_accelerator(options_.count_instructions ? Accelerator::tcg : options_.accelerator,
                                        spec.kernel, spec.processors, places_.build / "kvm-failed.txt"));
        spec.kvm = accelerator.kvm;
        return spec;
    }

    Outcome<std::string> description() {
        if (options_.terminal) {
            window_ = HostTerminal::window();
            arguments_.insert(arguments_.begin(),
                              {"terminal", std::format("{}x{}", window_.rows, window_.columns), "/" + path_});
        }
        const std::string arguments = HOST_TRY(joined(arguments_, "the arguments"));
        const std::string environment = HOST_TRY(joined(environment_, "the variables"));
        const auto encoded = messages::encode(messages::view::ProgramRun{
            .path = as_bytes(path_),
            .arguments = as_bytes(arguments),
            .environment = as_bytes(environment),
            .directory = as_bytes(options_.directory),
            .input = true,
            .read_only = as_bytes(read_only_),
            .writable = as_bytes(writable_),
            .jit = options_.jit,
            .limit_ns = std::uint64_t{options_.timeout_seconds.value_or(0)} * 1'000'000'000,
            .terminal = as_bytes(options_.terminal ? kTerminalProgram : std::string_view()),
        });
        if (!encoded) return failure(kLinuxFailed, "the program's description cannot be encoded.");
        return std::string(as_text(*encoded));
    }

    Outcome<Exit> follow(const MachineSpec& spec) {
        ProgramRecord record(options_.program.front(), options_.timeout_seconds, std::move(changes_));
        LineCutter lines([&](std::string_view line) {
            if (options_.verbose) progress_.say("kernel| " + printable_lines(line));
        });
        FrameReader reader;
        Outcome<> heard;
        std::optional<HostTerminal> terminal;
        if (options_.terminal) terminal.emplace(window_);
        const MachineEars ears{
            .kernel_text = [&](std::string_view text) { lines.feed(text); },
            .frames =
                [&](std::string_view bytes) {
                    if (!heard) return false; // what comes after a failure is not looked at
                    heard = reader.feed(bytes, [&](const Frame& frame) { return record.take(frame); });
                    return heard.has_value();
                },
            .tick = {},
            .input = STDIN_FILENO,
            .input_taken = [&] { return record.input_taken(); },
            .terminal = terminal ? &*terminal : nullptr,
        };
        const MachineResult result = HOST_TRY(run_machine(spec, ears));
        terminal.reset(); // what is said now, is said as usual
        lines.finish();
        HOST_TRY(write_audit_log(log_file_, record.audit(), record.head()));
        if (result.end == MachineEnd::stopped && stop_signal() != 0)
            return failure(kLinuxFailed, "the run was interrupted.");
        HOST_TRY(heard);
        if (result.end == MachineEnd::out_of_time) return record.out_of_time();
        return record.judge(result);
    }

    const Places& places_;
    RunLinuxOptions options_;
    const std::filesystem::path log_file_;
    Root root_;
    Progress progress_;
    std::optional<Spool> spool_; // holds the contents of a root that was an archive
    std::vector<std::string> environment_, arguments_;
    std::string read_only_, writable_; // folders of the program: paths, each ended by NUL
    std::optional<Changes> changes_;
    TerminalWindow window_; // that the program starts with
    std::string path_;      // of what is loaded, in its root
};

// Statuses below 124 are the program's alone.
std::unexpected<Failure> own_status(Failure failure) {
    if (static_cast<int>(failure.exit) < static_cast<int>(kLinuxOutOfTime)) failure.exit = kLinuxFailed;
    return std::unexpected(std::move(failure));
}

} // namespace

Outcome<Exit> command_run_linux(const Places& places, ArgumentList arguments) {
    auto options = parse_run_linux(arguments);
    if (!options) return own_status(std::move(options.error()));
    auto outcome = RunLinux(places, std::move(*options)).perform();
    if (!outcome) return own_status(std::move(outcome.error()));
    return outcome;
}

} // namespace aios::host
