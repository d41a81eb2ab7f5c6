// See test_boot.hpp.
#include "tools/aios/test/boot.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <map>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "messages/view.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/bundle.hpp"
#include "tools/aios/machine/uefi_boot.hpp"
#include "tools/aios/record/audit_log.hpp"
#include "tools/aios/record/boot_lines.hpp"

namespace aios::host {

namespace {

constexpr unsigned kInstructionShift = 2;
constexpr std::size_t kTailKept = 4096;
constexpr std::chrono::seconds kSymbolLimit{30};
constexpr unsigned kMostOff = 50'000; // instructions
constexpr std::string_view kOffLine = "interrupts off for ";

// One boot: collects the lines of the serial port and of every console.
class BootWatcher {
public:
    BootWatcher(TestLog& log, std::string_view shown)
        : log_(log), shown_(shown), lines_([this](std::string_view line) { take(line); }),
          failed_before_(log.count(TestOutcome::failed)) {}

    [[nodiscard]] BootLines& lines() { return lines_; }

    // With --fail-fast, what ends the boot early: empty as long as nothing does.
    [[nodiscard]] std::string reason_to_end() const {
        const std::chrono::seconds patience(log_.options().fail_fast_seconds);
        if (patience.count() == 0) return {};
        if (log_.count(TestOutcome::failed) > failed_before_) return "a test failed";
        if (Clock::now() - last_test_ < patience) return {};
        return std::format("no test ended for {}", patience);
    }

    // What the kernel said of how long interrupts were off: one more test.
    void check_off_time(const std::filesystem::path& image) {
        const std::string name = std::format("interrupts_are_off_for_at_most_{}", kMostOff);
        if (!log_.wants(name)) return;
        const bool good = !off_lines_.empty() && std::ranges::none_of(off_lines_, &OffLine::is_error);
        log_.result(name, good ? TestOutcome::passed : TestOutcome::failed,
                    off_lines_.empty() ? "the kernel told of none" : off_lines_.front().text);
        if (good) return;
        for (const OffLine& line : off_lines_)
            if (line.is_error) log_.explain(line.text + places_of(image, line.text));
    }

    // Where the boot kept an audit log: it begins with the boot, ends with the power-off, and has the root that its
    // head names.
    void check_audit() {
        const RunRecord& record = lines_.record();
        if (!record.head) return;
        const bool whole = !record.audit.empty() && kind_of(record.audit.front()) == kAuditBoot &&
                           kind_of(record.audit.back()) == kAuditPower;
        log_.result("audit_log_is_from_boot_to_power_off", whole ? TestOutcome::passed : TestOutcome::failed, "");
        const bool good = record.head->records == record.audit.size() && record.head->root == audit_root(record.audit);
        log_.result("audit_log_matches_its_head", good ? TestOutcome::passed : TestOutcome::failed,
                    std::format("{} records of {}", record.audit.size(), record.head->records));
    }

    [[nodiscard]] std::size_t tests() const { return tests_; }
    [[nodiscard]] const std::string& tail() const { return tail_; }

private:
    using Clock = std::chrono::steady_clock;
    struct OffLine {
        std::string text;
        bool is_error;
    };
    static constexpr std::uint64_t kAuditBoot = 1, kAuditPower = 8;

    // The kind of an audit record, or 0.
    static std::uint64_t kind_of(std::string_view record) {
        const auto decoded = messages::decode<messages::view::AuditRecord>(as_bytes(record));
        return decoded ? decoded->kind : 0;
    }

    // The functions that the addresses of "... from HEX to HEX" belong to.
    static std::string places_of(const std::filesystem::path& image, std::string_view line) {
        std::string answer;
        std::vector<std::string> command{"llvm-symbolizer-19", "--obj=" + image.native(), "--output-style=GNU",
                                         "--functions", "--inlining"};
        for (const std::string_view word : {" from ", " to "}) {
            const std::size_t at = line.find(word);
            if (at == line.npos) return answer;
            const std::string_view number = line.substr(at + word.size());
            command.push_back("0x" + std::string(number.substr(0, number.find(' '))));
        }
        static_cast<void>(run_process(command, kSymbolLimit, [&](std::string_view text) { answer += text; }));
        return "\n" + answer;
    }

    void take(std::string_view line) {
        if (const std::size_t at = line.find(kOffLine); at != line.npos)
            off_lines_.push_back({std::string(line.substr(at)), line.starts_with("error")});
        if (log_.take_line(line)) {
            ++tests_;
            last_test_ = Clock::now();
            return;
        }
        if (const auto at = line.find(shown_); !shown_.empty() && at != std::string_view::npos)
            log_.explain(line.substr(at));
        tail_ += std::string(line) + "\n";
        if (tail_.size() > kTailKept) tail_.erase(0, tail_.size() - kTailKept);
    }

    TestLog& log_;
    const std::string_view shown_;
    BootLines lines_;
    const std::size_t failed_before_;
    std::size_t tests_ = 0;
    Clock::time_point last_test_ = Clock::now();
    std::string tail_;
    std::vector<OffLine> off_lines_;
};

std::filesystem::path image_of(const Places& places, const Level& level) {
    return level.in_kernel ? places.kernel_tests() : places.kernel();
}

Outcome<MachineResult> boot_machine(const Places& places, const Level& level, const Boot& boot, BootWatcher& watcher) {
    const Scratch scratch = HOST_TRY(Scratch::create());
    MachineSpec spec;
    spec.boot = boot.kind;
    spec.processors = boot.processors;
    spec.kernel = image_of(places, level);
    spec.command_line = level.command_line;
    spec.limit = level.limit;
    spec.count_instructions = boot.count_instructions;
    spec.instruction_shift = boot.count_instructions ? kInstructionShift : 0;
    if (boot.measure_interrupts_off) {
        spec.count_instructions = true;
        spec.command_line += std::format(" interrupts_off={}", kMostOff << spec.instruction_shift);
    }
    if (spec.count_instructions) spec.command_line += " exact=1";
    if (!level.bundle.empty() || boot.kind == BootKind::uefi) {
        Bundle bundle;
        if (!level.bundle.empty()) bundle = HOST_TRY(read_boot_list(places.bundle_list(level.bundle)));
        spec.container = scratch.path() / "container";
        Bundle job;
        for (const std::string& entry : level.job)
            job.entries.push_back({entry, "", false});
        static_cast<void>(HOST_TRY(write_container(spec.container, bundle, job)));
    }
    if (boot.kind == BootKind::uefi) HOST_TRY(prepare_uefi_boot(places.loader(), scratch.path(), spec));
    const MachineEars ears{
        [&](std::string_view text) { watcher.lines().serial(text); },
        [&](std::string_view bytes) { return watcher.lines().frames(bytes); },
        [&] { return watcher.reason_to_end().empty(); },
    };
    return run_machine(spec, ears);
}

void run_boot(const Places& places, const Level& level, const Boot& boot, TestLog& log) {
    Places of_preset = places;
    of_preset.build = places.root / "build" / boot.preset;
    log.group(std::format("{} {} {} smp={}{}", level.name, boot.preset, boot_name(boot.kind), boot.processors,
                          boot.measure_interrupts_off ? " counting instructions"
                          : boot.count_instructions   ? " icount"
                                                      : ""));
    const std::size_t failed_before = log.count(TestOutcome::failed);
    BootWatcher watcher(log, level.shown);
    const auto result = boot_machine(of_preset, level, boot, watcher);
    watcher.lines().finish();
    if (!result) {
        log.trouble("the boot", result.error().sentence);
        return;
    }
    std::string wrong;
    if (result->end == MachineEnd::stopped && log.count(TestOutcome::failed) > failed_before) return;
    if (const std::string reason = watcher.reason_to_end(); result->end == MachineEnd::stopped && !reason.empty())
        wrong = reason;
    else if (result->end == MachineEnd::out_of_time)
        wrong = std::format("did not end within {}", level.limit);
    else if (!watcher.lines().broken().empty())
        wrong = watcher.lines().broken();
    else if (result->status != kStatusWell)
        wrong = std::format("ended with QEMU status {}", result->status);
    else if (watcher.tests() == 0)
        wrong = "ran no test";
    // A status that only repeats what a failed test said is not counted again.
    const bool said_already = log.count(TestOutcome::failed) > failed_before &&
                              result->end == MachineEnd::powered_off && result->status != kStatusPanic;
    if (boot.measure_interrupts_off) watcher.check_off_time(image_of(of_preset, level));
    // A boot in which tests failed has still told everything.
    if (wrong.empty() || said_already) {
        watcher.check_audit();
        if (level.after) level.after(watcher.lines().record(), log);
    }
    if (wrong.empty() || said_already) return;
    // The status may say no more than that a test failed which is not wanted.
    const bool is_of_tests =
        result->end == MachineEnd::powered_off && result->status != kStatusPanic && watcher.tests() != 0;
    if (is_of_tests && !log.wants("the boot")) return;
    log.trouble("the boot", wrong);
    log.explain(watcher.tail());
    log.explain(result->message);
}

} // namespace

std::vector<TestPart> boots_of(const Places& places, const Level& level, std::initializer_list<Boot> boots,
                               const TestOptions& options) {
    std::vector<TestPart> parts;
    for (const Boot& boot : boots) {
        const bool is_release = boot.preset == "release" && boot.kind == BootKind::pvh;
        const bool is_quick = is_release && boot.processors == 2;
        const bool is_counted = is_release && (boot.count_instructions || boot.measure_interrupts_off);
        if ((!options.quick && !options.counted) || (options.quick && is_quick) || (options.counted && is_counted))
            parts.emplace_back([&places, &level, boot](TestLog& log) { run_boot(places, level, boot, log); });
    }
    return parts;
}

void run_level(const Places& places, const Level& level, std::initializer_list<Boot> boots, TestLog& log) {
    log.begin_level();
    run_parts(boots_of(places, level, boots, log.options()), log);
    log.end_level();
}

} // namespace aios::host
