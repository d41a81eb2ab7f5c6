// Reads the headers of the kernel image: an ELF64 x86-64 static-pie (ET_DYN) linked at kKernelLinkBase. Only headers
// are looked at; the caller copies the segments. Nothing here allocates or trusts a number of the file before it is
// checked. Invariants of a KernelImage: segments are in ascending order and do not overlap, file parts lie inside the
// file, memory parts inside [0, image_bytes), the entry inside an executable segment. Format: System V ABI, "Object
// Files" (ELF header, program header); AMD64 supplement for the machine number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace aios::boot {

inline constexpr std::uint64_t kKernelLinkBase = 0x200000;
inline constexpr std::uint64_t kKernelAlignment = 0x200000;
inline constexpr std::uint64_t kMaxKernelBytes = 256ull << 20;
inline constexpr std::size_t kMaxKernelSegments = 16;
inline constexpr std::size_t kKernelHeadBytes = 4096; // headers must lie in this much of the file's start

struct KernelSegment {
    std::uint64_t file_offset;
    std::uint64_t file_bytes;
    std::uint64_t image_offset; // from the image's base, bytes
    std::uint64_t memory_bytes; // >= file_bytes; the rest is zero
};

struct KernelImage {
    std::uint64_t image_bytes;  // from the base to the end of the last segment, rounded up to pages
    std::uint64_t entry_offset; // of the 64-bit entry, from the base
    std::uint32_t segment_count;
    KernelSegment segments[kMaxKernelSegments];
};

// Decodes the headers in `head`, the first min(file_bytes, kKernelHeadBytes) bytes of a file of `file_bytes`.
// Errors: truncated (the file ends before what its headers promise), bad_format (not such an image), unsupported (an
// ELF file for another machine, class or type), too_large (above kMaxKernelBytes, or too many segments).
[[nodiscard]] Result<KernelImage> kernel_image_parse(std::span<const std::uint8_t> head, std::uint64_t file_bytes);

} // namespace aios::boot
