// ELF64 executables and their interpreters, x86-64: ET_EXEC and ET_DYN. elf_parse() looks at headers alone and trusts none of their numbers: it is pure, for host tests and fuzzing. elf_load() maps the segments
// of a parsed image copy-on-write into the current process's address space and zeroes what the file does not fill.
// Format: System V ABI, "Object Files" (ELF header, program header) and its AMD64 supplement.
#pragma once

#include "base/types.hpp"
#include "kernel/mm/address_space.hpp"

namespace aios {

inline constexpr std::size_t kElfHeadBytes = 4096; // ELF header and program headers lie in this much of the file
inline constexpr std::size_t kMaxElfSegments = 32;
inline constexpr std::uint64_t kMaxElfSlide = 1ull << 40;
inline constexpr std::size_t kMaxInterpreterBytes = 256; // of its path, with the NUL

struct ElfSegment {
    std::uint64_t address;       // as linked
    std::uint64_t file_offset;   // congruent to address modulo the page size
    std::uint64_t file_bytes;    // <= memory_bytes
    std::uint64_t memory_bytes;  // > 0
    arch::Protection protection; // write and execute at once only where the space may
};

struct ElfImage {
    bool position_independent;
    std::uint64_t entry;   // as linked
    std::uint64_t headers; // address of the program headers as linked, 0 if no segment holds them
    std::uint16_t header_count;
    std::uint64_t low, high;          // extent of all segments as linked, page aligned; high - low <= 1 GiB
    bool executable_stack;            // asked for by PT_GNU_STACK; refused by the loader where the space may not
    std::uint64_t interpreter_offset; // of its path in the file (PT_INTERP)
    std::size_t interpreter_bytes;    // with the NUL; 0: it needs none
    std::size_t segment_count;
    ElfSegment segments[kMaxElfSegments]; // ascending, not overlapping, not sharing a page
};

// Decodes `head`, the first min(file_bytes, kElfHeadBytes) bytes. truncated, bad_format, unsupported (class, machine,
// type), too_large. `image` is defined only on success.
Result<> elf_parse(Bytes head, std::uint64_t file_bytes, ElfImage& image);

struct ElfLoaded {
    std::uint64_t base; // added to linked addresses
    std::uint64_t entry;
    std::uint64_t headers; // address of the program headers in memory, 0 if they are not mapped
    std::uint64_t header_count;
    bool executable_stack;
    std::uint64_t end;                      // first page after the image: where brk starts
    char interpreter[kMaxInterpreterBytes]; // path, NUL-ended; empty: it needs none
};

// Where a position-independent image goes. Others lie where they were linked.
struct ElfPlace {
    bool is_program = true;  // false: an interpreter, which goes where there is room
    std::uint64_t slide = 0; // of a program: a page-aligned random offset
    Ref<mm::Label> label;    // of its mappings; may be empty
};

// Maps `image` into `memory`, which must be active on this thread; an interpreter that the image asks for is the caller's
// to load. missing_right (writable and executable at once without jit), bad_address, quota_exceeded, out_of_memory, integrity, and what elf_parse answers.
Result<ElfLoaded> elf_load(mm::AddressSpace& memory, const Ref<mm::Pages>& image, const ElfPlace& place);

} // namespace aios
