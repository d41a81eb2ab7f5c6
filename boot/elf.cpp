// Decoding of the kernel image's ELF headers; see elf.hpp.
#include "boot/elf.hpp"

#include "base/elf.hpp"

namespace aios::boot {
namespace {

constexpr std::uint64_t kPage = 4096;

Result<elf::Header> read_header(Bytes head) {
    const auto header = TRY(elf::read_header(head));
    if (header.type != elf::kTypeShared) return fail(Error::unsupported);
    if (header.version != 1 || header.header_bytes != sizeof(elf::Header)) return fail(Error::bad_format);
    return header;
}

// Checks one PT_LOAD header against the file and the end of the segment before it.
Result<KernelSegment> read_segment(const elf::ProgramHeader& load, std::uint64_t file_bytes,
                                   std::uint64_t previous_end) {
    if (load.offset > file_bytes || file_bytes - load.offset < load.file_bytes) return fail(Error::truncated);
    if (load.memory_bytes < load.file_bytes || load.virtual_address < kKernelLinkBase) return fail(Error::bad_format);
    std::uint64_t offset = load.virtual_address - kKernelLinkBase;
    if (offset > kMaxKernelBytes || load.memory_bytes > kMaxKernelBytes - offset) return fail(Error::too_large);
    if (offset < previous_end) return fail(Error::bad_format);
    return KernelSegment{load.offset, load.file_bytes, offset, load.memory_bytes};
}

} // namespace

Result<KernelImage> kernel_image_parse(std::span<const std::uint8_t> head, std::uint64_t file_bytes) {
    if (head.size() > file_bytes) head = head.first(file_bytes);
    const Bytes bytes = std::as_bytes(head);
    const elf::Header header = TRY(read_header(bytes));
    KernelImage image{};
    std::uint64_t end = 0;
    bool entry_found = false;
    for (std::uint32_t i = 0; i < header.program_count; ++i) {
        std::uint64_t at = 0;
        if (__builtin_add_overflow(header.program_offset, std::uint64_t{i} * sizeof(elf::ProgramHeader), &at))
            return fail(Error::bad_format);
        const auto entry = elf::read<elf::ProgramHeader>(bytes, at);
        // Headers behind the part that is read are no image of ours; headers behind the file's end are a cut file.
        if (!entry) return fail(head.size() == file_bytes ? Error::truncated : Error::bad_format);
        if (entry->type == elf::kInterpreter) return fail(Error::unsupported);
        if (entry->type != elf::kLoad || entry->memory_bytes == 0) continue;
        if (image.segment_count == kMaxKernelSegments) return fail(Error::too_large);
        KernelSegment segment = TRY(read_segment(*entry, file_bytes, end));
        end = segment.image_offset + segment.memory_bytes;
        if ((entry->flags & elf::kExecute) != 0 && header.entry >= entry->virtual_address &&
            header.entry - entry->virtual_address < entry->file_bytes) {
            entry_found = true;
            image.entry_offset = header.entry - kKernelLinkBase;
        }
        image.segments[image.segment_count++] = segment;
    }
    if (!entry_found) return fail(Error::bad_format);
    image.image_bytes = (end + kPage - 1) / kPage * kPage;
    return image;
}

} // namespace aios::boot
