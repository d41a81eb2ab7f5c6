// elf_load: maps the segments of an executable. File pages are shared with the bundle until they are written; the part of a
// segment behind its file bytes is zero, up to the end of its last page: the tail of the last file page is cleared here,
// whole pages are anonymous memory.
#include "base/bits.hpp"
#include "kernel/agent/elf.hpp"
#include "kernel/mm/owned.hpp"
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
                     std::uint64_t base, const Ref<mm::Label>& label) {
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
        options.label = label;
        TRY(memory.map(image, align_down(segment.file_offset, kPage), file_pages_end - start, segment.protection,
                       mm::Sharing::copy_on_write, options));
        if (memory_end > file_end) {
            // Only a writable segment may have memory behind its file bytes; another could not be cleared.
            if (!arch::has(segment.protection, arch::Protection::write)) return fail(Error::unsupported);
            TRY(clear_tail(file_end, file_pages_end));
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

Result<> read_interpreter(mm::Pages& image, const ElfImage& parsed, ElfLoaded& loaded) {
    loaded.interpreter[0] = '\0';
    const std::size_t bytes = parsed.interpreter_bytes;
    if (bytes == 0) return {};
    TRY(image.read(parsed.interpreter_offset, loaded.interpreter, bytes));
    return loaded.interpreter[bytes - 1] == '\0' && loaded.interpreter[0] != '\0' ? Result<>()
                                                                                  : fail(Error::bad_format);
}

// Room for an interpreter: found by mapping it as a whole. Nobody else maps anything into the space yet.
Result<std::uint64_t> find_room(mm::AddressSpace& memory, std::uint64_t bytes) {
    const std::uint64_t at = TRY(memory.map_anonymous(bytes, arch::Protection::none, mm::ChargeWhen::at_touch));
    TRY(memory.unmap(at, bytes));
    return at;
}

Result<> load(mm::AddressSpace& memory, const Ref<mm::Pages>& image, const ElfPlace& place, Scratch& scratch,
              ElfLoaded& loaded) {
    const std::uint64_t file_bytes = image->bytes();
    const std::size_t head_bytes = file_bytes < kElfHeadBytes ? file_bytes : kElfHeadBytes;
    TRY(image->read(0, scratch.head, head_bytes));
    TRY(elf_parse(Bytes(scratch.head, head_bytes), file_bytes, scratch.image));
    const ElfImage& parsed = scratch.image;
    if (parsed.executable_stack && memory.jit() == mm::Jit::no) return fail(Error::missing_right);
    loaded.executable_stack = parsed.executable_stack;
    TRY(read_interpreter(*image, parsed, loaded));

    loaded.base = 0;
    if (parsed.position_independent) {
        const std::uint64_t low = place.is_program ? kIndependentBase + align_down(place.slide, kPage)
                                                   : TRY(find_room(memory, parsed.high - parsed.low));
        loaded.base = low - parsed.low;
    }
    for (std::size_t i = 0; i < parsed.segment_count; ++i) {
        TRY(map_segment(memory, image, parsed.segments[i], loaded.base, place.label));
    }
    loaded.entry = loaded.base + parsed.entry;
    loaded.headers = parsed.headers == 0 ? 0 : loaded.base + parsed.headers;
    loaded.header_count = parsed.header_count;
    loaded.end = loaded.base + parsed.high;
    return {};
}

} // namespace

Result<ElfLoaded> elf_load(mm::AddressSpace& memory, const Ref<mm::Pages>& image, const ElfPlace& place) {
    if (place.slide > kMaxElfSlide) return fail(Error::bad_argument);
    const auto scratch = TRY(mm::own<Scratch>());
    ElfLoaded loaded;
    TRY(load(memory, image, place, *scratch, loaded));
    return loaded;
}

} // namespace aios
