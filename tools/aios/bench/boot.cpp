#include "tools/aios/bench/boot.hpp"

#include <format>
#include <map>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/boot_lines.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kTailKept = 2000;
constexpr std::uint64_t kMaxLog = 16 << 20;
constexpr std::chrono::minutes kLimit{20}; // generous, because a busy machine is no failure

// The figures among the lines, and the end of the others.
void take_line(BenchBoot& boot, std::string_view line) {
    if (auto figure = parse_bench_line(line)) {
        boot.lines.push_back(std::move(*figure));
        return;
    }
    boot.tail += printable(line) + "\n";
    if (boot.tail.size() > kTailKept) boot.tail.erase(0, boot.tail.size() - kTailKept);
}

// QEMU ends at once with a sentence of its own if it cannot load the plugin.
bool refuses_plugin(const MachineResult& result) {
    return result.status == 1 && result.message.find("plugin") != std::string::npos;
}

} // namespace

MachineSpec bench_machine(unsigned processors, BenchClock clock) {
    MachineSpec spec;
    spec.processors = processors;
    spec.memory_mib = kBenchMemoryMib;
    spec.limit = kLimit;
    spec.count_instructions = clock == BenchClock::counted;
    spec.more = {"-seed", "1"};
    if (clock == BenchClock::counted) spec.more.insert(spec.more.end(), {"-rtc", "base=2024-01-01,clock=vm"});
    return spec;
}

std::string bench_machine_name() {
    return std::format(
        "qemu-system-x86_64 -M {} -cpu {} -m {} -smp 1 -accel tcg -icount shift=0,sleep=off -seed 1 -rtc "
        "base=2024-01-01,clock=vm",
        kUsualMachine, kUsualCpu, kBenchMemoryMib);
}

Outcome<BenchBoot> boot_bench(MachineSpec spec, BenchPlugin& plugin, const std::filesystem::path& scratch,
                              Progress& progress) {
    const std::filesystem::path log = scratch / "plugin.log";
    const std::vector<std::string> without = spec.more;
    if (!plugin.file.empty())
        spec.more.insert(spec.more.end(), {"-plugin", plugin.file.native(), "-d", "plugin", "-D", log.native()});
    BenchBoot boot;
    BootLines said([&](std::string_view line) { take_line(boot, line); });
    const MachineEars ears{
        [&](std::string_view text) { said.serial(text); },
        [&](std::string_view bytes) { return said.frames(bytes); },
        [&] {
            progress.tick();
            return true;
        },
    };
    const MachineResult result = HOST_TRY(run_machine(spec, ears));
    if (stop_signal() != 0) return failure(Exit::failed_inside, "the benchmark was interrupted.");
    if (!plugin.file.empty() && refuses_plugin(result)) {
        const std::string first = result.message.substr(0, result.message.find('\n'));
        plugin = {{}, "QEMU does not take the plugin: " + shortened(first)};
        spec.more = without;
        return boot_bench(std::move(spec), plugin, scratch, progress);
    }
    said.finish();
    boot.facts = said.record().boot;
    boot.wrong = said.broken();
    if (!plugin.file.empty()) boot.windows = parse_bench_windows(HOST_TRY(read_file(log, kMaxLog)));
    if (!boot.wrong.empty()) return boot;
    if (result.end == MachineEnd::out_of_time)
        boot.wrong = std::format("it did not end within {}", kLimit);
    else if (result.status != kStatusWell)
        boot.wrong = std::format("it ended with QEMU status {}", result.status);
    if (!boot.wrong.empty()) boot.tail += result.message;
    return boot;
}

} // namespace aios::host
