// Finds what a Linux program needs to start, in its root: the program itself as execvp would, the interpreters of scripts,
// the dynamic loader, and libraries by the rules of ld.so(8). What dlopen will ask for later nobody can see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/linux/root.hpp"

namespace aios::host {

// Exit statuses of ./aios run-linux that are not the program's.
inline constexpr Exit kLinuxOutOfTime{124}, kLinuxFailed{125}, kLinuxCannotRun{126}, kLinuxNotFound{127};

struct ProgramPlace {
    std::string path;  // absolute, without links: what is started
    std::string shown; // as the user wrote it
};

// Looks on `search_path` for a name without a slash; relative paths start at `directory`. not found: 127; found, but no
// program: 126.
[[nodiscard]] Outcome<ProgramPlace> find_program(Root& root, const std::string& program, std::string_view directory,
                                                 std::string_view search_path);

// Sees to it that all that the program needs is in the root, or says what is missing (126); with a root of its own what
// it finds there is its own affair. Answers the path of what is to be loaded: the program, or where that is a script its
// interpreter; then `arguments`, whose first is the program, become those of the interpreter (execve(2)). `library_path`
// is its LD_LIBRARY_PATH.
[[nodiscard]] Outcome<std::string> find_needs(Root& root, const ProgramPlace& program, std::string_view library_path,
                                              std::vector<std::string>& arguments);

// Refuses a program that cannot be loaded without the capability `jit` (126). `path` is find_needs()'s answer.
[[nodiscard]] Outcome<> check_needs_no_jit(Root& root, const std::string& path, const ProgramPlace& program);

// The same for the libraries of all ELF files in a directory and below it, such as modules that are loaded later. What is
// missing is passed over: not all of them will be used.
[[nodiscard]] Outcome<> take_libraries_below(Root& root, std::string_view directory, std::string_view library_path);

} // namespace aios::host
