// SHA-256 of many messages at once: page trees, records of a log, nodes of a Merkle tree. The messages are independent
// and may differ in length; each is one short prefix and one run of bytes, hashed as if they stood behind each other.
//
//   Sha256BatchWorkspace workspace;
//   const Sha256Job jobs[] = {{.prefix = kLeaf, .message = page0, .digest = &a}, {...}};
//   sha256_batch(jobs, workspace);
//
// Every form gives what Sha256 gives. Lanes take the next job as soon as they are done with one, so jobs of different
// lengths do not wait for each other; many jobs in one call are better than many calls. Times depend on the lengths
// alone. As in sha2.hpp nothing is wiped: where messages are secrets, the caller wipes the workspace. No allocation, no
// failure, no locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/types.hpp"
#include "crypto/sha2.hpp"

namespace aios::crypto {

struct Sha256Job {
    Bytes prefix;  // at most 63 bytes
    Bytes message; // any length
    Digest256*
        digest; // never null; written when the call returns, and not before all of `prefix` and `message` is read
};

// The chaining states of the lanes under way. Word i of lane s is words[i][s] with AVX2, words[s][i] with the SHA
// instructions.
using Sha256LaneWords = std::array<std::array<std::uint32_t, 8>, 8>;

namespace detail {

// A job under way: the blocks that come next, and what stands behind them.
struct BatchLane {
    const std::byte* from; // `blocks` whole blocks
    std::size_t blocks;
    Bytes prefix; // not hashed yet
    Bytes rest;   // not hashed yet
    std::uint64_t length;
    Digest256* digest; // null: the lane is idle
    bool padded;       // the blocks at `from` are the last
    std::array<std::byte, 128> buffer;
};

inline constexpr std::size_t kMostBatchLanes = 8;

} // namespace detail

// Holds nothing between calls; below 2 KiB.
struct Sha256BatchWorkspace {
    alignas(32) Sha256LaneWords words;
    std::array<detail::BatchLane, detail::kMostBatchLanes> lanes;
};

// By whatever is fastest on this processor: two lanes of SHA instructions, eight of AVX2, or one message after the
// other. In the kernel always the last; kernel/arch/hash_lanes.hpp has a better one.
void sha256_batch(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace);

// One after the other, without vector registers (but by SHA instructions where Sha256 takes them).
void sha256_batch_portable(std::span<const Sha256Job> jobs);

// Eight lanes of AVX2, whatever the choice of backend.hpp, on a processor that has them. Not in the kernel.
void sha256_batch_avx2(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace);

// Eight lanes, by `compress`, which adds `count` blocks to each lane's state, lane s from from[s] on. It is all that
// touches vector registers: a kernel saves them around as many blocks as it likes, and hashes the rest between.
// `words` are aligned to 32 bytes.
using Sha256CompressEight = void (*)(Sha256LaneWords& words, const std::byte* const (&from)[8], std::size_t count);
void sha256_batch_by(Sha256CompressEight compress, std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace);

// Such a one. The processor has AVX2 (and BMI, BMI2), and what is in the vector registers may be lost. Below 1 KiB of
// stack.
void sha256_compress_eight_avx2(Sha256LaneWords& words, const std::byte* const (&from)[8], std::size_t count);

} // namespace aios::crypto
