// elf_parse: every number of the file is checked before it is used; additions cannot wrap because each operand is
// bounded first.
#include <cstring>

#include "base/bits.hpp"
#include "kernel/agent/elf.hpp"

namespace aios {
namespace {

struct ElfHeader {
    std::uint8_t ident[16];
    std::uint16_t type, machine;
    std::uint32_t version;
    std::uint64_t entry, program_offset, section_offset;
    std::uint32_t flags;
    std::uint16_t header_bytes, program_bytes, program_count, section_bytes, section_count, names;
};
static_assert(sizeof(ElfHeader) == 64);

struct ProgramHeader {
    std::uint32_t type, flags;
    std::uint64_t offset, virtual_address, physical_address, file_bytes, memory_bytes, alignment;
};
static_assert(sizeof(ProgramHeader) == 56);

constexpr std::uint16_t kTypeExecutable = 2, kTypeShared = 3, kMachineX86_64 = 62;
constexpr std::uint32_t kLoad = 1, kInterpreter = 3, kGnuStack = 0x6474e551;
constexpr std::uint32_t kExecute = 1, kWrite = 2, kRead = 4;
constexpr std::uint64_t kMaxImageBytes = 1ull << 30;
constexpr std::uint64_t kPage = arch::kPageSize;

template <typename T>
T load(Bytes bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

arch::Protection protection_of(std::uint32_t flags) {
    auto protection = arch::Protection::none;
    if ((flags & kRead) != 0) protection = protection | arch::Protection::read;
    if ((flags & kWrite) != 0) protection = protection | arch::Protection::write;
    if ((flags & kExecute) != 0) protection = protection | arch::Protection::execute;
    return protection;
}

Result<> add_segment(ElfImage& image, const ProgramHeader& header, std::uint64_t file_bytes) {
    if (header.memory_bytes == 0) return {};
    if (image.segment_count == kMaxElfSegments) return fail(Error::too_large);
    if (header.file_bytes > header.memory_bytes || header.memory_bytes > kMaxImageBytes) return fail(Error::bad_format);
    if (header.offset > file_bytes || header.file_bytes > file_bytes - header.offset) return fail(Error::truncated);
    const std::uint64_t lowest = image.position_independent ? 0 : arch::kUserLow;
    if (header.virtual_address < lowest || header.virtual_address > arch::kUserHigh - kMaxImageBytes) {
        return fail(Error::bad_format);
    }
    if (header.virtual_address % kPage != header.offset % kPage) return fail(Error::bad_format);
    if ((header.flags & (kWrite | kExecute)) == (kWrite | kExecute)) return fail(Error::unsupported);
    if (image.segment_count != 0) {
        const ElfSegment& last = image.segments[image.segment_count - 1];
        if (align_down(header.virtual_address, kPage) < align_up(last.address + last.memory_bytes, kPage)) {
            return fail(Error::bad_format);
        }
    }
    image.segments[image.segment_count++] = {header.virtual_address, header.offset, header.file_bytes,
                                             header.memory_bytes, protection_of(header.flags)};
    return {};
}

} // namespace

Result<> elf_parse(Bytes head, std::uint64_t file_bytes, ElfImage& image) {
    if (head.size() < sizeof(ElfHeader)) return fail(Error::truncated);
    const auto header = load<ElfHeader>(head, 0);
    constexpr std::uint8_t kIdent[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; // 64-bit, little-endian, version 1
    if (std::memcmp(header.ident, kIdent, 4) != 0) return fail(Error::bad_format);
    if (std::memcmp(header.ident, kIdent, sizeof(kIdent)) != 0) return fail(Error::unsupported);
    if (header.machine != kMachineX86_64) return fail(Error::unsupported);
    if (header.type != kTypeExecutable && header.type != kTypeShared) return fail(Error::unsupported);
    if (header.program_bytes != sizeof(ProgramHeader) || header.program_count == 0) return fail(Error::bad_format);
    const std::size_t table_bytes = std::size_t{header.program_count} * sizeof(ProgramHeader);
    if (header.program_offset > head.size() || table_bytes > head.size() - header.program_offset) {
        return fail(header.program_offset < kElfHeadBytes && head.size() < kElfHeadBytes ? Error::truncated
                                                                                         : Error::too_large);
    }

    image.headers = 0;
    image.segment_count = 0;
    image.executable_stack = false;
    image.position_independent = header.type == kTypeShared;
    image.entry = header.entry;
    image.header_count = header.program_count;
    for (std::size_t i = 0; i < header.program_count; ++i) {
        const auto program = load<ProgramHeader>(head, header.program_offset + i * sizeof(ProgramHeader));
        if (program.type == kInterpreter) return fail(Error::unsupported);
        if (program.type == kGnuStack) image.executable_stack = (program.flags & kExecute) != 0;
        if (program.type == kLoad) TRY(add_segment(image, program, file_bytes));
    }
    if (image.segment_count == 0) return fail(Error::bad_format);

    const ElfSegment& first = image.segments[0];
    const ElfSegment& last = image.segments[image.segment_count - 1];
    image.low = align_down(first.address, kPage);
    image.high = align_up(last.address + last.memory_bytes, kPage);
    if (image.high - image.low > kMaxImageBytes) return fail(Error::too_large);
    bool entry_found = false;
    for (std::size_t i = 0; i < image.segment_count; ++i) {
        const ElfSegment& segment = image.segments[i];
        if (arch::has(segment.protection, arch::Protection::execute) && header.entry >= segment.address &&
            header.entry - segment.address < segment.file_bytes) {
            entry_found = true;
        }
        if (header.program_offset >= segment.file_offset &&
            header.program_offset - segment.file_offset + table_bytes <= segment.file_bytes) {
            image.headers = segment.address + (header.program_offset - segment.file_offset);
        }
    }
    if (!entry_found) return fail(Error::bad_format);
    return {};
}

} // namespace aios
