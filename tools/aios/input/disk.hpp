// The disk of a UEFI boot: a raw image that holds one FAT file system with the loader, the kernel, the container and
// the command line, made with mtools.
#pragma once

#include <filesystem>
#include <string_view>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

struct DiskContents {
    std::filesystem::path loader;
    std::filesystem::path kernel;
    std::filesystem::path container;
    std::string_view command_line;
};

// Writes the image to `disk`; its parent folder takes temporary files.
[[nodiscard]] Outcome<> make_disk(const std::filesystem::path& disk, const DiskContents& contents);

} // namespace aios::host
