// The container: everything beside the kernel image, in one file (the PVH module, or AIOS.BND on the EFI system partition).
// Little-endian. Section 0 is the boot bundle (programs, configuration), section 1 the job bundle (documents, questions).
// A section has three parts, each page aligned:
//   manifest: deterministic CBOR, map { 0: version (1), 1: [ entry... ] , 2: name of the first program (boot section only) }
//             entry: [ path text, first data page uint, size in bytes uint, root bytes(32), flags uint ]
//             sorted by path (bytewise), their pages in the same order without overlap; flag 1 = executable. See abi/messages.cddl.
//   leaves:   32 bytes for each data page: SHA-256(0x00 || page), the last page of an entry padded with zeros
//   data:     the entries' contents, each starting on a page
// root is the RFC 9162 section 2.1.1 tree head over the leaf hashes of the entry's pages (of no leaf: SHA-256 of nothing).
// A page is checked against its leaf at first touch; an entry's leaves against its root at first use; the manifest against
// the header when the kernel starts (boot) or at first use (job).
#pragma once

#include <cstdint>

namespace aios::boot {

inline constexpr char kContainerMagic[8] = {'A', 'I', 'O', 'S', 'B', 'N', 'D', '1'};
inline constexpr std::uint32_t kContainerVersion = 1;
inline constexpr std::uint32_t kSectionBoot = 0;
inline constexpr std::uint32_t kSectionJob = 1;
inline constexpr std::uint64_t kEntryExecutable = 1;

struct ContainerSection {
    std::uint64_t manifest_offset; // from the start of the container, bytes
    std::uint64_t manifest_bytes;
    std::uint8_t manifest_sha256[32];
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
