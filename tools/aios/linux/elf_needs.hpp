// What an ELF file needs to run: its loader and libraries (System V ABI, gABI chapters 4 and 5; AMD64 supplement). Reads
// whatever bytes there are, within their bounds.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

struct ElfNeeds {
    std::string interpreter; // the dynamic loader; empty: static, or a library
    std::vector<std::string> libraries;
    // Where to look for them, separated by colons. A file that has a runpath has no rpath that counts.
    std::string rpath, runpath;
    bool jit = false; // a segment, or its stack, that is writable and executable at once
};

[[nodiscard]] bool is_elf(std::string_view bytes);

// The error says what the file is, as the end of a sentence: "is for another architecture (AArch64)".
[[nodiscard]] std::expected<ElfNeeds, std::string> read_elf_needs(std::string_view bytes);

} // namespace aios::host
