// Machines: on each one AIOS boots and the crew answers, or one sentence says what is missing. A short set always; all
// of them where AIOS_MACHINES=all is in the environment.
#include <cstdlib>
#include <format>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

namespace {

constexpr const char* kQuestion = "How many litres does the copper kettle hold?";

struct Machine {
    const char* name; // QEMU's -M
    std::string cpu;  // QEMU's -cpu
    const char* processors = "2";
    const char* memory = "640";
    const char* append = "";
};

bool all_machines() {
    const char* wanted = std::getenv("AIOS_MACHINES");
    return wanted != nullptr && std::string_view(wanted) == "all";
}

std::vector<std::string> run_on(const World& world, const Machine& machine) {
    world.put("docs/kettle.txt", "The copper kettle holds two litres of water.\n");
    return {
        "--docs", world.at("docs"),   "--ask",    kQuestion,      "--machine", machine.name,   "--cpu",   machine.cpu,
        "--smp",  machine.processors, "--memory", machine.memory, "--append",  machine.append, "--accel", "tcg"};
}

std::string title(const Machine& machine) {
    return std::format("{} {} smp={} memory={} {}", machine.name, machine.cpu, machine.processors, machine.memory,
                       machine.append);
}

void answers(const World& world, const Machine& machine) {
    try {
        const auto report = world.run(run_on(world, machine));
        EXPECT(report.at("answers").at(0).at("passages").at(0).at("text").get<std::string>().contains("two litres"));
        say(std::format("{}: {:.1f} s, first user instruction after {:.1f} ms", title(machine),
                        report.at("boot").at("run_seconds").get<double>(),
                        report.at("boot").at("entry_to_first_user_ms").get<double>()));
    } catch (const Failed& failed) {
        throw Failed(title(machine) + ": " + failed.what());
    }
}

void refused(const World& world, const Machine& machine, std::string_view part_of_sentence) {
    try {
        world.refuses(4, run_on(world, machine), part_of_sentence);
    } catch (const Failed& failed) {
        throw Failed(title(machine) + ": " + failed.what());
    }
}

// What the kernel uses where it is there, and what programs may use.
constexpr const char* kOptional[] = {"fsgsbase", "smep",   "smap", "umip",   "pku",  "rdrand",  "rdseed", "xsave",
                                     "xsaveopt", "avx",    "avx2", "sse4.2", "pcid", "invpcid", "erms",   "pdpe1gb",
                                     "mce",      "rdtscp", "sep",  "popcnt", "cx16", "clflush", "de",     "pse"};
// What it cannot do without.
constexpr const char* kNeeded[] = {"nx", "syscall", "sse2", "fxsr", "pat", "pge", "cx8", "apic", "tsc", "lm"};

std::string max_less_all() {
    std::string cpu = "max";
    for (const char* feature : kOptional)
        cpu += std::format(",-{}", feature);
    return cpu;
}

} // namespace

SCENARIO(machine_microvm_answers) { answers(world, {"microvm", "max"}); }
SCENARIO(machine_microvm_without_timer_chip_answers) { answers(world, {"microvm,pit=off,pic=off", "max", "1"}); }
SCENARIO(machine_pc_answers) { answers(world, {"pc", "EPYC", "1"}); }
SCENARIO(machine_with_no_optional_feature_answers) { answers(world, {"q35", max_less_all(), "2"}); }

SCENARIO(machine_with_meltdown_is_refused) {
    for (const char* cpu : {"Nehalem", "Haswell"}) {
        refused(world, {"q35", cpu}, "(Meltdown)");
        refused(world, {"microvm", cpu}, "unsafe=meltdown");
    }
    answers(world, {"q35", "Haswell", "2", "640", "unsafe=meltdown"});
}

SCENARIO(machine_that_lacks_what_is_needed_is_refused) {
    for (const char* feature : kNeeded)
        refused(world, {"q35", std::format("max,-{}", feature), "1"}, std::format("({})", feature));
    refused(world, {"microvm,pit=off,rtc=off", "max", "1"}, "nothing to measure time by");
    answers(world, {"microvm,pit=off,rtc=off", "max", "1", "640", "tsc_khz=2400000"});
}

SCENARIO(machine_words_are_checked) {
    world.refuses(2, {"--machine", "isapc"}, "q35, pc or microvm");
    world.refuses(2, {"--cpu", "-help"}, "--cpu");
    world.refuses(2, {"--machine", "microvm", "--boot", "uefi"}, "no UEFI firmware");
    world.refuses(4, run_on(world, {"q35", "Zilog80"}), "Zilog80");
}

SCENARIO(machine_all_models) {
    if (!all_machines()) SKIP("a long one: set AIOS_MACHINES=all");
    for (const char* name : {"q35", "pc", "microvm"}) {
        for (const char* cpu : {"qemu64", "EPYC", "max"})
            answers(world, {name, cpu});
        for (const char* cpu : {"Nehalem", "Haswell"}) {
            refused(world, {name, cpu}, "(Meltdown)");
            answers(world, {name, cpu, "2", "640", "unsafe=meltdown"});
        }
    }
}

SCENARIO(machine_max_less_each_optional_feature) {
    if (!all_machines()) SKIP("a long one: set AIOS_MACHINES=all");
    for (const char* feature : kOptional)
        answers(world, {"q35", std::format("max,-{}", feature)});
}

SCENARIO(machine_processors_and_memory) {
    if (!all_machines()) SKIP("a long one: set AIOS_MACHINES=all");
    for (const char* name : {"q35", "pc", "microvm"}) {
        for (const char* processors : {"1", "4", "16"})
            answers(world, {name, "max", processors});
        for (const char* memory : {"1024", "16384"})
            answers(world, {name, "max", "2", memory});
    }
    world.refuses(3, run_on(world, {"q35", "max", "2", "256"}), "--memory");
}

} // namespace aios::scenario
