// See table_walk.hpp.
#include "kernel/arch/x86_64/table_walk.hpp"

#include "kernel/arch/x86_64/page_entry.hpp"

namespace aios::arch::x86 {
namespace {

struct Walk {
    void (*visit)(void*, const Leaf&);
    void* context;
};

// `rights`: those that all upper levels grant.
void walk_level(const Walk& walk, std::uint64_t entry, unsigned level, std::uint64_t base, Leaf rights) {
    const std::uint64_t* table = table_of(entry);
    for (unsigned i = 0; i < 512; ++i) {
        const std::uint64_t slot = table[i];
        if ((slot & kPtePresent) == 0) continue;
        Leaf leaf = rights;
        leaf.address = base + i * span_of(level);
        if (level == 4 && i >= 256) leaf.address |= 0xffff'0000'0000'0000;
        leaf.writable = leaf.writable && (slot & kPteWrite) != 0;
        leaf.executable = leaf.executable && (slot & kPteNoExecute) == 0;
        leaf.user = leaf.user && (slot & kPteUser) != 0;
        if (level == 1 || (slot & kPteLarge) != 0) {
            leaf.bytes = span_of(level);
            leaf.physical = slot & kPteFrame & ~(leaf.bytes - 1);
            leaf.global = (slot & kPteGlobal) != 0;
            walk.visit(walk.context, leaf);
        } else {
            walk_level(walk, slot, level - 1, leaf.address, leaf);
        }
    }
}

} // namespace

void walk_table(std::uint64_t root, void (*visit)(void*, const Leaf&), void* context) {
    walk_level({visit, context}, root, 4, 0, {0, 0, 0, true, true, true, false});
}

} // namespace aios::arch::x86
