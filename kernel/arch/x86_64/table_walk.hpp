// Walks a whole page table and shows every leaf: for tests of what is mapped how.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

struct Leaf {
    std::uint64_t address, physical, bytes;
    bool writable, executable, user, global;
};
// Calls visit(context, leaf) for each page of the table at `root` (physical).
void walk_table(std::uint64_t root, void (*visit)(void* context, const Leaf& leaf), void* context);

} // namespace aios::arch::x86
