// Which accelerator a run takes: KVM only after a short guest has run under it on this machine, else TCG.
#pragma once

#include <filesystem>
#include <string>

#include "tools/aios/options.hpp"
#include "tools/aios/outcome.hpp"

namespace aios::host {

struct AcceleratorChoice {
    bool kvm = false;
    std::string reason; // for the report: "/dev/kvm is missing"
};

// For `automatic`, boots `kernel` under KVM for its self-test, for a few seconds at most. `kvm` that does not work is
// refused with host_missing.
[[nodiscard]] Outcome<AcceleratorChoice> choose_accelerator(Accelerator wanted, const std::filesystem::path& kernel,
                                                            unsigned processors);

} // namespace aios::host
