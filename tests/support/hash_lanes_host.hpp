// The kernel's hashes of many messages (kernel/arch/hash_lanes.hpp), for host tests: whether there are lanes is the test's
// to say, and it may look at what has been hashed, and change it, before anybody else does.
#pragma once

#include <functional>
#include <span>

#include "crypto/sha2_batch.hpp"

namespace aios::test {

extern bool has_hash_lanes;
extern std::function<void(std::span<const crypto::Sha256Job>)> after_hashing; // may be empty

} // namespace aios::test
