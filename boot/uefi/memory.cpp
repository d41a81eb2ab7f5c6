// UEFI memory map to ranges; see memory.hpp.
#include "boot/uefi/memory.hpp"

#include <cstring>
#include <limits>

#include "boot/uefi/efi.hpp"

namespace aios::efi {
namespace {

constexpr std::uint64_t kPage = 4096;

boot::MemoryKind kind_of(MemoryType type, MapMoment moment) {
    switch (type) {
    case MemoryType::conventional:
        return boot::MemoryKind::usable;
    case MemoryType::loader_code:
    case MemoryType::loader_data:
    case MemoryType::boot_services_code:
    case MemoryType::boot_services_data:
        return moment == MapMoment::after_exit ? boot::MemoryKind::usable : boot::MemoryKind::reserved;
    case MemoryType::acpi_reclaim:
        return boot::MemoryKind::acpi;
    case MemoryType::reserved:
    case MemoryType::runtime_services_code:
    case MemoryType::runtime_services_data:
    case MemoryType::unusable:
    case MemoryType::acpi_nvs:
    case MemoryType::mapped_io:
    case MemoryType::mapped_io_port_space:
    case MemoryType::pal_code:
    case MemoryType::persistent:
    case MemoryType::unaccepted:
        return boot::MemoryKind::reserved;
    }
    return boot::MemoryKind::reserved; // a type of a later specification or of the vendor
}

} // namespace

Result<std::size_t> memory_ranges_read(std::span<const std::uint8_t> map, std::size_t descriptor_bytes,
                                       MapMoment moment, std::span<boot::MemoryRange> out) {
    if (descriptor_bytes < sizeof(MemoryDescriptor)) return fail(Error::bad_format);
    std::size_t descriptors = map.size() / descriptor_bytes;
    if (descriptors >= out.size()) return fail(Error::no_space);
    std::size_t count = 0;
    out[count++] = {0, kPage, boot::MemoryKind::reserved, 0};
    for (std::size_t i = 0; i < descriptors; ++i) {
        MemoryDescriptor descriptor;
        std::memcpy(&descriptor, map.data() + i * descriptor_bytes, sizeof(descriptor));
        std::uint64_t bytes = 0;
        if (__builtin_mul_overflow(descriptor.pages, kPage, &bytes)) bytes = std::numeric_limits<std::uint64_t>::max();
        if (bytes == 0) continue;
        out[count++] = {descriptor.physical_start, bytes, kind_of(descriptor.type, moment), 0};
    }
    return count;
}

} // namespace aios::efi
