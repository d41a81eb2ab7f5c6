#include "tools/aios/machine/accelerator.hpp"

#include <cerrno>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <sys/stat.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/machine/machine.hpp"

namespace aios::host {

namespace {

constexpr std::chrono::seconds kProbeLimit{10};
constexpr std::uint64_t kMostMemory = 4096; // bytes of the file that remembers

// Why KVM cannot be used, or nothing if a guest has run under it.
Outcome<std::string> try_guest(const std::filesystem::path& kernel, unsigned processors) {
    MachineSpec spec;
    spec.kvm = true;
    spec.processors = processors;
    spec.kernel = kernel;
    spec.command_line = "stop=ready";
    spec.limit = kProbeLimit;
    const MachineEars ears{[](std::string_view) {}, [](std::string_view) { return true; }, {}};
    const MachineResult result = HOST_TRY(run_machine(spec, ears));
    if (result.end == MachineEnd::out_of_time) return std::format("a guest under KVM did not end in {}", kProbeLimit);
    if (result.status != kStatusWell) return std::format("a guest under KVM ended with status {}", result.status);
    return std::string();
}

// A file by its time and size: another one means another answer.
std::string print_of(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return "missing";
    return std::format("{}.{:09} {}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size);
}

// What an answer depends on: the boot of this machine, QEMU, and the kernel that is tried.
std::string circumstances(const std::filesystem::path& kernel) {
    const auto boot = read_file("/proc/sys/kernel/random/boot_id", kMostMemory);
    const auto qemu = find_qemu();
    return std::format("{}\n{}\n{}\n", boot ? printable(*boot) : "", qemu ? print_of(*qemu) : "", print_of(kernel));
}

} // namespace

std::optional<std::string> remembered_failure(const std::filesystem::path& memory,
                                              const std::filesystem::path& kernel) {
    const auto known = read_file(memory, kMostMemory);
    const std::string now = circumstances(kernel);
    if (!known || !known->starts_with(now) || known->size() == now.size()) return std::nullopt;
    return known->substr(now.size());
}

void remember_failure(const std::filesystem::path& memory, const std::filesystem::path& kernel, std::string_view why) {
    // Where it cannot be kept, the next run tries again.
    static_cast<void>(replace_file(memory, circumstances(kernel) + std::string(why)));
}

Outcome<AcceleratorChoice> choose_accelerator(Accelerator wanted, const std::filesystem::path& kernel,
                                              unsigned processors, const std::filesystem::path& memory) {
    if (wanted == Accelerator::tcg) return AcceleratorChoice{false, "as asked"};
    std::string why;
    if (const Descriptor device(::open("/dev/kvm", O_RDWR | O_CLOEXEC)); !device)
        why = std::format("/dev/kvm cannot be opened: {}", lower_first(std::strerror(errno)));
    if (const auto known = remembered_failure(memory, kernel); why.empty() && known && wanted == Accelerator::automatic)
        return AcceleratorChoice{false, *known + "; remembered, --accel kvm tries again"};
    if (why.empty()) {
        why = HOST_TRY(try_guest(kernel, processors));
        if (why.empty()) return AcceleratorChoice{true, "a test guest has run under it"};
        remember_failure(memory, kernel, why);
    }
    if (wanted == Accelerator::kvm)
        return failure(Exit::host_missing, std::format("KVM cannot be used ({}); leave out --accel kvm.", why));
    return AcceleratorChoice{false, why};
}

} // namespace aios::host
