// See hash_batch.hpp.
#include "crypto/ml_kem/hash_batch.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/sha3.hpp"

namespace aios::crypto::ml_kem {

namespace {

constexpr std::size_t kLanes = 25;

// The last bytes of inputs: numbers, and pairs of indexes.
consteval std::array<std::byte, 16> make_numbers() {
    std::array<std::byte, 16> numbers{};
    for (std::size_t i = 0; i < 16; ++i)
        numbers[i] = static_cast<std::byte>(i);
    return numbers;
}
consteval std::array<std::byte, 32> make_pairs() {
    std::array<std::byte, 32> pairs{};
    for (std::size_t i = 0; i < 16; ++i) {
        pairs[2 * i] = static_cast<std::byte>(i / 4);
        pairs[2 * i + 1] = static_cast<std::byte>(i % 4);
    }
    return pairs;
}
constexpr std::array<std::byte, 16> kNumbers = make_numbers();
constexpr std::array<std::byte, 32> kPairs = make_pairs();

// Lane i of state s.
std::uint64_t& lane(std::array<std::uint64_t, kLanes>& state, std::size_t i, std::size_t) { return state[i]; }
std::uint64_t lane(const std::array<std::uint64_t, kLanes>& state, std::size_t i, std::size_t) { return state[i]; }
std::uint64_t& lane(detail::KeccakX4& state, std::size_t i, std::size_t s) { return state.lanes[i][s]; }
std::uint64_t lane(const detail::KeccakX4& state, std::size_t i, std::size_t s) { return state.lanes[i][s]; }

void permute(std::array<std::uint64_t, kLanes>& state) { detail::keccak_f1600(state); }
void permute(detail::KeccakX4& state) { detail::keccak_f1600_x4(state); }

} // namespace

void HashBatch::add(Job job) {
    AIOS_ASSERT(count_ < kMaxJobs);
    jobs_[count_++] = job;
}

void HashBatch::add_digest(SpongeKind kind, const std::byte* first, Bytes rest, std::byte* out, std::size_t size) {
    add({first, rest, kind, Output::digest, true, static_cast<std::uint8_t>(size), 0, out, nullptr});
}

void HashBatch::add_matrix_entry(const std::byte* rho, std::size_t column, std::size_t row, Poly& out) {
    const Bytes indexes = Bytes(kPairs).subspan(2 * (4 * column + row), 2);
    add({rho, indexes, kShake128, Output::matrix_entry, true, 0, 0, nullptr, &out});
}

template <std::size_t Eta>
void HashBatch::add_noise(const std::byte* seed, std::size_t number, Poly& out) {
    constexpr Output kOutput = Eta == 2 ? Output::noise2 : Output::noise3;
    add({seed, Bytes(kNumbers).subspan(number, 1), kShake256, kOutput, true, 0, 0, nullptr, &out});
}
template void HashBatch::add_noise<2>(const std::byte*, std::size_t, Poly&);
template void HashBatch::add_noise<3>(const std::byte*, std::size_t, Poly&);

void HashBatch::run() {
    if (use_avx2() && count_ > 1)
        run_on(four_, 4);
    else
        run_on(one_, 1);
    count_ = 0;
}

template <typename State>
void HashBatch::run_on(State& state, std::size_t width) {
    std::array<Job*, 4> running{};
    std::size_t next = 0;
    for (std::size_t left = count_; left > 0;) {
        for (std::size_t s = 0; s < width; ++s) {
            if (running[s] == nullptr && next < count_) running[s] = &jobs_[next++];
            if (running[s] != nullptr && running[s]->absorbs) absorb(state, s, *running[s]);
        }
        permute(state);
        for (std::size_t s = 0; s < width; ++s) {
            if (running[s] == nullptr || running[s]->absorbs) continue;
            if (!squeeze(state, s, *running[s])) continue;
            running[s] = nullptr;
            --left;
        }
    }
}

// The next block of the input, as far as there is one, and the padding behind its end (FIPS 202 sections 4, 6.1, 6.2).
template <typename State>
void HashBatch::absorb(State& state, std::size_t s, Job& job) {
    const std::size_t lanes = job.kind.rate / 8u;
    std::size_t at = 0;
    if (job.first != nullptr) {
        for (; at < 4; ++at)
            lane(state, at, s) = load_le<std::uint64_t>(job.first + 8 * at);
        for (std::size_t i = at; i < kLanes; ++i)
            lane(state, i, s) = 0;
        job.first = nullptr;
    }
    for (; at < lanes && job.rest.size() >= 8; ++at) {
        lane(state, at, s) ^= load_le<std::uint64_t>(job.rest.data());
        job.rest = job.rest.subspan(8);
    }
    if (at == lanes) return;
    std::uint64_t last = std::uint64_t{job.kind.suffix} << (8 * job.rest.size());
    for (std::size_t i = 0; i < job.rest.size(); ++i)
        last |= static_cast<std::uint64_t>(job.rest[i]) << (8 * i);
    lane(state, at, s) ^= last;
    lane(state, lanes - 1, s) ^= std::uint64_t{0x80} << 56;
    job.absorbs = false;
}

// Takes what one permutation gave. Returns whether the job is done.
template <typename State>
bool HashBatch::squeeze(const State& state, std::size_t s, Job& job) {
    if (job.output == Output::digest) {
        for (std::size_t i = 0; i < job.to_write / 8u; ++i)
            store_le(job.digest + 8 * i, lane(state, i, s));
        return true;
    }
    std::byte* const block = blocks_[s].bytes.data();
    std::byte* const to = job.output == Output::noise3 ? block + job.have * job.kind.rate : block;
    for (std::size_t i = 0; i < job.kind.rate / 8u; ++i)
        store_le(to + 8 * i, lane(state, i, s));
    return take_block(job, block);
}

bool HashBatch::take_block(Job& job, const std::byte* block) {
    switch (job.output) {
    case Output::matrix_entry:
        job.have = static_cast<std::uint16_t>(sample_uniform(block, *job.poly, job.have));
        return job.have == kN;
    case Output::noise2:
        sample_noise<2>(block, *job.poly);
        return true;
    case Output::noise3:
        ++job.have;
        if (job.have < 2) return false;
        sample_noise<3>(block, *job.poly);
        return true;
    case Output::digest:
        break;
    }
    AIOS_UNREACHABLE();
}

} // namespace aios::crypto::ml_kem
