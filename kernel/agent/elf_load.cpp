// elf_load: maps the segments of a static executable. File pages are shared with the bundle until they are written; the
// part of a segment behind its file bytes is zero: the tail of its last file page is cleared here, whole pages are
// anonymous memory.
#include "base/bits.hpp"
#include "kernel/agent/elf.hpp"
#include "kernel/mm/user_memory.hpp"

namespace aios {
namespace {

constexpr std::uint64_t kPage = arch::kPageSize;
// Where position-independent programs start: high enough that nothing small wraps to it, low enough to leave room for
// brk.
constexpr std::uint64_t kIndependentBase = 0x5555'0000'0000;

Result<> clear_tail(std::uint64_t from, std::uint64_t to) {
    static constexpr std::byte kZeros[256]{};
    while (from < to) {
        const std::uint64_t bytes = to - from < sizeof(kZeros) ? to - from : sizeof(kZeros);
        TRY(UserOut<std::byte>(from).write_array(0, kZeros, bytes));
        from += bytes;
    }
    return {};
}

Result<> map_segment(mm::AddressSpace& memory, const Ref<mm::Pages>& image, const ElfSegment& segment,
                     std::uint64_t base) {
    const std::uint64_t address = base + segment.address;
    const std::uint64_t start = align_down(address, kPage);
    const std::uint64_t file_end = address + segment.file_bytes;
    const std::uint64_t memory_end = address + segment.memory_bytes;
    const std::uint64_t file_pages_end = segment.file_bytes == 0 ? start : align_up(file_end, kPage);
    mm::MapOptions options;
    options.fixed = true;
    options.no_replace = true;
    if (file_pages_end > start) {
        options.address = start;
        TRY(memory.map(image, align_down(segment.file_offset, kPage), file_pages_end - start, segment.protection,
                       mm::Sharing::copy_on_write, options));
        const std::uint64_t clear_end = memory_end < file_pages_end ? memory_end : file_pages_end;
        if (memory_end > file_end) {
            // Only a writable segment may have memory behind its file bytes; another could not be cleared.
            if (!arch::has(segment.protection, arch::Protection::write)) return fail(Error::unsupported);
            TRY(clear_tail(file_end, clear_end));
        }
    }
    const std::uint64_t all_end = align_up(memory_end, kPage);
    if (all_end > file_pages_end) {
        options.address = file_pages_end;
        TRY(memory.map_anonymous(all_end - file_pages_end, segment.protection, mm::ChargeWhen::at_touch, options));
    }
    return {};
}

// Too large for a kernel stack.
struct Scratch {
    std::byte head[kElfHeadBytes];
    ElfImage image;
    ~Scratch() = default;
};

Result<ElfLoaded> load(mm::AddressSpace& memory, const Ref<mm::Pages>& image, std::uint64_t slide, Scratch& scratch) {
    const std::uint64_t file_bytes = image->bytes();
    const std::size_t head_bytes = file_bytes < kElfHeadBytes ? file_bytes : kElfHeadBytes;
    TRY(image->read(0, scratch.head, head_bytes));
    TRY(elf_parse(Bytes(scratch.head, head_bytes), file_bytes, scratch.image));
    const ElfImage& parsed = scratch.image;
    if (parsed.executable_stack) return fail(Error::unsupported);

    ElfLoaded loaded{};
    if (parsed.position_independent) loaded.base = kIndependentBase + align_down(slide, kPage) - parsed.low;
    for (std::size_t i = 0; i < parsed.segment_count; ++i) {
        TRY(map_segment(memory, image, parsed.segments[i], loaded.base));
    }
    loaded.entry = loaded.base + parsed.entry;
    loaded.headers = parsed.headers == 0 ? 0 : loaded.base + parsed.headers;
    loaded.header_count = parsed.header_count;
    loaded.end = loaded.base + parsed.high;
    return loaded;
}

} // namespace

Result<ElfLoaded> elf_load(mm::AddressSpace& memory, const Ref<mm::Pages>& image, std::uint64_t slide) {
    if (slide > kMaxElfSlide) return fail(Error::bad_argument);
    Scratch* scratch = TRY(mm::make<Scratch>());
    auto loaded = load(memory, image, slide, *scratch);
    mm::destroy(scratch);
    return loaded;
}

} // namespace aios
