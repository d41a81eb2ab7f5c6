#include "tools/aios/options.hpp"

#include <algorithm>
#include <charconv>
#include <format>

#include "tools/aios/audit_record.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

// Walks over an argument list: next() yields an option's name, value() its value.
class Arguments {
public:
    Arguments(std::string_view command, std::span<const std::string_view> list) : command_(command), list_(list) {}

    [[nodiscard]] bool at_end() const { return at_ == list_.size(); }
    // Of --name=value the name; the value is what value() gives then.
    std::string_view next() {
        const std::string_view argument = list_[at_++];
        const auto equals = argument.find('=');
        if (!argument.starts_with("--") || equals == std::string_view::npos) return argument;
        joined_ = argument.substr(equals + 1);
        return argument.substr(0, equals);
    }

    [[nodiscard]] Outcome<std::string_view> value(std::string_view option) {
        if (joined_) return *std::exchange(joined_, std::nullopt);
        if (list_.size() == at_)
            return failure(Exit::wrong_use, std::format("{} needs a value; see ./aios {} --help.", option, command_));
        return list_[at_++];
    }

    // Refuses a value that the option before did not take: --verbose=yes.
    [[nodiscard]] Outcome<> no_value(std::string_view option) {
        if (!joined_) return {};
        return failure(Exit::wrong_use, std::format("{} takes no value; see ./aios {} --help.", option, command_));
    }

    [[nodiscard]] Outcome<std::uint64_t> number(std::string_view option, std::uint64_t low, std::uint64_t high) {
        const std::string_view text = HOST_TRY(value(option));
        const auto parsed = parse_number(text, low, high);
        if (!parsed)
            return failure(Exit::wrong_use,
                           std::format("{} takes a whole number from {} to {}, not '{}'.", option, low, high, text));
        return *parsed;
    }

    [[nodiscard]] Outcome<BootKind> boot_kind(std::string_view option) {
        const std::string_view kind = HOST_TRY(value(option));
        if (kind == "pvh") return BootKind::pvh;
        if (kind == "uefi") return BootKind::uefi;
        return failure(Exit::wrong_use, std::format("{} takes pvh or uefi, not '{}'.", option, kind));
    }

    // QEMU's words for a machine or a processor: a name, and options behind commas.
    [[nodiscard]] Outcome<std::string> emulator_words(std::string_view option) {
        const std::string_view words = HOST_TRY(value(option));
        const bool known = std::ranges::all_of(words, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view("-_.,+=").contains(c);
        });
        if (words.empty() || !known || words.front() == '-' || words == "help")
            return failure(Exit::wrong_use,
                           std::format("{} takes a name with options behind commas, not '{}'.", option, words));
        return std::string(words);
    }

    [[nodiscard]] Outcome<std::string> machine(std::string_view option) {
        std::string words = HOST_TRY(emulator_words(option));
        const std::string_view name = std::string_view(words).substr(0, words.find(','));
        if (name != "q35" && name != "pc" && name != "microvm")
            return failure(Exit::wrong_use, std::format("{} takes q35, pc or microvm, not '{}'.", option, name));
        return words;
    }

    [[nodiscard]] std::unexpected<Failure> unknown(std::string_view argument) const {
        return failure(Exit::wrong_use,
                       std::format("{} does not know '{}'; see ./aios {} --help.", command_, argument, command_));
    }

private:
    std::string_view command_;
    std::span<const std::string_view> list_;
    std::size_t at_ = 0;
    std::optional<std::string_view> joined_; // the value of --name=value, until it is taken
};

Outcome<> check_machine(std::string_view machine, BootKind boot) {
    if (boot == BootKind::uefi && machine.starts_with("microvm"))
        return failure(Exit::wrong_use, "there is no UEFI firmware for microvm; take --boot pvh or --machine q35.");
    return {};
}

} // namespace

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc{} || stop != end || number < low || number > high) return std::nullopt;
    return number;
}

Outcome<RunOptions> parse_run(std::span<const std::string_view> list) {
    Arguments arguments("run", list);
    RunOptions options;
    while (!arguments.at_end()) {
        const std::string_view option = arguments.next();
        if (option == "--docs") {
            options.documents = HOST_TRY(arguments.value(option));
        } else if (option == "--ask") {
            options.questions.emplace_back(HOST_TRY(arguments.value(option)));
        } else if (option == "--ask-file") {
            options.question_file = HOST_TRY(arguments.value(option));
        } else if (option == "--json") {
            options.json = HOST_TRY(arguments.value(option));
        } else if (option == "--audit-log") {
            options.audit_log = HOST_TRY(arguments.value(option));
        } else if (option == "--boot") {
            options.boot = HOST_TRY(arguments.boot_kind(option));
        } else if (option == "--smp") {
            options.processors = static_cast<unsigned>(HOST_TRY(arguments.number(option, 1, kMaxProcessors)));
        } else if (option == "--memory") {
            options.memory_mib = HOST_TRY(arguments.number(option, 1, kMaxMemoryMib));
        } else if (option == "--accel") {
            const std::string_view value = HOST_TRY(arguments.value(option));
            if (value == "auto")
                options.accelerator = Accelerator::automatic;
            else if (value == "kvm")
                options.accelerator = Accelerator::kvm;
            else if (value == "tcg")
                options.accelerator = Accelerator::tcg;
            else
                return failure(Exit::wrong_use, std::format("--accel takes auto, kvm or tcg, not '{}'.", value));
        } else if (option == "--timeout") {
            options.timeout_seconds = static_cast<unsigned>(HOST_TRY(arguments.number(option, 1, kMaxTimeoutSeconds)));
        } else if (option == "--verbose") {
            options.verbose = true;
        } else if (option == "--icount") {
            options.count_instructions = true;
        } else if (option == "--append") {
            options.append = HOST_TRY(arguments.value(option));
        } else if (option == "--machine") {
            options.machine = HOST_TRY(arguments.machine(option));
        } else if (option == "--cpu") {
            options.cpu = HOST_TRY(arguments.emulator_words(option));
        } else if (option == "--crash") {
            std::string_view value = HOST_TRY(arguments.value(option));
            const std::string_view given = value;
            Crash crash;
            crash.always = value.ends_with(",always");
            if (crash.always) value.remove_suffix(std::string_view(",always").size());
            const auto equals = value.find('=');
            const char* end = value.data() + value.size();
            if (equals == 0 || equals == std::string_view::npos ||
                std::from_chars(value.data() + equals + 1, end, crash.request).ptr != end || crash.request == 0) {
                return failure(Exit::wrong_use,
                               std::format("--crash takes NAME=N or NAME=N,always with N from 1, not '{}'.", given));
            }
            options.crashes[std::string(value.substr(0, equals))] = crash;
        } else if (option == "--crew") {
            options.crew = HOST_TRY(arguments.value(option));
        } else if (option == "--agent") {
            const std::string_view value = HOST_TRY(arguments.value(option));
            const auto equals = value.find('=');
            if (equals == 0 || equals == std::string_view::npos || equals + 1 == value.size() ||
                value.substr(0, equals).contains('/'))
                return failure(Exit::wrong_use, std::format("--agent takes NAME=BINARY, not '{}'.", printable(value)));
            options.agents.push_back({std::string(value.substr(0, equals)), value.substr(equals + 1)});
        } else if (option == "--memory-pool") {
            options.pool_mib = HOST_TRY(arguments.number(option, 1, kMaxMemoryMib));
        } else if (option == "--debug" || option == "--yes") {
            // the script acts on these
        } else {
            return arguments.unknown(option);
        }
        HOST_TRY(arguments.no_value(option));
    }
    HOST_TRY(check_machine(options.machine, options.boot));
    return options;
}

namespace {

// True if the option was one of verify's, or of show's.
Outcome<bool> take_audit_option(Arguments& arguments, std::string_view option, AuditOptions& options) {
    if (options.action == AuditAction::verify) {
        if (option == "--record")
            options.record = HOST_TRY(arguments.number(option, 0, ~0ull));
        else if (option == "--trust")
            options.trust = HOST_TRY(arguments.value(option));
        else if (option == "--from")
            options.checkpoint = HOST_TRY(arguments.value(option));
        else
            return false;
        return true;
    }
    if (option == "--agent") {
        options.agent = HOST_TRY(arguments.value(option));
    } else if (option == "--kind") {
        options.kind = HOST_TRY(arguments.value(option));
        if (!is_audit_kind(*options.kind))
            return failure(Exit::wrong_use,
                           std::format("--kind takes {}, not '{}'.", audit_kind_list(), printable(*options.kind)));
    } else if (option == "-o") {
        const std::string_view form = HOST_TRY(arguments.value(option));
        if (form != "json" && form != "text")
            return failure(Exit::wrong_use, std::format("-o takes json or text, not '{}'.", printable(form)));
        options.json = form == "json";
    } else {
        return false;
    }
    return true;
}

} // namespace

Outcome<AuditOptions> parse_audit(std::span<const std::string_view> list) {
    Arguments arguments("audit", list);
    AuditOptions options;
    const std::string_view action = arguments.at_end() ? std::string_view() : arguments.next();
    if (action == "show")
        options.action = AuditAction::show;
    else if (action != "verify")
        return failure(Exit::wrong_use,
                       "audit knows two actions: ./aios audit verify FILE and ./aios audit show FILE.");
    while (!arguments.at_end()) {
        const std::string_view argument = arguments.next();
        if (HOST_TRY(take_audit_option(arguments, argument, options))) {
            HOST_TRY(arguments.no_value(argument));
            continue;
        }
        if (argument.starts_with("-")) return arguments.unknown(argument);
        if (!options.log.empty()) return failure(Exit::wrong_use, std::format("audit {} takes one file.", action));
        options.log = argument;
    }
    if (options.log.empty())
        return failure(Exit::wrong_use,
                       std::format("audit {} needs the file of a log; see ./aios audit --help.", action));
    return options;
}

Outcome<ContainerOptions> parse_container(std::span<const std::string_view> list) {
    Arguments arguments("container", list);
    ContainerOptions options;
    while (!arguments.at_end()) {
        const std::string_view option = arguments.next();
        if (option == "--out")
            options.out = HOST_TRY(arguments.value(option));
        else if (option == "--boot-list")
            options.boot_list = HOST_TRY(arguments.value(option));
        else if (option == "--docs")
            options.documents.emplace_back(HOST_TRY(arguments.value(option)));
        else if (option == "--ask")
            options.questions.emplace_back(HOST_TRY(arguments.value(option)));
        else
            return arguments.unknown(option);
        HOST_TRY(arguments.no_value(option));
    }
    if (options.out.empty()) return failure(Exit::wrong_use, "container needs --out FILE.");
    return options;
}

Outcome<BootOptions> parse_boot(std::span<const std::string_view> list) {
    Arguments arguments("boot", list);
    BootOptions options;
    while (!arguments.at_end()) {
        const std::string_view option = arguments.next();
        if (option == "--container")
            options.container = HOST_TRY(arguments.value(option));
        else if (option == "--boot")
            options.boot = HOST_TRY(arguments.boot_kind(option));
        else if (option == "--smp")
            options.processors = static_cast<unsigned>(HOST_TRY(arguments.number(option, 1, kMaxProcessors)));
        else if (option == "--memory")
            options.memory_mib = HOST_TRY(arguments.number(option, 1, kMaxMemoryMib));
        else if (option == "--timeout")
            options.timeout_seconds = static_cast<unsigned>(HOST_TRY(arguments.number(option, 1, kMaxTimeoutSeconds)));
        else if (option == "--icount")
            options.count_instructions = true;
        else if (option == "--append")
            options.append = HOST_TRY(arguments.value(option));
        else if (option == "--machine")
            options.machine = HOST_TRY(arguments.machine(option));
        else if (option == "--cpu")
            options.cpu = HOST_TRY(arguments.emulator_words(option));
        else
            return arguments.unknown(option);
        HOST_TRY(arguments.no_value(option));
    }
    HOST_TRY(check_machine(options.machine, options.boot));
    return options;
}

} // namespace aios::host
