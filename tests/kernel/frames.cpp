// See frames.hpp.
#include "tests/kernel/frames.hpp"

#include <bit>
#include <cstring>

#include "base/assert.hpp"
#include "kernel/arch/machine.hpp"

namespace aios::kernel_test {
namespace {

constexpr unsigned kFrames = 16;
alignas(4096) std::uint8_t store[kFrames][4096];

} // namespace

FramePool::FramePool(unsigned limit) : limit_(limit) { AIOS_ASSERT(limit <= kFrames); }

Result<arch::PhysAddr> FramePool::allocate_table() {
    for (unsigned i = 0; i < limit_; ++i) {
        if ((used_ >> i & 1) != 0) continue;
        used_ |= 1u << i;
        std::memset(store[i], 0, sizeof(store[i]));
        return arch::image_to_phys(store[i]);
    }
    return fail(Error::out_of_memory);
}

void FramePool::free_table(arch::PhysAddr frame) {
    const std::uint64_t index = (frame.value - arch::image_to_phys(store).value) / 4096;
    AIOS_ASSERT(index < limit_ && (used_ >> index & 1) != 0);
    used_ &= ~(1u << index);
}

unsigned FramePool::in_use() const { return static_cast<unsigned>(std::popcount(used_)); }

} // namespace aios::kernel_test
