// Eight messages at once. See sha2_batch.hpp.
#include "crypto/sha2_batch.hpp"

#include "crypto/sha2_batch_lanes.hpp"
#include "crypto/sha2_lanes_avx2.hpp"

namespace aios::crypto {

namespace {

struct EightLanes {
    using Words = std::array<std::array<std::uint32_t, 8>, 8>;
    static constexpr std::size_t kLanes = 8;
    static constexpr std::size_t kAlone = 2; // a block in each of eight lanes takes as long as three alone

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

    // Eight big-endian words of each message, from byte `at` of its block on.
    [[gnu::always_inline]] static void load_words(const std::byte* const (&from)[kLanes], std::size_t at, __m256i* to) {
        __m256i row[8];
        for (std::size_t s = 0; s < 8; ++s) // SAFETY: each lane has 32 bytes there; the load needs no alignment
            row[s] = detail::swap_bytes_32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from[s] + at)));
        detail::transpose_8x8(row);
        for (std::size_t i = 0; i < 8; ++i)
            to[i] = row[i];
    }

    [[gnu::noinline]] static void compress(Words& words, const std::byte* const (&from)[kLanes], std::size_t count) {
        // SAFETY: each row of the state is 32 aligned bytes.
        const auto state = [&](std::size_t i) { return reinterpret_cast<__m256i*>(words[i].data()); };
        for (std::size_t block = 0; block < count; ++block) {
            __m256i w[16];
            load_words(from, 64 * block, w);
            load_words(from, 64 * block + 32, w + 8);
            __m256i v[8];
            for (std::size_t i = 0; i < 8; ++i)
                v[i] = _mm256_load_si256(state(i));
            detail::Sha2Lanes<std::uint32_t>::rounds(v, w);
            for (std::size_t i = 0; i < 8; ++i)
                _mm256_store_si256(state(i), _mm256_add_epi32(_mm256_load_si256(state(i)), v[i]));
        }
    }
};

} // namespace

void sha256_batch_avx2(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace) {
    detail::BatchRun<EightLanes>(jobs, workspace).run();
}

} // namespace aios::crypto
