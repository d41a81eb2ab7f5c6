// The Linux that AIOS is compared with: its kernel, named by the user or taken out of Debian's package (which is
// fetched and never installed), and a first file system of our own programs.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/host/places.hpp"
#include "tools/aios/host/progress.hpp"

namespace aios::host {

struct BenchLinux {
    std::filesystem::path kernel; // an ELF file with a PVH entry, in `scratch` or in the cache
    std::string name;             // "Linux 6.1.0-56-amd64"
};

// `given` may be empty. Files are cached in build/linux-kernel. Refuses with the reason for which there is no Linux
// column.
[[nodiscard]] Outcome<BenchLinux> find_bench_linux(const Places& places, const std::filesystem::path& given,
                                                   const std::filesystem::path& scratch, Progress& progress);

// The ELF file inside a bzImage (Linux's Documentation/arch/x86/boot.rst, fields setup_sects, payload_offset and
// payload_length), compressed as it is; empty if `image` is none of boot protocol 2.08 or later.
[[nodiscard]] std::string_view bzimage_payload(std::string_view image);
// The program that decompresses it, "xz" for instance; empty if its beginning is not known.
[[nodiscard]] std::string_view decompressor_of(std::string_view payload);

// What Linux and its first program are told: to measure these rows.
[[nodiscard]] std::string linux_command_line(const std::vector<std::string>& rows);

struct ArchiveEntry {
    std::string path; // without a slash at its beginning
    unsigned mode;    // with the type, as in stat
    std::string bytes = {};
    unsigned major = 0, minor = 0; // of a device
};
// A cpio archive in the "newc" format (Linux's Documentation/driver-api/early-userspace/buffer-format.rst).
[[nodiscard]] std::string cpio_archive(const std::vector<ArchiveEntry>& entries);

// The file system with the programs of the benchmark, written to `to`.
[[nodiscard]] Outcome<> write_bench_initramfs(const Places& places, const std::filesystem::path& to);

// 1,024 pages that differ, for the row cow_fault on either system.
[[nodiscard]] std::string bench_pages();

} // namespace aios::host
