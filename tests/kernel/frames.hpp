// A few frames out of the kernel image, for tests that need page tables of their own, with a count of what is not given
// back.
#pragma once

#include "kernel/arch/arch.hpp"

namespace aios::kernel_test {

class FramePool final : public arch::TableFrames {
public:
    explicit FramePool(unsigned limit = 16); // at most 16; one pool at a time
    Result<arch::PhysAddr> allocate_table() override;
    void free_table(arch::PhysAddr frame) override;
    [[nodiscard]] unsigned in_use() const;

private:
    unsigned limit_;
    std::uint32_t used_ = 0; // one bit a frame
};

} // namespace aios::kernel_test
