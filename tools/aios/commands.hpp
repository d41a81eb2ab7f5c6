// The commands of the host program. Each takes its own arguments and returns the exit status or a failure, which main
// prints.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "tools/aios/outcome.hpp"

namespace aios::host {

using ArgumentList = std::span<const std::string_view>;

// Where things are: AIOS_ROOT and AIOS_PRESET, set by the script, or the places that belong to this executable.
struct Places {
    std::filesystem::path root;
    std::filesystem::path build; // build/<preset>

    [[nodiscard]] std::filesystem::path kernel() const { return build / "kernel" / "aios-kernel"; }
    [[nodiscard]] std::filesystem::path loader() const { return build / "boot" / "BOOTX64.EFI"; }
    [[nodiscard]] std::filesystem::path bundle_list(std::string_view name) const {
        return build / "bundle" / (std::string(name) + ".list");
    }
};

[[nodiscard]] Outcome<Places> find_places();

[[nodiscard]] Outcome<Exit> command_run(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_audit(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_container(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_boot(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_test(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_kat(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_bench(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_policy(const Places& places, ArgumentList arguments);
[[nodiscard]] Outcome<Exit> command_plan(const Places& places, ArgumentList arguments);

} // namespace aios::host
