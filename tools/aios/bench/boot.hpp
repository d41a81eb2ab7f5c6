// One boot of the kernel benchmark, of AIOS or of Linux on the same machine: what was said on the serial port and on
// the consoles, what the plugin counted, and when the kernel was entered.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/aios/bench/figures.hpp"
#include "tools/aios/host/progress.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

// The plugin that counts, or why there is none.
struct BenchPlugin {
    std::filesystem::path file; // empty: do without
    std::string missing;
};

struct BenchBoot {
    std::vector<BenchLine> lines;
    BenchWindows windows;           // empty without the plugin
    std::optional<BootFacts> facts; // of AIOS
    std::string wrong;              // empty: the machine powered off by itself, well
    std::string tail;               // the end of what was said, where something is wrong
};

inline constexpr std::uint64_t kBenchMemoryMib = 1024;

// `counted`: the clock advances by a nanosecond with each instruction, on one CPU. `real`: by the host's, and CPUs run
// side by side.
enum class BenchClock { counted, real };
[[nodiscard]] MachineSpec bench_machine(unsigned processors, BenchClock clock);
// How that is said in the report.
[[nodiscard]] std::string bench_machine_name();

// Where QEMU does not take the plugin, that is noted in `plugin` and the boot is made without it.
[[nodiscard]] Outcome<BenchBoot> boot_bench(MachineSpec spec, BenchPlugin& plugin, const std::filesystem::path& scratch,
                                            Progress& progress);

} // namespace aios::host
