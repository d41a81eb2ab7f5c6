// Whole pages, zeroed and copied: by AVX where the processor has it (wide_move.S), else by string instructions, which
// fast strings make as good as anything. Interrupts are off for the 128 or 256 moves, because a kernel thread's registers
// are not saved when it leaves the CPU.
#include <cstring>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/features.hpp"

extern "C" {
void zero_page_wide(void* page);
void copy_page_wide(void* to, const void* from);
}

namespace aios::arch {

void zero_page(void* page) {
    if (!x86::features().wide_moves) {
        std::memset(page, 0, kPageSize);
        return;
    }
    InterruptGuard guard;
    zero_page_wide(page);
}

void copy_page(void* to, const void* from) {
    if (!x86::features().wide_moves) {
        std::memcpy(to, from, kPageSize);
        return;
    }
    InterruptGuard guard;
    copy_page_wide(to, from);
}

} // namespace aios::arch
