// ExpandA: the public matrix. See sampling.hpp. Everything here is public.
#include <algorithm>

#include "crypto/ml_dsa/sampling.hpp"

namespace aios::crypto::detail::ml_dsa {

namespace {

std::size_t reject_uniform(Polynomial& to, std::size_t have, const std::byte* from, std::size_t size) {
    return use_avx2() ? reject_uniform_avx2(to, have, from, size) : reject_uniform_portable(to, have, from, size);
}

} // namespace

std::size_t reject_uniform_portable(Polynomial& to, std::size_t have, const std::byte* from, std::size_t size) {
    for (const std::byte* const end = from + size; from != end && have < kN; from += 3) {
        const std::uint32_t candidate = static_cast<std::uint32_t>(from[0]) | static_cast<std::uint32_t>(from[1]) << 8 |
                                        (static_cast<std::uint32_t>(from[2]) & 0x7f) << 16;
        if (candidate < static_cast<std::uint32_t>(kQ)) to[have++] = static_cast<std::int32_t>(candidate);
    }
    return have;
}

void expand_matrix(const Shape& shape, std::span<const std::byte, 32> rho, std::size_t first, Polynomial* into,
                   std::size_t ring, MatrixScratch& scratch) {
    for (std::size_t i = 0; i < 4; ++i) {
        auto& input = scratch.input[i];
        std::copy(rho.begin(), rho.end(), input.begin());
        input[32] = static_cast<std::byte>((first + i) % shape.l);
        input[33] = static_cast<std::byte>((first + i) / shape.l);
    }
    scratch.absorb();
    const std::size_t count = std::min<std::size_t>(4, shape.k * shape.l - first);
    std::array<std::size_t, 4> have{};
    // Five blocks hold 280 candidates, of which one in 1024 is rejected: they nearly always suffice.
    std::size_t blocks = MatrixScratch::kBlocks;
    for (bool complete = false; !complete; blocks = 1) {
        scratch.squeeze(blocks);
        complete = true;
        for (std::size_t i = 0; i < count; ++i) {
            have[i] = reject_uniform(into[(first + i) % ring], have[i], scratch.out[i].data(),
                                     blocks * Shake128x4::kBlockSize);
            complete = complete && have[i] == kN;
        }
    }
}

void MatrixRows::next(const Polynomial** row) {
    const std::size_t ring = shape_.l + 3;
    for (; made_ < first_ + shape_.l; made_ += 4)
        expand_matrix(shape_, rho_, made_, ring_, ring, scratch_);
    for (std::size_t j = 0; j < shape_.l; ++j)
        row[j] = &ring_[(first_ + j) % ring];
    first_ += shape_.l;
}

} // namespace aios::crypto::detail::ml_dsa
