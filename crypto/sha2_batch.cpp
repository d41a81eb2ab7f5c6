// The choice of the engine, the one without lanes, and how the others' lanes are laid out. See sha2_batch.hpp.
#include "crypto/sha2_batch.hpp"

#include "crypto/backend.hpp"
#include "crypto/sha2_batch_lanes.hpp"
#include "crypto/sha2_instructions.hpp"

namespace aios::crypto {

namespace {

struct EightLanes {
    using Words = Sha256LaneWords;
    static constexpr std::size_t kLanes = 8;
    static constexpr std::size_t kAlone = 2; // a block in each of eight lanes takes as long as three alone
    Sha256CompressEight by;

    static void set(Words& words, std::size_t lane, const std::array<std::uint32_t, 8>& state) {
        for (std::size_t i = 0; i < 8; ++i)
            words[i][lane] = state[i];
    }
    static std::array<std::uint32_t, 8> get(const Words& words, std::size_t lane) {
        std::array<std::uint32_t, 8> state;
        for (std::size_t i = 0; i < 8; ++i)
            state[i] = words[i][lane];
        return state;
    }
    void compress(Words& words, const std::byte* const (&from)[kLanes], std::size_t count) const {
        by(words, from, count);
    }
};

#ifndef AIOS_KERNEL
// Two messages at once: one waits for its rounds while the other's run.
struct TwoByInstructions {
    using Words = Sha256LaneWords;
    static constexpr std::size_t kLanes = 2;
    static constexpr std::size_t kAlone = 1;
    static void set(Words& words, std::size_t lane, const std::array<std::uint32_t, 8>& state) { words[lane] = state; }
    static std::array<std::uint32_t, 8> get(const Words& words, std::size_t lane) { return words[lane]; }
    static void compress(Words& words, const std::byte* const (&from)[kLanes], std::size_t count) {
        detail::sha256_compress_two_by_instructions(words[0], words[1], from[0], from[1], count);
    }
};
#endif

} // namespace

void sha256_batch_portable(std::span<const Sha256Job> jobs) {
    for (const Sha256Job& job : jobs) {
        Sha256 hash;
        hash.update(job.prefix);
        hash.update(job.message);
        *job.digest = hash.finish();
    }
}

void sha256_batch_by(Sha256CompressEight compress, std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace) {
    detail::BatchRun<EightLanes>(jobs, workspace, EightLanes{compress}).run();
}

#ifndef AIOS_KERNEL
void sha256_batch_avx2(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace) {
    sha256_batch_by(sha256_compress_eight_avx2, jobs, workspace);
}
#endif

void sha256_batch(std::span<const Sha256Job> jobs, [[maybe_unused]] Sha256BatchWorkspace& workspace) {
#ifndef AIOS_KERNEL
    if (use_sha_instructions()) return detail::BatchRun<TwoByInstructions>(jobs, workspace).run();
    if (use_avx2()) return sha256_batch_avx2(jobs, workspace);
#endif
    sha256_batch_portable(jobs);
}

} // namespace aios::crypto
