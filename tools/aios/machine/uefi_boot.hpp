// What a UEFI boot needs beside the kernel: the disk image and a private copy of the firmware's variables.
#pragma once

#include <filesystem>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/machine/machine.hpp"

namespace aios::host {

// Makes both in `scratch` from spec's kernel, container and command line, and names them in `spec`.
[[nodiscard]] Outcome<> prepare_uefi_boot(const std::filesystem::path& loader, const std::filesystem::path& scratch,
                                          MachineSpec& spec);

} // namespace aios::host
