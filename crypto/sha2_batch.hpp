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
    // Word i of lane s is words[i][s] with AVX2; word i of lane s is words[s][i] with the SHA instructions.
    alignas(32) std::array<std::array<std::uint32_t, 8>, 8> words;
    std::array<detail::BatchLane, detail::kMostBatchLanes> lanes;
};

// By whatever is fastest on this processor: two lanes of SHA instructions, eight of AVX2, or one message after the
// other. In the kernel always the last.
void sha256_batch(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace);

// One after the other, without vector registers (but by SHA instructions where Sha256 takes them).
void sha256_batch_portable(std::span<const Sha256Job> jobs);

// Eight lanes of AVX2, whatever the choice of backend.hpp. The processor has AVX2, and the caller has made vector
// registers usable and saved what was in them: in the kernel that is his business, elsewhere the operating system's.
// Below 2 KiB of stack.
void sha256_batch_avx2(std::span<const Sha256Job> jobs, Sha256BatchWorkspace& workspace);

} // namespace aios::crypto
