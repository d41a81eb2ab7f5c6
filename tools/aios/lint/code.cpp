#include <algorithm>
#include <cctype>
#include <format>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

// Position of `word` as a whole word at or after `from`, or npos.
std::size_t find_word(std::string_view line, std::string_view word, std::size_t from = 0) {
    for (auto at = line.find(word, from); at != std::string_view::npos; at = line.find(word, at + 1)) {
        const bool starts = at == 0 || !is_word(line[at - 1]);
        const bool ends = at + word.size() >= line.size() || !is_word(line[at + word.size()]);
        if (starts && ends) return at;
    }
    return std::string_view::npos;
}

bool has_word(std::string_view line, std::string_view word) { return find_word(line, word) != std::string_view::npos; }

bool is_in(std::string_view file, std::initializer_list<std::string_view> folders) {
    return std::ranges::any_of(folders, [&](std::string_view folder) { return file.starts_with(folder); });
}

// `new T`: an allocation whose failure or release nobody holds. Placement and nothrow forms, and operator functions,
// are others.
bool has_naked_new(std::string_view line) {
    for (auto at = find_word(line, "new"); at != std::string_view::npos; at = find_word(line, "new", at + 1)) {
        const std::string_view before = line.substr(0, at);
        const bool is_operator = before.ends_with("operator ");
        const auto next = line.find_first_not_of(' ', at + 3);
        if (!is_operator && next != std::string_view::npos && (is_word(line[next]) || line[next] == ':')) return true;
    }
    return false;
}

bool has_assembler(std::string_view line) { return has_word(line, "asm") || has_word(line, "__asm__"); }

// "f(int a, bool b)"
bool has_bool_parameter(std::string_view line) {
    for (auto at = find_word(line, "bool"); at != line.npos; at = find_word(line, "bool", at + 1)) {
        std::string_view before = line.substr(0, at);
        if (before.ends_with("const ")) before.remove_suffix(6);
        std::size_t end = at + 5; // behind the space
        while (end < line.size() && is_word(line[end]))
            ++end;
        const bool is_named = end > at + 5 && line.size() > at + 4 && line[at + 4] == ' ';
        const bool ends_so =
            end < line.size() && (line[end] == ',' || line[end] == ')' || line.substr(end).starts_with(" ="));
        if (is_named && ends_so && (before.ends_with('(') || before.ends_with(", "))) return true;
    }
    return false;
}

// The borders of the kernel: what comes from a program is copied and typed in one place each.
template <typename Found>
void check_borders(std::string_view file, std::string_view line, Found&& found) {
    if (!is_in(file, {"kernel/", "personality/"}) || is_in(file, {"kernel/arch/"})) return;
    const bool copies = has_word(line, "copy_to_user") || has_word(line, "copy_from_user");
    if (copies && file != "kernel/mm/user_memory.hpp")
        found("user memory is copied by UserIn, UserOut and UserSpan alone");
    const bool dispatches = file == "kernel/entry/upcalls.cpp" || file.ends_with("/dispatch.cpp");
    if (has_word(line, "call_arguments") && !dispatches)
        found("arguments of a call are typed by its table (dispatch.cpp)");
    if (file.ends_with(".hpp") && has_bool_parameter(line)) found("a parameter that chooses is an enum, not a bool");
    const bool is_closed = has_word(line, "friend") && (line.contains(" make(") || line.contains("::make(") ||
                                                        line.contains(" destroy(") || line.contains("::destroy("));
    if (is_closed && file != "kernel/mm/mm.hpp")
        found("a class that is made on the heap alone asks for mm::OnHeap, and befriends nobody for it");
    const bool records = is_in(file, {"kernel/audit/"});
    if (line.find("Kind::refusal") != std::string_view::npos && !records)
        found("a refusal is recorded by audit::refused, from the Refusal that the check answered");
}

} // namespace

std::vector<std::string> code_lines(std::string_view text) {
    enum class State { code, line_comment, block_comment, string, character, raw };
    State state = State::code;
    std::string out(text);
    std::string raw_end;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const char c = text[i];
        const std::string_view rest = text.substr(i);
        if (c == '\n') {
            if (state == State::line_comment || state == State::string || state == State::character)
                state = State::code;
            continue;
        }
        switch (state) {
        case State::code:
            if (rest.starts_with("//"))
                state = State::line_comment;
            else if (rest.starts_with("/*"))
                state = State::block_comment;
            else if (rest.starts_with("R\"") && (i == 0 || !is_word(text[i - 1]))) {
                state = State::raw;
                const auto open = rest.find('(');
                raw_end = ")" + std::string(rest.substr(2, open == std::string_view::npos ? 0 : open - 2)) + "\"";
                continue;
            } else if (c == '"') {
                state = State::string;
                continue;
            } else if (c == '\'' && (i == 0 || !is_word(text[i - 1]))) { // not a digit separator
                state = State::character;
                continue;
            } else {
                continue;
            }
            out[i] = ' ';
            break;
        case State::line_comment:
            out[i] = ' ';
            break;
        case State::block_comment:
            out[i] = ' ';
            if (rest.starts_with("*/")) {
                out[i + 1] = ' ';
                ++i;
                state = State::code;
            }
            break;
        case State::string:
        case State::character:
            if (c == '\\' && i + 1 < out.size() && text[i + 1] != '\n') {
                out[i] = out[i + 1] = ' ';
                ++i;
            } else if (c == (state == State::string ? '"' : '\'')) {
                state = State::code;
            } else {
                out[i] = ' ';
            }
            break;
        case State::raw:
            if (rest.starts_with(raw_end)) {
                i += raw_end.size() - 1;
                state = State::code;
            } else {
                out[i] = ' ';
            }
            break;
        }
    }
    const std::vector<std::string_view> views = split_lines(out);
    return {views.begin(), views.end()};
}

void check_constructs(std::string_view file, std::string_view text, std::vector<Finding>& findings) {
    if (is_in(file, {"tests/", "bench/"})) return;
    const std::vector<std::string_view> lines = split_lines(text);
    const std::vector<std::string> code = code_lines(text);
    const bool freestanding = is_in(file, {"abi/", "base/", "messages/", "crypto/", "boot/", "kernel/", "personality/",
                                           "runtime/kernel/", "services/initd/"});
    const bool may_know_processor = is_in(
        file, {"kernel/arch/", "boot/uefi/", "runtime/kernel/", "personality/linux/vdso/", "crypto/x25519/field64"});
    // Where every function is such a primitive, one explanation in the head comment serves the whole file.
    std::size_t head = 0;
    bool whole_file = false;
    for (; may_know_processor && head < lines.size() && lines[head].starts_with("//"); ++head)
        whole_file = whole_file || lines[head].find("SAFETY:") != std::string_view::npos;
    const auto explained = [&](std::size_t line) {
        if (whole_file) return true;
        const std::size_t first = line - std::min(line, kSafetyReach);
        for (std::size_t i = first; i <= line; ++i)
            if (lines[i].find("SAFETY:") != std::string_view::npos) return true;
        return false;
    };
    for (std::size_t i = 0; i < code.size(); ++i) {
        const std::string_view line = code[i];
        const auto found = [&](std::string what) {
            findings.push_back({"constructs", std::string(file), i + 1, std::move(what)});
        };
        if (has_word(line, "reinterpret_cast") && !explained(i)) found("reinterpret_cast without // SAFETY:");
        check_borders(file, line, found);
        if (has_naked_new(line) && !explained(i)) found("naked new without // SAFETY:");
        if (has_assembler(line)) {
            if (!may_know_processor)
                found("assembler outside kernel/arch, boot/uefi, runtime/kernel, personality/linux/vdso and "
                      "crypto/x25519/field64");
            else if (!explained(i))
                found("assembler without // SAFETY:");
        }
        const bool condition = line.starts_with("#if") || line.starts_with("#elif");
        if (condition &&
            (line.find("__x86_64__") != std::string_view::npos || line.find("__aarch64__") != std::string_view::npos) &&
            !may_know_processor)
            found("a condition on the processor outside kernel/arch");
        if (freestanding) {
            for (const std::string_view word : {"throw", "try", "catch", "dynamic_cast", "typeid"})
                if (has_word(line, word)) found(std::format("{} where there are no exceptions and no RTTI", word));
        }
        if (line.find("using namespace std;") != std::string_view::npos) found("using namespace std");
        // In two pieces, so that this file passes its own check.
        for (const std::string_view mark : {"TO"
                                            "DO",
                                            "FIX"
                                            "ME",
                                            "X"
                                            "XX"})
            if (has_word(lines[i], mark) && !has_word(line, mark)) found(std::format("{} in a comment", mark));
    }
}

namespace {

// "x++;" where "++x;" says the same: a statement, or the step of a loop.
bool has_late_increment(std::string_view line) {
    constexpr std::string_view kInName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.->[]:";
    for (std::size_t at = 1; at + 2 < line.size(); ++at) {
        const std::string_view here = line.substr(at, 2);
        const char next = line[at + 2];
        if ((here != "++" && here != "--") || (next != ';' && next != ')')) continue;
        const std::size_t before = line.find_last_not_of(kInName, at - 1);
        if (before == at - 1) continue; // no name: "++)" of something else
        const std::size_t end = before == line.npos ? line.npos : line.find_last_not_of(' ', before);
        const char last = end == line.npos ? '\0' : line[end];
        const bool is_statement = next == ';' && std::string_view("\0;{})", 5).contains(last);
        if (is_statement || (next == ')' && last == ';')) return true;
    }
    return false;
}

// A comment that is a line and nothing else: the end of a ruler that was too long.
bool is_bare_ruler(std::string_view line) {
    const std::size_t start = line.find_first_not_of(' ');
    if (start == line.npos || !line.substr(start).starts_with("// ---")) return false;
    return line.substr(start + 3).find_first_not_of('-') == line.npos;
}

} // namespace

void check_shape(std::string_view file, std::string_view text, std::vector<Finding>& findings) {
    const std::vector<std::string_view> lines = split_lines(text);
    const auto found = [&](std::size_t line, std::string what) {
        findings.push_back({"shape", std::string(file), line, std::move(what)});
    };
    if (lines.size() > kMaxLines && text.find("// LENGTH:") == std::string_view::npos)
        found(lines.size(), std::format("{} lines; at most {} without a // LENGTH: reason", lines.size(), kMaxLines));
    if (file.ends_with(".hpp")) {
        if (lines.empty() || !lines.front().starts_with("//"))
            found(1, "a header starts with a comment that says what it is for");
        if (text.find("#pragma once") == std::string_view::npos) found(1, "a header needs #pragma once");
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].ends_with(' ') || lines[i].ends_with('\t')) found(i + 1, "white space at the end of the line");
        if (lines[i].ends_with('\r')) found(i + 1, "a carriage return");
    }
    if (file.ends_with(".hpp") || file.ends_with(".cpp")) {
        const std::vector<std::string> code = code_lines(text);
        for (std::size_t i = 0; i < code.size(); ++i)
            if (has_late_increment(code[i])) found(i + 1, "an increment stands before what it increments");
        for (std::size_t i = 0; i < lines.size(); ++i)
            if (is_bare_ruler(lines[i])) found(i + 1, "a ruler without a title");
    }
    if (!text.empty() && !text.ends_with('\n')) found(lines.size(), "no line end at the end of the file");
}

} // namespace aios::host::lint
