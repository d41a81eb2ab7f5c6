// What `./aios run-linux` reads of programs and libraries, from any bytes.
#include "base/assert.hpp"
#include "tools/aios/linux/elf_needs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size); // SAFETY: bytes as characters
    if (!aios::host::is_elf(bytes)) return 0;
    const auto needs = aios::host::read_elf_needs(bytes);
    if (!needs) {
        AIOS_ASSERT(!needs.error().empty());
        return 0;
    }
    AIOS_ASSERT(needs->interpreter.size() <= size && needs->runpath.size() <= size && needs->rpath.size() <= size);
    AIOS_ASSERT(needs->rpath.empty() || needs->runpath.empty());
    for (const std::string& library : needs->libraries)
        AIOS_ASSERT(!library.empty() && !library.contains('\0'));
    return 0;
}
