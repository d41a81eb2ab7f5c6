// Loading of kernel, container and command line; see files.hpp.
#include "boot/uefi/files.hpp"

#include <algorithm>

#include "boot/container_check.hpp"
#include "boot/elf.hpp"
#include "boot/memory_map.hpp"
#include "boot/uefi/volume.hpp"

namespace aios::efi {
namespace {

Result<File> open_needed(Firmware& firmware, FileProtocol& root, std::string_view name, const char16_t* path) {
    auto file = File::open(firmware, root, name, path);
    if (!file && file.error() == Error::not_found)
        return firmware.refuse(name, "there is no such file on the boot volume", Error::not_found);
    return file;
}

std::string_view kernel_reason(Error error) {
    if (error == Error::truncated) return "the file ends before its ELF headers and segments do; copy it again";
    if (error == Error::unsupported) return "is not a position-independent x86-64 ELF image";
    if (error == Error::too_large) return "has more or larger segments than the loader takes";
    return "is not a well-formed kernel image";
}

std::string_view container_reason(Error error) {
    if (error == Error::truncated) return "the file ends before its header says; copy it again";
    if (error == Error::unsupported) return "is of a container version that this loader does not know";
    return "is not a well-formed container";
}

// Pages for the kernel: the link base if it is free, else the lowest 2 MiB boundary from which it fits.
Result<Pages> kernel_room(Firmware& firmware, std::uint64_t bytes) {
    if (auto pages = firmware.pages_at(boot::kKernelLinkBase, bytes)) return pages;
    MapSnapshot map;
    TRY(firmware.map_read(map));
    auto ranges = TRY(map.ranges(MapMoment::boot_services));
    return firmware.pages_at(TRY(boot::memory_map_find(ranges, bytes, boot::kKernelAlignment, kFourGib)), bytes);
}

} // namespace

Result<LoadedKernel> kernel_load(Firmware& firmware, FileProtocol& root) {
    constexpr std::string_view kName = "\\AIOS\\KERNEL.ELF";
    File file = TRY(open_needed(firmware, root, kName, u"\\AIOS\\KERNEL.ELF"));
    Pages head = TRY(firmware.pages_below(kFourGib, boot::kKernelHeadBytes));
    auto headers = head.span().first(std::min<std::uint64_t>(file.size(), boot::kKernelHeadBytes));
    TRY(file.read(0, headers));
    auto image = boot::kernel_image_parse(headers, file.size());
    if (!image) return firmware.refuse(kName, kernel_reason(image.error()), image.error());

    auto room = kernel_room(firmware, image->image_bytes);
    if (!room)
        return firmware.refuse(kName, "no aligned memory below 4 GiB is free for the kernel", Error::out_of_memory);
    std::span<std::uint8_t> memory = room->span();
    std::uint64_t done = 0; // everything below is in its final state
    for (const boot::KernelSegment& segment : std::span(image->segments, image->segment_count)) {
        std::fill(memory.begin() + done, memory.begin() + segment.image_offset, 0);
        TRY(file.read(segment.file_offset, memory.subspan(segment.image_offset, segment.file_bytes)));
        done = segment.image_offset + segment.file_bytes;
    }
    std::fill(memory.begin() + done, memory.end(), 0);
    std::uint64_t entry = room->base() + image->entry_offset;
    return LoadedKernel{*std::move(room), entry};
}

Result<LoadedContainer> container_load(Firmware& firmware, FileProtocol& root) {
    constexpr std::string_view kName = "\\AIOS\\AIOS.BND";
    File file = TRY(open_needed(firmware, root, kName, u"\\AIOS\\AIOS.BND"));
    Pages head = TRY(firmware.pages_below(kFourGib, boot::kContainerPage));
    auto page = head.span().first(std::min<std::uint64_t>(file.size(), boot::kContainerPage));
    TRY(file.read(0, page));
    auto header = boot::container_header_check(page, file.size());
    if (!header) return firmware.refuse(kName, container_reason(header.error()), header.error());

    auto pages = firmware.pages_below(kFourGib, header->total_bytes);
    if (!pages) return firmware.refuse(kName, "does not fit into the memory below 4 GiB", Error::out_of_memory);
    auto contents = pages->span().first(header->total_bytes);
    TRY(file.read(0, contents));
    std::fill(pages->span().begin() + header->total_bytes, pages->span().end(), 0);
    // The check above was made on another reading of the first page; the kernel is given the one that was checked.
    std::copy(page.begin(), page.end(), contents.begin());
    return LoadedContainer{*std::move(pages), header->total_bytes};
}

Result<> command_line_load(Firmware& firmware, FileProtocol& root, CommandLine& line) {
    constexpr std::string_view kName = "\\AIOS\\CMDLINE.TXT";
    line.length = 0;
    line.text[0] = 0;
    auto file = File::open(firmware, root, kName, u"\\AIOS\\CMDLINE.TXT");
    if (!file && file.error() == Error::not_found) return {};
    if (!file) return fail(file.error());
    if (file->size() > kMaxCommandLine) return firmware.refuse(kName, "is longer than 4095 bytes", Error::too_large);
    std::size_t bytes = static_cast<std::size_t>(file->size());
    // SAFETY: char and unsigned char have the same representation.
    TRY(file->read(0, {reinterpret_cast<std::uint8_t*>(line.text), bytes}));
    while (bytes != 0 && (line.text[bytes - 1] == '\n' || line.text[bytes - 1] == '\r'))
        --bytes;
    for (std::size_t i = 0; i < bytes; ++i)
        if (line.text[i] < ' ' || line.text[i] > '~')
            return firmware.refuse(kName, "is not one line of printable ASCII", Error::bad_format);
    line.text[bytes] = 0;
    line.length = bytes;
    return {};
}

} // namespace aios::efi
