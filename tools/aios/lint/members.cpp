// The lint's rule on what stands beside guarded data: in a class where a lock guards members, a plain one (a number, a flag,
// a pointer) that says nothing is the one that was forgotten. It is guarded too, constant or atomic; or a comment on its
// line, right above it, or above its run of members and ending in ':', says who may touch it.
#include <format>
#include <regex>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

constexpr std::string_view kGuarded = "AIOS_GUARDED_BY(";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_plain(std::string_view declaration) {
    static const std::regex kPlain(
        R"(^(mutable )?((std::)?(u?int\d+_t|size_t)|bool|unsigned|int|long|char|(const )?[\w:]+(<[^;]*>)?\*)\s?(?!const\b)\w[\w\[\]]*(\s*=[^;]*|\{[^;]*\}(, [^;]*)?|, [^;]*)?;$)");
    return declaration.find_first_of("()") == declaration.npos && // also the last line of a function's declaration
           std::regex_match(declaration.begin(), declaration.end(), kPlain);
}

bool opens_class(std::string_view code) {
    static const std::regex kClass(R"(^\s*(class|struct)\b([^;()]|\([^()]*\))*\{$)");
    return std::regex_match(code.begin(), code.end(), kClass);
}

bool is_explained(const std::vector<std::string_view>& raw, std::size_t line) {
    if (raw[line].find("//") != std::string_view::npos) return true;
    for (std::size_t above = line; above-- != 0;) {
        const std::string_view text = trimmed(raw[above]);
        if (text.starts_with("//")) return above + 1 == line || text.ends_with(':');
        if (text.empty() || text.ends_with("private:") || text.ends_with("public:") || text.ends_with('{'))
            return false;
    }
    return false;
}

} // namespace

void check_members(std::string_view file, std::string_view text, std::vector<Finding>& findings) {
    if (!file.starts_with("kernel/") && !file.starts_with("personality/")) return;
    std::vector<std::string_view> raw;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        raw.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    struct Class {
        int depth; // of its members
        std::vector<std::size_t> members;
        bool has_guarded;
    };
    std::vector<Class> open;
    int depth = 0;
    const std::vector<std::string> code = code_lines(text);
    for (std::size_t i = 0; i < code.size(); ++i) {
        const std::string_view line = trimmed(code[i]);
        if (!open.empty() && depth == open.back().depth && !line.starts_with('}')) {
            const bool is_guarded = line.find(kGuarded) != line.npos;
            open.back().has_guarded |= is_guarded;
            if (!is_guarded && is_plain(line) && !is_explained(raw, i)) open.back().members.push_back(i);
        }
        const bool is_class = opens_class(line);
        for (const char c : line)
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
        if (is_class) open.push_back({depth, {}, false});
        while (!open.empty() && depth < open.back().depth) {
            if (open.back().has_guarded)
                for (const std::size_t member : open.back().members)
                    findings.push_back({"locks", std::string(file), member + 1,
                                        std::format("beside guarded members, '{}' does not say who may touch it",
                                                    trimmed(code[member]))});
            open.pop_back();
        }
    }
}

} // namespace aios::host::lint
