// The last step: the hand-off block, the exit from boot services, the jump.
#pragma once

#include "base/result.hpp"
#include "boot/uefi/files.hpp"
#include "boot/uefi/firmware.hpp"

namespace aios::efi {

// Jumps to the kernel, or returns what stood in the way (reported).
[[nodiscard]] Result<> depart(Firmware& firmware, const LoadedKernel& kernel, const LoadedContainer& container,
                              const CommandLine& line, std::uint64_t entry_tsc);

} // namespace aios::efi
