// The lint over the tree: one result a rule, with every finding named.
#include <algorithm>
#include <format>

#include "tools/aios/host/files.hpp"
#include "tools/aios/lint/lint.hpp"
#include "tools/aios/test/levels.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kFolders[] = {"abi",     "messages", "base",     "crypto", "boot",  "kernel", "personality",
                                         "runtime", "services", "examples", "tools",  "tests", "bench"};
constexpr std::string_view kEndings[] = {".hpp", ".cpp", ".h", ".c", ".S", ".def"};
constexpr std::string_view kRules[] = {"includes", "constructs", "layouts", "shape", "ends", "locks", "format"};
constexpr std::uint64_t kMaxSourceBytes = 4 << 20;

std::vector<std::string> source_files(const std::filesystem::path& root) {
    std::vector<std::string> files;
    std::error_code error;
    for (const std::string_view folder : kFolders) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder, error)) {
            const std::string extension = entry.path().extension().native();
            if (entry.is_regular_file() && std::ranges::find(kEndings, extension) != std::end(kEndings))
                files.push_back(entry.path().lexically_relative(root).native());
        }
    }
    std::ranges::sort(files);
    return files;
}

} // namespace

void test_lint(const Places& places, TestLog& log) {
    log.group("lint");
    const auto order = read_file(places.root / "docs" / "layers.txt", kMaxSourceBytes);
    const auto layers = order ? lint::Layers::parse(*order) : std::unexpected(order.error());
    if (!layers) {
        log.result("layers", TestOutcome::failed, layers.error().sentence);
        return;
    }
    std::vector<lint::Finding> findings;
    lint::EndsRule ends;
    lint::LocksRule locks;
    const std::vector<std::string> files = source_files(places.root);
    for (const std::string& file : files) {
        const auto text = read_file(places.root / file, kMaxSourceBytes);
        if (!text) {
            log.result(file, TestOutcome::failed, text.error().sentence);
            continue;
        }
        lint::check_includes(*layers, file, *text, findings);
        lint::check_layouts(file, *text, findings);
        lint::check_shape(file, *text, findings);
        ends.look_at(file, *text);
        locks.look_at(file, *text);
        if (!file.ends_with(".S"))
            lint::check_constructs(file, *text, findings);
        else if (!file.starts_with("kernel/arch/") && !file.starts_with("boot/uefi/") &&
                 !file.starts_with("runtime/kernel/"))
            findings.push_back({"constructs", file, 1, "assembler outside kernel/arch, boot/uefi and runtime/kernel"});
    }
    ends.finish(findings);
    locks.finish(findings);
    if (const auto asked = lint::check_format(places.root, files, findings); !asked)
        findings.push_back({"format", "clang-format", 0, asked.error().sentence});
    for (const std::string_view rule : kRules) {
        const auto count = std::ranges::count(findings, rule, &lint::Finding::rule);
        if (count == 0 && !files.empty()) {
            log.result(rule, TestOutcome::passed);
            continue;
        }
        log.result(rule, TestOutcome::failed, std::format("{} findings in {} files", count, files.size()));
        for (const lint::Finding& finding : findings)
            if (finding.rule == rule) log.explain(std::format("{}:{}: {}", finding.file, finding.line, finding.text));
    }
}

} // namespace aios::host
