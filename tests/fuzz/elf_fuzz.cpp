// The parser of executables on any bytes: what it accepts keeps every promise that the loader relies on.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "kernel/agent/elf.hpp"

using namespace aios;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The first bytes say how long the file claims to be beside what is seen of it.
    std::uint64_t file_bytes = size;
    if (size >= 2) file_bytes += static_cast<std::uint64_t>(data[size - 1]) << (data[size - 2] % 48);
    // A copy of its own, so that reading one byte too many is found.
    const std::vector<std::uint8_t> head(data, data + std::min(size, kElfHeadBytes));
    if (size < kElfHeadBytes) file_bytes = size;
    static ElfImage image;
    // SAFETY: bytes as bytes.
    if (!elf_parse(Bytes(reinterpret_cast<const std::byte*>(head.data()), head.size()), file_bytes, image)) return 0;
    AIOS_ASSERT(image.segment_count >= 1 && image.segment_count <= kMaxElfSegments);
    AIOS_ASSERT(image.low % arch::kPageSize == 0 && image.high % arch::kPageSize == 0 && image.low < image.high);
    AIOS_ASSERT(image.high - image.low <= (1ull << 30));
    std::uint64_t end = image.low;
    bool entry_inside = false;
    for (std::size_t i = 0; i < image.segment_count; ++i) {
        const ElfSegment& segment = image.segments[i];
        AIOS_ASSERT(segment.memory_bytes > 0 && segment.file_bytes <= segment.memory_bytes);
        AIOS_ASSERT(segment.address / arch::kPageSize * arch::kPageSize >= end); // no page is shared
        AIOS_ASSERT(segment.memory_bytes <= image.high - segment.address);
        if (segment.file_bytes != 0) {
            AIOS_ASSERT(segment.file_offset <= file_bytes && segment.file_bytes <= file_bytes - segment.file_offset);
            AIOS_ASSERT((segment.address - segment.file_offset) % arch::kPageSize == 0);
        }
        end = (segment.address + segment.memory_bytes + arch::kPageSize - 1) / arch::kPageSize * arch::kPageSize;
        if (image.entry >= segment.address && image.entry - segment.address < segment.memory_bytes) entry_inside = true;
    }
    AIOS_ASSERT(end <= image.high);
    AIOS_ASSERT(entry_inside);
    return 0;
}
