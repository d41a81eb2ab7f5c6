// The loader's ELF parser on any bytes: a parsed image never names a byte outside the file or the image, and its
// segments never overlap.
#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/assert.hpp"
#include "boot/elf.hpp"

using namespace aios::boot;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // The file may be longer than the head that is given, by what the first two bytes say; the head is an allocation of
    // its own, so that a read behind it is seen.
    const std::size_t head_bytes = std::min(size - 2, kKernelHeadBytes);
    const std::uint64_t file_bytes = head_bytes + (head_bytes == kKernelHeadBytes ? (data[0] | data[1] << 8) : 0);
    const auto head = std::make_unique<std::uint8_t[]>(head_bytes);
    std::copy_n(data + 2, head_bytes, head.get());
    const auto image = kernel_image_parse({head.get(), head_bytes}, file_bytes);
    if (!image) return 0;
    AIOS_ASSERT(image->segment_count >= 1 && image->segment_count <= kMaxKernelSegments);
    AIOS_ASSERT(image->image_bytes % 4096 == 0 && image->entry_offset < image->image_bytes);
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < image->segment_count; ++i) {
        const KernelSegment& segment = image->segments[i];
        AIOS_ASSERT(segment.file_offset <= file_bytes && segment.file_bytes <= file_bytes - segment.file_offset);
        AIOS_ASSERT(segment.file_bytes <= segment.memory_bytes && segment.image_offset >= end);
        AIOS_ASSERT(segment.memory_bytes <= kMaxKernelBytes && segment.image_offset <= kMaxKernelBytes);
        end = segment.image_offset + segment.memory_bytes;
    }
    AIOS_ASSERT(end <= image->image_bytes);
    return 0;
}
