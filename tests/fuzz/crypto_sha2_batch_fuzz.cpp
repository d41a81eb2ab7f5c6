// Batches of hashes whose number, lengths, prefixes and places the input chooses: every engine gives what Sha256 gives.
// Each job takes three bytes, its prefix's size, its message's size and where in the input both begin.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/backend.hpp"
#include "crypto/sha2_batch.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

constexpr std::size_t kMostJobs = 64;

void require(bool condition) {
    if (!condition) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: bytes are bytes.
    const Bytes all(reinterpret_cast<const std::byte*>(data), size);
    ByteReader reader(all);
    std::vector<Sha256Job> jobs;
    std::vector<Digest256> expected;
    while (reader.remaining() >= 3 && jobs.size() < kMostJobs) {
        const std::size_t prefix = *reader.u8() % 64;
        const std::size_t length = *reader.u8() * std::size_t{3};
        const Bytes from = all.subspan(std::min<std::size_t>(*reader.u8(), size));
        const Sha256Job job = {.prefix = from.first(std::min(prefix, from.size())),
                               .message = from.last(std::min(length, from.size())),
                               .digest = nullptr};
        jobs.push_back(job);
        Sha256 hash;
        hash.update(job.prefix);
        hash.update(job.message);
        expected.push_back(hash.finish());
    }
    std::vector<Digest256> digests(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i)
        jobs[i].digest = &digests[i];
    Sha256BatchWorkspace workspace;
    for (const Backend backend : {Backend::portable, Backend::avx2}) {
        if (!use_backend(backend)) continue;
        std::ranges::fill(digests, Digest256{});
        sha256_batch(jobs, workspace);
        require(digests == expected);
        if (backend == Backend::portable) continue;
        std::ranges::fill(digests, Digest256{});
        sha256_batch_avx2(jobs, workspace);
        require(digests == expected);
    }
    return 0;
}
