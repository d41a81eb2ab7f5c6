// The container: everything beside the kernel image, in one file (the PVH module, or AIOS.BND on the EFI system partition).
// Little-endian. Section 0 is the boot bundle (programs, configuration), section 1 the job bundle (documents, questions).
// A section has three parts, each page aligned:
//   manifest: which files, directories and links there are (manifest.hpp), its last page padded with zeros
//   leaves:   32 bytes for each data page: SHA-256(0x00 || page), the last page of a file padded with zeros
//   data:     the files' contents, each starting on a page
// Hash trees are those of RFC 9162 section 2.1.1 over the leaf hashes of pages (of no leaf: SHA-256 of nothing).
// A data page is checked against its leaf at first touch; a file's leaves against its root in the manifest at first use; the
// manifest's pages against the header when the kernel starts (boot) or at first use (job).
#pragma once

#include <cstdint>

namespace aios::boot {

inline constexpr char kContainerMagic[8] = {'A', 'I', 'O', 'S', 'B', 'N', 'D', '1'};
inline constexpr std::uint32_t kContainerVersion = 2;
inline constexpr std::uint32_t kSectionBoot = 0;
inline constexpr std::uint32_t kSectionJob = 1;

struct ContainerSection {
    std::uint64_t manifest_offset; // from the start of the container, bytes
    std::uint64_t manifest_bytes;
    std::uint8_t manifest_root[32]; // of the hash tree over its pages
    std::uint64_t leaves_offset;
    std::uint64_t data_offset;
    std::uint64_t data_pages;
};

struct ContainerHeader { // the first page, padded with zeros
    char magic[8];
    std::uint32_t version;
    std::uint32_t section_count; // 2
    std::uint64_t total_bytes;
    ContainerSection sections[2];
};

} // namespace aios::boot
