// The levels whose tests run on AIOS: inside the kernel, as agents, and as Linux programs. Each boot prints lines
// "TEST name pass|fail|skip detail", on the serial line (kernel) or on an agent's console.
#include <algorithm>
#include <format>
#include <map>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/audit_log.hpp"
#include "tools/aios/bundle.hpp"
#include "tools/aios/files.hpp"
#include "tools/aios/frames.hpp"
#include "tools/aios/machine.hpp"
#include "tools/aios/process.hpp"
#include "tools/aios/record.hpp"
#include "tools/aios/stop.hpp"
#include "tools/aios/test_levels.hpp"
#include "tools/aios/text.hpp"
#include "tools/aios/uefi_boot.hpp"

namespace aios::host {

namespace {

constexpr std::chrono::minutes kBootLimit{6};
constexpr std::chrono::minutes kProgramLimit{2};
constexpr std::size_t kTailKept = 4096;

struct Boot {
    std::string_view preset;
    BootKind kind;
    unsigned processors;
};

struct Level {
    std::string_view name;
    std::string_view bundle; // empty: no container
    std::string_view command_line;
};

// One boot: collects the lines of the serial port and of every console.
class BootWatcher {
public:
    explicit BootWatcher(TestLog& log) : log_(log), serial_([this](std::string_view line) { take(line); }) {}

    void serial(std::string_view text) { serial_.feed(text); }

    bool frames(std::string_view bytes) {
        const auto fed = reader_.feed(bytes, [this](const Frame& frame) -> Outcome<> {
            HOST_TRY(take_frame(frame, 0, record_, {}));
            if (frame.kind != FrameKind::console) return {};
            cbor::Decoder in(frame.body);
            const auto text = in.bytes();
            if (!text) return failure(Exit::failed_inside, "console text is not a byte string.");
            const auto [at, is_new] = consoles_.try_emplace(frame.agent, [this](std::string_view line) { take(line); });
            at->second.feed(as_text(*text));
            return {};
        });
        if (!fed) broken_ = fed.error().sentence;
        return fed.has_value();
    }

    void finish() {
        serial_.finish();
        for (auto& [agent, lines] : consoles_)
            lines.finish();
    }

    // Where the boot kept an audit log: one more test.
    void check_audit() {
        if (!record_.head) return;
        const bool good =
            record_.head->records == record_.audit.size() && record_.head->root == audit_root(record_.audit);
        log_.result("audit_log_matches_its_head", good ? TestOutcome::passed : TestOutcome::failed,
                    std::format("{} records of {}", record_.audit.size(), record_.head->records));
    }

    [[nodiscard]] std::size_t tests() const { return tests_; }
    [[nodiscard]] const std::string& tail() const { return tail_; }
    [[nodiscard]] const std::string& broken() const { return broken_; }

private:
    void take(std::string_view line) {
        if (log_.take_line(line)) {
            tests_++;
            return;
        }
        tail_ += std::string(line) + "\n";
        if (tail_.size() > kTailKept) tail_.erase(0, tail_.size() - kTailKept);
    }

    TestLog& log_;
    LineCutter serial_;
    FrameReader reader_;
    RunRecord record_;
    std::map<std::uint64_t, LineCutter> consoles_;
    std::size_t tests_ = 0;
    std::string tail_;
    std::string broken_;
};

Outcome<MachineResult> boot_machine(const Places& places, const Level& level, const Boot& boot, BootWatcher& watcher) {
    const Scratch scratch = HOST_TRY(Scratch::create());
    MachineSpec spec;
    spec.boot = boot.kind;
    spec.processors = boot.processors;
    spec.kernel = places.kernel();
    spec.command_line = level.command_line;
    spec.limit = kBootLimit;
    if (!level.bundle.empty() || boot.kind == BootKind::uefi) {
        Bundle bundle;
        if (!level.bundle.empty()) bundle = HOST_TRY(read_boot_list(places.bundle_list(level.bundle)));
        spec.container = scratch.path() / "container";
        static_cast<void>(HOST_TRY(write_container(spec.container, std::move(bundle), {})));
    }
    if (boot.kind == BootKind::uefi) HOST_TRY(prepare_uefi_boot(places.loader(), scratch.path(), spec));
    const MachineEars ears{
        [&](std::string_view text) { watcher.serial(text); },
        [&](std::string_view bytes) { return watcher.frames(bytes); },
        {},
    };
    return run_machine(spec, ears);
}

void run_boot(const Places& places, const Level& level, const Boot& boot, TestLog& log) {
    Places of_preset = places;
    of_preset.build = places.root / "build" / boot.preset;
    log.group(std::format("{} {} {} smp={}", level.name, boot.preset, boot_name(boot.kind), boot.processors));
    const std::size_t failed_before = log.count(TestOutcome::failed);
    BootWatcher watcher(log);
    const auto result = boot_machine(of_preset, level, boot, watcher);
    watcher.finish();
    if (!result) {
        log.result("the boot", TestOutcome::failed, result.error().sentence);
        return;
    }
    std::string wrong;
    if (result->end == MachineEnd::out_of_time)
        wrong = std::format("did not end within {}", kBootLimit);
    else if (!watcher.broken().empty())
        wrong = watcher.broken();
    else if (result->status != kStatusWell)
        wrong = std::format("ended with QEMU status {}", result->status);
    else if (watcher.tests() == 0)
        wrong = "ran no test";
    // A status that only repeats what a failed test said is not counted again.
    const bool said_already = log.count(TestOutcome::failed) > failed_before &&
                              result->end == MachineEnd::powered_off && result->status != kStatusPanic;
    if (wrong.empty()) watcher.check_audit();
    if (wrong.empty() || said_already) return;
    if (!log.wants("the boot")) return;
    log.result("the boot", TestOutcome::failed, wrong);
    log.explain(watcher.tail());
    log.explain(result->message);
}

void run_level(const Places& places, const Level& level, std::initializer_list<Boot> boots, TestLog& log) {
    log.begin_level();
    for (const Boot& boot : boots)
        if (stop_signal() == 0) run_boot(places, level, boot, log);
    log.end_level();
}

} // namespace

void test_kernel(const Places& places, TestLog& log) {
    run_level(places, {"kernel", "boot", "selftest=1"},
              {{"debug", BootKind::pvh, 1},
               {"debug", BootKind::pvh, 2},
               {"debug", BootKind::pvh, 4},
               {"release", BootKind::pvh, 1},
               {"release", BootKind::pvh, 2},
               {"release", BootKind::pvh, 4},
               {"debug", BootKind::uefi, 2},
               {"release", BootKind::uefi, 4}},
              log);
}

void test_guest(const Places& places, TestLog& log) {
    run_level(places, {"guest", "guest", ""},
              {{"debug", BootKind::pvh, 2},
               {"release", BootKind::pvh, 1},
               {"release", BootKind::pvh, 4},
               {"release", BootKind::uefi, 2}},
              log);
}

namespace {

// The Linux tests say what Linux does: on this machine's own Linux they must all pass too.
void test_linux_here(const Places& places, TestLog& log) {
    log.group("linux on this machine");
    const auto folder = places.build / "tests" / "linux";
    std::error_code error;
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().native();
        if (entry.is_regular_file() && name.starts_with("test_") && name != "test_init") found.push_back(entry.path());
    }
    std::ranges::sort(found);
    for (const auto& program : found) {
        LineCutter lines([&](std::string_view line) { log.take_line(line); });
        const ProcessResult result =
            run_process({program.native()}, kProgramLimit, [&](std::string_view text) { lines.feed(text); });
        lines.finish();
        const std::string name = program.filename().native();
        if (!log.wants(name)) continue;
        log.result(name, result.status == 0 ? TestOutcome::passed : TestOutcome::failed,
                   result.out_of_time   ? "out of time"
                   : result.status != 0 ? std::format("ended with status {}", result.status)
                                        : "");
    }
    if (found.empty()) log.result("linux tests", TestOutcome::failed, "none were built");
}

} // namespace

void test_linux(const Places& places, TestLog& log) {
    test_linux_here(places, log);
    run_level(places, {"linux", "linux", ""},
              {{"debug", BootKind::pvh, 2}, {"release", BootKind::pvh, 1}, {"release", BootKind::pvh, 4}}, log);
}

} // namespace aios::host
