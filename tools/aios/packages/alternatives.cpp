// What a package's script says of update-alternatives(1), read without running it: the words of its commands, with the variables
// that the script itself has set to something written out. No conditions, loops or functions.
#include <charconv>
#include <map>

#include "tools/aios/packages/debian.hpp"

namespace aios::host {

namespace {

using Words = std::vector<std::string>;
constexpr std::string_view kBlank = " \t\r", kEnds = "\n;&|(){}";

class Script {
public:
    explicit Script(std::string_view text) : rest_(text) {}

    // The words of the next command; nothing at the end. `$NAME` stays where nothing is known of it.
    std::optional<Words> next() {
        Words words;
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (kEnds.contains(c)) {
                rest_.remove_prefix(1);
                if (!words.empty()) break;
            } else if (kBlank.contains(c)) {
                rest_.remove_prefix(1);
            } else if (rest_.starts_with("\\\n")) {
                rest_.remove_prefix(2);
            } else if (c == '#') {
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
            } else {
                words.push_back(word());
            }
        }
        if (words.empty()) return std::nullopt;
        remember(words.front());
        return words;
    }

private:
    std::string word() {
        std::string text;
        char quote = '\0';
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (quote == '\0' && (kBlank.contains(c) || kEnds.contains(c)) && !text.ends_with('$')) break;
            if (quote == '\0' && rest_.starts_with("\\\n")) break;
            rest_.remove_prefix(1);
            if (c == quote) {
                quote = '\0';
            } else if (quote == '\0' && (c == '"' || c == '\'')) {
                quote = c;
            } else if (c == '$' && quote != '\'') {
                variable(text);
            } else {
                text += c;
            }
        }
        return text;
    }

    // Behind a dollar sign: NAME or {NAME}.
    void variable(std::string& text) {
        const bool in_braces = rest_.starts_with('{');
        std::string_view name = rest_.substr(in_braces ? 1 : 0);
        name =
            name.substr(0, name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"));
        const auto known = values_.find(name);
        const bool is_long = text.size() + (known == values_.end() ? 0 : known->second.size()) > kMostText;
        if (known == values_.end() || is_long || (in_braces && !rest_.substr(name.size() + 1).starts_with('}'))) {
            text += '$';
            return;
        }
        text += known->second;
        rest_.remove_prefix(name.size() + (in_braces ? 2 : 0));
    }

    void remember(std::string_view first) {
        const auto equals = first.find('=');
        if (equals == 0 || equals == std::string_view::npos) return;
        const std::string name(first.substr(0, equals)), value(first.substr(equals + 1));
        if (value.contains('$') || value.contains('`'))
            values_.erase(name);
        else
            values_[name] = value;
    }

    static constexpr std::size_t kMostText = 4096; // values that double from line to line end here
    std::string_view rest_;
    std::map<std::string, std::string, std::less<>> values_;
};

bool is_written_out(const Alternative& one) {
    for (const std::string* text : {&one.link, &one.name, &one.target})
        if (text->empty() || text->find_first_of("$`*?") != std::string::npos) return false;
    return one.link.starts_with('/') && one.target.starts_with('/') && !one.name.contains('/');
}

} // namespace

std::vector<Alternative> read_alternatives(std::string_view text, bool& is_all) {
    std::vector<Alternative> found;
    Script script(text);
    while (const auto words = script.next()) {
        bool is_command = false;
        for (std::size_t i = 0; i < words->size(); ++i) {
            const std::string& word = (*words)[i];
            is_command = is_command || word == "update-alternatives" || word.ends_with("/update-alternatives");
            const bool is_install = word == "--install", is_slave = word == "--slave";
            if (!is_command || (!is_install && !is_slave) || i + (is_install ? 4 : 3) >= words->size()) continue;
            Alternative one{(*words)[i + 1], (*words)[i + 2], (*words)[i + 3]};
            const std::string& priority = is_install ? (*words)[i + 4] : (*words)[i];
            const auto read = std::from_chars(priority.data(), priority.data() + priority.size(), one.priority);
            if (is_slave) one.priority = found.empty() ? 0 : found.back().priority;
            if (!is_written_out(one) || (is_install && read.ec != std::errc()))
                is_all = false;
            else
                found.push_back(std::move(one));
        }
    }
    return found;
}

} // namespace aios::host
