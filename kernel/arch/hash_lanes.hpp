// SHA-256 of many messages in the kernel: eight side by side where the processor has AVX2 and keeps its registers, else
// one after the other. A byte costs 7.1 instructions in full lanes, and 45 alone.
//
// Vector registers belong to programs. They are saved before up to eight blocks of each lane, and are afterwards as they
// were, to the bit; interrupts are off for so long, some 30,000 instructions. Between such stretches, and for all that is
// not blocks, the thread may lose its CPU. No locks, no allocation; any context; some 2 KiB of stack.
#pragma once

#include <span>

#include "crypto/sha2_batch.hpp"

namespace aios::arch {

// Gives what crypto::sha256_batch() gives.
void sha256_batch(std::span<const crypto::Sha256Job> jobs, crypto::Sha256BatchWorkspace& workspace);

// Whether the lanes are there.
[[nodiscard]] bool has_hash_lanes();

} // namespace aios::arch
