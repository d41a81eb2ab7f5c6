// All the memory that the quota pays, touched, and on against its end.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "memory_bomb");
    constexpr std::uint64_t kPiece = 16 * kPageBytes;
    for (;;) {
        const auto place = sys::agent_mem_alloc(self, kPiece, kProtectRead | kProtectWrite);
        if (!place) continue;
        for (std::uint64_t at = *place; at < *place + kPiece; at += kPageBytes)
            *reinterpret_cast<volatile char*>(at) = 1; // SAFETY: just mapped
        attack.count();
    }
}
