// See kernel/arch/hash_lanes.hpp.
//
// How the registers survive (SDM volume 1 sections 13.7 and 13.8):
//   (1) Interrupts go off: nobody else runs on this CPU until (4), so nobody sees the registers or saves them.
//   (2) XSAVE, in its standard format, writes what is in use of those that AVX2 instructions change: XMM and MXCSR, the
//       upper halves of YMM, and those of ZMM0 to ZMM15, which VEX instructions clear. It notes which were in use at all.
//   (3) The lanes run.
//   (4) XRSTOR loads what was saved, and gives what was not in use its initial state again.
// XSAVE and not XSAVEOPT: that would leave out what it thinks this memory has already.
#include "kernel/arch/hash_lanes.hpp"

#include <algorithm>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/features.hpp"

namespace aios::arch {

namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kBlocksAtOnce = 8;
constexpr std::uint64_t kChanged = x86::kSse | x86::kAvx | x86::kZmmUpper;

// A CPU's own, in use with interrupts off alone; too large for a stack. In its header XSAVE writes the bits of the components
// that it saves; the rest stays zero, which XRSTOR asks for.
struct alignas(64) Area {
    std::byte bytes[x86::kHashAreaBytes];
};
constinit Area areas[kMaxCpus] = {};

class VectorsSaved {
public:
    VectorsSaved() : area_(areas[cpu_index()]) {
        // SAFETY: the area is aligned and as long as its components need (read_features), and interrupts are off.
        asm volatile("xsave64 %0" : "+m"(area_) : "a"(kChanged), "d"(0) : "memory");
    }
    ~VectorsSaved() {
        // SAFETY: what XSAVE has written there; interrupts have been off since.
        asm volatile("xrstor64 %0" : : "m"(area_), "a"(kChanged), "d"(0) : "memory");
    }
    VectorsSaved(const VectorsSaved&) = delete;

private:
    InterruptGuard guard_;
    Area& area_;
};

void compress(crypto::Sha256LaneWords& words, const std::byte* const (&from)[8], std::size_t count) {
    const std::byte* at[8];
    std::ranges::copy(from, at);
    while (count != 0) {
        const std::size_t blocks = std::min(count, kBlocksAtOnce);
        {
            VectorsSaved saved;
            crypto::sha256_compress_eight_avx2(words, at, blocks);
        }
        for (const std::byte*& lane : at)
            lane += kBlock * blocks;
        count -= blocks;
    }
}

} // namespace

bool has_hash_lanes() { return x86::features().hash_lanes; }

void sha256_batch(std::span<const crypto::Sha256Job> jobs, crypto::Sha256BatchWorkspace& workspace) {
    if (!has_hash_lanes()) return crypto::sha256_batch_portable(jobs);
    crypto::sha256_batch_by(compress, jobs, workspace);
}

} // namespace aios::arch
