// The container header check on any bytes: every part of an accepted header lies inside the container, behind its
// header page.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "base/assert.hpp"
#include "boot/container_check.hpp"

using namespace aios::boot;

namespace {

void check_part(std::uint64_t offset, std::uint64_t bytes, std::uint64_t total) {
    if (bytes == 0) return;
    AIOS_ASSERT(offset % kContainerPage == 0 && offset >= kContainerPage);
    AIOS_ASSERT(offset < total && bytes <= total - offset);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::uint64_t available = 0;
    if (size < sizeof(available)) return 0;
    std::memcpy(&available, data, sizeof(available));
    const std::size_t page_bytes = std::min({size - sizeof(available), kContainerPage, std::size_t{available}});
    const auto page = std::make_unique<std::uint8_t[]>(page_bytes);
    std::copy_n(data + sizeof(available), page_bytes, page.get());
    const auto header = container_header_check({page.get(), page_bytes}, available);
    if (!header) return 0;
    AIOS_ASSERT(header->total_bytes <= available && header->section_count == 2);
    for (const ContainerSection& section : header->sections) {
        AIOS_ASSERT(section.data_pages <= header->total_bytes / kContainerPage);
        check_part(section.manifest_offset, section.manifest_bytes, header->total_bytes);
        check_part(section.leaves_offset, section.data_pages * 32, header->total_bytes);
        check_part(section.data_offset, section.data_pages * kContainerPage, header->total_bytes);
    }
    return 0;
}
