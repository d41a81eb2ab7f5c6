#include "tools/aios/accelerator.hpp"

#include <cerrno>
#include <cstring>
#include <format>

#include <fcntl.h>

#include "tools/aios/files.hpp"
#include "tools/aios/machine.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

constexpr std::chrono::seconds kProbeLimit{10};

// Why KVM cannot be used, or nothing if a guest has run under it.
Outcome<std::string> probe_kvm(const std::filesystem::path& kernel, unsigned processors) {
    {
        const Descriptor device(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
        if (!device) return std::format("/dev/kvm cannot be opened: {}", lower_first(std::strerror(errno)));
    }
    MachineSpec spec;
    spec.kvm = true;
    spec.processors = processors;
    spec.kernel = kernel;
    spec.command_line = "selftest=1";
    spec.limit = kProbeLimit;
    const MachineEars ears{[](std::string_view) {}, [](std::string_view) { return true; }, {}};
    const MachineResult result = HOST_TRY(run_machine(spec, ears));
    if (result.end == MachineEnd::out_of_time) return std::format("a guest under KVM did not end in {}", kProbeLimit);
    if (result.status != kStatusWell) return std::format("a guest under KVM ended with status {}", result.status);
    return std::string();
}

} // namespace

Outcome<AcceleratorChoice> choose_accelerator(Accelerator wanted, const std::filesystem::path& kernel,
                                              unsigned processors) {
    if (wanted == Accelerator::tcg) return AcceleratorChoice{false, "as asked"};
    const std::string why = HOST_TRY(probe_kvm(kernel, processors));
    if (why.empty()) return AcceleratorChoice{true, "a test guest has run under it"};
    if (wanted == Accelerator::kvm)
        return failure(Exit::host_missing, std::format("KVM cannot be used ({}); leave out --accel kvm.", why));
    return AcceleratorChoice{false, why};
}

} // namespace aios::host
