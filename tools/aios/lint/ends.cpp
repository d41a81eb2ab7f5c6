// The lint's rule on ends: an object that holds the last reference to another of its own kind, which holds the last one
// to a third, ends on a kernel stack of 16 KiB, and agents make such chains as long as they like. So a class of the
// kernel with a member Ref<itself> must end in a loop, which takes the reference out with `member.leak()` somewhere in
// its folder; or a comment "ENDS:" on the member's line, or the line above it, says why it ends no chain.
#include <algorithm>
#include <cctype>
#include <format>
#include <utility>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view word_at(std::string_view line, std::size_t at) {
    std::size_t end = at;
    while (end < line.size() && is_word(line[end]))
        ++end;
    return line.substr(at, end - at);
}

// The name of the class whose definition starts on this line, or nothing: "class X final : public Y {".
std::string_view class_started(std::string_view line) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    for (const std::string_view keyword : {std::string_view("class "), std::string_view("struct ")}) {
        if (!line.substr(first).starts_with(keyword) || line.ends_with(";")) continue;
        return word_at(line, first + keyword.size());
    }
    return {};
}

// The member declared as Ref<`name`>, or nothing.
std::string_view own_reference(std::string_view line, std::string_view name) {
    const std::string type = std::format("Ref<{}> ", name);
    const std::size_t at = line.find(type);
    if (at == std::string_view::npos || line.find('(') != std::string_view::npos) return {};
    if (line.find_first_not_of(' ') != at && !line.substr(0, at).ends_with("const ")) return {};
    return word_at(line, at + type.size());
}

} // namespace

void EndsRule::look_at(std::string_view file, std::string_view text) {
    if (!file.starts_with("kernel/") && !file.starts_with("personality/")) return;
    const std::string folder(file.substr(0, file.rfind('/')));
    const std::vector<std::string> lines = code_lines(text);
    std::vector<std::string_view> raw;
    for (std::size_t at = 0; at <= text.size(); at = text.find('\n', at) + 1) {
        raw.push_back(text.substr(at, text.find('\n', at) - at));
        if (text.find('\n', at) == std::string_view::npos) break;
    }
    struct Scope {
        std::string name; // of a class; empty: another scope
        int depth;
    };
    std::vector<Scope> scopes;
    std::string started;
    int depth = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        if (const std::string_view name = class_started(line); !name.empty()) started = name;
        if (!scopes.empty() && scopes.back().depth == depth) {
            const std::string_view member = own_reference(line, scopes.back().name);
            const auto is_explained = [&](std::size_t at) {
                return at < raw.size() && raw[at].find("ENDS:") != std::string_view::npos;
            };
            if (!member.empty() && !is_explained(i) && (i == 0 || !is_explained(i - 1)))
                members_.push_back({folder, std::string(member), std::string(file), i + 1});
        }
        for (const char c : line) {
            if (c == '{') {
                ++depth;
                scopes.push_back({std::exchange(started, {}), depth});
            } else if (c == '}') {
                --depth;
                while (!scopes.empty() && scopes.back().depth > depth)
                    scopes.pop_back();
            }
        }
        for (std::size_t at = line.find(".leak()"); at != std::string_view::npos; at = line.find(".leak()", at + 1)) {
            std::size_t start = at;
            while (start > 0 && is_word(line[start - 1]))
                --start;
            taken_out_.insert(folder + ' ' + std::string(line.substr(start, at - start)));
        }
    }
}

void EndsRule::finish(std::vector<Finding>& findings) const {
    for (const Member& member : members_) {
        if (taken_out_.contains(member.folder + ' ' + member.name)) continue;
        findings.push_back({"ends", member.file, member.line,
                            std::format("'{}' refers to its own kind and nothing takes it out with leak(): a chain of "
                                        "these would end by recursion",
                                        member.name)});
    }
}

} // namespace aios::host::lint
