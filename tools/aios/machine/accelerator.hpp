// Which accelerator a run takes: KVM only after a short guest has run under it on this machine, else TCG.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/run_options.hpp"

namespace aios::host {

struct AcceleratorChoice {
    bool kvm = false;
    std::string reason; // for the report: "/dev/kvm is missing"
};

// For `automatic`, boots `kernel` under KVM for its self-test, for a few seconds at most. `kvm` that does not work is
// refused with host_missing. A guest that failed is remembered in the file `memory`, so that the next `automatic` does
// not try again until this machine was started anew or QEMU or the kernel is another.
[[nodiscard]] Outcome<AcceleratorChoice> choose_accelerator(Accelerator wanted, const std::filesystem::path& kernel,
                                                            unsigned processors, const std::filesystem::path& memory);

// The two halves of that memory.
[[nodiscard]] std::optional<std::string> remembered_failure(const std::filesystem::path& memory,
                                                            const std::filesystem::path& kernel);
void remember_failure(const std::filesystem::path& memory, const std::filesystem::path& kernel, std::string_view why);

} // namespace aios::host
