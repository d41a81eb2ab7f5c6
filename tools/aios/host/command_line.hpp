// The command line of one command: its options are declared with the places that take their values, and CLI11 reads
// them from the arguments. Each may be given as --name VALUE or --name=VALUE. Whatever is wrong is refused in one
// sentence, as wrong use. The header of CLI11 is slow to compile; command_line.cpp alone includes it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

using ArgumentList = std::span<const std::string_view>;

class CommandLine {
public:
    // Takes the value of an option, or says what is wrong with it.
    using Take = std::function<Outcome<>(const std::string& value)>;
    using Words = std::vector<std::string>;

    // Sentences call the command `name`, such as "bench crypto"; its first word is the topic of the help they point at.
    explicit CommandLine(std::string name);
    ~CommandLine();

    void flag(const std::string& name, bool& into);
    void ignored_flag(const std::string& name); // one that the script acts on

    // `take` is called for each time that the option is given, in that order.
    void option(const std::string& name, Take take);

    // Of a list: each value that is given. Of anything else that text can be assigned to: the last.
    template <typename T>
    void value(const std::string& name, T& into) {
        option(name, [&into](const std::string& text) -> Outcome<> {
            if constexpr (std::is_assignable_v<T&, const std::string&>)
                into = text;
            else
                into.emplace_back(text);
            return {};
        });
    }

    // A whole number from `low` to `high`.
    template <typename T>
    void number(const std::string& name, T& into, std::uint64_t low, std::uint64_t high) {
        option(name, [=, &into](const std::string& text) {
            return number_of(name, text, low, high).transform([&](std::uint64_t read) { into = static_cast<T>(read); });
        });
    }

    // One of a few words, each with what it stands for.
    template <typename T>
    void choice(const std::string& name, T& into, const std::vector<std::pair<std::string, T>>& meanings) {
        Words words;
        for (const auto& [word, meaning] : meanings)
            words.push_back(word);
        option(name, [=, &into](const std::string& text) {
            return place_of(name, text, words).transform([&](std::size_t place) { into = meanings[place].second; });
        });
    }

    // Reads the arguments and has the values taken. Returns the words that are no options, in their order.
    [[nodiscard]] Outcome<Words> parse(ArgumentList arguments);
    // The same for a command that takes options alone.
    [[nodiscard]] Outcome<> parse_options(ArgumentList arguments);

    [[nodiscard]] std::unexpected<Failure> unknown(std::string_view argument) const;

private:
    struct Parser;

    [[nodiscard]] static Outcome<std::uint64_t> number_of(const std::string& name, const std::string& text,
                                                          std::uint64_t low, std::uint64_t high);
    [[nodiscard]] static Outcome<std::size_t> place_of(const std::string& name, const std::string& text,
                                                       const Words& words);
    [[nodiscard]] Outcome<> read(ArgumentList arguments);
    [[nodiscard]] std::unexpected<Failure> wrong(std::string_view what) const;

    std::string name_;
    std::unique_ptr<Parser> parser_;
};

} // namespace aios::host
