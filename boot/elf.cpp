// Decoding of the kernel image's ELF headers; see elf.hpp.
#include "boot/elf.hpp"

#include <cstring>

namespace aios::boot {
namespace {

struct ElfHeader {
    std::uint8_t ident[16];
    std::uint16_t type;
    std::uint16_t machine;
    std::uint32_t version;
    std::uint64_t entry;
    std::uint64_t phoff;
    std::uint64_t shoff;
    std::uint32_t flags;
    std::uint16_t ehsize;
    std::uint16_t phentsize;
    std::uint16_t phnum;
    std::uint16_t shentsize;
    std::uint16_t shnum;
    std::uint16_t shstrndx;
};
static_assert(sizeof(ElfHeader) == 64);

struct ProgramHeader {
    std::uint32_t type;
    std::uint32_t flags;
    std::uint64_t offset;
    std::uint64_t vaddr;
    std::uint64_t paddr;
    std::uint64_t filesz;
    std::uint64_t memsz;
    std::uint64_t align;
};
static_assert(sizeof(ProgramHeader) == 56);

constexpr std::uint8_t kMagic[4] = {0x7f, 'E', 'L', 'F'};
constexpr std::uint8_t kClass64 = 2;
constexpr std::uint8_t kLittleEndian = 1;
constexpr std::uint16_t kTypeDyn = 3;
constexpr std::uint16_t kMachineX8664 = 62;
constexpr std::uint32_t kSegmentLoad = 1;
constexpr std::uint32_t kSegmentInterpreter = 3;
constexpr std::uint32_t kFlagExecutable = 1;
constexpr std::uint64_t kPage = 4096;

// Copies a T out of `bytes`; the copy makes alignment of the file's contents irrelevant.
template <typename T>
Result<T> read_at(std::span<const std::uint8_t> bytes, std::uint64_t offset) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return fail(Error::truncated);
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

Result<ElfHeader> read_header(std::span<const std::uint8_t> head) {
    auto header = TRY(read_at<ElfHeader>(head, 0));
    if (std::memcmp(header.ident, kMagic, sizeof(kMagic)) != 0) return fail(Error::bad_format);
    if (header.ident[4] != kClass64 || header.ident[5] != kLittleEndian || header.ident[6] != 1)
        return fail(Error::unsupported);
    if (header.type != kTypeDyn || header.machine != kMachineX8664) return fail(Error::unsupported);
    if (header.version != 1 || header.ehsize != sizeof(ElfHeader)) return fail(Error::bad_format);
    if (header.phentsize != sizeof(ProgramHeader) || header.phnum == 0) return fail(Error::bad_format);
    return header;
}

// Checks one PT_LOAD header against the file and the end of the segment before it.
Result<KernelSegment> read_segment(const ProgramHeader& load, std::uint64_t file_bytes, std::uint64_t previous_end) {
    if (load.offset > file_bytes || file_bytes - load.offset < load.filesz) return fail(Error::truncated);
    if (load.memsz < load.filesz || load.vaddr < kKernelLinkBase) return fail(Error::bad_format);
    std::uint64_t offset = load.vaddr - kKernelLinkBase;
    if (offset > kMaxKernelBytes || load.memsz > kMaxKernelBytes - offset) return fail(Error::too_large);
    if (offset < previous_end) return fail(Error::bad_format);
    return KernelSegment{load.offset, load.filesz, offset, load.memsz};
}

} // namespace

Result<KernelImage> kernel_image_parse(std::span<const std::uint8_t> head, std::uint64_t file_bytes) {
    if (head.size() > file_bytes) head = head.first(file_bytes);
    ElfHeader header = TRY(read_header(head));
    KernelImage image{};
    std::uint64_t end = 0;
    bool entry_found = false;
    for (std::uint32_t i = 0; i < header.phnum; ++i) {
        std::uint64_t at = 0;
        if (__builtin_add_overflow(header.phoff, std::uint64_t{i} * sizeof(ProgramHeader), &at))
            return fail(Error::bad_format);
        auto entry = read_at<ProgramHeader>(head, at);
        // Headers behind the part that is read are no image of ours; headers behind the file's end are a cut file.
        if (!entry) return fail(head.size() == file_bytes ? Error::truncated : Error::bad_format);
        if (entry->type == kSegmentInterpreter) return fail(Error::unsupported);
        if (entry->type != kSegmentLoad || entry->memsz == 0) continue;
        if (image.segment_count == kMaxKernelSegments) return fail(Error::too_large);
        KernelSegment segment = TRY(read_segment(*entry, file_bytes, end));
        end = segment.image_offset + segment.memory_bytes;
        if ((entry->flags & kFlagExecutable) != 0 && header.entry >= entry->vaddr &&
            header.entry - entry->vaddr < entry->filesz) {
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
