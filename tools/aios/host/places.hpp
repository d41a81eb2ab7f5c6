// Where the parts of AIOS are on this machine.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

// Where things are: AIOS_ROOT and AIOS_PRESET, set by the script, or the places that belong to this executable.
struct Places {
    std::filesystem::path root;
    std::filesystem::path build; // build/<preset>

    [[nodiscard]] std::filesystem::path kernel() const { return build / "kernel" / "aios-kernel"; }
    // The same with tests/kernel in it.
    [[nodiscard]] std::filesystem::path kernel_tests() const { return build / "kernel" / "aios-kernel-tests"; }
    [[nodiscard]] std::filesystem::path loader() const { return build / "boot" / "BOOTX64.EFI"; }
    [[nodiscard]] std::filesystem::path bundle_list(std::string_view name) const {
        return build / "bundle" / (std::string(name) + ".list");
    }
};

[[nodiscard]] Outcome<Places> find_places();

} // namespace aios::host
