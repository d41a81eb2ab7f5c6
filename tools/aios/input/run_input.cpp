#include "tools/aios/input/run_input.hpp"

#include <format>

#include "tools/aios/host/text.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/input/questions.hpp"
#include "tools/aios/input/system.hpp"

namespace aios::host {

namespace {

// What the machine needs at least: the container lies in memory, all that the units ask for is set aside for them when
// they start, and the index takes a multiple of the text. Measured with the debug build; the kernel refuses cleanly
// where it does not suffice.
constexpr std::uint64_t kKernelMib = 80;
constexpr std::uint64_t kProcessorMib = 4;
constexpr std::uint64_t kLeastMib = 400;
constexpr std::uint64_t kUsualMib = 640;
constexpr std::uint64_t kIndexFactor = 32;

std::uint64_t in_mib(std::uint64_t bytes) { return (bytes >> 20) + 1; }

std::uint64_t needed_mib(std::uint64_t container_bytes, std::uint64_t text_bytes, const SystemNeeds& needs,
                         unsigned processors) {
    const std::uint64_t by_text = kLeastMib + in_mib(kIndexFactor * text_bytes);
    const std::uint64_t by_units = kKernelMib + in_mib(needs.memory_bytes);
    return std::max(by_text, by_units) + in_mib(container_bytes) + kProcessorMib * processors;
}

Outcome<std::uint64_t> choose_memory(const RunOptions& options, std::uint64_t needed) {
    if (!options.memory_mib) return std::max(kUsualMib, needed);
    if (*options.memory_mib < needed)
        return failure(
            Exit::bad_input,
            std::format("--memory {} is too little for these documents and units; give at least --memory {}.",
                        *options.memory_mib, needed));
    return *options.memory_mib;
}

PackedDocuments documents_of(Job job) {
    PackedDocuments documents;
    for (BundleEntry& entry : job.bundle.entries) {
        if (entry.kind != EntryKind::file || !entry.path.starts_with(kJobDocuments)) continue;
        std::string inside = entry.path.substr(kJobDocuments.size());
        const auto known = job.true_names.find(inside);
        std::string name = known != job.true_names.end() ? known->second : inside;
        documents.add(std::move(inside), std::move(name), std::move(entry.bytes));
    }
    return documents;
}

} // namespace

Outcome<RunInput> gather_input(const Places& places, const RunOptions& options) {
    RunInput input;
    input.questions = HOST_TRY(gather_questions(options, places.root / "examples" / "desk" / "questions.txt"));
    std::vector<DocumentSource> sources;
    if (options.documents) {
        std::error_code error;
        if (!std::filesystem::is_directory(*options.documents, error))
            return failure(Exit::bad_input, std::format("'{}' is not a folder; give --docs a folder with text files.",
                                                        printable(options.documents->native())));
        sources.push_back({*options.documents, ""});
    } else {
        sources = {{places.root / "docs", "docs/"}, {places.root / "README.md", "README.md"}};
    }
    input.documents = HOST_TRY(gather_documents(sources));
    return input;
}

Outcome<PackedRun> pack_run(const Places& places, const RunOptions& options, RunInput& input,
                            const std::filesystem::path& container) {
    const std::uint64_t count = input.documents.list.size();
    const std::uint64_t bytes = input.documents.total_bytes;
    Job job = HOST_TRY(make_job(input.documents.list, input.questions));
    Bundle boot = HOST_TRY(read_boot_list(places.bundle_list("boot")));
    SystemNeeds needs = HOST_TRY(make_system(boot, options, {count, bytes, places.root}));
    const std::uint64_t packed = HOST_TRY(write_container(container, boot, job.bundle));
    PackedRun run;
    run.documents = documents_of(std::move(job));
    run.memory_mib = HOST_TRY(choose_memory(options, needed_mib(packed, bytes, needs, options.processors)));
    run.files = std::move(needs.files);
    return run;
}

} // namespace aios::host
