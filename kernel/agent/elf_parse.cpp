// elf_parse: every number of the file is checked before it is used; additions cannot wrap because each operand is
// bounded first.
#include "base/bits.hpp"
#include "base/elf.hpp"
#include "kernel/agent/elf.hpp"

namespace aios {
namespace {

constexpr std::uint64_t kMaxImageBytes = 1ull << 30;
constexpr std::uint64_t kPage = arch::kPageSize;

arch::Protection protection_of(std::uint32_t flags) {
    auto protection = arch::Protection::none;
    if ((flags & elf::kRead) != 0) protection = protection | arch::Protection::read;
    if ((flags & elf::kWrite) != 0) protection = protection | arch::Protection::write;
    if ((flags & elf::kExecute) != 0) protection = protection | arch::Protection::execute;
    return protection;
}

Result<> add_segment(ElfImage& image, const elf::ProgramHeader& header, std::uint64_t file_bytes) {
    if (header.memory_bytes == 0) return {};
    if (image.segment_count == kMaxElfSegments) return fail(Error::too_large);
    if (header.file_bytes > header.memory_bytes || header.memory_bytes > kMaxImageBytes) return fail(Error::bad_format);
    if (header.offset > file_bytes || header.file_bytes > file_bytes - header.offset) return fail(Error::truncated);
    const std::uint64_t lowest = image.position_independent ? 0 : arch::kUserLow;
    if (header.virtual_address < lowest || header.virtual_address > arch::kUserHigh - kMaxImageBytes) {
        return fail(Error::bad_format);
    }
    if (header.virtual_address % kPage != header.offset % kPage) return fail(Error::bad_format);
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

Result<> set_interpreter(ElfImage& image, const elf::ProgramHeader& header, std::uint64_t file_bytes) {
    if (image.interpreter_bytes != 0 || header.file_bytes < 2) return fail(Error::bad_format);
    if (header.file_bytes > kMaxInterpreterBytes) return fail(Error::too_large);
    if (header.offset > file_bytes || header.file_bytes > file_bytes - header.offset) return fail(Error::truncated);
    image.interpreter_offset = header.offset;
    image.interpreter_bytes = header.file_bytes;
    return {};
}

// In what is mapped of the file, and executable: not among the zeros behind it.
bool holds_entry(const ElfSegment& segment, std::uint64_t entry) {
    if (!arch::has(segment.protection, arch::Protection::execute)) return false;
    return entry >= segment.address && entry - segment.address < segment.file_bytes;
}

// Whether [offset, offset + bytes) of the file is mapped by it. Neither can be so large that the sum wraps: elf_parse()
// has bounded both.
bool holds_file_range(const ElfSegment& segment, std::uint64_t offset, std::uint64_t bytes) {
    return offset >= segment.file_offset && offset - segment.file_offset + bytes <= segment.file_bytes;
}

} // namespace

Result<> elf_parse(Bytes head, std::uint64_t file_bytes, ElfImage& image) {
    const elf::Header header = TRY(elf::read_header(head));
    const std::size_t table_bytes = std::size_t{header.program_count} * sizeof(elf::ProgramHeader);
    if (header.program_offset > head.size() || table_bytes > head.size() - header.program_offset) {
        return fail(header.program_offset < kElfHeadBytes && head.size() < kElfHeadBytes ? Error::truncated
                                                                                         : Error::too_large);
    }

    image.headers = 0;
    image.interpreter_offset = 0;
    image.interpreter_bytes = 0;
    image.segment_count = 0;
    image.executable_stack = false;
    image.position_independent = header.type == elf::kTypeShared;
    image.entry = header.entry;
    image.header_count = header.program_count;
    for (std::size_t i = 0; i < header.program_count; ++i) {
        const auto program =
            TRY(elf::read<elf::ProgramHeader>(head, header.program_offset + i * sizeof(elf::ProgramHeader)));
        if (program.type == elf::kInterpreter) TRY(set_interpreter(image, program, file_bytes));
        if (program.type == elf::kGnuStack) image.executable_stack = (program.flags & elf::kExecute) != 0;
        if (program.type == elf::kLoad) TRY(add_segment(image, program, file_bytes));
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
        entry_found = entry_found || holds_entry(segment, header.entry);
        if (holds_file_range(segment, header.program_offset, table_bytes))
            image.headers = segment.address + (header.program_offset - segment.file_offset);
    }
    if (!entry_found) return fail(Error::bad_format);
    return {};
}

} // namespace aios
