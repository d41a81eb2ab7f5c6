// The container header check; see container_check.hpp.
#include "boot/container_check.hpp"

#include <cstring>

namespace aios::boot {
namespace {

constexpr std::uint64_t kLeafBytes = 32;
constexpr std::size_t kPartsPerSection = 3;

struct Part {
    std::uint64_t offset;
    std::uint64_t bytes;
};

bool inside(const Part& part, std::uint64_t total) {
    if (part.bytes == 0) return true;
    return part.offset % kContainerPage == 0 && part.offset >= kContainerPage && part.offset <= total &&
           part.bytes <= total - part.offset;
}

// Both parts are inside the container already, so the sums cannot overflow.
bool overlap(const Part& a, const Part& b) {
    return a.bytes != 0 && b.bytes != 0 && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

} // namespace

Result<ContainerHeader> container_header_check(std::span<const std::uint8_t> page, std::uint64_t available_bytes) {
    if (available_bytes < kContainerPage || page.size() < sizeof(ContainerHeader)) return fail(Error::truncated);
    ContainerHeader header;
    std::memcpy(&header, page.data(), sizeof(header));
    if (std::memcmp(header.magic, kContainerMagic, sizeof(kContainerMagic)) != 0) return fail(Error::bad_format);
    if (header.version != kContainerVersion) return fail(Error::unsupported);
    if (header.section_count != std::size(header.sections)) return fail(Error::bad_format);
    if (header.total_bytes < kContainerPage) return fail(Error::bad_format);
    if (header.total_bytes > available_bytes) return fail(Error::truncated);

    Part parts[kPartsPerSection * std::size(header.sections)];
    std::size_t count = 0;
    for (const ContainerSection& section : header.sections) {
        if (section.data_pages > header.total_bytes / kContainerPage) return fail(Error::bad_format);
        parts[count++] = {section.manifest_offset, section.manifest_bytes};
        parts[count++] = {section.leaves_offset, section.data_pages * kLeafBytes};
        parts[count++] = {section.data_offset, section.data_pages * kContainerPage};
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (!inside(parts[i], header.total_bytes)) return fail(Error::bad_format);
        for (std::size_t j = 0; j < i; ++j)
            if (overlap(parts[i], parts[j])) return fail(Error::bad_format);
    }
    if (header.sections[kSectionBoot].manifest_bytes == 0) return fail(Error::bad_format);
    return header;
}

} // namespace aios::boot
