#include "tools/aios/host/command_line.hpp"

#include <algorithm>
#include <format>
#include <ranges>

#include <CLI/CLI.hpp>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

// CLI11 takes an empty joined value (--ask=) for none and would use up the next argument, and lets --verbose=true pass
// for
// --verbose. So each joined value is given to it with a mark at its end: a NUL byte, which no argument can hold.
constexpr char kJoined = '\0';

std::string marked(std::string_view argument) {
    std::string out(argument);
    if (argument.starts_with("--") && argument.contains('=')) out += kJoined;
    return out;
}

std::string unmarked(std::string text) {
    if (text.ends_with(kJoined)) text.pop_back();
    return text;
}

const std::string kFlagAlone = "true"; // what CLI11 makes of a flag without a value

// "auto, kvm or tcg"
std::string listed(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i)
        out += std::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
    return out;
}

} // namespace

struct CommandLine::Parser {
    CLI::App app;
    std::vector<std::pair<const CLI::Option*, Take>> options;
    bool ignored = false;
};

CommandLine::CommandLine(std::string name) : name_(std::move(name)), parser_(std::make_unique<Parser>()) {
    parser_->app.set_help_flag(); // none: the script shows the help
    parser_->app.allow_extras();
}

CommandLine::~CommandLine() = default;

std::unexpected<Failure> CommandLine::wrong(std::string_view what) const {
    const std::string topic = name_.substr(0, name_.find(' '));
    return failure(Exit::wrong_use, std::format("{}; see ./aios {} --help.", what, topic));
}

std::unexpected<Failure> CommandLine::unknown(std::string_view argument) const {
    const std::string_view shown = argument.starts_with("--") ? argument.substr(0, argument.find('=')) : argument;
    return wrong(std::format("{} does not know '{}'", name_, printable(shown)));
}

void CommandLine::flag(const std::string& name, bool& into) {
    const CLI::Option* added = parser_->app.add_flag(name);
    parser_->options.emplace_back(added, [=, this, &into](const std::string& value) -> Outcome<> {
        if (value != kFlagAlone) return wrong(name + " takes no value");
        into = true;
        return {};
    });
}

void CommandLine::ignored_flag(const std::string& name) { flag(name, parser_->ignored); }

void CommandLine::option(const std::string& name, Take take) {
    const CLI::Option* added = parser_->app.add_option(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    parser_->options.emplace_back(added,
                                  [take = std::move(take)](const std::string& value) { return take(unmarked(value)); });
}

Outcome<> CommandLine::read(ArgumentList arguments) {
    std::vector<std::string> reversed; // as CLI11 wants them
    for (const std::string_view argument : std::views::reverse(arguments))
        reversed.push_back(marked(argument));
    try {
        parser_->app.parse(std::move(reversed));
    } catch (const CLI::ArgumentMismatch&) {
        // An option takes the argument after it whatever that is, so only the last can lack its value.
        return wrong(std::format("{} needs a value", arguments.back()));
    }
    return {};
}

Outcome<CommandLine::Words> CommandLine::parse(ArgumentList arguments) {
    HOST_TRY(read(arguments));
    Words words = parser_->app.remaining();
    for (const std::string& word : words)
        if (word.starts_with('-') && word != "-") return unknown(word);
    for (const auto& [option, take] : parser_->options)
        for (const std::string& value : option->results())
            HOST_TRY(take(value));
    return words;
}

Outcome<> CommandLine::parse_options(ArgumentList arguments) {
    const Words words = HOST_TRY(parse(arguments));
    if (!words.empty()) return unknown(words.front());
    return {};
}

Outcome<std::uint64_t> CommandLine::number_of(const std::string& name, const std::string& text, std::uint64_t low,
                                              std::uint64_t high) {
    if (const auto number = parse_number(text, low, high)) return *number;
    return failure(Exit::wrong_use,
                   std::format("{} takes a whole number from {} to {}, not '{}'.", name, low, high, printable(text)));
}

Outcome<std::size_t> CommandLine::place_of(const std::string& name, const std::string& text, const Words& words) {
    const auto found = std::ranges::find(words, text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    return failure(Exit::wrong_use, std::format("{} takes {}, not '{}'.", name, listed(words), printable(text)));
}

} // namespace aios::host
