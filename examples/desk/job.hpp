// The job bundle as the crew sees it (abi/messages.cddl, job section), and how far the work on it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/application/agent.hpp"

namespace aios::desk {

inline constexpr std::string_view kDocuments = "docs/";
inline constexpr std::string_view kQuestions = "questions/";

struct JobFile {
    std::string path; // in the tree
    std::uint64_t bytes;
};

// All files of the tree whose path starts with `folder`, in the tree's order.
Result<std::vector<JobFile>> list_files(Handle tree, std::string_view folder);
// A whole file. not_found, integrity.
Result<std::string> read_file(Handle self, Handle tree, std::string_view path);

Result<> tell_progress(Handle port, std::string_view what, std::uint64_t done, std::uint64_t total);

} // namespace aios::desk
