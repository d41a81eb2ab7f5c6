// The virtual machine of a run: QEMU as a child process. Kernel text (16550) and framed output (virtio-console) arrive
// through a pipe and a socket and are handed on as they come; QEMU waits when we do not read, so nothing is lost. The
// child is always ended and reaped before run_machine returns, and dies with this program.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/run_options.hpp"
#include "tools/aios/machine/host_input.hpp"

namespace aios::host {

struct MachineSpec {
    BootKind boot = BootKind::pvh;
    std::string machine = std::string(kUsualMachine); // q35, pc or microvm, with QEMU's options behind a comma
    std::string cpu = std::string(kUsualCpu);         // QEMU's -cpu
    bool kvm = false;
    unsigned processors = 2;
    std::uint64_t memory_mib = 512;
    std::filesystem::path kernel;             // ELF (pvh)
    std::filesystem::path container;          // may be empty: no container (pvh)
    std::filesystem::path disk;               // raw image with an EFI system partition (uefi)
    std::filesystem::path firmware_variables; // a scratch copy (uefi)
    std::filesystem::path seed;               // 32 random bytes for the guest's entropy pool, or empty
    std::string command_line;                 // kernel command line (pvh; under uefi it is on the disk)
    bool count_instructions = false;          // guest time is counted in instructions; processors take turns
    unsigned instruction_shift = 0;           // an instruction then takes 1 << this nanoseconds
    std::vector<std::string> more;            // further arguments of QEMU
    std::chrono::milliseconds limit{600'000};
};

enum class MachineEnd { powered_off, out_of_time, stopped };

struct MachineResult {
    MachineEnd end = MachineEnd::powered_off;
    int status = 0;      // QEMU's exit status, or 128 + signal
    std::string message; // what QEMU itself said on standard error
    double seconds = 0;
};

struct MachineEars {
    std::function<void(std::string_view)> kernel_text;
    // Returns false to end the machine at once (a broken frame).
    std::function<bool(std::string_view)> frames;
    // About ten times a second, or empty. Returns false to end the machine at once.
    std::function<bool()> tick;
    // A file of this program whose bytes go to the guest as its input (abi/frames.hpp), to its end; -1: none. With one, a signal
    // that asks for the end is told to the guest, which has kStopAllowance to end by itself; a second one ends it at once.
    int input = -1;
    std::function<std::uint64_t()> input_taken = {}; // bytes of input that the guest says it has passed on
    HostTerminal* terminal = nullptr;                // whose window the guest is told when it changes
};

inline constexpr std::chrono::seconds kStopAllowance{60};

// What the kernel writes to the debug-exit port, as QEMU's exit status: (code << 1) | 1.
inline constexpr int kStatusWell = (0x10 << 1) | 1;
inline constexpr int kStatusFailed = (0x11 << 1) | 1;
inline constexpr int kStatusPanic = (0x12 << 1) | 1;
inline constexpr int kStatusRefused = (0x14 << 1) | 1;
// The beginning of the line of kernel text that says why it does not start on a machine (kernel/arch/machine.hpp).
inline constexpr std::string_view kRefusal = "AIOS does not start here: ";

// The path of QEMU: AIOS_QEMU, or qemu-system-x86_64 on PATH. Refuses with host_missing.
[[nodiscard]] Outcome<std::filesystem::path> find_qemu();

[[nodiscard]] std::vector<std::string> machine_arguments(const MachineSpec& spec);

[[nodiscard]] Outcome<MachineResult> run_machine(const MachineSpec& spec, const MachineEars& ears);

} // namespace aios::host
