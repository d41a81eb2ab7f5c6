// The hash computations of one step of ML-KEM that do not wait for each other: digests, the entries of the matrix, the
// noise (FIPS 203 section 4.1). With AVX2 four of them share each permutation of Keccak, whatever their kind: a lane
// that is done takes the next one. Otherwise they run one after the other.
//
//   batch.add_digest(kSha3_256, first, rest, out, 32);  batch.add_matrix_entry(rho, j, i, poly);  batch.run();
//
// What is added refers to the caller's memory until run() returns, and the batch is then empty. It holds secrets and is
// wiped with the workspace that it is a part of. How often and in which order permutations run depends on lengths and
// on the matrix, which is public; on nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "crypto/keccak_x4.hpp"
#include "crypto/ml_kem/poly.hpp"

namespace aios::crypto::ml_kem {

// A function of FIPS 202: its rate in bytes, and its domain bits with the first bit of the padding.
struct SpongeKind {
    std::uint8_t rate;
    std::uint8_t suffix;
};
inline constexpr SpongeKind kSha3_256 = {136, 0x06};
inline constexpr SpongeKind kSha3_512 = {72, 0x06};
inline constexpr SpongeKind kShake128 = {168, 0x1f};
inline constexpr SpongeKind kShake256 = {136, 0x1f};

class HashBatch {
public:
    // Two digests, 16 entries of the matrix, nine polynomials of noise: decapsulation of ML-KEM-1024.
    static constexpr std::size_t kMaxJobs = 27;

    // `size` bytes of the hash of first || rest. `first` has 32 bytes; size is a multiple of 8, at most 64.
    void add_digest(SpongeKind kind, const std::byte* first, Bytes rest, std::byte* out, std::size_t size);

    // SampleNTT(rho || column || row), algorithm 7; indexes are below 4.
    void add_matrix_entry(const std::byte* rho, std::size_t column, std::size_t row, Poly& out);

    // SamplePolyCBD(PRF(seed, number)), algorithm 8 and (4.3); number is below 16.
    template <std::size_t Eta>
    void add_noise(const std::byte* seed, std::size_t number, Poly& out);

    void run();

private:
    enum class Output : std::uint8_t { digest, matrix_entry, noise2, noise3 };

    struct Job {
        const std::byte* first; // 32 bytes not yet absorbed, or null
        Bytes rest;             // what is to be absorbed then
        SpongeKind kind;
        Output output;
        bool absorbs;          // more input, or the padding
        std::uint8_t to_write; // bytes of a digest
        std::uint16_t have;    // coefficients of a matrix entry, blocks of noise
        std::byte* digest;
        Poly* poly;
    };

    void add(Job job);
    template <typename State>
    void run_on(State& state, std::size_t width);
    template <typename State>
    static void absorb(State& state, std::size_t s, Job& job);
    template <typename State>
    bool squeeze(const State& state, std::size_t s, Job& job);
    static bool take_block(Job& job, const std::byte* block);

    detail::KeccakX4 four_;
    std::array<std::uint64_t, 25> one_;
    // Output on its way from the sponge to the sampler. The second block of noise follows the first one.
    struct Block {
        alignas(32) std::array<std::byte, 2 * 136 + 16> bytes;
    };
    std::array<Block, 4> blocks_;
    std::array<Job, kMaxJobs> jobs_;
    std::size_t count_ = 0;
};

} // namespace aios::crypto::ml_kem
