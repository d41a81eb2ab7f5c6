// The lint over the tree: one result a rule, with every finding named.
#include <algorithm>
#include <format>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/lint/lint.hpp"
#include "tools/aios/lint/upcalls.hpp"
#include "tools/aios/test/levels.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kFolders[] = {"abi",     "messages", "base",     "crypto", "boot",  "kernel", "personality",
                                         "runtime", "services", "examples", "tools",  "tests", "bench"};
constexpr std::string_view kEndings[] = {".hpp", ".cpp", ".h", ".c", ".S", ".def"};
constexpr std::string_view kRules[] = {"includes", "constructs", "layouts", "shape",
                                       "ends",     "locks",      "upcalls", "format"};
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

// What the kernel that was built calls upwards, by the symbols of its objects.
void check_links(const Places& places, const lint::UpcallsRule& upcalls, TestLog& log) {
    const std::filesystem::path folder = places.build / "kernel" / "CMakeFiles" / "aios-kernel-code.dir";
    std::vector<std::string> command{"llvm-nm-19", "-A", "-C"};
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error))
        if (entry.path().extension() == ".o") command.push_back(entry.path().native());
    if (command.size() == 3) {
        log.result("links", TestOutcome::skipped, "the kernel was not built");
        return;
    }
    const Captured symbols = capture_process(command, std::chrono::minutes(5));
    if (symbols.status != 0) {
        log.result("links", TestOutcome::failed, "llvm-nm-19 cannot be run; ./aios setup installs it");
        return;
    }
    std::vector<lint::Finding> findings;
    upcalls.check_links(symbols.out, folder.native(), findings);
    log.result("links", findings.empty() ? TestOutcome::passed : TestOutcome::failed);
    for (const lint::Finding& finding : findings)
        log.explain(std::format("{}: {}", finding.file, finding.text));
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
    const auto page = read_file(places.root / lint::UpcallsRule::kPage, kMaxSourceBytes);
    lint::UpcallsRule upcalls(*layers, page ? *page : std::string());
    const std::vector<std::string> files = source_files(places.root);
    for (const std::string& file : files) {
        const auto text = read_file(places.root / file, kMaxSourceBytes);
        if (!text) {
            log.result(file, TestOutcome::failed, text.error().sentence);
            continue;
        }
        lint::check_includes(*layers, file, *text, findings);
        lint::check_layouts(file, *text, findings);
        lint::check_members(file, *text, findings);
        lint::check_shape(file, *text, findings);
        ends.look_at(file, *text);
        locks.look_at(file, *text);
        upcalls.look_at(file, *text);
        if (!file.ends_with(".S"))
            lint::check_constructs(file, *text, findings);
        else if (!file.starts_with("kernel/arch/") && !file.starts_with("boot/uefi/") &&
                 !file.starts_with("runtime/kernel/") && !file.starts_with("personality/linux/vdso/"))
            findings.push_back({"constructs", file, 1,
                                "assembler outside kernel/arch, boot/uefi, runtime/kernel and personality/linux/vdso"});
    }
    ends.finish(findings);
    locks.finish(findings);
    upcalls.finish(findings);
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
    check_links(places, upcalls, log);
}

} // namespace aios::host
