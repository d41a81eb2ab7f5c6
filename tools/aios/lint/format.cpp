// Every file as clang-format lays it out (.clang-format in the root).
#include <charconv>
#include <chrono>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

constexpr std::chrono::minutes kLimit{5};

// "FILE:LINE:COLUMN: error: code should be clang-formatted [-Wclang-format-violations]"
void take_complaint(std::string_view line, std::vector<Finding>& findings) {
    if (line.find("[-Wclang-format-violations]") == line.npos) return;
    const std::size_t file_ends = line.find(':');
    const std::string_view rest = line.substr(file_ends + 1);
    std::size_t number = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), number);
    findings.push_back({"format", std::string(line.substr(0, file_ends)), number, "not as clang-format lays it out"});
}

} // namespace

Outcome<> check_format(const std::filesystem::path& root, const std::vector<std::string>& files,
                       std::vector<Finding>& findings) {
    std::vector<std::string> command{"clang-format-19", "--dry-run"};
    for (const std::string& file : files)
        if (file.ends_with(".cpp") || file.ends_with(".hpp")) command.push_back((root / file).native());
    LineCutter lines([&](std::string_view line) {
        const std::string prefix = root.native() + "/";
        if (line.starts_with(prefix)) take_complaint(line.substr(prefix.size()), findings);
    });
    const ProcessResult result = run_process(command, kLimit, [&](std::string_view text) { lines.feed(text); });
    lines.finish();
    if (result.out_of_time) return failure(Exit::failed_inside, "clang-format-19 did not end.");
    if (result.status != 0)
        return failure(Exit::host_missing, "clang-format-19 is missing; install it, or call ./aios setup.");
    return {};
}

} // namespace aios::host::lint
