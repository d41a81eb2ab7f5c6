// `aios run`: gathers the input, packs the container, boots the machine, follows the frames, and reports.
#include <cstdio>
#include <format>

#include <sys/random.h>

#include "base/bytes.hpp"
#include "tools/aios/accelerator.hpp"
#include "tools/aios/audit_log.hpp"
#include "tools/aios/bundle.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/files.hpp"
#include "tools/aios/machine.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/progress.hpp"
#include "tools/aios/questions.hpp"
#include "tools/aios/report.hpp"
#include "tools/aios/run_end.hpp"
#include "tools/aios/stop.hpp"
#include "tools/aios/system_text.hpp"
#include "tools/aios/text.hpp"
#include "tools/aios/uefi_boot.hpp"

namespace aios::host {

namespace {

// The input of a run, checked.
struct Input {
    std::vector<std::string> questions;
    Documents documents;
};

Outcome<Input> gather_input(const Places& places, const RunOptions& options, Progress& progress) {
    Input input;
    if (options.json) HOST_TRY(check_writable(*options.json));
    if (options.audit_log) HOST_TRY(check_writable(*options.audit_log));
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
    progress.show("reading documents");
    input.documents = HOST_TRY(gather_documents(sources));
    return input;
}

// What the machine needs at least: the container lies in memory, and the index takes a multiple of the text. Measured
// with the debug build; the kernel refuses cleanly where it does not suffice.
constexpr std::uint64_t kFixedMib = 400;
constexpr std::uint64_t kUsualMib = 640;
constexpr std::uint64_t kIndexFactor = 32;

std::uint64_t needed_mib(std::uint64_t container_bytes, std::uint64_t text_bytes, unsigned processors) {
    const std::uint64_t bytes = container_bytes + kIndexFactor * text_bytes;
    return kFixedMib + 4ull * processors + ((bytes + (1 << 20) - 1) >> 20);
}

Outcome<std::uint64_t> choose_memory(const RunOptions& options, std::uint64_t needed) {
    if (!options.memory_mib) return std::max(kUsualMib, needed);
    if (*options.memory_mib < needed)
        return failure(Exit::bad_input,
                       std::format("--memory {} is too little for these documents; give at least --memory {}.",
                                   *options.memory_mib, needed));
    return *options.memory_mib;
}

Outcome<> write_seed(const std::filesystem::path& path) {
    char seed[32];
    if (::getrandom(seed, sizeof seed, 0) != sizeof seed)
        return failure(Exit::host_missing, "this machine gives no random bytes.");
    FileWriter out = HOST_TRY(FileWriter::create(path));
    HOST_TRY(out.write(std::string_view(seed, sizeof seed)));
    return out.finish();
}

RunEvents show_events(const RunOptions& options, const std::vector<std::string>& questions, Progress& progress) {
    RunEvents events;
    events.progress = [&](std::string_view text, std::uint64_t done, std::uint64_t total) {
        progress.show(text, done, total);
    };
    events.booted = [&] { progress.show("the kernel is up, services start"); };
    events.answer = [&](std::uint64_t question, const Answer& answer) {
        std::string shown = show_answer(question, questions[question], answer);
        shown.pop_back();
        progress.print(shown);
    };
    events.note = [&](const Remark& note) {
        progress.say(std::format("note: {}: {}", printable(note.agent), printable(note.text)));
    };
    if (options.verbose) {
        events.console = [&](std::string_view agent, std::string_view text) {
            while (text.ends_with('\n'))
                text.remove_suffix(1);
            progress.say(std::format("{}| {}", printable(agent), printable_lines(text)));
        };
    }
    return events;
}

} // namespace

Outcome<Exit> command_run(const Places& places, ArgumentList arguments) {
    const RunOptions options = HOST_TRY(parse_run(arguments));
    Progress progress;
    Input input = HOST_TRY(gather_input(places, options, progress));
    progress.say(describe(input.documents) + "; " + counted(input.questions.size(), "question"));
    static_cast<void>(HOST_TRY(find_qemu()));

    const Scratch scratch = HOST_TRY(Scratch::create());
    MachineSpec spec;
    spec.boot = options.boot;
    spec.processors = options.processors;
    spec.machine = options.machine;
    spec.cpu = options.cpu;
    spec.kernel = places.kernel();
    spec.container = scratch.path() / "container";
    spec.seed = scratch.path() / "seed";
    spec.command_line = options.append;
    spec.count_instructions = options.count_instructions;
    spec.limit = std::chrono::seconds(options.timeout_seconds);
    std::error_code error;
    if (!std::filesystem::exists(spec.kernel, error))
        return failure(Exit::host_missing, "the kernel is not built; run ./aios build.");

    progress.show("packing the container");
    const std::uint64_t document_count = input.documents.list.size();
    const std::uint64_t document_bytes = input.documents.total_bytes;
    Job job = HOST_TRY(make_job(std::move(input.documents), input.questions));
    Bundle boot = HOST_TRY(read_boot_list(places.bundle_list("boot")));
    HOST_TRY(compile_descriptions(boot, run_variables(document_count, document_bytes), options.crashes));
    const std::uint64_t container_bytes =
        HOST_TRY(write_container(spec.container, std::move(boot), std::move(job.bundle)));
    spec.memory_mib = HOST_TRY(choose_memory(options, needed_mib(container_bytes, document_bytes, options.processors)));
    HOST_TRY(write_seed(spec.seed));
    if (options.boot == BootKind::uefi) HOST_TRY(prepare_uefi_boot(places.loader(), scratch.path(), spec));

    progress.show("choosing an accelerator");
    const AcceleratorChoice accelerator = HOST_TRY(choose_accelerator(
        options.count_instructions ? Accelerator::tcg : options.accelerator, spec.kernel, spec.processors));
    spec.kvm = accelerator.kvm;
    progress.say(std::format("accelerator: {} ({})", spec.kvm ? "kvm" : "tcg", accelerator.reason));
    progress.show(std::format("booting by {}", boot_name(options.boot)));

    RunRecord record;
    record.true_names = std::move(job.true_names);
    const RunEvents events = show_events(options, input.questions, progress);
    std::function<void(std::string_view)> show_line;
    if (options.verbose) show_line = [&](std::string_view line) { progress.say("kernel| " + printable_lines(line)); };
    RunFollower follower(record, input.questions.size(), events, std::move(show_line));
    const MachineEars ears{
        [&](std::string_view text) { follower.kernel_text(text); },
        [&](std::string_view bytes) { return follower.frames(bytes); },
        [&] { progress.tick(); },
    };
    const MachineResult result = HOST_TRY(run_machine(spec, ears));
    progress.clear();
    if (stop_signal() != 0) return failure(Exit::failed_inside, "the run was interrupted.");
    const auto ended = judge_run(result, follower, input.questions.size(), options.timeout_seconds);
    if (!ended) {
        if (!options.verbose) follower.show_tails(progress);
        return std::unexpected(ended.error());
    }

    const std::filesystem::path log_file = options.audit_log.value_or(places.root / "build" / "last-run.audit");
    HOST_TRY(write_audit_log(log_file, record.audit, *record.head));
    const Report report{
        .record = record,
        .questions = input.questions,
        .boot_kind = std::string(boot_name(options.boot)),
        .accelerator = spec.kvm ? "kvm" : "tcg",
        .accelerator_reason = accelerator.reason,
        .processors = options.processors,
        .memory_mib = spec.memory_mib,
        .documents = document_count,
        .document_bytes = document_bytes,
        .seconds = result.seconds,
        .recomputed_root = *ended,
        .audit_file = log_file.native(),
    };
    std::fputs(show_page(report).c_str(), stdout);
    if (options.json) HOST_TRY(replace_file(*options.json, report_json(report)));
    return Exit::well;
}

} // namespace aios::host
