// The lint's rule on locks, in the kernel and the personalities:
//   - A SpinLock or Mutex says what it guards: some AIOS_GUARDED_BY names it (a member's in its own class, or in its folder
//     as `owner->lock`; a global's in its folder). Data that a Protected owns needs no such word. A lock that guards the
//     order of things and no datum has a comment "PROTOCOL:" with the reason on its line or the line above.
//   - A function whose name ends in _locked has AIOS_REQUIRES where it is declared, and its body calls assert_held().
//   - AIOS_NO_LOCK_ANALYSIS has a comment "No analysis:" with the reason on its line, or at most kReasonReach lines above.
// It reads text and not C++: what is a declaration is told from a call by what stands before the name.
#include <algorithm>
#include <cctype>
#include <format>
#include <regex>
#include <utility>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

constexpr std::size_t kReasonReach = 3;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view word_ending_at(std::string_view text, std::size_t end) {
    std::size_t start = end;
    while (start > 0 && is_word(text[start - 1]))
        --start;
    return text.substr(start, end - start);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
        text.remove_suffix(1);
    return text;
}

// The place behind the bracket that closes the one at `open`, or npos.
std::size_t behind_closing(std::string_view text, std::size_t open, char opens, char closes) {
    int depth = 0;
    for (std::size_t at = open; at < text.size(); ++at) {
        if (text[at] == opens) ++depth;
        if (text[at] == closes && --depth == 0) return at + 1;
    }
    return std::string_view::npos;
}

// The class that a scope belongs to: of the text between the last ';' or brace and its '{'. Empty: no class.
std::string class_opened_by(std::string_view head) {
    static const std::regex kClass(R"(\b(?:class|struct)\s+(?:[A-Z_]+\s*(?:\([^()]*\))?\s+)*(\w+)[^()]*$)");
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_search(head.begin(), head.end(), match, kClass)) return {};
    return match[1].str();
}

// Whether this can be the end of a declaration's type, as clang-format writes them: `Slot*` is one, `a *` and `a &&` are not.
bool ends_a_type(std::string_view text) {
    if (text.size() < 2) return false;
    const char last = text.back(), before = text[text.size() - 2];
    if (last == '*' || last == '&') return is_word(before) || before == '>';
    if (last == '>') return before != '-' && before != ' ';
    const std::string_view word = word_ending_at(text, text.size());
    return !word.empty() && word != "return" && word != "else" && word != "case";
}

} // namespace

// Where each class begins and ends, so that a place can be asked for its innermost one.
LocksRule::File::File(std::string_view path, std::string_view text)
    : name(path), folder(path.substr(0, path.rfind('/'))) {
    for (const std::string& line : code_lines(text)) {
        line_starts.push_back(code.size());
        code += line;
        code += '\n';
    }
    std::vector<Scope> open;
    std::size_t head = 0;
    for (std::size_t at = 0; at < code.size(); ++at) {
        const char c = code[at];
        if (c == '{')
            open.push_back({class_opened_by(std::string_view(code).substr(head, at - head)), at, code.size()});
        if (c == '}' && !open.empty()) {
            open.back().end = at;
            scopes.push_back(open.back());
            open.pop_back();
        }
        if (c == '{' || c == '}' || c == ';') head = at + 1;
    }
}

std::string_view LocksRule::File::class_at(std::size_t place) const {
    const Scope* innermost = nullptr;
    for (const Scope& scope : scopes) {
        if (scope.name.empty() || place <= scope.begin || place >= scope.end) continue;
        if (innermost == nullptr || scope.begin > innermost->begin) innermost = &scope;
    }
    return innermost == nullptr ? std::string_view() : std::string_view(innermost->name);
}

std::size_t LocksRule::File::line_of(std::size_t place) const {
    const auto above = std::ranges::upper_bound(line_starts, place);
    return static_cast<std::size_t>(above - line_starts.begin());
}

bool LocksRule::is_looked_at(std::string_view file) {
    return file.starts_with("kernel/") || file.starts_with("personality/");
}

void LocksRule::look_at(std::string_view path, std::string_view text) {
    const File file(path, text);
    find_aliases(file); // also of folders that are not looked at: their types are used elsewhere
    if (!is_looked_at(path)) return;
    std::vector<std::string_view> raw;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        raw.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    find_guards(file);
    find_functions(file);
    find_unanalysed(file, raw);
    find_locks(file, raw);
}

// using Name = sync::SpinLock<...>; and not its Guard.
void LocksRule::find_aliases(const File& file) {
    static const std::regex kAlias(R"(\busing\s+(\w+)\s*=\s*(?:sync::)?(?:SpinLock|Mutex)<[^;<>]*>\s*;)");
    for (std::sregex_iterator match(file.code.begin(), file.code.end(), kAlias), end; match != end; ++match)
        aliases_.insert((*match)[1].str());
}

// Declarations of one word behind a type, at the start of a statement: what may be a lock. The type is judged at the end,
// when all aliases are known.
void LocksRule::find_locks(const File& file, const std::vector<std::string_view>& raw) {
    static const std::regex kMember(
        R"((?:^|\n)[ ]*(?:(?:mutable|static|inline|constinit|extern)\s+)*((?:\w+::)*\w+(?:<[^;<>()]*>)?)\s+(\w+)\s*(?:\{[^;{}]*\})?;)");
    for (std::sregex_iterator match(file.code.begin(), file.code.end(), kMember), end; match != end; ++match) {
        const auto place = static_cast<std::size_t>(match->position(2));
        const std::size_t line = file.line_of(place);
        const auto is_explained = [&](std::size_t number) {
            return number >= 1 && number <= raw.size() && raw[number - 1].find("PROTOCOL:") != std::string_view::npos;
        };
        if (is_explained(line) || is_explained(line - 1)) continue;
        members_.push_back(
            {(*match)[1].str(), file.name, file.folder, std::string(file.class_at(place)), (*match)[2].str(), line});
    }
}

void LocksRule::find_guards(const File& file) {
    constexpr std::string_view kWord = "AIOS_GUARDED_BY(";
    for (std::size_t at = file.code.find(kWord); at != std::string::npos; at = file.code.find(kWord, at + 1)) {
        const std::size_t end = behind_closing(file.code, at + kWord.size() - 1, '(', ')');
        if (end == std::string::npos) return;
        const std::string_view lock(file.code.data() + at + kWord.size(), end - 1 - at - kWord.size());
        const bool is_plain = std::ranges::all_of(lock, is_word);
        guarded_.insert(std::format("{} {} {}", file.folder, is_plain ? file.class_at(at) : "->",
                                    word_ending_at(lock, lock.size())));
        if (is_plain) guarded_.insert(std::format("{} * {}", file.folder, lock));
    }
}

void LocksRule::find_functions(const File& file) {
    static const std::regex kName(R"(\b\w+_locked\()");
    const std::string_view code = file.code;
    for (std::sregex_iterator match(file.code.begin(), file.code.end(), kName), none; match != none; ++match) {
        const auto start = static_cast<std::size_t>(match->position());
        const std::size_t open = start + static_cast<std::size_t>(match->length()) - 1;
        // What stands before the name: Class:: of a definition, then a type if it is a declaration.
        std::string_view before = code.substr(0, start);
        std::string owner(file.class_at(start));
        for (bool is_innermost = true; before.ends_with("::"); is_innermost = false) {
            before.remove_suffix(2);
            const std::string_view qualifier = word_ending_at(before, before.size());
            if (is_innermost) owner = qualifier;
            before.remove_suffix(qualifier.size());
        }
        const std::string_view type = trimmed(before);
        if (type.empty() || type.size() == before.size()) continue; // nothing, or no space: a call
        if (!ends_a_type(type)) continue;
        const std::size_t behind = behind_closing(code, open, '(', ')');
        if (behind == std::string_view::npos) continue;
        const std::size_t stop = code.find_first_of(";{", behind);
        if (stop == std::string_view::npos) continue;
        const std::string name(code.substr(start, open - start));
        Function& function = functions_[std::format("{} {} {}", file.folder, owner, name)];
        if (function.file.empty()) {
            function.file = file.name;
            function.line = file.line_of(start);
            function.name = name;
        }
        if (code.substr(behind, stop - behind).find("AIOS_REQUIRES(") != std::string_view::npos)
            function.requires_lock = true;
        if (code[stop] == '{') {
            function.has_body = true;
            const std::size_t end = behind_closing(code, stop, '{', '}');
            if (code.substr(stop, end - stop).find("assert_held(") != std::string_view::npos) function.asserts = true;
        }
    }
}

void LocksRule::find_unanalysed(const File& file, const std::vector<std::string_view>& raw) {
    constexpr std::string_view kWord = "AIOS_NO_LOCK_ANALYSIS";
    for (std::size_t at = file.code.find(kWord); at != std::string::npos; at = file.code.find(kWord, at + 1)) {
        const std::size_t line = file.line_of(at);
        if (raw[line - 1].starts_with("#define")) continue;
        bool is_explained = false;
        for (std::size_t number = line - std::min(line - 1, kReasonReach); number <= line; ++number)
            is_explained = is_explained || raw[number - 1].find("No analysis:") != std::string_view::npos;
        if (!is_explained)
            found_.push_back(
                {"locks", file.name, line, "no lock analysis, and no comment 'No analysis:' that says why"});
    }
}

void LocksRule::finish(std::vector<Finding>& findings) const {
    findings.insert(findings.end(), found_.begin(), found_.end());
    static const std::regex kLock(R"((?:sync::)?(?:SpinLock|Mutex)<.*)");
    for (const Member& member : members_) {
        const std::string_view type = member.type;
        const std::string last(type.substr(type.rfind(':') == std::string_view::npos ? 0 : type.rfind(':') + 1));
        const bool is_lock = std::regex_match(member.type, kLock) || aliases_.contains(last);
        if (!is_lock) continue;
        const std::string_view owner = member.owner.empty() ? std::string_view("*") : member.owner;
        const auto is_named = [&](std::string_view where) {
            return guarded_.contains(std::format("{} {} {}", member.folder, where, member.name));
        };
        if (!is_named(owner) && !is_named("->"))
            findings.push_back(
                {"locks", member.file, member.line,
                 std::format("nothing is AIOS_GUARDED_BY '{}', and no comment 'PROTOCOL:' says why", member.name)});
    }
    for (const auto& [key, function] : functions_) {
        if (!function.requires_lock)
            findings.push_back(
                {"locks", function.file, function.line, std::format("'{}' has no AIOS_REQUIRES", function.name)});
        if (function.has_body && !function.asserts)
            findings.push_back({"locks", function.file, function.line,
                                std::format("'{}' does not call assert_held()", function.name)});
    }
}

} // namespace aios::host::lint
