// The three files that a start needs, read into memory and checked: kernel image, container, command line.
// Every refusal has been printed when a function returns an error.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "boot/uefi/firmware.hpp"

namespace aios::efi {

inline constexpr std::size_t kMaxCommandLine = 4095; // bytes, without the closing NUL

struct LoadedKernel {
    Pages image; // from kernel_base, 2 MiB aligned, below 4 GiB; segments copied, gaps zero
    std::uint64_t entry = 0;
};

struct LoadedContainer {
    Pages pages;
    std::uint64_t bytes = 0; // what the header says; the last page is zero behind it
};

struct CommandLine {
    char text[kMaxCommandLine + 1];
    std::size_t length = 0;
};

[[nodiscard]] Result<LoadedKernel> kernel_load(Firmware& firmware, FileProtocol& root);
[[nodiscard]] Result<LoadedContainer> container_load(Firmware& firmware, FileProtocol& root);
// A file that is not there is an empty line.
[[nodiscard]] Result<> command_line_load(Firmware& firmware, FileProtocol& root, CommandLine& line);

} // namespace aios::efi
