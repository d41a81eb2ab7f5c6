// The lint: what the compiler does not check. Includes against docs/layers.txt, constructs that stand only in their
// places, length and head of files, ends by recursion, what locks guard, calls into
// higher rooms (upcalls.hpp). Pure functions of file contents, so that each rule
// has a unit test; test_lint runs them over the tree.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/outcome.hpp"

namespace aios::host::lint {

struct Finding {
    std::string rule; // includes, constructs, layouts, shape, ends, locks, upcalls, format
    std::string file;
    std::size_t line = 0;
    std::string text;
};

// docs/layers.txt.
class Layers {
public:
    [[nodiscard]] static Outcome<Layers> parse(std::string_view text);

    // The layer of a file or folder: the longest listed name that is a prefix of its path; empty if none.
    [[nodiscard]] std::string_view layer_of(std::string_view path) const;
    // Why `file` may not include `target` (both from the root), or nothing.
    [[nodiscard]] std::optional<std::string> objection(std::string_view file, std::string_view target) const;

private:
    std::map<std::string, std::vector<std::string>, std::less<>> chains_;
    std::vector<std::string> layers_;
    std::set<std::string, std::less<>> apart_;
    std::set<std::string, std::less<>> free_;
};

// The lines of a C++ file with comments, string and character contents blanked out, for looking at code alone.
[[nodiscard]] std::vector<std::string> code_lines(std::string_view text);

void check_includes(const Layers& layers, std::string_view file, std::string_view text, std::vector<Finding>& findings);
void check_constructs(std::string_view file, std::string_view text, std::vector<Finding>& findings);
void check_layouts(std::string_view file, std::string_view text, std::vector<Finding>& findings);
void check_members(std::string_view file, std::string_view text, std::vector<Finding>& findings); // rule `locks`
void check_shape(std::string_view file, std::string_view text, std::vector<Finding>& findings);

// Asks clang-format about the C++ files among these (from the root). Refuses if it cannot be run.
[[nodiscard]] Outcome<> check_format(const std::filesystem::path& root, const std::vector<std::string>& files,
                                     std::vector<Finding>& findings);

// Ends by recursion (ends.cpp): looks at all files, then answers.
class EndsRule {
public:
    void look_at(std::string_view file, std::string_view text);
    void finish(std::vector<Finding>& findings) const;

private:
    struct Member {
        std::string folder, name, file;
        std::size_t line;
    };
    std::vector<Member> members_;
    std::set<std::string, std::less<>> taken_out_; // "folder member"
};

// What locks guard, and what needs them (locks.cpp): looks at all files, then answers.
class LocksRule {
public:
    void look_at(std::string_view file, std::string_view text);
    void finish(std::vector<Finding>& findings) const;

private:
    struct Scope {
        std::string name; // of a class; empty: another scope
        std::size_t begin, end;
    };
    struct File {
        File(std::string_view path, std::string_view text);
        [[nodiscard]] std::string_view class_at(std::size_t place) const; // the innermost; empty: none
        [[nodiscard]] std::size_t line_of(std::size_t place) const;       // from 1
        std::string name, folder;
        std::string code; // without comments and texts
        std::vector<std::size_t> line_starts;
        std::vector<Scope> scopes;
    };
    struct Member { // a variable or member, perhaps a lock
        std::string type, file, folder, owner, name;
        std::size_t line;
    };
    struct Function { // whose name ends in _locked
        std::string name, file;
        std::size_t line = 0;
        bool requires_lock = false, has_body = false, asserts = false;
    };
    [[nodiscard]] static bool is_looked_at(std::string_view file);
    void find_aliases(const File& file);
    void find_locks(const File& file, const std::vector<std::string_view>& raw);
    void find_guards(const File& file);
    void find_functions(const File& file);
    void find_unanalysed(const File& file, const std::vector<std::string_view>& raw);

    std::set<std::string, std::less<>> aliases_; // types that are locks
    std::vector<Member> members_;
    std::set<std::string, std::less<>> guarded_; // "folder class lock"; class "->": through an owner; "*": anywhere
    std::map<std::string, Function, std::less<>> functions_; // "folder class name"
    std::vector<Finding> found_;
};

inline constexpr std::size_t kMaxLines = 600;
// How far above a dangerous construct its "// SAFETY:" may stand, in lines.
inline constexpr std::size_t kSafetyReach = 8;

} // namespace aios::host::lint
