#include "tests/support/hash_lanes_host.hpp"

#include "kernel/arch/hash_lanes.hpp"

namespace aios::test {
bool has_hash_lanes = true;
std::function<void(std::span<const crypto::Sha256Job>)> after_hashing;
} // namespace aios::test

namespace aios::arch {

bool has_hash_lanes() { return test::has_hash_lanes; }

void sha256_batch(std::span<const crypto::Sha256Job> jobs, crypto::Sha256BatchWorkspace& workspace) {
    crypto::sha256_batch(jobs, workspace);
    if (test::after_hashing) test::after_hashing(jobs);
}

} // namespace aios::arch
