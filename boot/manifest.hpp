// The manifest of a section of the container, version 2: which directories, files and links there are. Written by the host
// program, read in place by the kernel. Little-endian; three parts, one right behind the other:
//   ManifestHeader
//   ManifestNode[nodes]   sorted by path, bytewise; the first is the root directory, whose path is empty
//   text                  the nodes' paths in their order, each link's followed by its target
//
// One tree has one encoding. A reader refuses a manifest in which any of this does not hold:
//   - The parts fill it exactly; what a kind does not use is zero.
//   - Paths are relative, of components of 1 to 255 bytes without NUL, none "." or "..", together at most 1,024 bytes; they
//     ascend strictly; the path above each is that of a directory.
//   - Text and data pages belong to the nodes in their order, without gap, and all to one. A file of no byte has no page.
//   - A name is a further name of a file that comes before it; each file knows how many it has, its own included.
//   - A link's target has 1 to 1,024 bytes without NUL; its mode is 0777.
//   - The first program is a file that may be executed.
#pragma once

#include <cstdint>

namespace aios::boot {

inline constexpr char kManifestMagic[8] = {'A', 'I', 'O', 'S', 'M', 'A', 'N', '2'};
inline constexpr std::uint32_t kMaxManifestNodes = 1 << 20;
inline constexpr std::uint32_t kNoProgram = 0xffff'ffff;

struct ManifestHeader {
    char magic[8];
    std::uint32_t nodes;
    std::uint32_t first_program; // its node, or kNoProgram
    std::uint64_t text_bytes;
    std::uint64_t data_pages; // of the section
};
static_assert(sizeof(ManifestHeader) == 32);

enum class ManifestKind : std::uint16_t { directory = 1, file = 2, link = 3, name = 4 };

struct ManifestNode {
    std::uint32_t text; // where its path begins
    std::uint16_t path_bytes;
    std::uint16_t kind_and_mode; // kind in the upper four bits, below them the mode bits of POSIX (07777)
    std::uint64_t modified_ns;   // since 1970
    std::uint64_t bytes;         // file: its size; link: its target's
    std::uint32_t first;         // file: its first data page; name: the node of the file
    std::uint32_t names;         // file
    std::uint8_t root[32];       // file: RFC 9162 section 2.1.1 tree head over its leaves
};
static_assert(sizeof(ManifestNode) == 64);

inline constexpr unsigned kManifestKindShift = 12;
inline constexpr std::uint16_t kManifestModeBits = 07777, kManifestLinkMode = 0777;

[[nodiscard]] constexpr std::uint16_t kind_and_mode(ManifestKind kind, unsigned mode) {
    return static_cast<std::uint16_t>(static_cast<unsigned>(kind) << kManifestKindShift | (mode & kManifestModeBits));
}

} // namespace aios::boot
