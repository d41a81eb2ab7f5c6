#include "tools/aios/options.hpp"

#include <algorithm>
#include <charconv>
#include <format>

#include "abi/call_types.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/audit_record.hpp"

namespace aios::host {

namespace {

// QEMU's words for a machine or a processor: a name, and options behind commas.
Outcome<> check_emulator_words(std::string_view option, std::string_view words) {
    const bool known = std::ranges::all_of(words, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.,+=").contains(c);
    });
    if (words.empty() || !known || words.front() == '-' || words == "help")
        return failure(Exit::wrong_use,
                       std::format("{} takes a name with options behind commas, not '{}'.", option, printable(words)));
    return {};
}

Outcome<> take_cpu(const std::string& words, std::string& cpu) {
    HOST_TRY(check_emulator_words("--cpu", words));
    cpu = words;
    return {};
}

Outcome<> take_machine(const std::string& words, std::string& machine) {
    HOST_TRY(check_emulator_words("--machine", words));
    const std::string name = words.substr(0, words.find(','));
    if (name != "q35" && name != "pc" && name != "microvm")
        return failure(Exit::wrong_use, std::format("--machine takes q35, pc or microvm, not '{}'.", name));
    machine = words;
    return {};
}

Outcome<> take_crash(std::string_view given, Crashes& crashes) {
    constexpr std::string_view kAlways = ",always";
    std::string_view value = given;
    Crash crash;
    crash.always = value.ends_with(kAlways);
    if (crash.always) value.remove_suffix(kAlways.size());
    const auto equals = value.find('=');
    const char* end = value.data() + value.size();
    if (equals == 0 || equals == std::string_view::npos ||
        std::from_chars(value.data() + equals + 1, end, crash.request).ptr != end || crash.request == 0)
        return failure(Exit::wrong_use,
                       std::format("--crash takes NAME=N or NAME=N,always with N from 1, not '{}'.", printable(given)));
    crashes[std::string(value.substr(0, equals))] = crash;
    return {};
}

Outcome<> take_agent(std::string_view value, std::vector<OwnAgent>& agents) {
    const auto equals = value.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == value.size() ||
        value.substr(0, equals).contains('/'))
        return failure(Exit::wrong_use, std::format("--agent takes NAME=BINARY, not '{}'.", printable(value)));
    agents.push_back({std::string(value.substr(0, equals)), value.substr(equals + 1)});
    return {};
}

// What both commands that boot say of the machine.
template <typename Options>
void add_machine(CommandLine& line, Options& options) {
    line.choice("--boot", options.boot, {{"pvh", BootKind::pvh}, {"uefi", BootKind::uefi}});
    line.number("--smp", options.processors, 1, kMaxProcessors);
    line.number("--memory", options.memory_mib, 1, kMaxMemoryMib);
    line.number("--timeout", options.timeout_seconds, 1, kMaxTimeoutSeconds);
    line.flag("--icount", options.count_instructions);
    line.value("--append", options.append);
    line.option("--machine", [&](const std::string& words) { return take_machine(words, options.machine); });
    line.option("--cpu", [&](const std::string& words) { return take_cpu(words, options.cpu); });
}

Outcome<> check_machine(std::string_view machine, BootKind boot) {
    if (boot == BootKind::uefi && machine.starts_with("microvm"))
        return failure(Exit::wrong_use, "there is no UEFI firmware for microvm; take --boot pvh or --machine q35.");
    return {};
}

Outcome<> check_kind(const std::optional<std::string>& kind) {
    if (!kind || is_audit_kind(*kind)) return {};
    return failure(Exit::wrong_use, std::format("--kind takes {}, not '{}'.", audit_kind_list(), printable(*kind)));
}

Outcome<> check_trace(const std::optional<std::string>& trace) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (!trace || (trace->size() == 32 && trace->find_first_not_of(kDigits) == std::string::npos)) return {};
    return failure(Exit::wrong_use,
                   std::format("--trace takes 32 hexadecimal digits in small letters, not '{}'.", printable(*trace)));
}

} // namespace

Outcome<RunOptions> parse_run(ArgumentList arguments) {
    CommandLine line("run");
    RunOptions options;
    line.value("--docs", options.documents);
    line.value("--ask", options.questions);
    line.value("--ask-file", options.question_file);
    line.value("--json", options.json);
    line.value("--audit-log", options.audit_log);
    add_machine(line, options);
    line.choice("--accel", options.accelerator,
                {{"auto", Accelerator::automatic}, {"kvm", Accelerator::kvm}, {"tcg", Accelerator::tcg}});
    line.flag("--verbose", options.verbose);
    line.option("--crash", [&](const std::string& value) { return take_crash(value, options.crashes); });
    line.value("--crew", options.crew);
    line.option("--agent", [&](const std::string& value) { return take_agent(value, options.agents); });
    line.number("--memory-pool", options.pool_mib, 1, kMaxMemoryMib);
    line.ignored_flag("--debug");
    line.ignored_flag("--yes");
    HOST_TRY(line.parse_options(arguments));
    HOST_TRY(check_machine(options.machine, options.boot));
    return options;
}

namespace {

Outcome<> take_directory(std::string_view value, std::vector<DirectoryMapping>& into) {
    std::string_view rest = value;
    const bool is_writable = rest.ends_with(":rw");
    if (is_writable || rest.ends_with(":ro")) rest.remove_suffix(3);
    const auto colon = rest.rfind(':');
    const bool is_well = colon != 0 && colon != std::string_view::npos && rest.substr(colon).starts_with(":/");
    std::string guest = is_well ? std::filesystem::path(rest.substr(colon + 1)).lexically_normal().native() : "";
    while (guest.size() > 1 && guest.ends_with('/'))
        guest.pop_back();
    if (!is_well || guest.contains('\0'))
        return failure(
            Exit::wrong_use,
            std::format("--dir takes HOST:GUEST or HOST:GUEST:rw, where GUEST begins with a slash, not '{}'.",
                        printable(value)));
    if (std::ranges::contains(into, guest, &DirectoryMapping::guest))
        return failure(Exit::wrong_use, std::format("--dir gives {} twice.", printable(guest)));
    if (into.size() == kMaxMounts - 1)
        return failure(Exit::wrong_use, std::format("--dir can be given {} times at most.", kMaxMounts - 1));
    into.push_back({std::string(rest.substr(0, colon)), std::move(guest), is_writable});
    return {};
}

Outcome<> take_environment(std::string_view value, std::vector<std::string>& into) {
    const auto equals = value.find('=');
    if (equals == 0 || equals == std::string_view::npos || value.contains('\0'))
        return failure(Exit::wrong_use, std::format("--env takes NAME=VALUE, not '{}'.", printable(value)));
    into.emplace_back(value);
    return {};
}

Outcome<> take_capability(const std::string& value, RunLinuxOptions& options) {
    if (value != "jit") return failure(Exit::wrong_use, std::format("--cap knows jit, not '{}'.", printable(value)));
    options.jit = true;
    return {};
}

Outcome<> take_start(const std::string& value, std::string& into) {
    if (!value.starts_with('/'))
        return failure(Exit::wrong_use,
                       std::format("--cwd takes a path that begins with a slash, not '{}'.", printable(value)));
    into = value;
    return {};
}

} // namespace

// What stands behind `--` is the program's, whatever it looks like.
Outcome<RunLinuxOptions> parse_run_linux(ArgumentList arguments) {
    CommandLine line("run-linux");
    RunLinuxOptions options;
    line.value("--rootfs", options.root);
    line.option("--dir", [&](const std::string& value) { return take_directory(value, options.directories); });
    line.value("--out", options.out);
    line.value("--with", options.companions);
    line.option("--env", [&](const std::string& value) { return take_environment(value, options.environment); });
    line.option("--cap", [&](const std::string& value) { return take_capability(value, options); });
    line.option("--cwd", [&](const std::string& value) { return take_start(value, options.directory); });
    line.flag("-t", options.terminal);
    line.ignored_flag("-i"); // input is always passed on; -it is how one says it
    line.number("--memory", options.memory_mib, 128, kMaxMemoryMib);
    line.number("--smp", options.processors, 1, kMaxProcessors);
    line.number("--timeout", options.timeout_seconds, 1, kMaxTimeoutSeconds);
    line.value("--audit-log", options.audit_log);
    line.choice("--accel", options.accelerator,
                {{"auto", Accelerator::automatic}, {"kvm", Accelerator::kvm}, {"tcg", Accelerator::tcg}});
    line.flag("--icount", options.count_instructions);
    line.flag("--verbose", options.verbose);
    line.value("--append", options.append);
    line.ignored_flag("--debug");
    line.ignored_flag("--yes");
    const auto dashes = std::ranges::find(arguments, std::string_view("--"));
    HOST_TRY(line.parse_options(ArgumentList(arguments.begin(), dashes)));
    const auto program = dashes == arguments.end() ? dashes : dashes + 1;
    if (program == arguments.end() && !options.root)
        return failure(Exit::wrong_use,
                       "run-linux needs a program behind two dashes: ./aios run-linux -- PROGRAM [ARG...]; "
                       "see ./aios run-linux --help.");
    if (options.out && std::ranges::none_of(options.directories, &DirectoryMapping::is_writable))
        return failure(
            Exit::wrong_use,
            "--out receives what is changed in folders that may be written to: give one by --dir HOST:GUEST:rw.");
    options.program.assign(program, arguments.end());
    return options;
}

Outcome<AuditOptions> parse_audit(ArgumentList arguments) {
    const std::string_view action = arguments.empty() ? std::string_view() : arguments.front();
    if (action != "show" && action != "verify")
        return failure(Exit::wrong_use,
                       "audit knows two actions: ./aios audit verify FILE and ./aios audit show FILE.");
    CommandLine line("audit");
    AuditOptions options;
    if (action == "verify") {
        line.number("--record", options.record, 0, ~std::uint64_t{0});
        line.value("--trust", options.trust);
        line.value("--from", options.checkpoint);
    } else {
        options.action = AuditAction::show;
        line.value("--agent", options.agent);
        line.value("--kind", options.kind);
        line.value("--trace", options.trace);
        line.choice("-o", options.json, {{"json", true}, {"text", false}});
    }
    const auto files = HOST_TRY(line.parse(arguments.subspan(1)));
    HOST_TRY(check_kind(options.kind));
    HOST_TRY(check_trace(options.trace));
    if (files.size() > 1) return failure(Exit::wrong_use, std::format("audit {} takes one file.", action));
    if (files.empty() || files.front().empty())
        return failure(Exit::wrong_use,
                       std::format("audit {} needs the file of a log; see ./aios audit --help.", action));
    options.log = files.front();
    return options;
}

Outcome<ContainerOptions> parse_container(ArgumentList arguments) {
    CommandLine line("container");
    ContainerOptions options;
    line.value("--out", options.out);
    line.value("--boot-list", options.boot_list);
    line.value("--docs", options.documents);
    line.value("--ask", options.questions);
    HOST_TRY(line.parse_options(arguments));
    if (options.out.empty()) return failure(Exit::wrong_use, "container needs --out FILE.");
    return options;
}

Outcome<BootOptions> parse_boot(ArgumentList arguments) {
    CommandLine line("boot");
    BootOptions options;
    line.value("--container", options.container);
    add_machine(line, options);
    HOST_TRY(line.parse_options(arguments));
    HOST_TRY(check_machine(options.machine, options.boot));
    return options;
}

} // namespace aios::host
