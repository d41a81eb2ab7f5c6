// `aios run`: gathers the input, packs the container, boots the machine, follows the frames, and reports. A run that
// failed or ran out of time leaves its report and its audit log as one that went well does; one that was refused before
// the boot, or interrupted, leaves neither.
#include <cstdio>
#include <format>

#include <sys/random.h>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/progress.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/run_input.hpp"
#include "tools/aios/machine/accelerator.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/machine/uefi_boot.hpp"
#include "tools/aios/options.hpp"
#include "tools/aios/record/answer_order.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/report.hpp"
#include "tools/aios/record/run_end.hpp"

namespace aios::host {

namespace {

Outcome<> write_seed(const std::filesystem::path& path) {
    char seed[32];
    if (::getrandom(seed, sizeof seed, 0) != sizeof seed)
        return failure(Exit::host_missing, "this machine gives no random bytes.");
    FileWriter out = HOST_TRY(FileWriter::create(path));
    HOST_TRY(out.write(std::string_view(seed, sizeof seed)));
    return out.finish();
}

std::filesystem::path one_name(const std::filesystem::path& path) {
    std::error_code error;
    const auto whole = std::filesystem::weakly_canonical(path, error);
    return error ? path : whole;
}

// Whatever the answers say, the run itself went well: what people get is the page, not the end of every log.
bool has_page(const Judgement& judgement) {
    return judgement.outcome == RunOutcome::well || judgement.outcome == RunOutcome::misquoted;
}

class Run {
public:
    Run(const Places& places, RunOptions options)
        : places_(places), options_(std::move(options)), usual_log_(places.root / "build" / "last-run.audit"),
          log_file_(options_.audit_log.value_or(usual_log_)) {}

    Outcome<Exit> perform() {
        HOST_TRY(check_outputs());
        HOST_TRY(gather());
        const Scratch scratch = HOST_TRY(Scratch::create());
        MachineSpec spec = HOST_TRY(prepare(scratch));
        const AcceleratorChoice accelerator = HOST_TRY(choose(spec));
        return follow(spec, accelerator);
    }

private:
    // What could not be written at the end is refused now, and the log of an earlier run goes away.
    Outcome<> check_outputs() {
        if (options_.json) {
            HOST_TRY(check_writable(*options_.json));
            if (one_name(*options_.json) == one_name(log_file_))
                return failure(Exit::wrong_use,
                               std::format("the report and the audit log cannot both be written to '{}'; "
                                           "give --json or --audit-log another file.",
                                           printable(options_.json->native())));
        }
        HOST_TRY(check_writable(log_file_));
        std::error_code error;
        std::filesystem::remove(usual_log_, error);
        if (error)
            return failure(Exit::host_missing,
                           std::format("'{}' of an earlier run cannot be removed: {}.", printable(usual_log_.native()),
                                       lower_first(error.message())));
        return {};
    }

    Outcome<> gather() {
        progress_.show("reading documents");
        input_ = HOST_TRY(gather_input(places_, options_));
        progress_.say(describe(input_.documents) + "; " + counted(input_.questions.size(), "question"));
        if (options_.verbose) {
            for (const SkippedFile& file : input_.documents.skipped)
                progress_.say(std::format("{}: {}", printable(file.name), skip_reason(file.why)));
            for (const ConvertedFile& file : input_.documents.converted)
                progress_.say(std::format("{}: read as {}", printable(file.name), file.from));
        }
        static_cast<void>(HOST_TRY(find_qemu()));
        return {};
    }

    Outcome<MachineSpec> prepare(const Scratch& scratch) {
        MachineSpec spec;
        spec.boot = options_.boot;
        spec.processors = options_.processors;
        spec.machine = options_.machine;
        spec.cpu = options_.cpu;
        spec.kernel = places_.kernel();
        spec.container = scratch.path() / "container";
        spec.seed = scratch.path() / "seed";
        spec.command_line = options_.append;
        spec.count_instructions = options_.count_instructions;
        spec.limit = std::chrono::seconds(options_.timeout_seconds);
        std::error_code error;
        if (!std::filesystem::exists(spec.kernel, error))
            return failure(Exit::host_missing, "the kernel is not built; run ./aios build.");
        progress_.show("packing the container");
        PackedRun packed = HOST_TRY(pack_run(places_, options_, input_, spec.container));
        record_.documents = std::move(packed.documents);
        files_ = std::move(packed.files);
        spec.memory_mib = packed.memory_mib;
        HOST_TRY(write_seed(spec.seed));
        if (options_.boot == BootKind::uefi) HOST_TRY(prepare_uefi_boot(places_.loader(), scratch.path(), spec));
        return spec;
    }

    Outcome<AcceleratorChoice> choose(MachineSpec& spec) {
        progress_.show("choosing an accelerator");
        AcceleratorChoice choice =
            HOST_TRY(choose_accelerator(options_.count_instructions ? Accelerator::tcg : options_.accelerator,
                                        spec.kernel, spec.processors, places_.build / "kvm-failed.txt"));
        spec.kvm = choice.kvm;
        progress_.say(std::format("accelerator: {} ({})", spec.kvm ? "kvm" : "tcg", choice.reason));
        return choice;
    }

    Outcome<Exit> follow(const MachineSpec& spec, const AcceleratorChoice& accelerator) {
        progress_.show(std::format("booting by {}", boot_name(options_.boot)));
        AnswerOrder answers([&](const std::string& text) { progress_.print(text); });
        const RunEvents events = show_events(answers);
        std::function<void(std::string_view)> show_line;
        if (options_.verbose)
            show_line = [&](std::string_view line) { progress_.say("kernel| " + printable_lines(line)); };
        RunFollower follower(record_, input_.questions.size(), events, std::move(show_line));
        const MachineEars ears{
            [&](std::string_view text) { follower.kernel_text(text); },
            [&](std::string_view bytes) { return follower.frames(bytes); },
            [&] { return progress_.tick(), true; },
        };
        const MachineResult result = HOST_TRY(run_machine(spec, ears));
        progress_.clear();
        if (stop_signal() != 0) return failure(Exit::failed_inside, "the run was interrupted.");
        const Judgement judgement =
            judge_run(result, follower, {input_.questions.size(), options_.timeout_seconds, options_.crew.has_value()});
        answers.finish();
        if (!has_page(judgement) && !options_.verbose) follower.show_tails(progress_);
        if (judgement.outcome != RunOutcome::machine_failed) HOST_TRY(report(spec, accelerator, result, judgement));
        if (judgement.exit != Exit::well) return failure(judgement.exit, judgement.sentence);
        return Exit::well;
    }

    RunEvents show_events(AnswerOrder& answers) {
        RunEvents events;
        events.progress = [&](std::string_view text, std::uint64_t done, std::uint64_t total) {
            progress_.show(text, done, total);
        };
        events.booted = [&] { progress_.show("the kernel is up, services start"); };
        events.answer = [&](std::uint64_t question, const Answer& answer) {
            std::string shown = show_answer(question, input_.questions[question], answer);
            shown.pop_back();
            answers.take(question, std::move(shown));
        };
        events.note = [&](const Remark& note) {
            progress_.say(std::format("note: {}: {}", printable(note.agent), printable(note.text)));
        };
        if (options_.verbose) {
            events.console = [&](std::string_view agent, std::string_view text) {
                while (text.ends_with('\n'))
                    text.remove_suffix(1);
                progress_.say(std::format("{}| {}", printable(agent), printable_lines(text)));
            };
        }
        return events;
    }

    // The log first: what a report names is there.
    Outcome<> report(const MachineSpec& spec, const AcceleratorChoice& accelerator, const MachineResult& result,
                     const Judgement& judgement) {
        HOST_TRY(write_audit_log(log_file_, record_.audit, record_.head));
        const Report report{
            .record = record_,
            .questions = input_.questions,
            .outcome = std::string(outcome_name(judgement.outcome)),
            .exit_status = static_cast<int>(judgement.exit),
            .cause = judgement.sentence,
            .boot_kind = std::string(boot_name(options_.boot)),
            .accelerator = spec.kvm ? "kvm" : "tcg",
            .accelerator_reason = accelerator.reason,
            .processors = options_.processors,
            .memory_mib = spec.memory_mib,
            .documents = input_.documents.list.size(),
            .document_bytes = input_.documents.total_bytes,
            .seconds = result.seconds,
            .recomputed_root = audit_root(record_.audit),
            .audit_file = log_file_.native(),
            .converted = input_.documents.converted,
            .refusals = list_refusals(record_, files_),
            .verbose = options_.verbose,
            .skipped = input_.documents.skipped,
        };
        if (has_page(judgement))
            std::fputs(show_page(report).c_str(), stdout);
        else
            progress_.say(std::format("audit log: {} ({}); see ./aios audit show", printable(report.audit_file),
                                      counted(record_.audit.size(), "record")));
        if (options_.json) HOST_TRY(replace_file(*options_.json, report_json(report)));
        return {};
    }

    const Places& places_;
    const RunOptions options_;
    const std::filesystem::path usual_log_; // build/last-run.audit
    const std::filesystem::path log_file_;
    Progress progress_;
    RunInput input_;
    UnitFiles files_;
    RunRecord record_;
};

} // namespace

Outcome<Exit> command_run(const Places& places, ArgumentList arguments) {
    return Run(places, HOST_TRY(parse_run(arguments))).perform();
}

} // namespace aios::host
