// The ELF64 structures that AIOS reads: of its kernel's image (boot/elf.cpp) and of programs (kernel/agent/elf_parse.cpp).
// System V ABI, "Object Files", and its AMD64 supplement. Whoever reads them checks every number.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::elf {

struct Header {
    std::uint8_t ident[16];
    std::uint16_t type, machine;
    std::uint32_t version;
    std::uint64_t entry, program_offset, section_offset;
    std::uint32_t flags;
    std::uint16_t header_bytes, program_bytes, program_count, section_bytes, section_count, names;
};
static_assert(sizeof(Header) == 64);

struct ProgramHeader {
    std::uint32_t type, flags;
    std::uint64_t offset, virtual_address, physical_address, file_bytes, memory_bytes, alignment;
};
static_assert(sizeof(ProgramHeader) == 56);

inline constexpr std::uint16_t kTypeExecutable = 2, kTypeShared = 3;
inline constexpr std::uint16_t kMachineX86_64 = 62;
inline constexpr std::uint32_t kLoad = 1, kInterpreter = 3, kGnuStack = 0x6474e551; // types of program headers
inline constexpr std::uint32_t kExecute = 1, kWrite = 2, kRead = 4;                 // their flags

// A T out of `bytes`, wherever it is aligned. truncated.
template <typename T>
Result<T> read(Bytes bytes, std::uint64_t offset) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return fail(Error::truncated);
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

// The header of a little-endian 64-bit file for x86-64 with program headers of the size that is known here. truncated,
// bad_format, unsupported.
inline Result<Header> read_header(Bytes head) {
    const Header header = TRY(read<Header>(head, 0));
    constexpr std::uint8_t kIdent[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; // 64-bit, little-endian, version 1
    if (std::memcmp(header.ident, kIdent, 4) != 0) return fail(Error::bad_format);
    if (std::memcmp(header.ident, kIdent, sizeof(kIdent)) != 0) return fail(Error::unsupported);
    if (header.machine != kMachineX86_64) return fail(Error::unsupported);
    if (header.type != kTypeExecutable && header.type != kTypeShared) return fail(Error::unsupported);
    if (header.program_bytes != sizeof(ProgramHeader) || header.program_count == 0) return fail(Error::bad_format);
    return header;
}

} // namespace aios::elf
