// What of the rule on upcalls stands in the code and in the kernel's objects. C++ is not parsed: statements are told apart
// by ';' and braces, which is enough for code that clang-format has laid out.
#include <algorithm>
#include <cctype>
#include <format>
#include <regex>

#include "tools/aios/lint/upcalls.hpp"

namespace aios::host::lint {

using namespace upcalls_text;

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t line_at(std::string_view code, std::size_t place) {
    return static_cast<std::size_t>(std::ranges::count(code.substr(0, place), '\n')) + 1;
}

// The qualified name that ends before `end`: "arch::upcall::timer".
std::string_view name_before(std::string_view text, std::size_t end) {
    std::size_t start = end;
    while (start > 0 && (is_word(text[start - 1]) || text[start - 1] == ':'))
        --start;
    return text.substr(start, end - start);
}

// "aios::arch::upcall::timer": whether the part before the last is `upcall`.
bool is_upcall(std::string_view name) {
    const std::size_t colon = name.rfind("::");
    if (colon == name.npos) return false;
    return last_part(name.substr(0, colon)) == "upcall";
}

// What a scope is, by the text between the last ';' or brace and its '{'.
struct Scope {
    bool is_namespace = false;
    std::string name; // of a namespace ("" if it has none) or class
};

Scope scope_opened_by(std::string_view head) {
    static const std::regex kClass(
        R"(^(?:template\s*<[^{}]*>\s*)?(?:class|struct)\s+(?:\[\[\w+\]\]\s*)?(?:[A-Z_]+\s*(?:\([^()]*\))?\s+)*(\w+)(?:\s+final)?\s*(?::[^:][^{}]*)?$)");
    head = trimmed(head);
    for (const std::string_view word :
         {std::string_view("public:"), std::string_view("private:"), std::string_view("protected:")})
        if (head.starts_with(word)) head = trimmed(head.substr(word.size()));
    if (head == "namespace" || head.starts_with("namespace "))
        return {true, std::string(trimmed(head.substr(std::string_view("namespace").size())))};
    std::match_results<std::string_view::const_iterator> match;
    if (std::regex_match(head.begin(), head.end(), match, kClass)) return {.name = match[1].str()};
    return {};
}

// Walks over code: `statement(text, place, scopes, end)` for each piece that ends in ';' or a brace, with the scopes around it.
template <typename F>
void for_each_statement(std::string_view code, F&& statement) {
    std::vector<Scope> open;
    std::size_t head = 0;
    int parentheses = 0;
    for (std::size_t at = 0; at < code.size(); ++at) {
        const char c = code[at];
        if (c == '#' && (at == 0 || code[at - 1] == '\n')) { // a line of the preprocessor
            while (at < code.size() && code[at] != '\n')
                at += code[at] == '\\' ? 2 : 1;
            head = at + 1;
            continue;
        }
        if (c == '(') ++parentheses;
        if (c == ')') --parentheses;
        if (parentheses != 0 || (c != ';' && c != '{' && c != '}')) continue;
        const std::string_view text = code.substr(head, at - head);
        statement(text, head, std::as_const(open), c);
        if (c == '{') open.push_back(scope_opened_by(text));
        if (c == '}' && !open.empty()) open.pop_back();
        head = at + 1;
    }
}

std::string path_of(const std::vector<Scope>& scopes) {
    std::string path;
    for (const Scope& scope : scopes)
        if (scope.is_namespace && !scope.name.empty()) path += (path.empty() ? "" : "::") + scope.name;
    return path;
}

bool are_namespaces(const std::vector<Scope>& scopes) { return std::ranges::all_of(scopes, &Scope::is_namespace); }

} // namespace

void UpcallsRule::look_at(std::string_view file, std::string_view text) {
    if (!file.starts_with("kernel/") && !file.starts_with("personality/")) return;
    std::string code;
    for (const std::string& line : code_lines(text))
        code += line + "\n";
    if (file.ends_with(".S")) {
        static const std::regex kMangled(R"(6upcall(\d+)(\w+))");
        for (std::sregex_iterator match(code.begin(), code.end(), kMangled), end; match != end; ++match)
            calls_[(*match)[2].str().substr(0, std::stoul((*match)[1].str()))].emplace(below_kernel(file));
        return;
    }
    find_functions(file, code);
    find_classes(file, code);
    find_pointers(file, code);
    find_calls(file, code);
}

void UpcallsRule::find_functions(std::string_view file, std::string_view code) {
    for_each_statement(code, [&](std::string_view text, std::size_t place, const std::vector<Scope>& scopes, char end) {
        if (!are_namespaces(scopes) || end == '}') return;
        if (std::ranges::any_of(scopes, [](const Scope& scope) { return scope.name.empty(); })) return; // this file's
        std::size_t open = text.find('(');
        for (; open != text.npos && text.substr(0, open).ends_with("]]"); open = text.find('(', open + 1)) {
        }
        if (open == text.npos) return;
        const std::string_view written = name_before(text, open);
        if (written.empty()) return;
        const std::string path = path_of(scopes);
        const std::string name = (path.empty() ? "" : path + "::") + std::string(written);
        if (!is_upcall(name)) return;
        Upcall& upcall = functions_[name];
        (end == ';' ? upcall.declared : upcall.defined).push_back({std::string(file), line_at(code, place + open)});
    });
}

void UpcallsRule::find_calls(std::string_view file, std::string_view code) {
    constexpr std::string_view kWord = "upcall::";
    for_each_statement(code, [&](std::string_view text, std::size_t, const std::vector<Scope>& scopes, char) {
        const std::string_view start = trimmed(text);
        if (start.starts_with("friend ") || start.starts_with("namespace ")) return;
        const bool may_define = are_namespaces(scopes);
        for (std::size_t at = text.find(kWord); at != text.npos; at = text.find(kWord, at + 1)) {
            if (may_define && text.substr(0, at).find('(') == text.npos) continue; // "void upcall::f(" is a definition
            std::size_t end = at + kWord.size();
            while (end < text.size() && is_word(text[end]))
                ++end;
            const std::string_view name = text.substr(at + kWord.size(), end - at - kWord.size());
            if (!name.empty()) calls_[std::string(name)].emplace(below_kernel(file));
        }
    });
}

void UpcallsRule::find_classes(std::string_view file, std::string_view code) {
    static const std::regex kBases(R"(\b(?:class|struct)\s+[^:;{}()]*?(\w+)(?:\s+final)?\s*:\s([^;{}()]*)$)");
    static const std::regex kNotBase(R"(\b(public|private|protected|virtual)\b|<[^<>]*>)");
    for_each_statement(code, [&](std::string_view text, std::size_t place, const std::vector<Scope>& scopes, char end) {
        const std::string statement(text);
        std::smatch match;
        if (end == '{' && std::regex_search(statement, match, kBases)) {
            const std::string bases = std::regex_replace(match[2].str(), kNotBase, "");
            for (std::size_t at = 0; at <= bases.size();) {
                const std::size_t stop = std::min(bases.find(',', at), bases.size());
                const std::string_view name = last_part(trimmed(std::string_view(bases).substr(at, stop - at)));
                if (!name.empty()) bases_.push_back({std::string(name), std::string(file)});
                at = stop + 1;
            }
        }
        if (scopes.empty() || scopes.back().is_namespace || scopes.back().name.empty()) return;
        const bool is_virtual =
            statement.find("virtual ") != statement.npos && statement.find("virtual ~") == statement.npos;
        if (!is_virtual) return;
        Interface& found = classes_[scopes.back().name];
        if (found.has_virtual) return;
        found = {{std::string(file), line_at(code, place + text.find("virtual "))}, true};
    });
}

// "void (*name)(…)", "using Name = void (*)(…)", "std::atomic<void (*)()> name": not in a parameter list, no call, no cast.
void UpcallsRule::find_pointers(std::string_view file, std::string_view code) {
    static const std::regex kPointer(R"(\((?:\w+::)*\*\s*(?:const\s+)?(\w*)(?:\[[^\]]*\])?\)\s*\()");
    static const std::regex kAlias(R"(\busing\s+(\w+)\s*=)");
    for_each_statement(code, [&](std::string_view text, std::size_t place, const std::vector<Scope>&, char) {
        const std::string statement(text);
        std::smatch match;
        if (!std::regex_search(statement, match, kPointer)) return;
        const auto at = static_cast<std::size_t>(match.position());
        const std::string_view before = trimmed(text.substr(0, at));
        if (before.empty() || before.ends_with("return") || statement.find("_cast<") != statement.npos) return;
        if (std::ranges::count(before, '(') != std::ranges::count(before, ')')) return; // a parameter
        if (!is_word(before.back()) && !std::string_view("*&>").contains(before.back())) return;
        std::string name = match[1].str();
        std::smatch alias;
        if (std::regex_search(statement, alias, kAlias)) name = alias[1].str();
        if (name.empty()) name = std::string(name_before(trimmed(text), trimmed(text).size()));
        kept_[std::format("{} of {}", name, below_kernel(file))] = {std::string(file), line_at(code, place + at)};
    });
}

// Lines "FOLDER/sched/boot.cpp.o: 0000000000000000 T aios::sched::init()"; U: defined elsewhere.
namespace {
// What compilers and headers call on their own, in code of any room; every environment of `base` defines it.
bool is_of_the_environment(std::string_view name) {
    constexpr std::string_view kNames[] = {
        "memcpy", "memmove", "memset", "memcmp", "memchr", "aios::assertion_failed(char const*, char const*, int)"};
    return name.starts_with("__stack_chk_") ||
           (name.starts_with("std::") && name.contains("::__libcpp_verbose_abort(")) ||
           std::ranges::contains(kNames, name);
}
} // namespace

void UpcallsRule::check_links(std::string_view symbols, std::string_view folder, std::vector<Finding>& findings) const {
    struct Use {
        std::string name, file;
    };
    std::map<std::string, std::string, std::less<>> defined;
    std::vector<Use> used;
    while (!symbols.empty()) {
        const std::size_t end = std::min(symbols.find('\n'), symbols.size());
        std::string_view line = symbols.substr(0, end);
        symbols.remove_prefix(std::min(end + 1, symbols.size()));
        const std::size_t object = line.find(".o: ");
        if (!line.starts_with(folder) || object == line.npos) continue;
        std::string_view file = line.substr(folder.size(), object - folder.size());
        while (file.starts_with('/'))
            file.remove_prefix(1);
        // Sources from outside the folder of their target have a "__" for each step up.
        std::string path = "kernel/" + std::string(file);
        if (file.starts_with("__/")) path = file.substr(3);
        line = trimmed(line.substr(object + 4));
        const bool has_value = !line.empty() && line.find(' ') > 1;
        if (has_value) line = trimmed(line.substr(line.find(' ')));
        if (line.size() < 3 || line[1] != ' ') continue;
        const std::string name(line.substr(2));
        if (line[0] == 'U') used.push_back({name, path});
        if (std::string_view("TDBR").contains(line[0])) defined.emplace(name, path);
    }
    if (defined.empty()) {
        findings.push_back({"links", std::string(folder), 0, "no functions were found"});
        return;
    }
    Files told;
    for (const Use& use : used) {
        if (is_of_the_environment(use.name)) continue;
        const auto found = defined.find(use.name);
        if (found == defined.end() || !is_above(found->second, use.file)) continue;
        std::string_view name = std::string_view(use.name).substr(0, use.name.find('('));
        if (name.starts_with("aios::")) name.remove_prefix(6);
        const auto row = upcalls_.find(name);
        if (row != upcalls_.end() && row->second.above.contains(below_kernel(found->second))) continue;
        if (told.insert(use.name + use.file).second)
            findings.push_back({"links", use.file, 0,
                                std::format("calls '{}' in {}, which stands above it", use.name, found->second)});
    }
}

} // namespace aios::host::lint
