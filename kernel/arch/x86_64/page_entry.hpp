// Page table entries and the way through the levels.
#pragma once

#include <cstdint>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/layout.hpp"

namespace aios::arch::x86 {

// Bits that the processor leaves to software.
inline constexpr std::uint64_t kPteOwned = 1 << 9; // mm's mark
inline constexpr std::uint64_t kPteHeld = 1 << 10; // not present, but keeps its frame and mark

inline std::uint64_t* table_of(std::uint64_t entry) {
    return static_cast<std::uint64_t*>(physmap({entry & kPteFrame}));
}
inline unsigned index_at(std::uint64_t address, unsigned level) {
    return static_cast<unsigned>(address >> (12 + 9 * (level - 1))) & 511;
}
// Bytes that one slot of a table at `level` covers.
inline std::uint64_t span_of(unsigned level) { return 1ull << (12 + 9 * (level - 1)); }

inline std::uint64_t make_entry(std::uint64_t frame, Protection protection, std::uint64_t extra) {
    std::uint64_t entry = frame | extra;
    if (has(protection, Protection::read | Protection::write | Protection::execute))
        entry |= kPtePresent;
    else
        entry |= kPteHeld;
    if (has(protection, Protection::write)) entry |= kPteWrite;
    if (!has(protection, Protection::execute)) entry |= kPteNoExecute;
    if (has(protection, Protection::owned)) entry |= kPteOwned;
    return entry;
}
inline Protection protection_of(std::uint64_t entry) {
    Protection protection = Protection::none;
    if ((entry & kPtePresent) != 0) {
        protection = protection | Protection::read;
        if ((entry & kPteWrite) != 0) protection = protection | Protection::write;
        if ((entry & kPteNoExecute) == 0) protection = protection | Protection::execute;
    }
    if ((entry & kPteOwned) != 0) protection = protection | Protection::owned;
    return protection;
}

} // namespace aios::arch::x86
